import { setTimeout as sleepFor } from 'node:timers/promises'
import t from 'tap'
import { createSensor, unitSchema } from '../../edge-agent/driver.ts'
import { sleep } from '../../edge-agent/sleep.ts'
import { WorldError } from '../../node/error.ts'
import { createFakeMachine } from '../helpers/fake-machine.ts'
import { waitUntil } from '../helpers/wait-until.ts'

const ONE = { value: { mantissa: 1, exponent: 0 } }

t.test('only unit symbols that RFC 8428 registers are accepted, and the error names what came', async (t) => {
  t.equal(unitSchema.parse('Cel'), 'Cel')
  t.match(unitSchema.safeParse('celsius').error?.issues[0]?.message, /RFC 8428 .*got celsius/)
})

t.test('a sensor that fails is reported and tried again with growing waits, until it works', async (t) => {
  const machine = createFakeMachine(9)
  t.teardown(machine.remove)
  let attempts = 0
  const sensor = createSensor('%', machine, async (emit) => {
    if (++attempts <= 9) throw new WorldError('sensor', `vain attempt ${attempts}`)
    emit(ONE)
  })
  const samples: unknown[] = []
  await sensor.start((sample) => samples.push(sample))
  t.ok(attempts < 10, 'start does not wait for a sensor that fails')
  await waitUntil('it works', () => samples.length === 1)
  t.strictSame(machine.sleeps, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
  t.equal(machine.reports.length, 9)
  t.equal(machine.reports[8], 'vain attempt 9')
  await sensor.stop()
})

t.test('a sensor that worked for a while is tried again soon', async (t) => {
  const machine = createFakeMachine(6)
  t.teardown(machine.remove)
  let attempts = 0
  const sensor = createSensor('%', machine, async (_emit, signal) => {
    if (++attempts === 3) await machine.sleep(10_000, signal)
    throw new WorldError('sensor', 'broken')
  })
  await sensor.start(() => {})
  await waitUntil('five waits', () => machine.sleeps.length === 7)
  t.strictSame(machine.sleeps, [500, 1000, 10_000, 500, 1000, 2000, 4000])
  await sensor.stop()
})

t.test(
  'after stop no sample and no report comes, and stopping twice or before start is nothing',
  async (t) => {
    const machine = createFakeMachine(0)
    t.teardown(machine.remove)
    const never = createSensor('%', machine, async () => {})
    await never.stop()
    const samples: unknown[] = []
    const sensor = createSensor('%', machine, async (emit, signal, ready) => {
      ready()
      await machine.sleep(1, signal)
      emit(ONE)
      throw new WorldError('sensor', 'too late')
    })
    await sensor.start((sample) => samples.push(sample))
    await sensor.stop()
    await sensor.stop()
    t.strictSame(samples, [])
    t.strictSame(machine.reports, [])
  },
)

t.test('a fault of our own is not taken for the world: start throws it', async (t) => {
  const machine = createFakeMachine(0)
  t.teardown(machine.remove)
  const sensor = createSensor('%', machine, () => Promise.reject(new TypeError('our bug')))
  await t.rejects(
    sensor.start(() => {}),
    /our bug/,
  )
  t.strictSame(machine.reports, [])
})

t.test('sleep ends early, without an error, when aborted', async (t) => {
  const controller = new AbortController()
  const asleep = sleep(60_000, controller.signal)
  await sleepFor(1)
  controller.abort()
  await asleep
  await sleep(60_000, controller.signal)
  await sleep(1, new AbortController().signal)
  t.pass()
})
