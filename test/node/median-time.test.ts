/**
 * Blocks right above a base execute alike everywhere, though the times that decide their hashlocks lie below it: in a window,
 * after a snapshot, when a ledger is verified whole or without its old segments, and when a history is checked.
 */
import t from 'tap'
import { executeBlock, parseBlock } from '../../ledger/block.ts'
import { ChainStore } from '../../node/chain-store.ts'
import { readSnapshot, writeSnapshot } from '../../node/snapshot.ts'
import { type Verification, verifyLedger } from '../../node/verify.ts'
import { block as blockCodec } from '../../schemas/block.ts'
import { encode } from '../../schemas/codec.ts'
import type { Hash } from '../../schemas/hex.ts'
import { carol, codeOf, TestChain, testNetwork } from '../helpers/ledger.ts'
import { longChain, SMALL, storeOf, tell } from '../helpers/long-chain.ts'
import { MemoryDisk } from '../helpers/memory-disk.ts'

const BASE = 512
const long = longChain(780)
const { test } = long
const { tip, state } = test.chain
const bytesAt = (height: number) => test.archive.block(test.chain.at(height)?.hash as Hash)
const between = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => bytesAt(from + index))
const whole = new MemoryDisk()
storeOf(whole, long).close()
const pruned = whole.after()
new ChainStore(pruned, undefined, { ...SMALL, bytesMax: 1 }).close()

/** A store that begins with a snapshot of block 512. */
function fromSnapshot(): ChainStore {
  const file = new MemoryDisk()
  const source = new ChainStore(whole.after(), undefined, { ...SMALL, readOnly: true })
  writeSnapshot(source, BASE, file.open('snapshot'))
  source.close()
  const disk = new MemoryDisk()
  const options = { genesis: undefined, hash: undefined, nowMs: Number.MAX_SAFE_INTEGER }
  for (const _ of readSnapshot(file.open('snapshot'), disk, options));
  return new ChainStore(disk, undefined)
}

function verified(disk: MemoryDisk, depthMax?: number): Verification {
  const steps = verifyLedger(disk, depthMax)
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

t.test('the chain has hashlocks above a base that only one median time allows', async (t) => {
  const chain = new TestChain(test.network)
  for (let height = 1; height <= BASE; height++) chain.acceptBytes(bytesAt(height))
  for (let height = BASE + 1; height <= BASE + 6; height++) {
    const parsed = parseBlock(test.network, bytesAt(height))
    if (!parsed.ok) throw new Error(parsed.fault.message)
    const { coinbase } = parsed.value.block
    const { medianTime } = chain.chain.next
    const judge = (time: number) =>
      codeOf(
        executeBlock(
          test.network,
          chain.chain.state,
          { height, medianTime: time, miner: coinbase.from, reward: coinbase.reward },
          parsed.value.transactions,
        ),
      )
    t.strictSame(
      [medianTime - 1, medianTime, medianTime + 1].map(judge),
      ['deadline-not-passed', 'ok', 'deadline-passed'],
      `height ${height}`,
    )
    chain.acceptBytes(bytesAt(height))
  }
})

t.test('after a snapshot the first blocks above it execute, and lead to the same state', async (t) => {
  const store = fromSnapshot()
  t.equal(store.chain.base.height, BASE)
  tell(store, between(BASE + 1, tip.height))
  t.equal(store.chain.tip.hash, tip.hash)
  t.equal(store.chain.state.root(), state.root())
  store.close()
})

t.test('a reorganisation down to the base executes them with the same times', async (t) => {
  const store = fromSnapshot()
  const rival = new TestChain(testNetwork())
  for (let height = 1; height <= BASE; height++) rival.acceptBytes(bytesAt(height))
  for (let block = 0; block < 4; block++) {
    const made = rival.block([], { miner: carol })
    rival.accept(made)
    tell(store, [encode(blockCodec, made)])
  }
  t.equal(store.chain.tip.hash, rival.chain.tip.hash)
  tell(store, between(BASE + 1, BASE + 8))
  t.equal(store.chain.tip.hash, test.chain.at(BASE + 8)?.hash)
  store.close()
})

t.test('a store whose window begins there takes them back and on again', async (t) => {
  const store = new ChainStore(whole.after(), undefined, SMALL)
  t.equal(store.chain.base.height, BASE)
  t.equal(store.chain.next.medianTime, test.chain.next.medianTime)
  store.close()
})

t.test(
  'verify finds them valid: whole, with what is deep left behind, and without old segments',
  async (t) => {
    const expected = { ok: true, height: tip.height, stateRoot: state.root() }
    t.match(verified(whole.after()), expected)
    for (const depthMax of [1, 256]) t.match(verified(whole.after(), depthMax), expected, `depth ${depthMax}`)
    // Without the reorganisation over the first base everything may be left behind as soon as it is a segment.
    const straight = new MemoryDisk()
    storeOf(straight, { ...long, blocks: between(1, tip.height) }).close()
    t.match(verified(straight, 0), expected, 'depth 0')
    t.match(verified(pruned.after()), { ...expected, from: BASE })
    const undone = whole.after()
    undone.files.delete('chain.log')
    t.match(verified(undone), { ...expected, from: 256 })
  },
)

t.test('a history that is checked from the genesis comes to the same state at the base', async (t) => {
  const disk = new MemoryDisk()
  // As in node/history.ts, but with smaller segments.
  const store = new ChainStore(disk, long.genesis, { ...SMALL, bytesMax: 32 << 20 })
  tell(store, between(1, BASE))
  const snapshot = fromSnapshot()
  t.equal(store.chain.tip.hash, snapshot.chain.base.hash)
  t.equal(store.chain.state.root(), snapshot.chain.state.root())
  store.close()
  snapshot.close()
})
