import t from 'tap'
import { MempoolIndex, type Waiting } from '../../ledger/mempool-index.ts'
import { KIND } from '../../ledger/state.ts'
import type { Sealed } from '../../ledger/transaction.ts'
import { alice, bob, carol, TestChain } from '../helpers/ledger.ts'
import { bytes32, claim, close, lock, open, refund, share, signedFor, tell } from '../helpers/trade.ts'

const chain = new TestChain()
const [channel, hashlock] = [bytes32(1), bytes32(2)]
const wait = (sealed: Sealed, rate: number, arrival: number): Waiting => ({
  ...sealed,
  ...{ offered: rate, rate, arrival, since: arrival },
})
const claimed = claim(chain, bob, channel, signedFor(chain.network, alice, channel, 5))
const list = {
  transfer: wait(chain.transfer(alice, bob.account, 1, { expiry: 7 }), 3, 0),
  claim: wait(claimed, 1, 1),
  close: wait(close(chain, carol, channel), 2, 2),
  tell: wait(tell(chain, carol, hashlock, bytes32(3), { nonce: 1 }), 5, 3),
  refund: wait(refund(chain, carol, hashlock, { nonce: 2 }), 4, 4),
  open: wait(open(chain, alice, bob, 1, { nonce: 1 }), 6, 5),
  lock: wait(lock(chain, alice, bob, 1, bytes32(4), { height: 1, time: 1 }, { nonce: 2 }), 7, 6),
  split: wait(share(chain, alice, [], { nonce: 3 }), 8, 7),
}
const ids = (some: Iterable<Waiting>): string[] => [...some].map(({ id }) => id as string).sort()
const idsOf = (...names: readonly (keyof typeof list)[]): string[] => ids(names.map((name) => list[name]))

function full(): MempoolIndex {
  const index = new MempoolIndex()
  for (const waiting of Object.values(list)) index.insert(waiting)
  return index
}

t.test('what waits is found by the entry that it needs, and only by that', async (t) => {
  const index = full()
  t.strictSame(ids(index.needing({ kind: KIND.channel, key: channel })), idsOf('claim', 'close'))
  t.strictSame(ids(index.needing({ kind: KIND.hashlock, key: hashlock })), idsOf('tell', 'refund'))
  t.strictSame(ids(index.needing({ kind: KIND.hashlock, key: channel })), [])
  t.strictSame(ids(index.needing({ kind: KIND.member, key: channel })), [])
})

t.test('what height or time may make impossible is known', async (t) => {
  t.strictSame(ids(full().timed), idsOf('close', 'tell', 'refund'))
})

t.test('what is taken out is found no more', async (t) => {
  const index = full()
  for (const name of ['close', 'tell', 'transfer'] as const) index.delete(list[name])
  t.strictSame(ids(index.needing({ kind: KIND.channel, key: channel })), idsOf('claim'))
  t.strictSame(ids(index.timed), idsOf('refund'))
  t.strictSame(ids(index.expiring(0, 8)), [])
  for (const name of ['claim', 'refund', 'open', 'lock', 'split'] as const) index.delete(list[name])
  t.strictSame([index.size, index.bytes, index.memory, index.worst], [0, 0, 0, undefined])
  t.strictSame(ids(index.needing({ kind: KIND.channel, key: channel })), [])
  t.strictSame(ids(index.timed), [])
})

t.test('the best come first, the worst is the last', async (t) => {
  const index = full()
  t.strictSame(
    index.list().map(({ rate }) => rate),
    [8, 7, 6, 5, 4, 3, 2, 1],
  )
  t.equal(index.worst?.id, list.claim.id)
  t.strictSame(ids(index.expiring(0, 8)), idsOf('transfer'))
  t.strictSame(ids(index.expiring(0, 7)), [])
})
