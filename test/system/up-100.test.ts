/** What a new user sees after the README's first command, within little more than a minute and a half. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parsed, run, startProgram, temporary } from '../helpers/processes.ts'
import { ROOT } from '../helpers/root.ts'

const AGENTS = ['agent-1', 'agent-2', 'agent-3']

/** Events as `--json` has them, in their order: finds one that has these fields, and none before `from`. */
function eventWith(
  events: readonly Record<string, unknown>[],
  fields: Readonly<Record<string, unknown>>,
  from = 0,
): number | undefined {
  const found = events.findIndex(
    (event, index) => index >= from && Object.entries(fields).every(([name, value]) => event[name] === value),
  )
  return found === -1 ? undefined : found
}

function sawTheScenes(t: Test, events: readonly Record<string, unknown>[]): void {
  const secondsOf = (index: number | undefined): string =>
    index === undefined
      ? 'never'
      : `${((Date.parse(String(events[index]?.at)) - Date.parse(String(events[0]?.at))) / 1000).toFixed(0)} s`
  const guest = { event: 'payment', from: 'guest' }
  const lamp = { event: 'output', device: 'agent-1', output: 'lamp' }
  const paidLamp = eventWith(events, { ...guest, to: 'agent-1', memo: 'on lamp' })
  const on = eventWith(events, { ...lamp, on: true })
  const off = on === undefined ? undefined : eventWith(events, { ...lamp, on: false }, on)
  const topic = { event: 'topic', seller: 'agent-2', buyer: 'guest', sensor: 'soil' }
  const paidTopic = eventWith(events, { ...guest, to: 'agent-2', memo: 'topic soil' })
  const opened = events.findIndex(
    (event) => eventWith([event], topic) === 0 && typeof event.until === 'string',
  )
  const closed = eventWith(events, { ...topic, until: null }, Math.max(0, opened))
  const channel = events.findIndex(({ event, readings }) => event === 'channel' && Number(readings) > 0)
  const when = { paidLamp, on, off, paidTopic, opened, closed, channel }
  t.comment(
    Object.entries(when)
      .map(([name, index]) => `${name} ${secondsOf(index === -1 ? undefined : index)}`)
      .join(', '),
  )
  t.ok(paidLamp !== undefined && on !== undefined, 'the lamp is paid for, and goes on')
  t.ok(off !== undefined, 'and off')
  t.ok(paidTopic !== undefined && opened >= 0, 'the paid topic is paid for, and opens')
  t.ok(opened >= 0 && closed !== undefined && closed > opened, 'and closes')
  t.ok(channel >= 0 && events[channel]?.payee === 'agent-2', 'readings are paid through a channel')
}

t.test(
  'npm start for 100 seconds: blocks, readings, payments, a lamp, a paid topic, a channel, agreement, and a ledger that verifies',
  async (t) => {
    const data = join(temporary(t), 'data')
    const ports = ['--mqtt-port', '0', '--ws-port', '0', '--http-port', '0']
    const args = ['start', '--silent', '--', '--duration', '100', '--data', data, '--json', ...ports]
    const npm = startProgram(t, 'npm', args, { cwd: ROOT })
    t.strictSame(await npm.ended, { code: 0, signal: null }, npm.err.slice(-5).join('\n'))
    const summary = npm.out.map(parsed).find((line) => line?.event === 'summary') as unknown as {
      blocks: Record<string, number>
      readings: Record<string, number>
      payments: number
      agree: boolean
      tips: { height: number; tip: string; stateRoot: string }[]
    }
    t.comment(JSON.stringify(summary))
    const blocks = Object.values(summary.blocks).reduce((sum, count) => sum + count, 0)
    t.ok(blocks >= 5, `${blocks} blocks`)
    t.ok(Object.keys(summary.blocks).length >= 2, 'by at least two agents')
    t.strictSame(Object.keys(summary.readings).sort(), AGENTS, "every agent's readings are confirmed")
    t.ok(summary.payments >= 1, `${summary.payments} payments`)
    t.equal(summary.agree, true, 'both validators end on the same tip and state root')

    const { code, out } = await run(t, ['verify', '--data', data, '--json'])
    t.equal(code, 0, 'verify passes')
    t.match(parsed(out), { ok: true, tip: summary.tips[0]?.tip, stateRoot: summary.tips[0]?.stateRoot })

    sawTheScenes(
      t,
      npm.out.map(parsed).filter((event) => event !== undefined),
    )

    const store = join(data, 'validator-1', 'chain.log')
    const bytes = readFileSync(store)
    const at = Math.floor(bytes.length / 2)
    bytes[at] = (bytes[at] ?? 0) ^ 16
    writeFileSync(store, bytes)
    const damaged = await run(t, ['verify', '--data', data, '--json'])
    t.equal(damaged.code, 1, 'and fails after a bit was flipped')
    t.match(String(parsed(damaged.out)?.fault), /^record \d+ \(/)
  },
)
