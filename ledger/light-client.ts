/**
 * A ledger's headers without the ledger: what a small device needs to judge proofs about transactions and accounts.
 *
 * It follows the chain with the most work that it is shown, from block 0 or from a header that its maker trusts, and keeps
 * the places of the last `windowMax` headers, no bodies, no side branches and nothing on disk. Invariants: every place
 * builds on the one before; work only grows; nothing at or below the lowest place is undone; a proof counts only under a
 * header that is on this chain when it has been checked.
 * What it trusts: that most work is honest (it sees no bodies, so a majority could show it an invalid block, and on
 * an enrolled network a miner that nobody admitted), and that one of those who show it headers has the best chain.
 * Source: docs/PROTOCOL.md sections 4, 5 and 8.
 */
import type { Header } from '../schemas/block.ts'
import { decode } from '../schemas/codec.ts'
import { type Account, fromHex, type Hash, ZERO_HASH } from '../schemas/hex.ts'
import { LOCATOR_MAX } from '../schemas/message.ts'
import {
  type BalanceProof,
  type CompactHeader,
  FOLLOWING_MAX,
  type InclusionProof,
} from '../schemas/proof.ts'
import { accept, invariant, type Result, refuse } from '../schemas/result.ts'
import {
  type Coinbase,
  TRANSACTION_BYTES_MAX,
  type Transaction,
  transaction,
} from '../schemas/transaction.ts'
import { type Fault, type FaultCode, faulty, fromDecode } from './fault.ts'
import { checkHeader, HEADER_GROUP, headerHash, type Position, position0 } from './header.ts'
import { checkMerklePath } from './merkle.ts'
import type { Network } from './network.ts'
import { provenAccount } from './state.ts'
import { sealCoinbase, sealTransaction } from './transaction.ts'

export const LIGHT_CLIENT_DEFAULTS = {
  /** Places in memory, some 400 bytes each: a reorganisation may be this deep less one. */
  windowMax: 1_000,
  /** Blocks that may lie on the one whose state is shown: an old state is true, but not what was asked. */
  staleMax: 16,
} as const

/** A header that every peer finds, and what is shown at once: a header's parent, it, and those that follow. */
export const WINDOW_MIN = HEADER_GROUP + FOLLOWING_MAX + 2

/** `not-best`: another branch has more work. `stale`: too old a state. `wrong-transaction`: a proof of another one. */
export type LightFaultCode = FaultCode | 'not-best' | 'stale' | 'wrong-transaction'

export interface LightFault {
  readonly code: LightFaultCode
  /** Names the field, what the rule asks and what came. */
  readonly message: string
}

export interface LightClientOptions {
  /** A header that is trusted without its past, at a multiple of HEADER_GROUP so that peers find it. Its work counts from wherever its maker counted it. */
  readonly anchor?: Position
  /** At least WINDOW_MIN. */
  readonly windowMax?: number
  /** 0: only the state of the tip. */
  readonly staleMax?: number
}

/** The block under which something is proven, and what stands behind it. */
export interface Under {
  readonly hash: Hash
  readonly height: number
  readonly time: number
  /** Blocks that would have to be made anew to undo it: 1 at the tip. */
  readonly confirmations: number
  /** Expected hashes for those. */
  readonly work: bigint
}

export interface ProvenTransaction extends Under {
  readonly transaction: Transaction
}

export interface ProvenBalance extends Under {
  readonly account: Account
  /** Spendable smallest units; rewards that are still maturing are not shown. */
  readonly balance: number
  /** Transactions sent so far. */
  readonly nonce: number
}

type Step = (parent: Position) => Header

export class LightClient {
  readonly network: Network
  readonly #options: Required<Omit<LightClientOptions, 'anchor'>>
  /** The best chain's end, one height after the other. */
  readonly #places: Position[]

  constructor(network: Network, { anchor, ...options }: LightClientOptions = {}) {
    this.network = network
    this.#options = { ...LIGHT_CLIENT_DEFAULTS, ...options }
    invariant(this.#options.windowMax >= WINDOW_MIN, `a light client keeps at least ${WINDOW_MIN} places`)
    this.#places = [anchor ?? position0(network)]
  }

  get tip(): Position {
    return this.#places.at(-1) as Position
  }

  /** The lowest header that it knows; nothing at or below it is undone. */
  get base(): Position {
    return this.#places[0] as Position
  }

  /** The best chain's place at a height of the window. */
  at(height: number): Position | undefined {
    return this.#places[height - this.base.height]
  }

  /**
   * Hashes from the tip back for `getHeaders`: ten one by one, then multiples of HEADER_GROUP, because that is all that
   * a peer knows of its old blocks by hash; the base last.
   */
  locator(): Hash[] {
    const hashes: Hash[] = []
    let { height } = this.tip
    while (height > this.base.height && hashes.length < LOCATOR_MAX - 1) {
      hashes.push((this.at(height) as Position).hash)
      height -= hashes.length < 10 ? 1 : height % HEADER_GROUP || HEADER_GROUP
    }
    return [...hashes, this.base.hash]
  }

  /**
   * Takes headers, lowest first, that begin on a header of its chain; they become its chain if they have more work. `nowMs` is
   * the device's clock; Infinity without one, which gives up the rule against times in the future. A fault ends the
   * headers there: those before it count all the same, each stands on its own work. Returns the last place that was checked.
   */
  follow(headers: readonly Header[], nowMs: number): Result<Position, LightFault> {
    const [first] = headers
    if (first === undefined) return accept(this.tip)
    return this.#extend(
      first,
      headers.map((header) => () => header),
      nowMs,
    )
  }

