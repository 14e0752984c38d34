/**
 * `pinledger clock mine`, `pair` and `almost`: opens the hands, here or over SSH, lets them run, and prints what they find as
 * they find it, then what chance would have made of it.
 */
import { ExperimentHand, fixedHand } from '../edge-agent/experiment/hand.ts'
import { type Pair, runAlone, runFree, runInStep } from '../edge-agent/experiment/runs.ts'
import { type OpenSearch, threads as threadsHere } from '../edge-agent/experiment/search.ts'
import { WorldError } from '../node/error.ts'
import { invariant } from '../schemas/result.ts'
import { openHandLogs } from './clock-hand-logs.ts'
import { readHosts, type SshHost } from './clock-inventory.ts'
import { overSsh } from './clock-ssh.ts'
import { type Kind, Stage } from './clock-stage.ts'
import type { Row } from './clock-table.ts'
import { EXIT } from './exit.ts'

export interface ExperimentOptions {
  /** Threads of each hand. */
  readonly threads: number
  /** Names of the inventory; here when left out. */
  readonly on?: readonly string[]
  readonly inventory?: string
  readonly out?: string
  readonly seconds?: number
  readonly json: boolean
}
export interface MineOptions extends ExperimentOptions {
  readonly difficulty: number
  readonly ticks: number
}
export interface PairOptions extends ExperimentOptions {
  readonly difficulty: readonly [number, number]
  readonly rounds: number
  /** Seconds. */
  readonly roundTimeout: number
}
export interface AlmostOptions extends ExperimentOptions {
  readonly difficulty: readonly [number, number]
  readonly ticks: number
  readonly all: boolean
}

/** Each machine mines a hand of its own. Throws WorldError. */
export async function mineCommand(options: MineOptions): Promise<number> {
  const hosts = hostsOf(options)
  const names = hosts.map((_, index) => String.fromCharCode(97 + index))
  return experiment(
    options,
    hosts,
    names.map((name) => [name, options.difficulty]),
    'alone',
    async (stage) => {
      await Promise.all(
        stage.rows.map(({ hand }) => runAlone(hand, options.ticks, (made) => stage.tick(made, {}))),
      )
      return EXIT.ok
    },
  )
}

/** Two hands in step; 1 when a round was closed without one of them. Throws WorldError. */
export async function pairCommand(options: PairOptions): Promise<number> {
  const { difficulty, rounds, roundTimeout } = options
  const timeoutMs = roundTimeout * 1000
  const named = [['a', difficulty[0]] as const, ['b', difficulty[1]] as const]
  return experiment(options, twoOf(hostsOf(options)), named, 'rounds', async (stage) => {
    let missed = 0
    await runInStep(pairOf(stage.rows), { rounds, timeoutMs }, ({ round, ticks, waitedMs, cut }) => {
      for (const [index, made] of ticks.entries()) {
        const [own, other] = index === 0 ? stage.rows : stage.rows.toReversed()
        invariant(own !== undefined && other !== undefined, 'a pair has two hands')
        if (made === undefined) {
          if (cut) continue
          missed++
          stage.missed(round, own.hand.label, timeoutMs)
        } else
          stage.tick(made, {
            other: other.hand.label,
            round,
            waitedMs: waitedMs[index] ?? 0,
          })
      }
    })
    return missed === 0 ? EXIT.ok : EXIT.no
  })
}

/** Two hands that run free. Throws WorldError. */
export async function almostCommand(options: AlmostOptions): Promise<number> {
  const [one, two] = options.difficulty
  const named = [['slow', Math.max(one, two)] as const, ['fast', Math.min(one, two)] as const]
  return experiment(options, twoOf(hostsOf(options)), named, 'free', async (stage) => {
    const [slow, fast] = pairOf(stage.rows)
    await runFree([slow, fast], options.ticks, (made) => {
      const isSlow = made.hand === slow
      stage.tick(made, { other: isSlow ? fast.label : slow.label }, isSlow || options.all)
    })
    return EXIT.ok
  })
}

const pairOf = (rows: readonly Row[]): Pair => {
  const [a, b] = rows
  invariant(a !== undefined && b !== undefined, 'a pair has two hands')
  return [a.hand, b.hand]
}

/** Undefined: this machine. */
type Place = SshHost | undefined

function hostsOf({ on, inventory }: ExperimentOptions): readonly Place[] {
  if (on === undefined) return [undefined]
  if (inventory === undefined)
    throw new WorldError('usage', '--on takes the names of an Ansible inventory: give it with --inventory')
  return readHosts(inventory, on)
}

/** One machine may carry both hands. */
function twoOf(hosts: readonly Place[]): readonly Place[] {
  if (hosts.length > 2)
    throw new WorldError('usage', `two hands run on one machine or on two, --on names ${hosts.length}`)
  return hosts.length === 1 ? [hosts[0], hosts[0]] : hosts
}

async function experiment(
  options: ExperimentOptions,
  places: readonly Place[],
  named: readonly (readonly [name: string, digits: number])[],
  kind: Kind,
  run: (stage: Stage) => Promise<number>,
): Promise<number> {
  const time = Date.now()
  const rows = named.map(([name, digits], index): Row => {
    const place = places[index]
    const label = place === undefined ? name : `${name}@${place.name}`
    return { digits, hand: new ExperimentHand({ label, hand: fixedHand(name, digits, time), now: Date.now }) }
  })
  const hands = rows.map(({ hand }) => hand)
  const logs = options.out === undefined ? undefined : openHandLogs(options.out, hands)
  const stop = () => void Promise.all(hands.map((hand) => hand.stop()))
  const timer = { at: undefined as NodeJS.Timeout | undefined }
  process.once('SIGINT', stop).once('SIGTERM', stop)
  try {
    const here = threadsHere(options.threads, Math.random)
    const open = (place: Place): OpenSearch => (place === undefined ? here : overSsh(place, options.threads))
    // All or none: whoever has started is stopped below.
    const started = await Promise.allSettled(hands.map((hand, index) => hand.start(open(places[index]))))
    for (const each of started) if (each.status === 'rejected') throw each.reason
    if (options.seconds !== undefined) timer.at = setTimeout(stop, options.seconds * 1000)
    const stage = new Stage(rows, { kind, json: options.json, logs })
    try {
      return await run(stage)
    } finally {
      await Promise.all(hands.map((hand) => hand.stop()))
      stage.end()
    }
  } finally {
    clearTimeout(timer.at)
    process.off('SIGINT', stop).off('SIGTERM', stop)
    await Promise.all(hands.map((hand) => hand.stop()))
    logs?.close()
  }
}
