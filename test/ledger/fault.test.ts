/** Every fault code of the ledger, each produced by bytes or a value that a peer could send. */
import t from 'tap'
import { COIN } from '../../ledger/amount.ts'
import type { Fault, FaultCode } from '../../ledger/fault.ts'
import { fromDecode, VERDICTS, verdictOf } from '../../ledger/fault.ts'
import { Finality } from '../../ledger/finality.ts'
import { Mempool } from '../../ledger/mempool.ts'
import { parseTransaction, type Sealed, SignatureCache } from '../../ledger/transaction.ts'
import { type Block, block as blockCodec } from '../../schemas/block.ts'
import { encode } from '../../schemas/codec.ts'
import { type Account, type Hash, type Network, ZERO_HASH } from '../../schemas/hex.ts'
import type { Result } from '../../schemas/result.ts'
import { TestHand } from '../helpers/hand.ts'
import { alice, bob, carol, codeOf, mine, remake, TestChain, testNetwork } from '../helpers/ledger.ts'
import {
  bytes32,
  claim,
  close,
  lock,
  open,
  refund,
  share,
  signedFor,
  tell,
  wordOf,
  wordsFrom,
} from '../helpers/trade.ts'

type Outcome = Result<unknown, Fault>
/** Who publishes what is the node's rule: test/functional/hostile.test.ts has its case. */
type LedgerCode = Exclude<FaultCode, 'wrong-publisher'>

const wrongHash = 'ab'.repeat(32) as Hash
const test = () => new TestChain()
const most = Number.MAX_SAFE_INTEGER

function coinbase(changes: Partial<Block['coinbase']>): Outcome {
  const node = test()
  return node.accept(node.block([], { coinbase: changes }))
}
function header(changes: Partial<Block['header']>): Outcome {
  const node = test()
  return node.accept(node.block([], { header: changes }))
}
function forced(make: (node: TestChain) => Sealed, node = test(), miner = bob): Outcome {
  return node.accept(node.block([], { forced: [make(node)], miner }))
}
function pool(
  make: (node: TestChain) => readonly Sealed[],
  limits = { memoryBytesMax: 1 << 20, accountMax: 1 },
): Outcome {
  const node = test()
  const mempool = new Mempool(node.network, undefined, limits)
  return make(node)
    .map((sealed) => mempool.add(sealed, node.chain))
    .at(-1) as Outcome
}
function body(change: (block: Block) => Uint8Array): Outcome {
  const node = test()
  return node.acceptBytes(change(node.block([node.transfer(alice, bob.account, 1)])))
}
function child(): Outcome {
  const node = test()
  const bad = node.block([], { coinbase: { reward: 51 * COIN } })
  node.accept(bad)
  const place = {
    height: 2,
    parent: Buffer.from(node.network.hashing.double(encode(blockCodec, bad).subarray(0, 115))).toString(
      'hex',
    ) as Hash,
  }
  return node.accept(node.block([], { header: place }))
}

const signed = testNetwork({ checkpointSigners: [alice.account], checkpointThreshold: 1 })
const VOTE = {
  source: { height: 0, hash: signed.block0Hash },
  target: { height: 8, hash: wrongHash },
  signer: alice.account,
  signature: new Uint8Array(64),
}

const enrolled = () => {
  const activations = [4, 5].map((type) => ({ type, height: 0 }))
  return new TestChain(testNetwork({ authorities: [alice.account], activations }))
}
const admit = (node: TestChain, member: Account, by = alice) => node.sign(by, { type: 'admission', member })

/** A channel of Alice's for Bob, of 100 and with a chain of words worth 1 each. */
const words = wordsFrom(bytes32(7), 1100)
const channel = () => {
  const node = test()
  const opened = open(node, alice, bob, 2000, { anchor: words[0], step: 1 })
  node.grow(1, [opened])
  return { node, id: opened.id }
}
/** A lock of Alice's for Bob. */
const locked = (height: number) => {
  const node = test()
  const put = lock(node, alice, bob, 9, bytes32(5), { height, time: 0 })
  node.grow(1, [put])
  return { node, id: put.id }
}

