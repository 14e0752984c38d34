/** An agent as `pinledger agent` runs it, from a configuration, inside a test's own network, whose blocks come as fast as is asked. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { runAgent } from '../../edge-agent/agent-main.ts'
import { agentConfig } from '../../edge-agent/config.ts'
import type { Sealed } from '../../ledger/transaction.ts'
import type { Clock } from '../../node/clock.ts'
import { writeGenesis } from '../../node/genesis-file.ts'
import type { Genesis } from '../../schemas/genesis.ts'
import type { Account } from '../../schemas/hex.ts'
import { temporary } from './processes.ts'
import { type LogLine, type Rig, type RunningValidator, recordingLog } from './rig.ts'
import { waitUntil } from './wait-until.ts'

export interface RunningShop {
  readonly account: Account
  readonly data: string
  readonly lines: readonly LogLine[]
  stop(): Promise<void>
}

/** Starts an agent with these parts of a configuration; it mines nothing. Resolves once it is connected. */
export async function openShop(
  t: Test,
  { url, genesis, clock }: { readonly url: string; readonly genesis: Genesis; readonly clock: Clock },
  config: object,
  data = temporary(t),
): Promise<RunningShop> {
  const genesisFile = join(data, 'genesis.json')
  if (!existsSync(genesisFile)) writeGenesis(genesisFile, genesis)
  const { log, lines } = recordingLog()
  const ending = new AbortController()
  let account: Account | undefined
  let failure: unknown
  const parsed = agentConfig.parse({
    name: 'shop',
    broker: { url },
    data,
    genesis: genesisFile,
    mine: { duty: 0 },
    ...config,
  })
  const running = runAgent(parsed, {
    log,
    clock,
    random: Math.random,
    signal: ending.signal,
    onReady: (ready) => {
      account = ready.account
    },
  }).catch((error: unknown) => {
    failure = error
  })
  const stop = async (): Promise<void> => {
    ending.abort()
    await running
  }
  t.teardown(stop)
  await waitUntil(
    'the shop is open',
    () =>
      failure !== undefined || (account !== undefined && lines.some(({ event }) => event === 'connected')),
  )
  if (failure !== undefined || account === undefined) throw failure
  return { account, data, lines, stop }
}

/** A script for a sensor that says 1, 2, 3, ... every `everySeconds`. */
export function countingScript(t: Test, everySeconds: number): string {
  const file = join(temporary(t), 'script.yaml')
  const steps = Array.from({ length: 2_000 }, (_, index) => ({ after: everySeconds, value: index + 1 }))
  writeFileSync(file, JSON.stringify({ steps }))
  return file
}

/** Makes a block of what waits, or of those of it that are `wanted`, now and again and again, until stopped. */
export async function keepMining(
  t: Test,
  rig: Rig,
  validator: RunningValidator,
  everyMs = 100,
  wanted: (sealed: Sealed) => boolean = () => true,
): Promise<() => Promise<void>> {
  const mine = () => rig.mine([validator], validator.validator.node.mempool.ordered().filter(wanted))
  // The first block connects the miner. A test ends backwards: the connection has to be there before the loop, to outlast it.
  await mine()
  let isOver = false
  const loop = (async () => {
    while (!isOver) {
      await sleep(everyMs)
      await mine()
    }
  })()
  const stop = async (): Promise<void> => {
    isOver = true
    await loop
  }
  t.teardown(stop)
  return stop
}
