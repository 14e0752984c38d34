/** What a new user sees within a minute of the README's first command. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parsed, run, startProgram, temporary } from '../helpers/processes.ts'
import { ROOT } from '../helpers/root.ts'

const AGENTS = ['agent-1', 'agent-2', 'agent-3']

t.test(
  'npm start for 60 seconds: blocks, readings, payments, agreement, and a ledger that verifies',
  async (t) => {
    const data = join(temporary(t), 'data')
    const ports = ['--mqtt-port', '0', '--ws-port', '0', '--http-port', '0']
    const args = ['start', '--silent', '--', '--duration', '60', '--data', data, '--json', ...ports]
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
