/**
 * The experiments on agents that run anyway, over their broker: gives them their owner's order, hears what they make, checks each
 * tick from its bytes, prints it, and takes the order back at the end. Source: docs/CLOCKCHAIN.md "The clock tower".
 */
import { z } from 'zod'
import { ExperimentHand, type Made } from '../edge-agent/experiment/hand.ts'
import { lengthen } from '../edge-agent/lab/line.ts'
import {
  handsOf,
  heightMax,
  LASTS_MS_MAX,
  letterOf,
  planFault,
  readOrder,
  type SignedOrder,
  signOrder,
  slowest,
  TIMEOUT_MS,
} from '../edge-agent/lab/order.ts'
import { Rounds, SILENT_TIMEOUTS } from '../edge-agent/lab/rounds.ts'
import { openTicks, openTower } from '../edge-agent/lab/words.ts'
import type { Network } from '../ledger/network.ts'
import { WorldError } from '../node/error.ts'
import { loadKey } from '../node/key-file.ts'
import { harmless } from '../node/log.ts'
import type { Signer } from '../node/signing.ts'
import { encode } from '../schemas/codec.ts'
import { type Account, short } from '../schemas/hex.ts'
import { LAB_ROUNDS_MAX, type LabMode, type LabStart, labAsk } from '../schemas/lab-message.ts'
import { invariant } from '../schemas/result.ts'
import { everyone, mirror, type ParsedTopic, topic } from '../schemas/topic.ts'
import { openHandLogs } from './clock-hand-logs.ts'
import { Stage } from './clock-stage.ts'
import type { Row } from './clock-table.ts'
import { EXIT } from './exit.ts'
import { quiet } from './options.ts'
import { parseJson } from './reader.ts'
import { Sender } from './sender.ts'

export interface AgentsOptions {
  readonly agents: readonly Account[]
  /** File of their owner's. */
  readonly key?: string
  readonly broker: string
  readonly out?: string
  readonly seconds?: number
  readonly json: boolean
}

export interface AgentsPlan {
  readonly mode: LabMode
  readonly difficulties: readonly number[]
  readonly rounds: number
  /** Left out where no round has one. */
  readonly timeoutMs?: number
  /** Free: also the ticks of the fast hand are shown. */
  readonly all?: boolean
}

/** For an agent to take the order. */
const ANSWER_MS = 15_000
const LOOK_MS = 200
const ASK_MS = 2_000
/** For the broker to take an order, when it is away just then. */
const GIVE_MS = 5_000
/** A tick that its agent does not give, however often it is asked, is shown no more. */
const LACKING_MS = 10_000
/** Lines about words that anybody may have said. */
const SAID_MAX = 100

/** What is read of an agent's `lab-state`. */
const stateSchema = z.object({
  order: z.string().nullable(),
  state: z.string().max(32),
  ticks: z
    .int()
    .min(0)
    .max(LAB_ROUNDS_MAX * 16),
  refused: z.object({ sequence: z.int().nullable(), reason: z.string().max(1024) }).nullable(),
})
type State = z.infer<typeof stateSchema>

/** 1 when an agent did not do its part. Throws WorldError. */
export async function onAgents(options: AgentsOptions, wanted: AgentsPlan): Promise<number> {
  const { agents, key, broker, json } = options
  if (key === undefined)
    throw new WorldError(
      'usage',
      '--agents takes only what their owner has signed: give its key file with --key',
    )
  const { mode, difficulties, rounds } = wanted
  const timeoutMs =
    wanted.timeoutMs ?? Math.min(TIMEOUT_MS.max, Math.max(TIMEOUT_MS.min, Math.floor(LASTS_MS_MAX / rounds)))
  const plan: LabStart = {
    ...{ type: 'start', mode, rounds, timeoutMs: Math.round(timeoutMs) },
    agents: agents.map((account, index) => ({ account, difficulty: difficulties[index] ?? 0 })),
  }
  const fault = planFault(plan)
  if (fault !== undefined) throw new WorldError('usage', `--agents: ${fault}`)
  const owner = loadKey(key)
  const sender = new Sender({ url: broker }, owner, undefined, quiet(json))
  try {
    const { network } = await sender.start()
    return await new Conductor(options, wanted, plan, { network, owner, sender }).run()
  } finally {
    await sender.stop()
  }
}

interface Modules {
  readonly network: Network
  readonly owner: Signer
  readonly sender: Sender
}

interface Words {
  readonly round: number
  readonly heights: readonly number[]
  readonly atMs: number
}

