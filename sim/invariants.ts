/**
 * What must hold at every moment of a simulation, whatever breaks; the first thing that does not ends the run.
 *
 * docs/SIMULATOR.md lists the invariants by name.
 */

import { isDeepStrictEqual } from 'node:util'
import { checkOnState } from '../ledger/apply.ts'
import type { ConnectedBlock, Update } from '../ledger/chain.ts'
import type { Network } from '../ledger/network.ts'
import { type Change, KIND, type State } from '../ledger/state.ts'
import type { Account, Hash } from '../schemas/hex.ts'
import { short } from '../schemas/hex.ts'
import { HandInvariants } from './hand-invariants.ts'
import type { SimNode } from './node.ts'
import { givenBy, Oracle } from './oracle.ts'

export const INVARIANTS = [
  'supply',
  'double-spend',
  'rules',
  'state-root',
  'final',
  'durable',
  'lost',
  'one-tip',
  'tick-rules',
  'anchors',
  'one-hand',
  'same-store',
  'progress',
  'loss',
  'file',
  'lamp',
  'bug',
] as const
export type Invariant = (typeof INVARIANTS)[number]

export interface Violation {
  readonly invariant: Invariant
  readonly node: string
  readonly atMs: number
  readonly message: string
}

/** Blocks at the tip about which nodes may still differ when all is well. */
export const UNSETTLED_BLOCKS = 3

interface Saved {
  readonly hash: Hash
  readonly work: bigint
  readonly height: number
}

export class Invariants {
  /** Undefined without a slow hand. */
  readonly hand: HandInvariants | undefined
  readonly #oracle: Oracle
  readonly #now: () => number
  readonly #roots = new Map<Hash, Hash>()
  /** What a node's disk must still know after a crash. */
  readonly #saved = new Map<SimNode, Saved>()
  readonly #finals = new Map<number, Hash>()
  readonly #finalOf = new Map<SimNode, number>()
  violation: Violation | undefined

  constructor(network: Network, now: () => number) {
    this.#oracle = new Oracle(network)
    this.#now = now
    const { hand, genesisHash } = network
    this.hand = hand && new HandInvariants(hand, genesisHash, this.fail.bind(this))
  }

