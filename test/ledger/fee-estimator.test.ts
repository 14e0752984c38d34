import t from 'tap'
import { COIN } from '../../ledger/amount.ts'
import type { SealedBlock } from '../../ledger/block.ts'
import { FeeEstimator, REMEMBERED_MAX } from '../../ledger/fee-estimator.ts'
import type { Sealed } from '../../ledger/transaction.ts'
import { alice, bob, carol, signer, TestChain, testNetwork } from '../helpers/ledger.ts'

const people = [alice, bob, carol, signer(4)]
const allocations = people.map(({ account }) => ({ account, amount: 1000 * COIN }))
const test = new TestChain(testNetwork({ allocations, feeFloor: 100, blockBytesMax: 4096 }))
const { network } = test
const BYTES = test.transfer(alice, bob.account, 1).bytes.length
const pay = (fee: number, nonce = 0, from = alice) => test.transfer(from, bob.account, 1, { nonce, fee })
const everything = () => true

/** A block of bob's with these transactions, of `bytes` bytes; only what the estimator looks at. */
const blockOf = (transactions: readonly Sealed[], bytes = 4000): SealedBlock => ({
  block: test.block([], { miner: bob }),
  bytes: new Uint8Array(bytes),
  transactions,
})
const EMPTY = blockOf([], 400)
const full = (...fees: readonly number[]): SealedBlock => blockOf(fees.map((fee, nonce) => pay(fee, nonce)))

/** An estimator that has seen these blocks, one at a time. */
function after(blocks: readonly SealedBlock[], waited: (id: string) => boolean = everything): FeeEstimator {
  const estimator = new FeeEstimator(network)
  for (const block of blocks) estimator.update({ disconnected: [], connected: [block] }, waited)
  return estimator
}
const repeat = (count: number, block: SealedBlock) => Array.from({ length: count }, () => block)
const FLOORS = { floor: 100, next: 100, soon: 100, later: 100 }

t.test('without blocks, and where blocks have room, it is the floor', async (t) => {
  t.strictSame(after([]).fees(undefined), FLOORS)
  t.strictSame(after(repeat(50, EMPTY)).fees(undefined), FLOORS)
  const dear = blockOf([pay(1_000_000)], 1000)
  t.strictSame(after(repeat(50, dear)).fees(undefined), FLOORS, 'what one pays for nothing is no measure')
  const free = new FeeEstimator(testNetwork({ feeFloor: 0 }))
  t.strictSame(free.fees(undefined), { floor: 0, next: 0, soon: 0, later: 0 })
})

t.test('where all blocks are full, it is just above the lowest rate that got in', async (t) => {
  const { next, soon, later, floor } = after(repeat(40, full(900, 500, 700))).fees(undefined)
  const needed = Math.floor((500 / BYTES) * 1000) + 1
  t.strictSame([floor, next, soon, later], [100, needed, needed, needed])
  t.ok(Math.ceil((needed * BYTES) / 1000) > 500, 'and what one pays by it is more')
})

t.test('a block is full when 1024 more bytes or one more signature do not fit', async (t) => {
  const sized = (bytes: number) => after(repeat(20, blockOf([pay(900)], bytes))).rate(1)
  t.equal(sized(4096 - 1024), 0)
  t.equal(sized(4096 - 1023), 900 / BYTES)
  const few = testNetwork({ allocations, blockSignaturesMax: 3 })
  const signed = (count: number) => {
    const estimator = new FeeEstimator(few)
    const fees = Array.from({ length: count }, (_, nonce) => pay(900, nonce))
    estimator.update({ disconnected: [], connected: repeat(20, blockOf(fees, 400)) }, everything)
    return estimator.rate(1)
  }
  t.strictSame([signed(1), signed(2)], [0, 900 / BYTES], "the coinbase's is one of them")
})

t.test("the miner's own and what nobody here had waiting do not count", async (t) => {
  const own = blockOf([pay(900), pay(1, 0, bob)])
  t.equal(after(repeat(20, own)).rate(1), 900 / BYTES)
  const stuffed = blockOf([pay(900), pay(1_000_000, 1), pay(2, 2)])
  const known = pay(900).id
  t.equal(after(repeat(20, stuffed), (id) => id === known).rate(1), 900 / BYTES)
  const unknown = [...repeat(3, full(700)), ...repeat(17, blockOf([pay(1, 0, bob)]))]
  t.equal(after(unknown).rate(1), 700 / BYTES, 'a full block that tells nothing is left out')
  t.equal(after(repeat(9, blockOf([]))).rate(1), 0)
})

t.test('who can wait for one of the emptier blocks pays less', async (t) => {
  // Of ten blocks nine are full.
  const blocks = Array.from({ length: 120 }, (_, at) => (at % 10 === 0 ? EMPTY : full(1000)))
  const estimator = after(blocks)
  t.equal(estimator.rate(1), 1000 / BYTES)
  t.equal(estimator.rate(6), 1000 / BYTES, 'of six in a row all may be full')
  t.equal(estimator.rate(30), 0)
  const { next, later } = estimator.fees(undefined)
  t.strictSame([next > 5000, later], [true, 100])
})

t.test('85 % of the starts have to have sufficed', async (t) => {
  const share = (fullOnes: number) =>
    after([...repeat(20 - fullOnes, EMPTY), ...repeat(fullOnes, full(1000))])
  t.equal(share(3).rate(1), 0)
  t.equal(share(4).rate(1), 1000 / BYTES)
})

t.test('old blocks are forgotten, and the memory is bounded', async (t) => {
  const crowded = repeat(120, full(1000))
  t.ok(after([...crowded, ...repeat(16, EMPTY)]).rate(1) > 0)
  t.equal(after([...crowded, ...repeat(17, EMPTY)]).rate(1), 0)
  t.ok(after([...crowded, ...repeat(17, EMPTY)]).rate(30) > 0)
  t.equal(after([...crowded, ...repeat(120, EMPTY)]).rate(30), 0)
  t.equal(after(repeat(REMEMBERED_MAX + 5, EMPTY)).size, REMEMBERED_MAX)
})

t.test('a disconnected block is as if it had never been', async (t) => {
  const estimator = after([...repeat(20, full(500)), ...repeat(5, full(9000))])
  t.equal(estimator.rate(1), 9000 / BYTES)
  estimator.update({ disconnected: [1, 2, 3, 4, 5], connected: repeat(6, full(500)) }, everything)
  t.equal(estimator.rate(1), 500 / BYTES)
  t.equal(estimator.size, 26)
  estimator.update({ disconnected: repeat(100, EMPTY), connected: [] }, everything)
  t.equal(estimator.size, 0)
})

t.test('a full mempool asks for more than its cheapest, whatever the blocks say', async (t) => {
  const fees = after(repeat(20, EMPTY)).fees(2.5)
  t.strictSame(fees, { floor: 2501, next: 2501, soon: 2501, later: 2501 })
  const { later } = after([]).fees(Number.MAX_VALUE)
  t.equal(later, Number.MAX_SAFE_INTEGER, 'and what is sent fits its field')
})
