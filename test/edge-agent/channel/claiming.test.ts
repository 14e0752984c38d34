/** When a seller claims and when it closes, by what stands on the ledger. */
import t from 'tap'
import { type ClaimStep, type ClaimView, claimStep, unclaimed } from '../../../edge-agent/channel/claiming.ts'
import { CLAIM_STEPS_MAX } from '../../../ledger/channel.ts'
import type { ChannelEntry } from '../../../ledger/state.ts'
import { ZERO_HASH } from '../../../schemas/hex.ts'
import type { ChannelProof } from '../../../schemas/transaction.ts'
import { alice, carol } from '../../helpers/ledger.ts'
import { NEVER } from '../../helpers/trade.ts'

/** Alice pays carol 10 a reading, out of 1000. */
const ENTRY: ChannelEntry = {
  ...{ from: alice.account, to: carol.account, amount: 1_000, paid: 0, delay: 4, closing: NEVER },
  ...{ word: ZERO_HASH, steps: 0, step: 0 },
}
const signed = (amount: number): ChannelProof => ({
  ...{ type: 'signed', payer: alice.account, amount, authorisation: new Uint8Array(64) },
})
const word = (steps: number): ChannelProof => ({ type: 'word', steps, word: ZERO_HASH })

/** What it does about so much that is proven. */
function step(proof: ChannelProof | undefined, view: Partial<ClaimView> = {}, stopped?: string) {
  const found: ClaimStep | undefined = claimStep({
    ...{ entry: ENTRY, sale: { proof, stopped, price: 10 }, height: 100, claimAbove: 300, fee: 2 },
    ...view,
  })
  return found?.type === 'claim' ? [found.amount, found.isUrgent] : found?.type
}

t.test('it claims when as much is unclaimed as may be, and not before', async (t) => {
  t.strictSame(
    [299, 300].map((amount) => step(signed(amount))),
    [undefined, [300, false]],
  )
  const entry = { ...ENTRY, paid: 100 }
  t.strictSame(
    [399, 400].map((amount) => step(signed(amount), { entry })),
    [undefined, [400, false]],
  )
  t.equal(unclaimed(entry, signed(130)), 30)
  t.equal(unclaimed(entry, signed(90)), 0, 'an old copy of the log knows of less than the ledger')
  t.equal(unclaimed(entry, undefined), 0)
})

t.test('also when the steps come near to what one claim may bring', async (t) => {
  const entry = { ...ENTRY, amount: 1_000_000, step: 10, steps: 7, paid: 70 }
  const view = { entry, claimAbove: 1_000_000 }
  const half = CLAIM_STEPS_MAX / 2
  t.strictSame(
    [half + 6, half + 7].map((steps) => step(word(steps), view)),
    [undefined, [10 * (half + 7), false]],
  )
  t.equal(step(signed(5_000), { ...view, entry: { ...ENTRY, amount: 1_000_000 } }), undefined)
})

t.test(
  'when the channel is about to close, is used up or its sale has ended: claims first, then closes',
  async (t) => {
    const closing = { ...ENTRY, closing: 104 }
    t.equal(
      step(signed(20), { entry: { ...ENTRY, closing: 105 } }),
      undefined,
      'the end is farther than the delay',
    )
    t.strictSame(step(signed(20), { entry: closing }), [20, true])
    t.equal(step(signed(20), { entry: { ...closing, paid: 20 } }), 'close')
    t.equal(step(undefined, { entry: closing }), 'close', 'nothing was ever paid')
    t.strictSame(step(signed(20), {}, 'bad-payment'), [20, true])
    t.equal(step(undefined, {}, 'bad-payment'), 'close')
    const little = { claimAbove: 10_000 }
    t.equal(step(signed(990), little), undefined, 'one more reading can be paid')
    t.strictSame(step(signed(991), little), [991, true])
    t.equal(step(signed(1_000), { ...little, entry: { ...ENTRY, paid: 1_000 } }), 'close')
    t.equal(step(undefined), undefined)
  },
)

t.test('nobody pays a fee for what does not bring more', async (t) => {
  t.equal(step(signed(2), { claimAbove: 0 }), undefined)
  t.strictSame(step(signed(3), { claimAbove: 0 }), [3, false])
  t.equal(step(signed(2), {}, 'bad-payment'), 'close', 'what is not worth the fee is left')
})