  /** Whether `id` is in a block of the best chain. The transaction's signature is the block's word, as all its content is. */
  checkInclusion(proof: InclusionProof, id: Hash, nowMs: number): Result<ProvenTransaction, LightFault> {
    const { network } = this
    const decoded = decode(transaction, proof.transaction, TRANSACTION_BYTES_MAX)
    if (!decoded.ok) return refuse(fromDecode(decoded.fault))
    const sealed = sealTransaction(network, decoded.value, proof.transaction)
    if (sealed.id !== id)
      return light('wrong-transaction', `transaction: asked for ${id}, this is ${sealed.id}`)
    const body = checkCoinbase(network, proof.header, proof.coinbase)
    if (!body.ok) return body
    const { index, count, path, coinbase } = proof
    const root = fromHex(coinbase.transactionsRoot)
    if (!checkMerklePath(network.hashing, root, sealed.leaf, index, count, path.map(fromHex))) {
      return faulty(
        'bad-transactions-root',
        `path: does not lead from transaction ${index} of ${count} to ${coinbase.transactionsRoot}`,
      )
    }
    const under = this.#under(proof.header, proof.following, nowMs)
    return under.ok ? accept({ ...under.value, transaction: decoded.value }) : under
  }

  /** What an account has in a recent state. */
  checkBalance(proof: BalanceProof, account: Account, nowMs: number): Result<ProvenBalance, LightFault> {
    const { network } = this
    const body = checkCoinbase(network, proof.header, proof.coinbase)
    if (!body.ok) return body
    const { stateRoot } = proof.coinbase
    const entry = provenAccount(network.hashing, stateRoot, account, proof.state)
    if (entry === undefined)
      return faulty('bad-state-root', `state: does not lead from ${account} to ${stateRoot}`)
    const under = this.#under(proof.header, [], nowMs)
    if (!under.ok) return under
    const { staleMax } = this.#options
    const { confirmations, height } = under.value
    if (confirmations - 1 > staleMax) {
      return light(
        'stale',
        `header: ${confirmations - 1} blocks lie on height ${height}, at most ${staleMax}`,
      )
    }
    return accept({ ...under.value, account, ...entry })
  }

  /** Where a header and those after it stand, once they have been followed. */
  #under(header: Header, following: readonly CompactHeader[], nowMs: number): Result<Under, LightFault> {
    const followed = this.#extend(header, [() => header, ...following.map(expand)], nowMs)
    if (!followed.ok) return followed
    const hash = headerHash(this.network.hashing, header)
    const { height, time } = header
    const [place, below] = [this.at(height), this.at(height - 1)]
    if (place?.hash !== hash || below === undefined)
      return light('not-best', `header: ${hash} is not on the chain with the most work`)
    const { tip } = this
    return accept({ hash, height, time, confirmations: tip.height - height + 1, work: tip.work - below.work })
  }

  #extend(first: Header, steps: readonly Step[], nowMs: number): Result<Position, LightFault> {
    const fork = this.at(first.height - 1)
    // A parent of that height on another branch is the header rules' own fault `unknown-parent`.
    if (fork === undefined) {
      const { base, tip } = this
      return faulty(
        'unknown-parent',
        `height: ${first.height} does not follow one of the heights ${base.height} to ${tip.height}`,
      )
    }
    const branch: Position[] = []
    let last = fork
    let fault: Fault | undefined
    for (const step of steps) {
      const checked = checkHeader(this.network, step(last), last, nowMs)
      if (!checked.ok) {
        fault = checked.fault
        break
      }
      last = checked.value
      branch.push(last)
    }
    if (last.work > this.tip.work) this.#adopt(fork, branch)
    return fault === undefined ? accept(last) : refuse(fault)
  }

  #adopt(fork: Position, branch: readonly Position[]): void {
    this.#places.length = fork.height - this.base.height + 1
    for (const place of branch) this.#places.push(place)
    this.#places.splice(0, Math.max(0, this.#places.length - this.#options.windowMax))
  }
}

/** A header from what does not follow from its parent. */
const expand =
  ({ content, time, nonce }: CompactHeader): Step =>
  ({ hash: parent, height, childTarget: target }) => ({
    ...{ version: 1, height: height + 1, parent, content, target, time, nonce },
  })

/** What the header commits to, and what of it can be judged without the state before. */
function checkCoinbase(network: Network, header: Header, coinbase: Coinbase): Result<true, LightFault> {
  const { content } = sealCoinbase(network, coinbase)
  if (header.content !== content)
    return faulty('bad-content', `coinbase: its leaf is ${content}, the header says ${header.content}`)
  if (coinbase.network !== network.id)
    return faulty('wrong-network', `network: this is ${network.id}, the coinbase is for ${coinbase.network}`)
  if (coinbase.height !== header.height || coinbase.parent !== header.parent)
    return faulty('bad-coinbase', 'coinbase: height or parent differ from the header')
  if (network.hand === undefined && coinbase.tick !== ZERO_HASH)
    return faulty('bad-tick', 'tick: all zero on a network without a slow hand')
  return accept(true)
}

const light = (code: LightFaultCode, message: string) => refuse<LightFault>({ code, message })
