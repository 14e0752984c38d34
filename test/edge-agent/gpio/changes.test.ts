import t from 'tap'
import { createChanges } from '../../../edge-agent/gpio/changes.ts'

/** A clock that only `pass` moves, and what was heard. */
function listen(edge: 'none' | 'rising' | 'falling' | 'both', debounceMs: number, initial: 0 | 1 = 0) {
  let nowMs = 0
  let sleepers: { readonly untilMs: number; readonly wake: () => void }[] = []
  const heard: number[] = []
  const changes = createChanges({ edge, debounceMs }, initial, (level) => heard.push(level), {
    nowMs: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((wake) => {
        sleepers.push({ untilMs: nowMs + ms, wake })
        signal.addEventListener('abort', () => wake(), { once: true })
      }),
  })
  const pass = async (ms: number): Promise<void> => {
    nowMs += ms
    const due = sleepers.filter(({ untilMs }) => untilMs <= nowMs)
    sleepers = sleepers.filter(({ untilMs }) => untilMs > nowMs)
    for (const { wake } of due) wake()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { ...changes, heard, pass, sleeping: () => sleepers.length }
}

t.test('without debouncing every change that is wanted is said at once', async (t) => {
  for (const [edge, expected] of [
    ['both', [1, 0, 1]],
    ['rising', [1, 1]],
    ['falling', [0]],
    ['none', []],
  ] as const) {
    const { heard, tell } = listen(edge, 0)
    for (const level of [1, 0, 1] as const) tell(level)
    t.strictSame(heard, expected, edge)
  }
})

t.test('a level that comes again means that the line was away and is back', async (t) => {
  const pulses = listen('rising', 0)
  for (const level of [0, 0, 1, 1] as const) pulses.tell(level)
  t.strictSame(pulses.heard, [1, 1, 1, 1])
  const both = listen('both', 0, 1)
  both.tell(1)
  t.strictSame(both.heard, [0, 1])
})

t.test('a change counts once the line has been stable, from the last bounce on', async (t) => {
  const { heard, tell, pass, level, sleeping } = listen('both', 10)
  for (const bounce of [1, 0, 1] as const) {
    tell(bounce)
    await pass(9)
    t.equal(sleeping(), 1, 'one wait, however many bounces')
  }
  t.strictSame(heard, [])
  t.equal(level(), 0)
  await pass(1)
  t.strictSame(heard, [1])
  t.equal(level(), 1)
  tell(0)
  await pass(10)
  t.strictSame(heard, [1, 0])
})

t.test('a glitch shorter than the debounce time is nothing, in a rising watch too', async (t) => {
  for (const edge of ['both', 'rising'] as const) {
    const { heard, tell, pass } = listen(edge, 10)
    tell(1)
    await pass(3)
    tell(0)
    await pass(10)
    await pass(10)
    tell(0)
    await pass(10)
    t.strictSame(heard, [])
  }
})

t.test('after stop nothing is said', async (t) => {
  for (const debounceMs of [0, 10]) {
    const { heard, tell, pass, stop } = listen('both', debounceMs)
    tell(1)
    heard.length = 0
    stop()
    await pass(10)
    tell(0)
    await pass(10)
    t.strictSame(heard, [])
  }
})
