import t, { type Test } from 'tap'
import { type RunningOptions, running } from '../../cli/program.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'disconnect'] as const
const listeners = (): number[] => SIGNALS.map((name) => process.listenerCount(name))

function run(t: Test, options: Partial<RunningOptions> = {}) {
  const started = running({ name: 'pump', json: true, level: 'info', ...options })
  t.teardown(() => started.end())
  return started
}
const aborted = (signal: AbortSignal): Promise<boolean> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(true), { once: true }))

for (const name of SIGNALS) {
  t.test(`${name} asks the program to stop`, async (t) => {
    const { signal } = run(t)
    t.equal(signal.aborted, false)
    process.emit(name as 'disconnect')
    t.equal(signal.aborted, true)
  })
}

t.test('a second signal ends at once, the end of the supervisor after a signal does not', async (t) => {
  const codes: unknown[] = []
  t.intercept(process, 'exit', { value: (code: unknown) => void codes.push(code), configurable: true })
  run(t)
  process.emit('SIGINT', 'SIGINT')
  process.emit('disconnect')
  t.strictSame(codes, [])
  process.emit('SIGTERM', 'SIGTERM')
  t.strictSame(codes, [130])
})

t.test('it stops by itself after the duration', async (t) => {
  const { signal } = run(t, { duration: 0.01 })
  t.equal(signal.aborted, false)
  t.equal(await aborted(signal), true)
})

t.test('at its end it listens to nothing more, and no time is left running', async (t) => {
  const before = listeners()
  const { end, signal } = running({ name: 'pump', json: true, level: 'info', duration: 0.01 })
  t.strictSame(
    listeners(),
    before.map((count) => count + 1),
  )
  end()
  t.strictSame(listeners(), before)
  await new Promise((resolve) => setTimeout(resolve, 30))
  t.equal(signal.aborted, false)
})

t.test('readiness is told to a supervisor that is there, and the channel is closed at the end', async (t) => {
  const told: unknown[] = []
  let disconnects = 0
  t.intercept(process, 'send', { value: (message: unknown) => told.push(message), configurable: true })
  t.intercept(process, 'disconnect', { value: () => disconnects++, configurable: true })
  t.intercept(process, 'connected', { value: true, writable: true, configurable: true })
  const { ready, end } = running({ name: 'pump', json: true, level: 'info' })
  ready({ mqttPort: 1883 })
  end()
  t.equal(disconnects, 1)
  t.strictSame(told, [{ ready: { mqttPort: 1883 } }])
  process.connected = false
  ready({ mqttPort: 1884 })
  t.equal(told.length, 1, 'it has gone')
  end()
  t.equal(disconnects, 1)
})

t.test('without a supervisor nobody is told', async (t) => {
  t.intercept(process, 'send', { value: undefined, configurable: true })
  t.doesNotThrow(() => run(t).ready({ mqttPort: 1883 }))
})

t.test('the log goes to standard output, under its name and from its level on', async (t) => {
  const { log } = run(t, { level: 'warn' })
  const written = t.capture(process.stdout, 'write', () => true)
  log.info('quiet')
  log.warn('loud')
  written.restore()
  const lines = written().map(({ args }) => JSON.parse(String(args[0])) as unknown)
  t.match(lines, [{ name: 'pump', level: 'warn', event: 'loud' }])
  t.equal(lines.length, 1)
})
