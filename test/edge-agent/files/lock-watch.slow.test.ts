/** More open locks than are watched at once. Run by npm run test:system. */
import t from 'tap'
import { LockWatch } from '../../../edge-agent/files/lock-watch.ts'
import { sealTransaction } from '../../../ledger/transaction.ts'
import { block } from '../../../schemas/block.ts'
import { encode } from '../../../schemas/codec.ts'
import type { Hash } from '../../../schemas/hex.ts'
import { alice, bob, TestChain, testNetwork } from '../../helpers/ledger.ts'
import { bytes32, lock, NEVER } from '../../helpers/trade.ts'

const deadline = { height: NEVER, time: 0 }

t.test(
  'with 10,000 open locks it looks no further until some of them are gone, and misses none',
  async (t) => {
    const test = new TestChain(testNetwork({ blockBytesMax: 1 << 20 }))
    const watch = new LockWatch(test.chain, bob.account, 10)
    const PER_BLOCK = 2_500
    test.grow(6)
    // Nobody checks a stored block again, and so many signatures would take long.
    const one = lock(test, alice, bob, 5, bytes32(1), deadline).transaction
    for (let height = 1; height <= 6; height++) {
      const locks = Array.from({ length: PER_BLOCK }, (_, index) =>
        sealTransaction(test.network, { ...one, nonce: height * PER_BLOCK + index }),
      )
      const stored = encode(block, test.block([], { forced: locks }))
      test.archive.blocks.set(test.chain.at(height)?.hash ?? test.chain.tip.hash, stored)
    }
    const gone = new Set<Hash>()
    const entry = { ...one, from: alice.account, to: bob.account, amount: 5, lock: bytes32(1), ...deadline }
    test.chain.state.hashlock = (id) => (gone.has(id) ? undefined : entry)
    const look = (): number => {
      watch.look()
      return watch.open().length
    }
    t.strictSame([look(), look()], [4 * PER_BLOCK, 4 * PER_BLOCK])
    const [first] = watch.open()
    gone.add(first?.id ?? bytes32(0))
    watch.open()
    t.strictSame([look(), look()], [5 * PER_BLOCK - 1, 5 * PER_BLOCK - 1])
    for (const { id } of watch.open()) gone.add(id)
    watch.open()
    t.equal(look(), PER_BLOCK)
  },
)
