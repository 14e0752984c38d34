import t from 'tap'
import { within } from '../../node/within.ts'

const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length

t.test('what comes in time is handed on, and no timer stays behind', async (t) => {
  const before = timers()
  t.equal(await within(60_000, Promise.resolve('here')), 'here')
  t.equal(timers(), before)
})

t.test('what takes longer is not waited for', async (t) => {
  t.equal(await within(1, new Promise(() => {})), undefined)
})

t.test('a failure is handed on, and no timer stays behind', async (t) => {
  const before = timers()
  await t.rejects(within(60_000, Promise.reject(new Error('no'))), { message: 'no' })
  t.equal(timers(), before)
})
