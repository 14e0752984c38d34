/**
 * A whole ledger with channels, hashlocks and splits, in the eyes of the program written from docs/PROTOCOL.md.
 *
 * The chain is made by our code, with every way of types 6 to 12 and a reorganisation; the program finds the same in its
 * bytes. Then one block is put on it that breaks a single rule, mined all the same: both refuse it for the same fault.
 */
import { copyFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { executeBlock, transactionsRoot } from '../../ledger/block.ts'
import { shareOf } from '../../ledger/split.ts'
import { StateView } from '../../ledger/state.ts'
import type { Sealed } from '../../ledger/transaction.ts'
import { ChainStore } from '../../node/chain-store.ts'
import { openDisk } from '../../node/disk.ts'
import { RECORD } from '../../node/records.ts'
import type { Signer } from '../../node/signing.ts'
import { type Block, block as blockCodec } from '../../schemas/block.ts'
import { encode } from '../../schemas/codec.ts'
import type { Hash } from '../../schemas/hex.ts'
import {
  alice,
  bob,
  carol,
  codeOf,
  coinsIn,
  START_MS,
  signer,
  TestChain,
  testNetwork,
} from '../helpers/ledger.ts'
import { appendTo } from '../helpers/log-file.ts'
import { verifyLedger } from '../helpers/python.ts'
import {
  bytes32,
  claim,
  close,
  lock,
  NEVER,
  open,
  refund,
  share,
  signedFor,
  tell,
  wordOf,
  wordsFrom,
} from '../helpers/trade.ts'

const [dave, erin, miner] = [signer(4), signer(5), signer(6)]
/** Above 2^53 / 10000, so that shares of it are wrong when they are multiplied first. */
const LARGE = 3_000_000_000_000_003
const network = testNetwork({
  maturity: 2,
  allocations: [
    { account: alice.account, amount: 2 * LARGE },
    ...[bob, carol, dave].map(({ account }) => ({ account, amount: 100_000 })),
  ],
})
const words = wordsFrom(bytes32(0xa1), 2100)
const SECRETS = [1, 2, 3].map(bytes32) as [Hash, Hash, Hash]
const LATE = { height: NEVER, time: 0 }
const signed = (payer: Signer, channel: Hash, amount: number) => signedFor(network, payer, channel, amount)

/** A chain that is stored as it grows. */
function storedChain(log: string) {
  const chain = new TestChain(network)
  const store = new ChainStore(openDisk(dirname(log)), network.genesis)
  const accept = (bytes: Uint8Array): void => {
    const outcome = store.chain.accept(bytes, Number.MAX_SAFE_INTEGER)
    if (!outcome.ok) throw new Error(outcome.fault.message)
    store.save(outcome.value)
  }
  /** A block of exactly these, which all are valid one after the other. */
  const put = (...transactions: readonly Sealed[]): void => {
    const made = chain.block(transactions, { miner })
    if (made.transactions.length !== transactions.length) throw new Error('one of them does not apply')
    const outcome = chain.accept(made)
    if (!outcome.ok) throw new Error(outcome.fault.message)
    accept(encode(blockCodec, made))
  }
  return { chain, store, accept, put }
}

/** What stands at the end of the chain below, and what stood. */
interface Standing {
  readonly paid: Hash
  readonly worded: Hash
  readonly closing: Hash
  readonly gone: Hash
  readonly passed: Hash
  readonly early: Hash
  readonly waiting: Hash
}

function lively(log: string): { readonly chain: TestChain; readonly standing: Standing } {
  const { chain, store, accept, put } = storedChain(log)
  const at = (nonces: number, from: Signer) => ({ nonce: chain.nonceOf(from.account) + nonces })

  const worded = open(chain, alice, bob, 4000, { anchor: words[0], step: 3 })
  const signing = open(chain, carol, alice, 900, { delay: 2 })
  const brief = open(chain, dave, carol, 50, { until: 3, ...at(1, dave) })
  const told = lock(chain, dave, bob, 777, SECRETS[0], LATE)
  const shares = [
    [carol.account, 3333],
    [dave.account, 1],
    [erin.account, 5000],
  ] as const
  put(worded, signing, told, brief, share(chain, bob, shares))
  const back = lock(chain, alice, carol, 5000, SECRETS[1], { height: 3, time: START_MS })
  const shared = lock(chain, bob, dave, 500, SECRETS[1], { height: 3, time: START_MS }, at(2, bob))
  const bySignature = (by: Signer, amount: number, fields = {}) =>
    claim(chain, by, signing.id, signed(carol, signing.id, amount), fields)
  put(
    claim(chain, dave, worded.id, wordOf(words, 5)),
    bySignature(bob, 100),
    back,
    chain.transfer(carol, bob.account, 10_001),
    tell(chain, bob, told.id, SECRETS[0], at(1, bob)),
    shared,
  )
  // The payer of one wishes to close it, another may be closed by anybody, a deadline passes.
  put(
    claim(chain, bob, worded.id, wordOf(words, 1029)),
    close(chain, carol, signing.id),
    close(chain, alice, brief.id),
    refund(chain, dave, back.id),
    refund(chain, dave, shared.id, at(1, dave)),
  )
  put(bySignature(dave, 250), claim(chain, bob, worded.id, signed(alice, worded.id, 3500)))
  put(close(chain, dave, signing.id), chain.transfer(bob, bob.account, 99))
  const large = lock(chain, alice, bob, LARGE, SECRETS[2], LATE)
  put(close(chain, bob, worded.id), large)

  // Two blocks that another branch undoes, and that come back when theirs is longer again.
  const rival = new TestChain(network)
  rival.follow(chain)
  put(tell(chain, carol, large.id, SECRETS[2]))
  rival.grow(1, [share(rival, bob, []), lock(rival, carol, dave, 3, SECRETS[0], LATE)], dave)
  rival.grow(1, [tell(rival, erin, large.id, SECRETS[2])], dave)
  for (const height of [7, 8]) accept(rival.archive.block(rival.chain.at(height)?.hash as Hash))
  if (store.chain.tip.hash !== rival.chain.tip.hash) throw new Error('the other branch is not the best')
  put(share(chain, carol, [[erin.account, 10_000]]))

  const paid = open(chain, dave, alice, 500)
  const steps = open(chain, alice, bob, 5000, { anchor: words[0], step: 2 })
  const closing = open(chain, carol, dave, 60, { delay: 6 })
  const passed = lock(chain, dave, bob, 10, SECRETS[0], { height: 3, time: START_MS }, at(1, dave))
  const early = lock(chain, dave, bob, 20, SECRETS[0], { height: 3, time: 2 * START_MS }, at(2, dave))
  put(paid, steps, closing, passed, early, share(chain, bob, shares.slice(0, 2)))
  const waiting = lock(chain, dave, bob, 30, SECRETS[0], { height: 100, time: START_MS })
  put(
    claim(chain, bob, paid.id, signed(dave, paid.id, 100)),
    claim(chain, alice, steps.id, wordOf(words, 3)),
    close(chain, carol, closing.id),
    waiting,
  )
  const ids = { paid: paid.id, worded: steps.id, closing: closing.id, gone: worded.id, passed: passed.id }
  if (store.chain.tip.hash !== chain.chain.tip.hash) throw new Error('the store has another tip')
  store.close()
  return { chain, standing: { ...ids, early: early.id, waiting: waiting.id } }
}

t.test('a program written from the document finds the same in channels, hashlocks and splits', async (t) => {
  const log = join(t.testdir(), 'chain.log')
  const { chain, standing } = lively(log)
  const { tip, state } = chain.chain
  const { status, stdout, stderr } = await verifyLedger(log)
  t.equal(status, 0, stderr)
  t.match(JSON.parse(stdout), {
    ...{ height: tip.height, tip: tip.hash, stateRoot: state.root(), ...state.totals() },
  })
  t.equal(coinsIn(state), state.totals().supply, 'locked coins are among the supply')
  const { paid, worded, closing, passed, early, waiting, gone } = standing
  t.strictSame(
    [state.channel(paid)?.paid, state.channel(worded)?.steps, state.channel(closing)?.closing],
    [100, 3, tip.height + 6],
  )
  for (const id of [passed, early, waiting]) t.ok(state.hashlock(id), 'a lock is left')
  t.equal(state.channel(gone), undefined)
  const large = shareOf(LARGE, 3333)
  t.ok(large !== Math.floor((LARGE * 3333) / 10_000), 'a share was of more than a double multiplies exactly')
})

/** A mined block on the tip with this transaction, whatever the rules say. */
const forced = (chain: TestChain, sealed: Sealed): Block => chain.block([], { miner, forced: [sealed] })

/** The same of a ledger on which the transaction leaves something else, as `change` says. */
function mutated(chain: TestChain, sealed: Sealed, change: (view: StateView) => void): Block {
  const { state, next } = chain.chain
  const run = executeBlock(network, state, { ...next, miner: miner.account, reward: 'all' }, [sealed])
  if (!run.ok) throw new Error(run.fault.message)
  const view = new StateView(run.value.state)
  change(view)
  const stateRoot = run.value.state.with(view.changes(), 'after').root()
  const coinbase = {
    reward: run.value.reward,
    stateRoot,
    transactionsRoot: transactionsRoot(network, [sealed]),
  }
  return chain.block([], { miner, forced: [sealed], coinbase })
}

t.test('it refuses what breaks a rule of them, for the same fault as we do', async (t) => {
  const folder = t.testdir()
  const log = join(folder, 'chain.log')
  const { chain, standing } = lively(log)
  const { paid, worded, closing, gone, passed, early, waiting } = standing
  const { tip } = chain.chain
  let count = 0
  const refused = async (code: string, what: string, made: Block): Promise<void> => {
    t.equal(codeOf(chain.accept(made)), code, `${what}, by our chain`)
    const copy = join(folder, `${count++}.log`)
    copyFileSync(log, copy)
    appendTo(copy, { kind: RECORD.block, bytes: encode(blockCodec, made) })
    // Only a bad claim may have a bad signature in it.
    const sampled = code === 'bad-claim' ? [] : ['--sample-signatures', '1000']
    const { status, stderr } = await verifyLedger(copy, ...sampled)
    t.equal(status, 1, `${what} is refused`)
    t.match(stderr, new RegExp(`\\b${code}\\b`), what)
  }
  const breaks = async (code: string, what: string, sealed: Sealed) =>
    refused(code, what, forced(chain, sealed))
  const by = (amount: number, payer = dave, channel = paid) =>
    claim(chain, bob, channel, signed(payer, channel, amount))
  const word = (steps: number, list = words) => claim(chain, bob, worded, wordOf(list, steps))
  await breaks('claim-not-higher', 'a claim of what was claimed', by(100))
  await breaks('claim-not-higher', 'a claim of less', by(99))
  await breaks('bad-claim', 'a claim of more than is there', by(501))
  await breaks('bad-claim', "a stranger's proof", by(200, carol))
  await breaks(
    'bad-claim',
    "a payer's signature for another amount",
    claim(chain, bob, paid, {
      ...signed(dave, paid, 200),
      amount: 300,
    }),
  )
  await breaks('claim-not-higher', 'a word of no more steps', word(3))
  await breaks('too-many-steps', 'a word of 1025 more', word(1028))
  await breaks('bad-claim', 'a word of another chain', word(4, wordsFrom(bytes32(0xa2), 4)))
  await breaks('unknown-channel', 'a claim after the close', by(3600, alice, gone))
  await breaks('not-closable', "a stranger's close", close(chain, erin, closing))
  await breaks('not-closable', 'a second wish to close', close(chain, carol, closing))
  await breaks('deadline-passed', 'the secret after the deadline', tell(chain, bob, passed, SECRETS[0]))
  await breaks('deadline-not-passed', 'a refund before its time', refund(chain, dave, early))
  await breaks('deadline-not-passed', 'a refund before its height', refund(chain, dave, waiting))
  await breaks('bad-preimage', 'another secret', tell(chain, bob, early, SECRETS[1]))
  await breaks('unknown-hashlock', 'a lock that is none', refund(chain, dave, gone))
  await breaks(
    'bad-split',
    'shares of more than all',
    share(chain, bob, [
      [carol.account, 9999],
      [erin.account, 2],
    ]),
  )
  await breaks('bad-split', 'a share of nothing', share(chain, bob, [[carol.account, 0]]))
  await breaks('bad-split', 'a share of oneself', share(chain, bob, [[bob.account, 1]]))
  await breaks(
    'bad-split',
    'one account twice',
    share(chain, bob, [
      [erin.account, 1],
      [erin.account, 1],
    ]),
  )
  await breaks('bad-channel', 'no delay', open(chain, dave, bob, 5, { delay: 0 }))
  await breaks('bad-channel', 'a channel of nothing', open(chain, dave, bob, 0))
  await breaks('bad-channel', 'steps of no chain', open(chain, dave, bob, 5, { step: 1 }))
  await breaks('bad-hashlock', 'a lock over nothing', lock(chain, dave, bob, 0, SECRETS[0], LATE))
  await breaks('insufficient-balance', 'more than one has', open(chain, dave, bob, 2 * LARGE))

  /** Moves so many from one balance to another, or out of nothing. */
  const moves = (amount: number, to: Signer, from?: Signer) => (view: StateView) => {
    const add = ({ account }: Signer, sum: number): void => {
      const entry = view.account(account)
      view.setAccount(account, { ...entry, balance: entry.balance + sum })
    }
    add(to, amount)
    if (from !== undefined) add(from, -amount)
  }
  const differs = async (what: string, sealed: Sealed, change: (view: StateView) => void) =>
    refused('bad-state-root', what, mutated(chain, sealed, change))
  const pays = chain.transfer(carol, bob.account, 10_001)
  await differs('a share that is rounded up', pays, moves(1, dave, bob))
  await differs('a share of a share', pays, moves(shareOf(10_001, 3333), erin, carol))
  await differs('a claim that pays all from the beginning', by(150), moves(100, alice))
  await differs('a close that gives back what was claimed', close(chain, alice, paid), moves(100, dave))
  await differs('a refund that is split', refund(chain, bob, passed), moves(1, carol, dave))
  await differs('a split that ends with what it shares', pays, (view) => view.setSplit(bob.account, []))
  await differs('locked coins that are no part of the supply', open(chain, dave, bob, 50), (view) => {
    const totals = view.totals()
    view.setTotals({ ...totals, supply: totals.supply - 50 })
  })
  const wish = close(chain, dave, paid)
  await differs('a wish that takes effect a block later', wish, (view) => {
    const entry = view.channel(paid)
    if (entry !== undefined) view.setChannel(paid, { ...entry, closing: entry.closing + 1 })
  })
  t.equal(chain.chain.tip, tip, 'the chain stands where it stood')
  const { ok } = chain.accept(mutated(chain, pays, () => {}))
  t.equal(ok, true, 'as it is the block is good')
})
