/**
 * Blocks with changed bytes, spoilt blocks behind real proofs of work, and valid blocks in any order, given to Chain.
 *
 * Whatever comes, `accept` returns, the tip's body is an honest one and the state is the tip's; and whatever came
 * before it, an honest block is accepted: nobody can make a header invalid with a body that it does not mean.
 */
import { strictEqual as equal, ok, deepStrictEqual as same } from 'node:assert'
import fc from 'fast-check'
import { transactionsRoot } from '../../ledger/block.ts'
import type { Update } from '../../ledger/chain.ts'
import { headerHash } from '../../ledger/header.ts'
import { sealTransaction } from '../../ledger/transaction.ts'
import type { Signer } from '../../node/signing.ts'
import { type Block, block as blockCodec, HEADER_BYTES } from '../../schemas/block.ts'
import { decode, encode } from '../../schemas/codec.ts'
import { fromHex, type Hash, toHex } from '../../schemas/hex.ts'
import { invariant } from '../../schemas/result.ts'
import { coinsIn, mine, remake, signer, TestChain, testNetwork } from '../helpers/ledger.ts'
import { byteChange, changed } from './bytes.ts'
import { property } from './property.ts'

const HEIGHT = 8
const COINBASE_BYTES = 241
const signers = Array.from({ length: 5 }, (_, index) => signer(index + 1))
const signerAt = (index: number): Signer => signers[index % signers.length] as Signer
const network = testNetwork({
  maturity: 2,
  allocations: signers.map(({ account }) => ({ account, amount: 1_000_000 })),
})

interface Honest {
  readonly block: Block
  readonly bytes: Uint8Array
  readonly hash: Hash
  readonly miner: Signer
}

const honestOf = (block: Block, miner: Signer): Honest => ({
  block,
  bytes: encode(blockCodec, block),
  hash: headerHash(network.hashing, block.header),
  miner,
})

/** Blocks of heights 1 to HEIGHT; each has two transactions of one account, so that their order matters. */
function honestChain(): { blocks: Honest[]; nowMs: number } {
  const test = new TestChain(network)
  const blocks: Honest[] = []
  for (let height = 1; height <= HEIGHT; height++) {
    const miner = signerAt(height)
    const [from, to] = [signerAt(height + 1), signerAt(height + 2)]
    const nonce = test.nonceOf(from.account)
    const block = test.block(
      [
        test.transfer(from, to.account, height, { fee: 2 }),
        test.transfer(from, to.account, 2 * height, { nonce: nonce + 1, fee: 2 }),
        test.reading(to, { fee: 1 }),
        test.batch(miner, height),
      ],
      { miner },
    )
    blocks.push(honestOf(block, miner))
    invariant(test.accept(block).ok, 'the honest block is valid')
  }
  return { blocks, nowMs: test.nowMs }
}
const { blocks: honest, nowMs } = honestChain()
const honestAt = (height: number): Honest => honest[height - 1] as Honest

/** What a dishonest miner may do with a block before it works on it. */
const SPOILS = {
  reward: (block) => ({ coinbase: { reward: block.coinbase.reward + 1 } }),
  'less reward': (block) => ({ coinbase: { reward: block.coinbase.reward - 1 } }),
  'state root': (block) => ({ coinbase: { stateRoot: block.header.content } }),
  'transactions root': (block) => ({ coinbase: { transactionsRoot: block.header.content } }),
  tick: (block) => ({ coinbase: { tick: block.header.content } }),
  height: (block) => ({ coinbase: { height: block.header.height + 1 } }),
  parent: (block) => ({ coinbase: { parent: block.header.content } }),
  signature: () => ({ coinbase: { signature: new Uint8Array(64).fill(1) } }),
  thief: (block) => ({
    coinbase: { from: signerAt(block.header.height + 3).account, signature: block.coinbase.signature },
  }),
  'no key': () => ({ coinbase: { from: `01${'00'.repeat(31)}` as Block['coinbase']['from'] } }),
  dropped: ({ transactions }) => ({ transactions: transactions.slice(0, -1) }),
  doubled: ({ transactions }) => ({ transactions: [...transactions, ...transactions.slice(0, 1)] }),
  reversed: ({ transactions }) => ({ transactions: [...transactions].reverse() }),
  forged: ({ transactions }) => ({ transactions: transactions.map((tx) => ({ ...tx, fee: tx.fee + 1 })) }),
  foreign: ({ transactions }) => ({
    transactions: transactions.map((tx) => ({ ...tx, network: '00000000' as typeof tx.network })),
  }),
  replayed: (block) => ({
    transactions: [...honestAt(1 + (block.header.height % HEIGHT)).block.transactions],
  }),
} as const satisfies Record<
  string,
  (block: Block) => { coinbase?: Partial<Block['coinbase']>; transactions?: Block['transactions'] }