class Conductor {
  readonly #options: AgentsOptions
  readonly #wanted: AgentsPlan
  readonly #plan: LabStart
  readonly #modules: Modules
  readonly #signed: SignedOrder
  readonly #rows: readonly Row[]
  readonly #stage: Stage
  readonly #logs: ReturnType<typeof openHandLogs> | undefined
  readonly #states = new Map<Account, State>()
  readonly #askedMs = new Map<Account, number>()
  /** Agents of which a tick did not hold. */
  readonly #faulty = new Set<number>()
  /** In rounds: ticks by hand that have not been shown. */
  readonly #waiting: Made[][]
  /** Rounds that have begun and of which the one before has not been shown. */
  #words: Words[] = []
  /** Which tower counts, by the rule of the agents. */
  readonly #towers: Rounds
  #shown: Words
  /** Since when something is waited for that was made. */
  #lackingMs: number | undefined
  /** Agents that did not give what a tower said of them: nobody waits for these before they speak again. */
  readonly #silent = new Set<number>()
  /** Unsigned words that were told. */
  readonly #said = new Set<string>()
  #heardMs = performance.now()
  #missed = 0
  #error: unknown
  #isStopped = false
  /** Another order of the owner's that has ended the experiment. */
  #replacedBy: SignedOrder | undefined

