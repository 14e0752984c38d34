/** What a channel holds at the price that is offered. */
import t from 'tap'
import { sizeOf } from '../../../edge-agent/channel/purchasing-plan.ts'
import { CHAIN_STEPS_MAX } from '../../../node/channel/words.ts'

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
})