>

/** A block that breaks one rule behind a header with real work, so that nothing cheap refuses it. */
function spoil({ block, miner }: Honest, how: keyof typeof SPOILS): Honest {
  const spoilt: { coinbase?: Partial<Block['coinbase']>; transactions?: Block['transactions'] } =
    SPOILS[how](block)
  const transactions = spoilt.transactions ?? block.transactions
  const sealed = transactions.map((tx) => sealTransaction(network, tx))
  const coinbase = {
    ...(spoilt.transactions && { transactionsRoot: transactionsRoot(network, sealed) }),
    ...spoilt.coinbase,
  }
  return honestOf(mine(network, remake(network, { ...block, transactions }, { coinbase }, miner)), miner)
}

/** The honest block of the next height on top of another parent. */
function childOf(test: TestChain, parent: Honest): Honest | undefined {
  const next = honest[parent.block.header.height]
  if (next === undefined) return undefined
  const target = test.chain.entry(parent.hash)?.childTarget ?? next.block.header.target
  const fields = { header: { parent: parent.hash, target }, coinbase: { parent: parent.hash } }
  return honestOf(mine(network, remake(network, next.block, fields, next.miner)), next.miner)
}

const attack = fc.record({
  /** Before which honest block it comes. */
  before: fc.integer({ min: 1, max: HEIGHT }),
  height: fc.integer({ min: 1, max: HEIGHT }),
  /** It comes so many times. */
  times: fc.integer({ min: 1, max: 2 }),
  how: fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('bytes' as const),
        changes: fc.array(byteChange, { minLength: 1, maxLength: 3 }),
        from: fc.constantFrom(0, HEADER_BYTES, HEADER_BYTES, HEADER_BYTES + COINBASE_BYTES),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('body' as const), of: fc.integer({ min: 1, max: HEIGHT }) }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('spoil' as const),
        how: fc.constantFrom(...(Object.keys(SPOILS) as (keyof typeof SPOILS)[])),
        /** Blocks that build on it. */
        children: fc.nat(3),
      }),
    },
  ),
})

function consistent(test: TestChain, update?: Update): void {
  const { chain, archive } = test
  const { tip, state } = chain
  equal(chain.at(tip.height)?.hash, tip.hash, 'the tip is on the best chain')
  equal(coinsIn(state), state.totals().supply, 'supply law')
  if (tip.height === 0) return
  const bytes = archive.block(tip.hash)
  const decoded = decode(blockCodec, bytes, bytes.length)
  ok(decoded.ok)
  equal(state.root(), decoded.value.coinbase.stateRoot, "the state is the tip's")
  if (update !== undefined) equal(update.tip.hash, tip.hash)
}

