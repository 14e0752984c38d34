/**
 * Reorganisations of depth 1 to 50 under load, in real followers with real stores: a transaction that is still possible
 * on the other branch is in it or waits again, is confirmed soon and once; the supply law holds; the state is that of a
 * node that never reorganised.
 *
 * What survives is worked out by a naive reference below, account by account. PINLEDGER_SEED=<number> plays a run again.
 */
import t, { type Test } from 'tap'
import { COIN } from '../../ledger/amount.ts'
import { parseBlock } from '../../ledger/block.ts'
import type { ConnectedBlock } from '../../ledger/chain.ts'
import { targetFor } from '../../ledger/difficulty.ts'
import type { Network } from '../../ledger/network.ts'
import { subsidyAt } from '../../ledger/subsidy.ts'
import { buildTemplate } from '../../ledger/template.ts'
import { type Sealed, signTransaction } from '../../ledger/transaction.ts'
import { ChainStore } from '../../node/chain-store.ts'
import type { Disk } from '../../node/disk.ts'
import { LedgerNode } from '../../node/ledger-node.ts'
import type { Signer } from '../../node/signing.ts'
import { block as blockCodec } from '../../schemas/block.ts'
import { encode } from '../../schemas/codec.ts'
import { type Account, type Hash, ZERO_HASH } from '../../schemas/hex.ts'
import { invariant } from '../../schemas/result.ts'
import type { Transaction, Unsigned } from '../../schemas/transaction.ts'
import { SimDisk } from '../../sim/disk.ts'
import { Rng } from '../../sim/random.ts'
import {
  coinsIn,
  mine,
  START_MS,
  seeded,
  signer,
  TestChain,
  testGenesis,
  testNetwork,
} from '../helpers/ledger.ts'
import { recordingLog } from '../helpers/rig.ts'

const DEPTH_MAX = 50
const SENDERS = Array.from({ length: 8 }, (_, index) => signer(10 + index))
/** Sends most, and has the coins for it: deep reorganisations bring back more of it than the 64 that a mempool takes of newcomers. */
const BUSY = SENDERS[0] as Signer
const ACCOUNT_MAX = 64
const [PUBLIC_MINER, SECRET_MINER] = [signer(30), signer(31)] as const
const SEED = Number(process.env.PINLEDGER_SEED ?? 20_260_101)

/** Survivors are confirmed within this many blocks: they all fit one, and the next takes what they pushed aside. */
const SOON_BLOCKS = 2

interface Follower {
  readonly node: LedgerNode
  readonly miner: Signer
  readonly disk: Disk
  /** Disconnected by the last block. */
  undone: readonly ConnectedBlock[]
  close(): void
}

/** A follower whose connection leads nowhere: the test hands it blocks and transactions. */
function follower(t: Test, network: Network, miner: Signer): Follower {
  const disk = new SimDisk(new Rng(String(SEED)))
  const store = new ChainStore(disk, network.genesis)
  const { chain } = store
  const quiet = () => {}
  const node = new LedgerNode(
    {
      session: { url: 'mqtt://nowhere' },
      role: 'validator',
      name: 'reorganised',
      software: 'test',
      signer: miner,
    },
    {
      store,
      clock: {
        now: () => chain.tip.time + network.genesis.interval,
        monotonic: () => 0,
        synchronised: () => true,
      },
      random: () => 0.5,
      openSession: () => ({
        start: quiet,
        stop: async () => {},
        publish: async () => false,
        subscribe: quiet,
        connected: false,
        challenged: false,
      }),
      log: recordingLog().log,
      onUpdate: ({ disconnected }) => {
        self.undone = disconnected
      },
      onTransaction: quiet,
      onRefused: quiet,
      onConnected: quiet,
      onDisconnected: quiet,
      onFatal: (error) => {
        throw error
      },
    },
  )
  const self: Follower = { node, miner, disk, undone: [], close: () => store.close() }
  t.teardown(self.close)
  return self
}

/** Mines a block of what waits, and takes it. */
function grow({ node, miner }: Follower): Uint8Array {
  const { chain } = node
  const { network } = chain
  const nowMs = chain.tip.time + network.genesis.interval
  const block = mine(network, buildTemplate(network, chain, node.mempool.ordered(), miner, nowMs))
  const bytes = encode(blockCodec, block)
  invariant(node.accept(bytes).ok, 'a block of ours is valid')
  return bytes
}

