import t from 'tap'
import { COIN, formatCoins } from '../../ledger/amount.ts'
import { PRESETS } from '../../ledger/preset.ts'
import { subsidyAt, totalSubsidy } from '../../ledger/subsidy.ts'

const { bitcoin } = PRESETS
/** First height of an era; era 0 is before the first halving. */
const eraStart = (halving: number, interval: number = bitcoin.halvingInterval) => halving * interval + 1

t.test('block 0 creates nothing, the first era pays the whole subsidy to its last block', async (t) => {
  t.equal(subsidyAt(bitcoin, 0), 0)
  t.equal(subsidyAt(bitcoin, 1), 50 * COIN)
  t.equal(subsidyAt(bitcoin, bitcoin.halvingInterval), 50 * COIN)
  t.equal(subsidyAt(bitcoin, bitcoin.halvingInterval + 1), 25 * COIN)
})

t.test('halvings 0, 1, 32, 33, 63, 64 and 65 of 50 coins', async (t) => {
  const wanted = { 0: 50 * COIN, 1: 25 * COIN, 32: 1, 33: 0, 63: 0, 64: 0, 65: 0 }
  for (const [halving, amount] of Object.entries(wanted))
    t.equal(subsidyAt(bitcoin, eraStart(Number(halving))), amount, `halving ${halving}`)
})

t.test('no halving wraps around to a subsidy again, as a 32-bit or 64-bit shift would', async (t) => {
  const schedule = { subsidy: Number.MAX_SAFE_INTEGER, halvingInterval: 1 }
  t.equal(subsidyAt(schedule, eraStart(32, 1)), 2 ** 21 - 1)
  t.equal(subsidyAt(schedule, eraStart(52, 1)), 1)
  for (const halving of [53, 63, 64, 65, 96, 128, 1023, 1024, 1100, 2 ** 32 - 2])
    t.equal(subsidyAt(schedule, eraStart(halving, 1)), 0, `halving ${halving}`)
  t.equal(subsidyAt({ subsidy: 5, halvingInterval: 0 }, 2 ** 32 - 1), 5, 'interval 0 never halves')
})

t.test("the bitcoin preset's 33 eras make 20,999,999.9769 coins, to the unit", async (t) => {
  t.equal(totalSubsidy(bitcoin), 2_099_999_997_690_000)
  t.equal(formatCoins(totalSubsidy(bitcoin) ?? 0), '20999999.9769')
  let sum = 0
  let eras = 0
  for (; subsidyAt(bitcoin, eraStart(eras)) > 0; eras++)
    sum += subsidyAt(bitcoin, eraStart(eras)) * bitcoin.halvingInterval
  t.equal(eras, 33)
  t.equal(sum, totalSubsidy(bitcoin), 'the sum of what the eras pay')
})

t.test('a schedule without end or beyond 2^53 - 1 has no total', async (t) => {
  t.equal(totalSubsidy({ subsidy: 0, halvingInterval: 0 }), 0)
  t.equal(totalSubsidy({ subsidy: 1, halvingInterval: 0 }), undefined)
  t.equal(totalSubsidy({ subsidy: Number.MAX_SAFE_INTEGER, halvingInterval: 1 }), undefined)
  t.equal(totalSubsidy({ subsidy: 2 ** 52, halvingInterval: 1 }), Number.MAX_SAFE_INTEGER)
})