const attacked = property(
  'chain-attack',
  'no changed or spoilt block throws, becomes the tip, or keeps an honest block out',
  60,
  fc.record({
    attacks: fc.array(attack, { maxLength: 10, size: 'max' }),
    finalised: fc.array(fc.nat(HEIGHT), { maxLength: 2 }),
  }),
  ({ attacks, finalised }) => {
    const test = new TestChain(network)
    const give = (bytes: Uint8Array): boolean => {
      const before = { tip: test.chain.tip, state: test.chain.state }
      const outcome = test.acceptBytes(bytes, nowMs)
      if (!outcome.ok) {
        equal(test.chain.tip, before.tip, 'a refused block moves nothing')
        equal(test.chain.state, before.state, 'and changes nothing')
      }
      consistent(test, outcome.ok ? outcome.value : undefined)
      const { tip } = test.chain
      if (tip.height > 0) {
        const body = (block: Uint8Array) => toHex(block.subarray(HEADER_BYTES))
        equal(
          body(test.archive.block(tip.hash)),
          body(honestAt(tip.height).bytes),
          'the tip has an honest body',
        )
      }
      return outcome.ok
    }
    for (const [index, { bytes, hash }] of honest.entries()) {
      for (const { how, height, before, times } of attacks) {
        if (before !== index + 1) continue
        const victim = honestAt(height)
        for (let time = 0; time < times; time++) {
          if (how.do === 'bytes') {
            let spoilt = victim.bytes
            for (const one of how.changes) spoilt = changed(spoilt, one, how.from)
            give(spoilt)
          } else if (how.do === 'body') {
            const body = honestAt(how.of).bytes.subarray(HEADER_BYTES)
            give(Uint8Array.of(...victim.bytes.subarray(0, HEADER_BYTES), ...body))
          } else {
            let next: Honest | undefined = spoil(victim, how.how)
            for (let generation = 0; next !== undefined && generation <= how.children; generation++) {
              give(next.bytes)
              next = childOf(test, next)
            }
          }
        }
      }
      const accepted = give(bytes)
      ok(accepted || test.chain.entry(hash) !== undefined, `honest block ${index + 1} is accepted`)
      if (finalised.includes(index + 1)) test.chain.finalise(test.chain.at(index)?.hash as Hash)
    }
    equal(test.chain.tip.height, HEIGHT, 'the chain is as long as the honest one')
    equal(test.chain.state.root(), honestAt(HEIGHT).block.coinbase.stateRoot, 'and leads to its state')
  },
)

/** A tree of valid blocks: a trunk, and from each of its heights a branch of another miner, each with payments. */
function honestTree(): Honest[] {
  const trunk = new TestChain(network)
  const blocks: Honest[] = []
  const grow = (test: TestChain, miner: Signer, count: number, payer: Signer): void => {
    for (let done = 0; done < count; done++) {
      const block = test.block([test.transfer(payer, miner.account, 1 + done)], { miner })
      blocks.push(honestOf(block, miner))
      invariant(test.accept(block).ok, 'the block is valid')
    }
  }
  grow(trunk, signerAt(0), 6, signerAt(1))
  for (const [from, length] of [
    [0, 3],
    [1, 6],
    [2, 1],
    [3, 4],
    [3, 3],
    [5, 3],
  ] as const) {
    const branch = new TestChain(network)
    for (let height = 1; height <= from; height++)
      branch.acceptBytes(trunk.archive.block(trunk.chain.at(height)?.hash as Hash))
    grow(branch, signerAt(2 + (blocks.length % 3)), length, signerAt(1))
  }
  return blocks
}
const tree = honestTree()

const forkChoice = property(
  'fork-choice',
  'valid blocks in any order: the tip has the most work, the first seen of equals, and every move is told in order',
  60,
  fc.shuffledSubarray(tree, { minLength: 1, maxLength: tree.length }),
  (order) => {
    const test = new TestChain(network)
    const late = tree.reduce((latest, { block }) => Math.max(latest, block.header.time), 0)
    const accepted = new Map<Hash, bigint>([[network.block0Hash, 0n]])
    let best: Hash = network.block0Hash
    let path: Hash[] = []
    let waiting = order
    for (let before = -1; waiting.length !== before; ) {
      before = waiting.length
      waiting = waiting.filter(({ block, bytes, hash }) => {
        const work = accepted.get(block.header.parent)
        const outcome = test.acceptBytes(bytes, late)
        if (work === undefined) {
          ok(!outcome.ok && outcome.fault.code === 'unknown-parent', 'a block without its parent waits')
          return true
        }
        ok(outcome.ok, 'a valid block is accepted')
        const total = work + (1n << 256n) / (block.header.target + 1n)
        accepted.set(hash, total)
        if (total > (accepted.get(best) ?? 0n)) best = hash
        equal(test.chain.tip.hash, best, 'most work, first seen')
        const { disconnected, connected } = outcome.value
        for (const { entry } of disconnected)
          equal(path.pop(), entry.hash, 'blocks come off from the tip down')
        path = [...path, ...connected.map(({ entry }) => entry.hash)]
        same(
          path,
          path.map((_, index) => test.chain.at(index + 1)?.hash),
          'what was told is the best chain',
        )
        equal(path.length, test.chain.tip.height)
        consistent(test, outcome.value)
        const again = test.acceptBytes(bytes, late)
        ok(!again.ok && again.fault.code === 'known')
        return false
      })
    }
    equal(fromHex(test.chain.state.root()).length, 32)
  },
)

export const chainProperties = [attacked, forkChoice]
