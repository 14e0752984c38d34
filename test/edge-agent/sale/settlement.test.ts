import t from 'tap'
import {
  type Moment,
  type Payment,
  priceOf,
  secondsFor,
  settle,
  type Terms,
  type Wanted,
} from '../../../edge-agent/sale/settlement.ts'
import { COIN } from '../../../ledger/amount.ts'

/** One unit is a second. */
const TERMS: Terms = { perMinute: 60, secondsMin: 10, secondsMax: 300, confirmations: 2, lateSeconds: 120 }
const NOW = 1_767_225_600_000
const PAYMENT: Omit<Payment, 'kept'> = { amount: 60, ageMs: 0 }
const IDLE: Moment = { nowMs: NOW, runningMs: 0, refundFee: 0 }

/** In seconds from now: until when, and what comes back for what reason. */
function outcome(payment: Partial<Payment> = {}, wanted: Wanted = TERMS, moment: Partial<Moment> = {}) {
  const { amount = PAYMENT.amount } = payment
  const { until, refund } = settle({ ...PAYMENT, kept: amount, ...payment }, wanted, { ...IDLE, ...moment })
  return [until === undefined ? undefined : (until - NOW) / 1000, refund && `${refund.code} ${refund.amount}`]
}

t.test('an amount buys its time, from now on', async (t) => {
  t.strictSame(outcome(), [60, undefined])
  t.strictSame(outcome({ amount: 10 }), [10, undefined], 'the least')
  t.strictSame(outcome({ amount: 300 }), [300, undefined], 'the most')
})

t.test('time adds to what still runs', async (t) => {
  t.strictSame(outcome({}, TERMS, { runningMs: 20_000 }), [80, undefined])
  t.strictSame(outcome({}, TERMS, { runningMs: 240_000 }), [300, undefined], 'up to the most')
})

t.test('it ends at a whole second, never earlier than paid for', async (t) => {
  t.strictSame(outcome({}, TERMS, { nowMs: NOW + 1 }), [61, undefined])
  t.strictSame(outcome({}, TERMS, { nowMs: NOW + 999, runningMs: 2 }), [62, undefined])
  t.strictSame(outcome({}, TERMS, { nowMs: NOW + 999, runningMs: 1 }), [61, undefined])
})

t.test('less than the least time is given back, also when time is running', async (t) => {
  t.strictSame(outcome({ amount: 9 }), [undefined, 'underpaid 9'])
  t.strictSame(outcome({ amount: 9 }, TERMS, { runningMs: 20_000 }), [undefined, 'underpaid 9'])
  t.strictSame(outcome({ amount: 0 }), [undefined, undefined], 'nothing buys nothing')
})

t.test('what is more than the most is given back beside the receipt', async (t) => {
  t.strictSame(outcome({ amount: 301 }), [300, 'overpaid 1'])
  t.strictSame(outcome({ amount: 1_000 }, TERMS, { runningMs: 100_000 }), [300, 'overpaid 800'])
  t.strictSame(outcome({}, TERMS, { runningMs: 295_000 }), [300, 'overpaid 55'], 'less than the least fits')
  t.strictSame(outcome({}, TERMS, { runningMs: 299_999 }), [undefined, 'overpaid 60'], 'not a second fits')
  t.strictSame(
    outcome({}, TERMS, { runningMs: 400_000 }),
    [undefined, 'overpaid 60'],
    'the terms were changed',
  )
})

t.test('what came too late is given back, whatever it would buy', async (t) => {
  t.strictSame(outcome({ ageMs: 120_000 }), [60, undefined])
  t.strictSame(outcome({ ageMs: 120_001 }), [undefined, 'late 60'])
  t.strictSame(outcome({ ageMs: 120_001, amount: 1 }), [undefined, 'late 1'])
  t.strictSame(outcome({ ageMs: -5_000 }), [60, undefined], 'a miner whose clock is ahead')
})

t.test('what names nothing that is for sale is given back', async (t) => {
  t.strictSame(outcome({}, 'unknown-item'), [undefined, 'unknown-item 60'])
  t.strictSame(outcome({ ageMs: 999_999 }, 'not-for-sale'), [undefined, 'not-for-sale 60'])
})

t.test('a refund costs its fee, and what does not cover that is kept', async (t) => {
  const fee = { refundFee: 5 }
  t.strictSame(outcome({ amount: 9 }, TERMS, fee), [undefined, 'underpaid 4'])
  t.strictSame(outcome({ amount: 6 }, TERMS, fee), [undefined, 'underpaid 1'])
  t.strictSame(outcome({ amount: 5 }, TERMS, fee), [undefined, undefined])
  t.strictSame(outcome({ amount: 306 }, TERMS, fee), [300, 'overpaid 1'])
  t.strictSame(outcome({ amount: 305 }, TERMS, fee), [300, undefined])
})

t.test('seconds are whole, and what is worth less stays with the seller', async (t) => {
  const terms = { ...TERMS, perMinute: 100 }
  t.strictSame(outcome({ amount: 18 }, terms), [10, undefined], '10.8 s')
  t.strictSame(outcome({ amount: 501 }, terms), [300, undefined], '300.6 s')
  t.strictSame(outcome({ amount: 502 }, terms), [300, 'overpaid 2'], '301.2 s')
  for (const perMinute of [1, 7, 60, 100, COIN, 21_000_000 * COIN]) {
    for (const seconds of [1, 59, 300, 86_400]) {
      const price = priceOf(seconds, perMinute)
      if (!Number.isSafeInteger(price)) continue
      t.ok(secondsFor(price, perMinute) >= seconds && secondsFor(price - 1, perMinute) < seconds, `${price}`)
    }
  }
})

t.test('amounts up to all coins there are keep their last unit', async (t) => {
  const all = Number.MAX_SAFE_INTEGER
  t.strictSame(outcome({ amount: all }, { ...TERMS, perMinute: 60 }), [300, `overpaid ${all - 300}`])
  t.strictSame(outcome({ amount: all }, { ...TERMS, perMinute: all }), [60, undefined])
})

t.test('what others had as their shares is not given back, and the price is shared as all is', async (t) => {
  t.strictSame(outcome({ amount: 9, kept: 6 }), [undefined, 'underpaid 6'])
  t.strictSame(outcome({ amount: 9, kept: 0 }), [undefined, undefined])
  t.strictSame(outcome({ amount: 400, kept: 200 }), [300, 'overpaid 50'], 'half of what was over')
  t.strictSame(outcome({ amount: 401, kept: 200 }), [300, 'overpaid 50'], 'rounded down')
  t.strictSame(outcome({ amount: 10, kept: 6 }, TERMS, { runningMs: 300_000, refundFee: 5 }), [
    undefined,
    'overpaid 1',
  ])
  const most = Number.MAX_SAFE_INTEGER
  t.strictSame(outcome({ amount: most, kept: most - 1 }, 'unknown-item'), [
    undefined,
    `unknown-item ${most - 1}`,
  ])
})
