import t from 'tap'
import { createPulseCounter, type PulseOptions } from '../../../edge-agent/drivers/pulses.ts'
import { formatDecimal } from '../../../schemas/units.ts'

function said(options: Partial<PulseOptions>, pulses: number, ms: number): string {
  const defaults = { quantity: 'rate', pulsesPerUnit: 1, unit: '1/s', perSecondMax: 1000 } as const
  const counter = createPulseCounter({ ...defaults, ...options }, 500)
  for (let pulse = 0; pulse < pulses; pulse++) counter.count()
  return formatDecimal(counter.take(500 + ms))
}

t.test('a rate is per second, or per minute in a unit that ends so', async (t) => {
  t.equal(said({}, 30, 10_000), '3.00')
  t.equal(said({ unit: '1/min' }, 30, 10_000), '180.0')
  // A flow meter of 450 pulses a litre: a litre in ten seconds.
  t.equal(said({ pulsesPerUnit: 450, unit: 'l/s' }, 450, 10_000), '0.10000')
  // An energy meter of 1000 pulses a kWh, which is 3600 joules a pulse: 1 kW is a pulse every 3.6 s.
  t.equal(said({ pulsesPerUnit: 1000 / 3_600_000, unit: 'W' }, 10, 36_000), '1000')
})

t.test('a count is what came since the last one, whole where a pulse is one unit', async (t) => {
  t.equal(said({ quantity: 'count', unit: 'count' }, 7, 10_000), '7')
  t.equal(said({ quantity: 'count', unit: 'l', pulsesPerUnit: 450 }, 900, 10_000), '2.0000')
  const counter = createPulseCounter(
    { quantity: 'count', pulsesPerUnit: 1, unit: 'count', perSecondMax: 10 },
    0,
  )
  counter.count()
  counter.take(1000)
  t.equal(counter.take(2000).mantissa, 0)
})

t.test('what it measures is the time that passed, not the time that was asked for', async (t) => {
  t.equal(said({}, 30, 20_000), '1.500')
})

t.test('up to the limit is a reading, above it an error with the rate', async (t) => {
  t.equal(said({ perSecondMax: 50 }, 500, 10_000), '50.00')
  t.throws(() => said({ perSecondMax: 50 }, 510, 10_000), {
    code: 'sensor',
    message: /^51 pulses a second, more than the 50/,
  })
})