const PRODUCED: Readonly<Record<LedgerCode, () => Outcome>> = {
  'bad-encoding': () => body((block) => encode(blockCodec, block).subarray(1)),
  'wrong-network': () => coinbase({ network: '00000000' as Network }),
  'type-not-active': () =>
    forced((node) => node.reading(alice), new TestChain(testNetwork({ activations: [] }))),
  'bad-account': () => forced((node) => node.transfer(alice, ZERO_HASH as string as Account, 1)),
  'bad-signature': () => coinbase({ signature: new Uint8Array(64) }),
  'bad-batch': () => forced((node) => node.batch(alice, 0)),
  'amount-overflow': () => forced((node) => node.transfer(alice, bob.account, most, { fee: most })),
  'fee-too-low': () => forced((node) => node.reading(alice), new TestChain(testNetwork({ feeFloor: 1 }))),
  'insufficient-balance': () => forced((node) => node.transfer(carol, bob.account, 1)),
  expired: () => forced((node) => node.reading(alice, { expiry: 0 })),
  'nonce-too-low': () => {
    const node = test()
    const sealed = node.reading(alice)
    node.grow(1, [sealed])
    return forced(() => sealed, node)
  },
  'not-authority': () => forced((node) => admit(node, bob.account, bob), enrolled(), alice),
  'already-member': () => forced((node) => admit(node, alice.account), enrolled(), alice),
  'not-member': () =>
    forced((node) => node.sign(alice, { type: 'revocation', member: bob.account }), enrolled(), alice),
  'not-admitted': () => {
    const node = enrolled()
    const taken = remake(
      node.network,
      node.block([], { miner: alice }),
      { coinbase: { from: bob.account } },
      bob,
    )
    return node.accept(mine(node.network, taken))
  },
  'bad-channel': () => forced((node) => open(node, alice, bob, 0)),
  'unknown-channel': () => forced((node) => close(node, alice, wrongHash)),
  'bad-claim': () => {
    const { node, id } = channel()
    return forced(() => claim(node, bob, id, { ...signedFor(node.network, alice, id, 5), amount: 6 }), node)
  },
  'claim-not-higher': () => {
    const { node, id } = channel()
    node.grow(1, [claim(node, bob, id, wordOf(words, 5))])
    return forced(() => claim(node, bob, id, wordOf(words, 5)), node)
  },
  'too-many-steps': () => {
    const { node, id } = channel()
    return forced(() => claim(node, bob, id, wordOf(words, 1025)), node)
  },
  'not-closable': () => {
    const { node, id } = channel()
    return forced(() => close(node, carol, id), node)
  },
  'bad-hashlock': () => forced((node) => lock(node, alice, bob, 0, bytes32(5), { height: 9, time: 0 })),
  'unknown-hashlock': () => forced((node) => refund(node, alice, wrongHash)),
  'bad-preimage': () => {
    const { node, id } = locked(9)
    return forced(() => tell(node, bob, id, bytes32(6)), node)
  },
  'deadline-passed': () => {
    const { node, id } = locked(2)
    return forced(() => tell(node, bob, id, bytes32(5)), node)
  },
  'deadline-not-passed': () => {
    const { node, id } = locked(9)
    return forced(() => refund(node, bob, id), node)
  },
  'bad-split': () => forced((node) => share(node, alice, [[alice.account, 1]])),
  'nonce-gap': () => forced((node) => node.reading(alice, { nonce: 1 })),
  'bad-height': () => header({ height: 2 }),
  'bad-target': () => header({ target: 1n << 255n }),
  'high-hash': () => {
    const node = test()
    return node.accept(mine(node.network, node.block(), false))
  },
  'time-too-old': () => header({ time: 0 }),
  'time-too-new': () => header({ time: 2 ** 48 - 1 }),
  'unknown-parent': () => header({ parent: wrongHash }),
  'invalid-parent': child,
  'below-final': () => {
    const node = test()
    const fork = node.block([], { miner: carol })
    node.grow(2)
    node.chain.finalise(node.chain.tip.hash)
    return node.accept(fork)
  },
  'not-a-signer': () => new Finality(test().network).count(VOTE),
  'bad-checkpoint': () => new Finality(signed).count({ ...VOTE, target: { height: 9, hash: wrongHash } }),
  'block-too-large': () =>
    body((block) => new Uint8Array([...encode(blockCodec, block), ...new Uint8Array(1 << 17)])),
  'too-many-signatures': () => {
    const node = new TestChain(testNetwork({ blockSignaturesMax: 2 }))
    return node.accept(node.block([], { forced: [node.reading(alice), node.reading(bob)] }))
  },
  'bad-content': () =>
    body((block) => encode(blockCodec, { ...block, coinbase: { ...block.coinbase, from: carol.account } })),
  'bad-transactions-root': () => body((block) => encode(blockCodec, { ...block, transactions: [] })),
  'bad-coinbase': () => coinbase({ height: 2 }),
  'bad-tick': () => coinbase({ tick: wrongHash }),
  'bad-anchors': () => {
    const hand = new TestHand()
    const anchor = { ledger: wrongHash, height: 1, block: wrongHash }
    return hand.accept(hand.tick([anchor, anchor]))
  },
  'bad-reward': () => coinbase({ reward: 51 * COIN }),
  'bad-state-root': () => coinbase({ stateRoot: wrongHash }),
  known: () => {
    const node = test()
    const block = node.block()
    node.accept(block)
    return node.accept(block)
  },
  'fee-too-low-to-replace': () => pool((node) => [node.reading(alice), node.reading(alice, { expiry: 5 })]),
  replaced: () => {
    const node = test()
    const mempool = new Mempool(node.network)
    mempool.add(node.reading(alice), node.chain)
    const added = mempool.add(node.reading(alice, { fee: 1 }), node.chain)
    const dropped = added.ok ? added.value.dropped[0] : undefined
    return dropped === undefined ? added : { ok: false, fault: dropped.fault }
  },
  'account-queue-full': () => pool((node) => [node.reading(alice), node.reading(alice, { nonce: 1 })]),
  'mempool-full': () => pool((node) => [node.reading(alice)], { memoryBytesMax: 10, accountMax: 1 }),
}

