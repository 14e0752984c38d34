import t from 'tap'
import { checkQuote, trustedTip, type Wish } from '../../../cli/file-purchase/terms.ts'
import type { Quote } from '../../../schemas/file-message.ts'
import type { Tip } from '../../../schemas/message.ts'
import { testNetwork } from '../../helpers/ledger.ts'

const network = testNetwork()
const { interval, time: START } = network.genesis
const NOW = START + 10_000 * interval
const quote = { price: 500, blocks: 10, minutes: 30, until: NOW + 10_000 } as Quote
const wish: Wish = { coinsMax: 500, hoursMax: 48 }
const refusal = (change: Partial<Quote>, wished: Partial<Wish> = {}): string => {
  const checked = checkQuote(network, { ...quote, ...change }, { ...wish, ...wished }, NOW)
  return checked.ok ? 'ok' : checked.fault.code
}

t.test('what costs as much as it may is taken, and not what costs more', async (t) => {
  t.equal(refusal({}), 'ok')
  t.equal(refusal({ price: 501 }), 'too-dear')
  t.equal(refusal({}, { coinsMax: undefined }), 'too-dear')
})

t.test('coins are locked no longer than they may be, by blocks as by minutes', async (t) => {
  t.equal(refusal({ minutes: 120 }, { hoursMax: 2 }), 'ok')
  t.equal(refusal({ minutes: 121 }, { hoursMax: 2 }), 'too-long')
  const blocks = (2 * 3_600_000) / interval
  t.equal(refusal({ blocks }, { hoursMax: 2 }), 'ok')
  t.equal(refusal({ blocks: blocks + 1 }, { hoursMax: 2 }), 'too-long')
})

t.test('a quote is paid as long as ten seconds of its time are left', async (t) => {
  t.equal(refusal({ until: NOW + 9_999 }), 'stale-quote')
  t.equal(refusal({ until: 0 }), 'stale-quote')
})

const tip = (height: number, time = NOW): Tip => ({ height, time }) as Tip
const trusted = (...tips: Tip[]): number | string => {
  const found = trustedTip(network, tips, NOW)
  return found.ok ? found.value.height : found.fault.code
}

t.test('of the tips that are fresh the lowest counts', async (t) => {
  t.equal(trusted(tip(7), tip(5), tip(6)), 5)
  t.equal(trusted(), 'no-tip')
  t.equal(trusted(tip(5, NOW - 60 * interval - 1), tip(7)), 7, 'one that is behind does not')
  t.equal(trusted(tip(5, NOW - 60 * interval), tip(7)), 5)
  t.equal(trusted(tip(5, NOW - 60 * interval - 1)), 'no-tip')
})

t.test('a tip from the future, or higher than the network can be, is not believed', async (t) => {
  t.equal(trusted(tip(5, NOW + 300_000)), 5)
  t.equal(trusted(tip(5, NOW + 300_001)), 'no-tip')
  t.equal(trusted(tip(21_000)), 21_000, 'twice what its age makes, and a thousand')
  t.equal(trusted(tip(21_001)), 'no-tip')
  const before = trustedTip(network, [tip(1_000, START - 1)], START - 1)
  t.ok(before.ok, 'a clock before the start of the network leaves the thousand')
})