  fail(invariant: Invariant, node: SimNode, message: string): void {
    this.violation ??= { invariant, node: node.name, atMs: this.#now(), message }
  }

  /** After each change of a node's chain, which is on its disk by then. */
  updated(node: SimNode, { disconnected, connected, tip }: Update): void {
    const chain = node.ledger?.chain
    if (chain === undefined) return
    const final = this.#finalOf.get(node) ?? 0
    for (const { entry } of disconnected)
      if (entry.height <= final) this.fail('final', node, `undid block ${entry.height}, final up to ${final}`)
    for (const { entry, block, changes } of connected) {
      if (this.#oracle.has(entry.hash)) continue
      const fault = this.#oracle.judge(entry.hash, block)
      if (fault !== undefined) {
        const invariant = fault.includes('double spend')
          ? 'double-spend'
          : /reward|coins/.test(fault)
            ? 'supply'
            : 'rules'
        this.fail(invariant, node, `connected block ${entry.height} ${short(entry.hash)}: ${fault}`)
        return
      }
      this.hand?.connected(node, block)
      this.#conserved(node, { entry, block, changes })
      // Later blocks of the same update have changed the state since.
      if (entry === tip) this.#sameEntries(node, chain.state, changes)
    }
    this.#survivors(node, disconnected)
    if (connected.length === 0) return
    const { supply } = chain.state.totals()
    if (BigInt(supply) !== this.#oracle.supplyAt(tip.hash))
      this.fail(
        'supply',
        node,
        `supply at ${tip.height} is ${supply}, should be ${this.#oracle.supplyAt(tip.hash)}`,
      )
    const root = chain.state.root()
    const known = this.#roots.get(tip.hash)
    if (known === undefined) {
      this.#roots.set(tip.hash, root)
      const claimed = connected.at(-1)?.block.coinbase.stateRoot
      if (claimed !== root)
        this.fail('state-root', node, `block ${tip.height} says ${claimed}, the state is ${root}`)
    } else if (known !== root)
      this.fail('state-root', node, `state ${root} at block ${tip.height}, others have ${known}`)
    this.#saved.set(node, { hash: tip.hash, work: tip.work, height: tip.height })
  }

  /** What a block's changes add to accounts, rewards, channels and hashlocks is what it mints. */
  #conserved(
    node: SimNode,
    { entry, block, changes }: Pick<ConnectedBlock, 'entry' | 'block' | 'changes'>,
  ): void {
    let added = 0n
    for (const { kind, before, after } of changes) added += coinsIn(kind, after) - coinsIn(kind, before)
    const minted =
      (this.#oracle.supplyAt(entry.hash) ?? 0n) - (this.#oracle.supplyAt(block.header.parent) ?? 0n)
    if (added !== minted)
      this.fail('supply', node, `block ${entry.height} mints ${minted}, and adds ${added} to what is there`)
  }

  /** What a block changed is in the state as it is in the naive ledger. */
  #sameEntries(node: SimNode, state: State, changes: readonly Change[]): void {
    for (const { kind, key } of changes) {
      if (kind === KIND.account) {
        const [real, naive] = [
          state.account(key as string as Account),
          this.#oracle.holder(key as string as Account),
        ]
        if (real.nonce !== naive.nonce || BigInt(real.balance) !== naive.balance)
          this.fail(
            'double-spend',
            node,
            `${short(key)} has ${real.balance} at nonce ${real.nonce}, should have ${naive.balance} at ${naive.nonce}`,
          )
      } else if (kind === KIND.channel || kind === KIND.hashlock || kind === KIND.split) {
        const [real, naive] = [tradeIn(state, kind, key), this.#oracle.entry(kind, key)]
        if (!isDeepStrictEqual(real, naive))
          this.fail(
            'double-spend',
            node,
            `entry ${kind} ${short(key)} is ${JSON.stringify(real)}, should be ${JSON.stringify(naive)}`,
          )
      }
    }
  }

  /** What a reorganisation took out of the chain and could be in the next block has to be waiting for it. */
  #survivors(node: SimNode, disconnected: Update['disconnected']): void {
    const { ledger } = node
    if (ledger === undefined) return
    const { network, state, tip, next } = ledger.chain
    for (const { id, transaction: tx } of disconnected.flatMap(({ transactions }) => transactions)) {
      const { nonce, balance } = state.account(tx.from)
      const spend = tx.fee + Number(givenBy(tx))
      if (tx.nonce !== nonce || tx.expiry <= tip.height || spend > balance || ledger.mempool.has(id)) continue
      // What it is about may have gone with the reorganisation.
      if (checkOnState(network, state, tx, next) !== undefined) continue
      // Another one with its nonce may wait in its place.
      if (ledger.mempool.nextNonce(state, tx.from) > nonce) continue
      this.fail('lost', node, `transaction ${short(id)} was taken out of the chain and is gone`)
    }
  }

  /** A node has reported a block as final. */
  finalised(node: SimNode, height: number, hash: Hash): void {
    const known = this.#finals.get(height)
    if (known !== undefined && known !== hash)
      this.fail(
        'final',
        node,
        `block ${height} is final as ${short(hash)} and, elsewhere, as ${short(known)}`,
      )
    this.#finals.set(height, hash)
    this.#finalOf.set(node, Math.max(height, this.#finalOf.get(node) ?? 0))
  }

  /** A node's process has opened its disk again. */
  started(node: SimNode): void {
    this.hand?.started(node)
    const saved = this.#saved.get(node)
    const chain = node.ledger?.chain
    if (saved === undefined || chain === undefined) return
    const { tip, base } = chain
    if (tip.hash !== saved.hash && base.height < saved.height && chain.entry(saved.hash) === undefined)
      this.fail('durable', node, `block ${saved.height} ${short(saved.hash)} was announced and is gone`)
    if (tip.work < saved.work && chain.justified === base)
      this.fail('durable', node, `the tip was announced at height ${saved.height}, and is at ${tip.height}`)
    const root = this.#roots.get(tip.hash)
    if (root !== undefined && root !== chain.state.root())
      this.fail('state-root', node, `the stored state has another root`)
    const final = this.#finalOf.get(node) ?? 0
    if (final > 0 && chain.final.height < final) this.fail('final', node, `forgot that ${final} is final`)
  }

  /** All must be on one chain and on one hand, but for the last few blocks and ticks. */
  oneTip(nodes: readonly SimNode[]): void {
    this.hand?.oneHand(nodes)
    const chains = nodes.flatMap((node) =>
      node.ledger === undefined ? [] : [{ node, chain: node.ledger.chain }],
    )
    const lowest = Math.min(...chains.map(({ chain }) => chain.tip.height))
    const highest = Math.max(...chains.map(({ chain }) => chain.tip.height))
    const height = Math.max(0, lowest - UNSETTLED_BLOCKS)
    const [first] = chains
    for (const { node, chain } of chains) {
      if (chain.at(height)?.hash !== first?.chain.at(height)?.hash)
        this.fail(
          'one-tip',
          node,
          `${node.describe()} and ${first?.node.describe()} differ at height ${height}`,
        )
      if (highest - chain.tip.height > UNSETTLED_BLOCKS)
        this.fail('one-tip', node, `${node.describe()} is behind, others are at ${highest}`)
    }
  }

  /** Every disk, opened anew, has the same blocks, byte by byte, and the same state as in memory. */
  sameStores(nodes: readonly SimNode[]): void {
    this.hand?.sameStores(nodes)
    const stores = nodes.flatMap((node) => {
      const live = node.ledger?.chain
      if (live === undefined) return []
      node.disk.restart()
      try {
        const store = node.openStore()
        const { tip, state } = store.chain
        if (tip.hash !== live.tip.hash || state.root() !== live.state.root()) {
          const message = `on its disk the tip is ${tip.height} ${short(tip.hash)}, in memory ${node.describe()}`
          this.fail('same-store', node, message)
        }
        return [{ node, store }]
      } catch (error) {
        this.fail('same-store', node, `its disk does not open: ${String(error)}`)
        return []
      }
    })
    // What all of them still have of the chain, but for the blocks about which they may differ.
    const from = Math.max(...stores.map(({ store }) => store.chain.base.height + 1))
    const to = Math.min(...stores.map(({ store }) => store.chain.tip.height)) - UNSETTLED_BLOCKS
    for (let height = from; height <= to; height++) {
      let expected: Uint8Array | undefined
      for (const { node, store } of stores) {
        const hash = store.chain.at(height)?.hash
        const bytes = hash === undefined ? undefined : store.block(hash)
        expected ??= bytes
        if (bytes === undefined || expected === undefined || Buffer.compare(bytes, expected) !== 0) {
          this.fail(
            'same-store',
            node,
            `its stored block ${height} is another than that of ${stores[0]?.node.name}`,
          )
          return
        }
      }
    }
  }
}

/** Coins that an entry of the state is worth: the balance, the reward, what is left in a channel, what is locked. */
function coinsIn(kind: number, bytes: Uint8Array): bigint {
  if (bytes.length === 0) return 0n
  const value = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  switch (kind) {
    case KIND.account:
      return value.readBigUInt64BE(8)
    case KIND.reward:
      return value.readBigUInt64BE(32)
    case KIND.channel:
      return value.readBigUInt64BE(64) - value.readBigUInt64BE(72)
    case KIND.hashlock:
      return value.readBigUInt64BE(64)
    default:
      return 0n
  }
}

function tradeIn(state: State, kind: number, key: Hash): unknown {
  if (kind === KIND.channel) return state.channel(key)
  return kind === KIND.hashlock ? state.hashlock(key) : state.split(key as string as Account)
}