for (const code of Object.keys(VERDICTS) as FaultCode[]) {
  if (code === 'wrong-publisher') continue
  t.test(`${code} is produced, with a message that names what is wrong`, async (t) => {
    const outcome = PRODUCED[code]()
    t.equal(codeOf(outcome), code)
    if (outcome.ok) return
    t.equal(verdictOf(outcome.fault), VERDICTS[code])
    t.match(outcome.fault.message, /\w+/)
  })
}

t.test(
  'what may become valid with time is held; what is late, repeated or local is ignored; the rest rejected',
  async (t) => {
    const of = (verdict: string) =>
      Object.entries(VERDICTS).flatMap(([code, value]) => (value === verdict ? [code] : []))
    t.strictSame(of('hold').sort(), ['time-too-new', 'unknown-parent'])
    t.strictSame(of('ignore').sort(), [
      'account-queue-full',
      'already-member',
      'below-final',
      'claim-not-higher',
      'deadline-not-passed',
      'deadline-passed',
      'expired',
      'fee-too-low-to-replace',
      'insufficient-balance',
      'known',
      'mempool-full',
      'nonce-gap',
      'nonce-too-low',
      'not-closable',
      'not-member',
      'replaced',
      'too-many-steps',
      'unknown-channel',
      'unknown-hashlock',
    ])
  },
)

t.test('a decoding fault keeps the field that it names', async (t) => {
  t.equal(fromDecode({ code: 'bad-encoding', field: '', message: 'cut' }).message, 'cut')
  t.equal(fromDecode({ code: 'bad-encoding', field: 'fee', message: 'cut' }).message, 'fee: cut')
  const { network } = test()
  const parsed = parseTransaction(network, Uint8Array.of(13), new SignatureCache())
  t.match(parsed, { ok: false, fault: { code: 'bad-encoding', message: /^type: / } })
})