function transactionsOf({ node: { chain } }: Follower, height: number): readonly Sealed[] {
  const block = parseBlock(chain.network, chain.archive.block(chain.at(height)?.hash as Hash))
  invariant(block.ok, 'a stored block parses')
  return block.value.transactions
}

/** Signed transactions of random types, each with the next nonce that it is told. */
class Load {
  readonly #network: Network
  readonly #random: () => number
  #made = 0
  constructor(network: Network, random: () => number) {
    this.#network = network
    this.#random = random
  }

  sign(from: Signer, nonce: number, height: number): Sealed {
    const kind = this.#random()
    const to = SENDERS[Math.floor(this.#random() * SENDERS.length)]?.account as Account
    const made = this.#made++
    const sample = { sensor: 'soil', sequence: made, value: { mantissa: made, exponent: -1 }, unit: 'Cel' }
    const spell = { firstTime: START_MS, lastTime: START_MS + 1_000, synchronised: true }
    const body =
      kind < 0.1
        ? // Nearly all that it owns at the start: what comes later may be covered on one branch only.
          { type: 'transfer', to, amount: Math.floor(this.#random() * 8 * COIN), memo: `no. ${made}` }
        : kind < 0.5
          ? { type: 'transfer', to, amount: 1 + Math.floor(this.#random() * 1000), memo: `no. ${made}` }
          : kind < 0.8
            ? { type: 'reading', sample: { ...sample, time: START_MS, synchronised: true } }
            : {
                type: 'batch',
                sensor: 'soil',
                sequence: made,
                count: 9,
                unit: 'Cel',
                root: ZERO_HASH,
                ...spell,
              }
    const expiry = from !== BUSY && this.#random() < 0.2 ? height + 2 : height + 500
    const fee = Math.floor(this.#random() * 50)
    const head = { network: this.#network.id, from: from.account, nonce, fee, expiry }
    return signTransaction(this.#network, { ...body, ...head } as Unsigned<Transaction>, from.sign)
  }

  pick(): Signer {
    return this.chance(0.85) ? BUSY : (SENDERS[Math.floor(this.#random() * SENDERS.length)] as Signer)
  }

  chance(share: number): boolean {
    return this.#random() < share
  }
}

/** A few transactions reach `first`, some of them `second` too, and some have a rival there under the same nonce. */
function send(load: Load, first: Follower, second: Follower, known: Map<Hash, Sealed>): void {
  for (let count = 0; count < 2; count++) {
    const from = load.pick()
    const { chain, mempool } = first.node
    const sealed = load.sign(from, mempool.nextNonce(chain.state, from.account), chain.tip.height)
    if (first.node.add(sealed.bytes, from.account).ok) known.set(sealed.id, sealed)
    if (load.chance(0.4)) second.node.add(sealed.bytes, from.account)
    else if (load.chance(0.2)) {
      const { chain: other, mempool: waiting } = second.node
      const rival = load.sign(from, waiting.nextNonce(other.state, from.account), other.tip.height)
      second.node.add(rival.bytes, from.account)
    }
  }
}

/** Of transactions that are not in the chain those that can still be, in nonce order: what a mempool has to hold. */
function possible({ node }: Follower, candidates: Iterable<Sealed>): Set<Hash> {
  const { state, tip } = node.chain
  const sorted = [...candidates].sort((a, b) => a.transaction.nonce - b.transaction.nonce)
  const found = new Set<Hash>()
  for (const { account } of SENDERS) {
    let { nonce, balance } = state.account(account)
    for (const { id, transaction: tx } of sorted) {
      if (tx.from !== account || tx.nonce !== nonce || tx.expiry < tip.height + 1) continue
      const spent = tx.fee + (tx.type === 'transfer' ? tx.amount : 0)
      if (spent > balance) break
      balance -= spent
      nonce++
      found.add(id)
    }
  }
  return found
}

t.test('depth 1 to 50 under load: survivors are confirmed once, and the supply law holds', async (t) => {
  const random = seeded(SEED)
  const allocations = SENDERS.map(({ account }) => ({
    account,
    amount: account === BUSY.account ? 10_000 * COIN : 10 * COIN,
  }))
  const network = testNetwork(testGenesis({ allocations, maturity: 3, target: targetFor(4) }))
  const [seen, secret] = [follower(t, network, PUBLIC_MINER), follower(t, network, SECRET_MINER)]
  const fresh = new TestChain(network)
  const load = new Load(network, random)
  const [confirmed, twice]: [Set<Hash>, Hash[]] = [new Set(), []]
  const allocated = allocations.reduce((sum, { amount }) => sum + amount, 0)
  let created = 0
  const totals = { returned: 0, shared: 0, impossible: 0, most: 0 }

  /** Takes the settled blocks of the best chain into account, in a node that sees them for the first time. */
  const settle = (): void => {
    for (let height = fresh.chain.tip.height + 1; height <= seen.node.chain.tip.height; height++) {
      const outcome = fresh.acceptBytes(
        seen.node.chain.archive.block(seen.node.chain.at(height)?.hash as Hash),
      )
      invariant(outcome.ok, 'the best chain is valid')
      created += subsidyAt(network.genesis, height)
      for (const { id } of transactionsOf(seen, height)) {
        if (confirmed.has(id)) twice.push(id)
        confirmed.add(id)
      }
    }
  }

  for (let depth = 1; depth <= DEPTH_MAX; depth++) {
    const [fork, known] = [seen.node.chain.tip.height, new Map<Hash, Sealed>()]
    for (let count = 0; count < depth; count++) {
      send(load, seen, secret, known)
      grow(seen)
    }
    send(load, seen, secret, known)
    const branch = Array.from({ length: depth + 1 }, () => grow(secret))
    for (const bytes of branch) invariant(seen.node.accept(bytes).ok, 'the other branch is valid')
    if (seen.undone.length !== depth || seen.node.chain.tip.hash !== secret.node.chain.tip.hash)
      t.fail(`depth ${depth}: ${seen.undone.length} blocks were undone`)

    for (let height = fork + 1; height <= seen.node.chain.tip.height; height++)
      for (const { id } of transactionsOf(seen, height)) if (known.delete(id)) totals.shared++
    const survivors = possible(seen, known.values())
    const lost = [...survivors].filter((id) => !seen.node.mempool.has(id))
    if (lost.length > 0)
      t.fail(`depth ${depth}: ${lost.length} of ${survivors.size} are lost, such as ${lost[0]}`)
    totals.returned += survivors.size
    const busy = [...known.values()].filter((each) => each.transaction.from === BUSY.account)
    totals.most = Math.max(totals.most, busy.filter(({ id }) => survivors.has(id)).length)
    totals.impossible += known.size - survivors.size

    for (let count = 0; count < SOON_BLOCKS; count++)
      invariant(secret.node.accept(grow(seen)).ok, 'they agree')
    settle()
    const waiting = [...survivors].filter((id) => !confirmed.has(id))
    if (waiting.length > 0)
      t.fail(`depth ${depth}: ${waiting.length} are not confirmed, such as ${waiting[0]}`)
    const { state, tip } = seen.node.chain
    if (state.root() !== fresh.chain.state.root() || state.root() !== secret.node.chain.state.root())
      t.fail(`depth ${depth}: the state at ${tip.height} is not what a fresh replay comes to`)
    if (coinsIn(state) !== allocated + created || state.totals().supply !== allocated + created)
      t.fail(`depth ${depth}: ${coinsIn(state)} units exist, ${allocated + created} should`)
  }
  t.strictSame(twice, [], 'nothing is confirmed twice')
  t.ok(totals.returned > 500, `${totals.returned} transactions came back and were confirmed`)
  t.ok(totals.most > ACCOUNT_MAX, `${totals.most} of one account at once`)
  t.ok(totals.shared > 100, `${totals.shared} were in both branches`)
  t.ok(totals.impossible > 50, `${totals.impossible} had become impossible`)

  const { hash, height } = seen.node.chain.tip
  for (const { disk, close } of [seen, secret]) {
    close()
    const store = new ChainStore(disk, undefined)
    t.equal(store.chain.tip.hash, hash, `a restart opens the same tip, height ${height}`)
    t.equal(store.chain.state.root(), fresh.chain.state.root())
    store.close()
  }
})
