import t from 'tap'
import { addAmounts, COIN, formatCoins, parseCoins } from '../../ledger/amount.ts'
import { seeded } from '../helpers/ledger.ts'

t.test('a sum beyond 2^53 - 1 is no amount (CVE-2010-5139)', async (t) => {
  const most = Number.MAX_SAFE_INTEGER
  t.equal(addAmounts(most, 0), most)
  t.equal(addAmounts(most - 1, 1), most)
  t.equal(addAmounts(most, 1), undefined)
  t.equal(addAmounts(most, most), undefined)
  t.equal(addAmounts(0.5, 1), undefined, 'only whole units add up')
})

t.test('coins are written without rounding', async (t) => {
  t.equal(formatCoins(0), '0')
  t.equal(formatCoins(1), '0.00000001')
  t.equal(formatCoins(150_000_000), '1.5')
  t.equal(formatCoins(50 * COIN), '50')
  t.equal(formatCoins(-COIN / 4), '-0.25')
  t.equal(formatCoins(Number.MAX_SAFE_INTEGER), '90071992.54740991')
})

t.test('coins are read exactly, and what is not such text is refused', async (t) => {
  t.equal(parseCoins('1.5'), 150_000_000)
  t.equal(parseCoins('0.00000001'), 1)
  t.equal(parseCoins('50'), 50 * COIN)
  t.equal(parseCoins('90071992.54740991'), Number.MAX_SAFE_INTEGER)
  for (const text of [
    '90071992.54740992',
    '',
    '.5',
    '1.',
    '-1',
    '+1',
    '1e3',
    '1,5',
    ' 1',
    '0.000000001',
    '0x1',
    '٣',
  ]) {
    t.equal(parseCoins(text), undefined, JSON.stringify(text))
  }
  const random = seeded(1)
  for (let round = 0; round < 500; round++) {
    const amount = Math.floor(random() * Number.MAX_SAFE_INTEGER)
    if (parseCoins(formatCoins(amount)) !== amount) t.fail(`${amount} does not survive`)
  }
})
