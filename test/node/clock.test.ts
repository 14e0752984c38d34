import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { systemClock } from '../../node/clock.ts'
import { temporary } from '../helpers/processes.ts'

t.test('without systemd-timesyncd a plausible time is trusted', (t) => {
  const clock = systemClock(join(temporary(t), 'none'))
  t.equal(clock.synchronised(), true)
  t.ok(Math.abs(clock.now() - Date.now()) < 1_000)
  t.end()
})

t.test('with it, its mark decides', (t) => {
  const folder = temporary(t)
  const clock = systemClock(folder)
  t.equal(clock.synchronised(), false)
  writeFileSync(join(folder, 'synchronized'), '')
  t.equal(clock.synchronised(), true)
  t.end()
})

t.test('a clock from before the first release is never trusted', (t) => {
  const { now } = Date
  t.teardown(() => {
    Date.now = now
  })
  Date.now = () => 0
  t.equal(systemClock(join(temporary(t), 'none')).synchronised(), false)
  t.end()
})

t.test('the monotonic clock goes forward', (t) => {
  const clock = systemClock()
  const first = clock.monotonic()
  t.ok(clock.monotonic() >= first)
  t.end()
})
