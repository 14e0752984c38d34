/** `pinledger up` as a person starts it: the built program, real processes, real sockets, this machine's sensors. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { bound } from '../helpers/bound.ts'
import {
  commandOf,
  descendants,
  isRunning,
  kill,
  parsed,
  pinledger,
  run,
  temporary,
} from '../helpers/processes.ts'
import { foundQuickNetwork } from '../helpers/quick-network.ts'
import { waitUntil } from '../helpers/wait-until.ts'

const PORTS = ['--mqtt-port', '0', '--ws-port', '0', '--http-port', '0']

interface Summary {
  readonly blocks: Readonly<Record<string, number>>
  readonly readings: Readonly<Record<string, number>>
  readonly payments: number
  readonly agree: boolean
  readonly tips: readonly { readonly height: number; readonly tip: string; readonly stateRoot: string }[]
}

const summaryOf = (out: readonly string[]): Summary => {
  const lines = out.map(parsed)
  return lines.find((line) => line?.event === 'summary') as unknown as Summary
}

/** It gives up waiting for its parts after less than two seconds. */
const STOP_MS_MAX = bound(2_000)

/** Processes of the program below `pid`; what those ask the machine with, such as its clock, and the guest's purchases come and go. */
const programsBelow = (pid: number): number[] =>
  descendants(pid).filter((each) => {
    const words = commandOf(each)
    return words.some((word) => word.endsWith('/cli/main.js')) && !words.includes('buy')
  })

/** Runs until there are so many blocks, readers and payments; then Ctrl-C. */
async function runUntil(
  t: Test,
  data: string,
  wanted: Readonly<Record<'block' | 'reader' | 'payment', number>>,
): Promise<{ summary: Summary; stopMs: number }> {
  const up = pinledger(t, ['up', '--data', data, '--duration', '60', '--json', ...PORTS])
  const readers = new Set<unknown>()
  const seen = { block: 0, payment: 0 }
  await up.line(
    `${JSON.stringify(wanted)} are confirmed`,
    (line) => {
      const { event, device } = parsed(line) ?? {}
      if (event === 'reading') readers.add(device)
      if (event === 'block' || event === 'payment') seen[event]++
      return readers.size >= wanted.reader && seen.block >= wanted.block && seen.payment >= wanted.payment
    },
    55_000,
  )
  t.equal(programsBelow(up.pid).length, 6, 'a broker, two validators, three agents')
  const processes = [up.pid, ...descendants(up.pid)]
  const startedMs = performance.now()
  up.child.kill('SIGINT')
  t.strictSame(await up.ended, { code: 0, signal: null }, 'it stops cleanly')
  const stopMs = performance.now() - startedMs
  t.strictSame(processes.filter(isRunning), [], 'no process is left behind')
  return { summary: summaryOf(up.out), stopMs }
}

async function verified(t: Test, data: string): Promise<Record<string, unknown>> {
  const { code, out } = await run(t, ['verify', '--data', data, '--json'])
  t.equal(code, 0, 'verify passes')
  return parsed(out) ?? {}
}

/** Bytes of the first validator's ledger. */
const ledger = (data: string): Buffer => readFileSync(join(data, 'validator-1', 'chain.log'))

t.test('a network runs, stops, verifies, and goes on from the same tip', async (t) => {
  const data = temporary(t)
  const network = foundQuickNetwork(data)
  const first = await runUntil(t, data, { block: 2, reader: 3, payment: 1 })
  t.ok(first.stopMs < STOP_MS_MAX, `stopped in ${first.stopMs.toFixed(0)} ms`)
  t.equal(first.summary.agree, true, 'the validators agree')
  t.equal(Object.keys(first.summary.readings).length, 3)
  t.ok(first.summary.payments >= 1)

  const check = await verified(t, data)
  const tip = first.summary.tips[0]
  t.match(check, { height: tip?.height, tip: tip?.tip, stateRoot: tip?.stateRoot, ok: true })
  for (const field of ['height', 'transactions', 'readings', 'supply'])
    t.ok(Number(check[field]) > 0, `verify tells ${field}`)
  const supply = 300e8 + Number(check.height) * 50e8
  t.equal(check.supply, supply, 'allocations and a subsidy for each block')

  const genesis = readFileSync(network.genesisFile, 'utf8')
  const before = ledger(data)
  const second = await runUntil(t, data, { block: 1, reader: 0, payment: 0 })
  t.ok(second.stopMs < STOP_MS_MAX, `stopped in ${second.stopMs.toFixed(0)} ms`)
  t.equal(readFileSync(network.genesisFile, 'utf8'), genesis, 'the same genesis')
  const after = ledger(data)
  t.ok(before.equals(after.subarray(0, before.length)), 'what was stored is stored, and more behind it')
  t.ok(Number(second.summary.tips[0]?.height) > Number(tip?.height), 'it went on from the same tip')
  await verified(t, data)
})

t.test('a supervisor that is killed leaves no process behind', async (t) => {
  const data = temporary(t)
  foundQuickNetwork(data)
  const up = pinledger(t, ['up', '--data', data, '--json', ...PORTS])
  await up.line(
    'all are there',
    () => up.out.filter((line) => parsed(line)?.event === 'presence').length >= 5,
  )
  t.equal(programsBelow(up.pid).length, 6)
  const children = descendants(up.pid)
  t.teardown(() => {
    for (const child of children) if (isRunning(child)) kill(child, 'SIGKILL')
  })
  up.child.kill('SIGKILL')
  t.match(await up.ended, { signal: 'SIGKILL' })
  await waitUntil('all children have ended', () => !children.some(isRunning), bound(3_000))
  await verified(t, data)
})

t.test('in a pipe lines are plain; it stops by itself after --duration', async (t) => {
  const data = temporary(t)
  const { code, out, err, ms } = await run(t, ['up', '--data', data, '--duration', '4', ...PORTS])
  t.equal(code, 0)
  t.ok(ms > 4_000 && ms < 12_000, `it ran for ${ms.toFixed(0)} ms`)
  t.notMatch(out + err, '\x1b', 'no escape codes')
  t.match(out, /mosquitto_sub -p \d+ /, 'it says where to look')
  t.match(out, /presence validator validator-1 is online/)
  t.match(out, /stopped at height \d+/)
})