  constructor(options: AgentsOptions, wanted: AgentsPlan, plan: LabStart, modules: Modules) {
    this.#options = options
    this.#wanted = wanted
    this.#plan = plan
    this.#modules = modules
    const { network, owner } = modules
    const time = Date.now()
    this.#signed = signOrder(network, { sequence: time, time, plan }, (message) => owner.sign(message))
    const hands = handsOf(this.#signed.order, plan, this.#signed.hash)
    this.#rows = hands.map((hand, index): Row => {
      const agent = plan.agents[index]
      invariant(agent !== undefined, 'each hand is of an agent')
      const label = `${letterOf(index)}@${short(agent.account)}`
      return { digits: agent.difficulty, hand: new ExperimentHand({ label, hand, now: Date.now }) }
    })
    const experiments = this.#rows.map(({ hand }) => hand)
    this.#logs = options.out === undefined ? undefined : openHandLogs(options.out, experiments)
    const kind = plan.mode
    this.#stage = new Stage(this.#ordered(), { kind, json: options.json, logs: this.#logs })
    this.#waiting = hands.map(() => [])
    this.#shown = { round: 1, heights: hands.map(() => 0), atMs: performance.now() }
    const { rounds, timeoutMs } = plan
    this.#towers = new Rounds(
      { agents: hands.length, self: -1, rounds, timeoutMs, tips: () => [] },
      performance.now(),
    )
  }

  /** The stage has the slow hand first where they run free. */
  #ordered(): readonly Row[] {
    if (this.#plan.mode !== 'free') return this.#rows
    const slow = this.#rows[slowest(this.#plan)]
    return slow === undefined ? this.#rows : [slow, ...this.#rows.filter((row) => row !== slow)]
  }

  async run(): Promise<number> {
    const { network, owner, sender } = this.#modules
    const stop = (): void => {
      this.#isStopped = true
    }
    process.once('SIGINT', stop).once('SIGTERM', stop)
    try {
      sender.onMessage((parsed, payload) => {
        try {
          this.#take(parsed, payload)
        } catch (error) {
          this.#error ??= error
        }
      })
      sender.session.subscribe([
        topic(network.id, 'lab', owner.account),
        everyone(network.id, 'tower'),
        everyone(network.id, 'lab-tick'),
        mirror(everyone(network.id, 'lab-state')),
      ])
      await this.#give(this.#signed)
      const endMs = performance.now() + (this.#options.seconds ?? Number.POSITIVE_INFINITY) * 1000
      await this.#answers()
      while (!this.#isStopped && !this.#isDone() && performance.now() < endMs) {
        await sleep(LOOK_MS)
        if (this.#error !== undefined) throw this.#error
        this.#look()
      }
      this.#stage.end()
      return this.#missed === 0 ? EXIT.ok : EXIT.no
    } finally {
      process.off('SIGINT', stop).off('SIGTERM', stop)
      await this.#takeBack()
      this.#logs?.close()
    }
  }

  async #takeBack(): Promise<void> {
    const { network, owner } = this.#modules
    const time = Math.max(Date.now(), this.#signed.order.sequence + 1)
    const body = { sequence: time, time, plan: { type: 'stop' } as const }
    // The broker has to keep what counts, and ours may have come after it.
    const last = this.#replacedBy ?? signOrder(network, body, (message) => owner.sign(message))
    if (await this.#give(last)) return
    process.stderr.write(
      'the broker did not take the end of this experiment: agents go on until it is over, or there is another order\n',
    )
  }

  /** False when the broker did not take it. */
  async #give({ bytes }: SignedOrder): Promise<boolean> {
    const { network, owner, sender } = this.#modules
    const name = topic(network.id, 'lab', owner.account)
    const endMs = performance.now() + GIVE_MS
    while (!(await sender.session.publish(name, bytes, { qos: 1, retain: true }))) {
      if (performance.now() > endMs) return false
      await sleep(LOOK_MS)
    }
    return true
  }

  /** Waits until all agents have taken the order. Throws WorldError when one does not. */
  async #answers(): Promise<void> {
    const endMs = performance.now() + ANSWER_MS
    for (;;) {
      if (this.#error !== undefined) throw this.#error
      const silent: string[] = []
      for (const { account } of this.#plan.agents) {
        const state = this.#states.get(account)
        if (state?.refused?.sequence === this.#signed.order.sequence)
          this.#end('usage', `agent ${short(account)} refuses: ${harmless(state.refused.reason)}`)
        if (state?.order !== this.#signed.hash) silent.push(short(account))
      }
      if (silent.length === 0 || this.#isStopped) return
      if (performance.now() > endMs)
        throw new WorldError(
          'broker-unreachable',
          `no answer from ${silent.join(', ')}: is it running, with  clock: { lab: true }  and  owner: ${this.#modules.owner.account}  in its configuration?`,
        )
      await sleep(LOOK_MS)
    }
  }

  #take({ kind, publisher, json }: ParsedTopic, payload: Uint8Array): void {
    if (kind === 'lab' && !json) return void this.#takeOrder(payload)
    const from = this.#plan.agents.findIndex(({ account }) => account === publisher)
    if (from < 0) return
    if (kind === 'lab-state' && json) {
      const state = stateSchema.safeParse(parseJson(payload))
      if (state.success) this.#states.set(publisher, state.data)
    } else if (kind === 'tower' && !json) this.#takeWords(from, publisher, payload)
    else if (kind === 'lab-tick' && !json) this.#takeTicks(from, publisher, payload)
  }

  #from(by: Account) {
    return { network: this.#modules.network, order: this.#signed.hash, by }
  }

  /** Throws WorldError when it is of the owner and replaces ours. */
  #takeOrder(payload: Uint8Array): void {
    const { network, owner } = this.#modules
    const read = readOrder(network, owner.account, payload)
    const { sequence } = (this.#replacedBy ?? this.#signed).order
    if (!read.ok || read.value.order.sequence <= sequence) return
    this.#replacedBy = read.value
    const { time, plan } = read.value.order
    throw new WorldError(
      'child',
      `another order of this owner, a ${plan.type} of ${new Date(time).toISOString()}, counts instead of this one`,
    )
  }

  #takeTicks(from: number, publisher: Account, payload: Uint8Array): void {
    const opened = openTicks(this.#from(publisher), payload)
    const row = this.#rows[from]
    if (!opened.ok || row === undefined) return
    const hands = new Set(this.#rows.map(({ hand }) => hand.slow.hand.genesisHash))
    const { added, gap, fault } = lengthen(
      row.hand.slow,
      hands,
      heightMax(this.#plan, from),
      opened.value.ticks,
    )
    const atMs = performance.now()
    if (added.length > 0) {
      this.#heardMs = atMs
      this.#silent.delete(from)
    }
    for (const { added: tick, bytes, hashes, microseconds } of added) {
      const made: Made = { hand: row.hand, added: tick, bytes, hashes, ms: microseconds / 1000, atMs }
      if (this.#plan.mode === 'rounds') this.#waiting[from]?.push(made)
      else this.#show(made, {})
    }
    if (gap) this.#ask(from)
    // Once: an agent that lies does so as often as it likes.
    if (fault !== undefined && !this.#faulty.has(from)) {
      this.#faulty.add(from)
      process.stderr.write(`${row.hand.label}: a tick does not hold: ${harmless(fault)}\n`)
    }
    this.#rounds()
  }

  #takeWords(from: number, publisher: Account, payload: Uint8Array): void {
    if (this.#plan.mode !== 'rounds') return
    const opened = openTower(this.#from(publisher), payload)
    if (!opened.ok) return
    const before = this.#towers.followed
    this.#towers.hear(from, opened.value, performance.now())
    if (this.#towers.followed === before) return
    const { round, tips } = opened.value
    this.#heardMs = performance.now()
    const last = this.#words.at(-1) ?? this.#shown
    if (round <= last.round) return
    const heights = tips.map(({ height }, index) => Math.max(height, last.heights[index] ?? 0))
    this.#words.push({ round, heights, atMs: performance.now() })
    this.#rounds()
  }

  /** Shows rounds that are over and whose ticks are all here. */
  #rounds(): void {
    for (let next = this.#words[0]; next !== undefined; next = this.#words[0]) {
      const lacks = next.heights.findIndex(
        (height, index) =>
          (this.#rows[index]?.hand.slow.tip.height ?? 0) < height && !this.#silent.has(index),
      )
      if (lacks >= 0) {
        this.#lackingMs ??= performance.now()
        this.#ask(lacks)
        if (performance.now() - this.#lackingMs < LACKING_MS) return
        this.#silent.add(lacks)
        this.#lackingMs = undefined
        continue
      }
      this.#lackingMs = undefined
      this.#words.shift()
      for (const [index, row] of this.#rows.entries()) {
        const waiting = this.#waiting[index] ?? []
        const height = next.heights[index] ?? 0
        const count = waiting.filter(({ added }) => added.entry.height <= height).length
        for (const made of waiting.splice(0, count))
          this.#show(made, { round: next.round - 1, waitedMs: Math.max(0, next.atMs - made.atMs) })
        if (count === 0) {
          this.#missed++
          this.#stage.missed(next.round - 1, row.hand.label, this.#plan.timeoutMs)
        }
      }
      this.#shown = next
    }
  }

  #show(made: Made, facts: { readonly round?: number; readonly waitedMs?: number }): void {
    const other = this.#rows.find(
      ({ hand }) => hand.slow.hand.genesisHash === made.added.tick.anchors[0]?.ledger,
    )?.hand.label
    const isSlow = made.hand === this.#rows[slowest(this.#plan)]?.hand
    const isShown = this.#plan.mode !== 'free' || isSlow || this.#wanted.all === true
    this.#stage.tick(made, { ...facts, ...(other === undefined ? {} : { other }) }, isShown)
  }

  #isDone(): boolean {
    const { mode, rounds } = this.#plan
    if (mode === 'rounds') return this.#shown.round > rounds
    const heights = this.#rows.map(({ hand }) => hand.slow.tip.height)
    if (mode === 'alone') return heights.every((height) => height >= rounds)
    if ((heights[slowest(this.#plan)] ?? 0) < rounds) return false
    // What the others have made until they heard of it comes in.
    this.#lackingMs ??= performance.now()
    const isWhole = this.#plan.agents.every(({ account }, index) => {
      const state = this.#states.get(account)
      return state !== undefined && state.state !== 'running' && (heights[index] ?? 0) >= state.ticks
    })
    return isWhole || performance.now() - this.#lackingMs >= LACKING_MS
  }

  /** Asks for what is lacking; throws WorldError when nothing can come any more. */
  #look(): void {
    this.#rounds()
    for (const [index, { account }] of this.#plan.agents.entries()) {
      const state = this.#states.get(account)
      if (state?.order !== this.#signed.hash) continue
      if (state.ticks > (this.#rows[index]?.hand.slow.tip.height ?? 0)) this.#ask(index)
      if (state.state === 'failed') this.#end('child', `agent ${short(account)} has failed: its log says why`)
    }
    const { mode, timeoutMs, agents } = this.#plan
    // While a round waits for its ticks to come in, it may be the last one.
    if (mode !== 'rounds' || this.#words.length > 0 || this.#isDone()) return
    const silentMs = performance.now() - this.#heardMs
    if (silentMs > (SILENT_TIMEOUTS + 1 + agents.length) * timeoutMs)
      throw new WorldError('child', `no agent has begun a round for ${Math.round(silentMs / 1000)} s`)
  }

  /** What an agent's state says is not signed: it ends the experiment only where nobody speaks under another's name. */
  #end(code: 'usage' | 'child', message: string): void {
    if (this.#modules.sender.session.challenged) throw new WorldError(code, message)
    if (this.#said.has(message) || this.#said.size >= SAID_MAX) return
    this.#said.add(message)
    process.stderr.write(`${message} (by what this broker lets anybody say)\n`)
  }

  #ask(index: number): void {
    const agent = this.#plan.agents[index]?.account
    if (agent === undefined) return
    const nowMs = performance.now()
    if (nowMs - (this.#askedMs.get(agent) ?? Number.NEGATIVE_INFINITY) < ASK_MS) return
    this.#askedMs.set(agent, nowMs)
    const { network, owner, sender } = this.#modules
    const above = this.#rows[index]?.hand.slow.tip.height ?? 0
    const bytes = encode(labAsk, { order: this.#signed.hash, above })
    void sender.session.publish(topic(network.id, 'lab-ask', owner.account, agent), bytes, {
      ...{ qos: 1, retain: false },
    })
  }
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
