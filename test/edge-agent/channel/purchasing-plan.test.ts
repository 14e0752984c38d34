/** What a channel holds at the price that is offered; when there is a new one, and when an old one is called back. */
import t from 'tap'
import {
  closeStep,
  current,
  isUnsettled,
  sizeOf,
  wantsNew,
  whyClose,
} from '../../../edge-agent/channel/purchasing-plan.ts'
import type { ChannelEntry } from '../../../ledger/state.ts'
import type { Purchase } from '../../../node/channel/records.ts'
import { CHAIN_STEPS_MAX } from '../../../node/channel/words.ts'
import { ZERO_HASH } from '../../../schemas/hex.ts'
import { alice, carol } from '../../helpers/ledger.ts'
import { bytes32, NEVER } from '../../helpers/trade.ts'

/** Twenty readings at 10. */
const PURCHASE: Purchase = {
  ...{ number: 1, seller: carol.account, sensor: 'soil', price: 10, deposit: 200, delay: 4, until: NEVER },
  ...{ steps: 0, height: 0, channel: bytes32(1), index: 0, last: undefined, stopped: undefined },
}
const ENTRY: ChannelEntry = {
  ...{ from: alice.account, to: carol.account, amount: 200, paid: 0, delay: 4, closing: NEVER },
  ...{ word: ZERO_HASH, steps: 0, step: 0 },
}

t.test('a hash chain has a word for each reading that the deposit pays, and none too many', async (t) => {
  t.strictSame(sizeOf({ deposit: 100, mode: 'payword' }, 30), { deposit: 100, steps: 3 })
  t.strictSame(sizeOf({ deposit: 100, mode: 'signed' }, 30), { deposit: 100, steps: 0 })
  const deposit = 3 * CHAIN_STEPS_MAX
  t.strictSame(
    sizeOf({ deposit, mode: 'payword' }, 2),
    { deposit: 2 * CHAIN_STEPS_MAX, steps: CHAIN_STEPS_MAX },
    'cheaper than what the deposit was made for: what no word can pay is not locked up',
  )
  t.strictSame(sizeOf({ deposit, mode: 'payword' }, 3), { deposit, steps: CHAIN_STEPS_MAX })
  t.strictSame(
    sizeOf({ deposit: deposit + 2, mode: 'payword' }, 3),
    { deposit: deposit + 2, steps: CHAIN_STEPS_MAX },
    'the rest of a reading stays in, as it does with fewer words',
  )
})

t.test('a new channel is opened when a tenth is left, not while another is on its way', async (t) => {
  t.equal(wantsNew([]), true)
  t.equal(wantsNew([{ ...PURCHASE, index: 17 }]), false)
  t.equal(wantsNew([{ ...PURCHASE, index: 18 }]), true)
  t.equal(
    wantsNew([
      { ...PURCHASE, index: 18 },
      { ...PURCHASE, channel: undefined },
    ]),
    false,
  )
  t.equal(wantsNew([{ ...PURCHASE, stopped: 'price' }]), true)
})

t.test('the oldest that is open and not used up is used', async (t) => {
  const next = { ...PURCHASE, number: 2 }
  t.equal(current([]), undefined)
  t.equal(current([PURCHASE, next]), PURCHASE)
  t.equal(current([{ ...PURCHASE, index: 19 }, next])?.number, 1)
  for (const gone of [{ index: 20 }, { stopped: 'price' }, { channel: undefined }])
    t.equal(current([{ ...PURCHASE, ...gone }, next]), next)
})

t.test('coins are called back from what was stopped or is used up', async (t) => {
  t.equal(whyClose({ ...PURCHASE, index: 19 }), undefined)
  t.equal(whyClose({ ...PURCHASE, index: 20 }), 'used up')
  t.equal(whyClose({ ...PURCHASE, stopped: 'price' }), 'price')
})

t.test(
  'a seller may lack the last payment of what is used up, and is talked to until it has claimed it',
  async (t) => {
    const used = { ...PURCHASE, index: 20 }
    t.equal(isUnsettled(used, { ...ENTRY, paid: 190 }), true)
    t.equal(isUnsettled(used, { ...ENTRY, paid: 200 }), false)
    t.equal(isUnsettled({ ...PURCHASE, index: 19 }, { ...ENTRY, paid: 10 }), false)
    t.equal(isUnsettled({ ...used, stopped: 'price' }, { ...ENTRY, paid: 190 }), false)
  },
)

t.test('first the wish, then the close, and neither for what is not worth the fee', async (t) => {
  const stopped = { ...PURCHASE, index: 5, stopped: 'price' }
  const fee = 3
  t.equal(closeStep({ ...PURCHASE, index: 5 }, ENTRY, 100, fee), undefined, 'it is used')
  t.equal(closeStep(stopped, ENTRY, 100, fee), 'wish')
  t.equal(
    closeStep(stopped, { ...ENTRY, closing: 105 }, 100, fee),
    'wish',
    'it ends, but later than by a wish',
  )
  t.equal(
    closeStep(stopped, { ...ENTRY, closing: 104 }, 100, fee),
    undefined,
    'it was wished, or ends by itself',
  )
  t.equal(closeStep(stopped, { ...ENTRY, closing: 101 }, 100, fee), undefined)
  t.equal(closeStep(stopped, { ...ENTRY, closing: 100 }, 100, fee), 'close')
  t.equal(
    closeStep({ ...PURCHASE, index: 5 }, { ...ENTRY, closing: 100 }, 100, fee),
    'close',
    'its time is over',
  )
  t.equal(closeStep(stopped, { ...ENTRY, paid: 197 }, 100, fee), undefined)
  t.equal(closeStep(stopped, { ...ENTRY, paid: 196 }, 100, fee), 'wish')
  t.equal(
    closeStep({ ...PURCHASE, index: 20 }, ENTRY, 100, fee),
    undefined,
    'by our books nothing is left: the seller closes it',
  )
  t.equal(
    closeStep({ ...stopped, index: 20 }, { ...ENTRY, paid: 190 }, 100, fee),
    'wish',
    'of what was stopped the ledger counts: nobody pays the last one any more',
  )
  t.equal(
    closeStep({ ...PURCHASE, index: 18 }, { ...ENTRY, paid: 200, closing: 100 }, 100, fee),
    undefined,
    'the ledger has paid more than an old copy of our books knows',
  )
})
