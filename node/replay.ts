/**
 * Rebuilds a chain from the records of its segments, in order, without running a transaction again.
 *
 * The first segment that is read gives the block on which the window begins; of a later one only that it stands on the tip
 * which the one before ended with. The state is built last: from what the newest segment begins with, or the oldest where
 * that was undone, and the changes since. Blocks that branch off below the base can no longer matter and are left out.
 */
import type { Base, Chain } from '../ledger/chain.ts'
import { headerHash } from '../ledger/header.ts'
import type { Network } from '../ledger/network.ts'
import { type Change, KIND, type State } from '../ledger/state.ts'
import { HEADER_BYTES } from '../schemas/block.ts'
import { decode, encode } from '../schemas/codec.ts'
import { genesis as genesisCodec } from '../schemas/genesis.ts'
import { type Account, type Hash, hashFromBytes, hexOf, ZERO_HASH } from '../schemas/hex.ts'
import { invariant } from '../schemas/result.ts'
import type { CheckpointRecords } from './checkpoint-records.ts'
import { WorldError } from './error.ts'
import { RECORD, RECORD_BYTES_MAX, readBlockHead, readChanges, readStored, tipRecord } from './records.ts'
import { ACCOUNTS_MAX, BaseReader } from './segments.ts'

/** A record of changes begins with their block. */
const HASH_BYTES = 32
/** A tip record that takes off no block and puts on one, but for that block's hash. */
const NEXT_TIP = encode(tipRecord, { disconnected: 0, connected: [ZERO_HASH] }).subarray(0, -HASH_BYTES)

export interface ReplayModules {
  readonly network: Network
  readonly checkpoints: CheckpointRecords
  /** The chain that stands on a base. */
  readonly open: (base: Base | undefined) => Chain
  /** Of a block that has been read. */
  readonly block: (block: Hash) => Uint8Array
  readonly changes: (block: Hash) => readonly Change[]
}

/** What a segment begins with; the records of its state wait until they are known to be needed. */
interface Head {
  readonly name: string
  readonly height: number
  readonly reader: BaseReader
  readonly state: Uint8Array[]
}

export class Replay {
  readonly #modules: ReplayModules
  readonly #genesis: Uint8Array
  #oldest: Head | undefined
  #newest: Head | undefined
  #chain: Chain | undefined
  /** The best chain above the base. */
  readonly #best: Hash[] = []
  /** What was once on it, and the segment that says so. */
  readonly #undone: { readonly block: Hash; readonly segment: number }[] = []
  /** Changes in the newest segment, by their blocks: those that the state is built with, but for some after a reorganisation. */
  readonly #changes = new Map<Hash, readonly Change[]>()
  #isNewest = false
  /** The block that was read last: the records of its changes and of its tip most often follow, and name it. */
  #last: { readonly bytes: Uint8Array; readonly hash: Hash } = {
    bytes: new Uint8Array(HASH_BYTES),
    hash: ZERO_HASH,
  }
  #lowest = Number.POSITIVE_INFINITY

  constructor(modules: ReplayModules) {
    this.#modules = modules
    this.#genesis = encode(genesisCodec, modules.network.genesis)
  }

  /** The records that follow are of this segment. */
  segment(name: string, height: number, isNewest: boolean): void {
    this.#newest = { name, height, reader: new BaseReader(this.#modules.network), state: [] }
    this.#oldest ??= this.#newest
    this.#isNewest = isNewest
    this.#lowest = Number.POSITIVE_INFINITY
  }

  /** Height down to which the best chain was undone by the records of this segment; infinite when it was not. */
  get lowest(): number {
    return this.#lowest
  }

  /**
   * Takes a record, whose `bytes` are not kept; the hash of its block, when it is one or the changes of one. Throws
   * WorldError `store-corrupt`.
   */
  record(kind: number, bytes: Uint8Array, position: number): Hash | undefined {
    const at = `record at offset ${position}`
    if (kind === RECORD.genesis) {
      if (Buffer.compare(bytes, this.#genesis) !== 0) throw this.#corrupt(`${at}: another genesis`)
    } else if (kind === RECORD.base || kind === RECORD.accounts) {
      this.#take(this.#head, kind, bytes, at)
      if (kind === RECORD.base && this.#chain !== undefined) this.#checkJoint()
    } else if (kind === RECORD.state) this.#head.state.push(bytes.slice())
    else if (kind === RECORD.certificate || kind === RECORD.vote) {
      const fault = this.#modules.checkpoints.replay(kind, bytes)
      if (fault !== undefined) throw this.#corrupt(`${at}: ${fault}`)
    } else if (kind === RECORD.block) return this.#block(bytes)
    else if (kind === RECORD.changes) {
      const block = this.#isLast(bytes, 0) ? this.#last.hash : (hexOf(bytes, 0, HASH_BYTES) as Hash)
      if (this.#isNewest) this.#changes.set(block, readChanges(block, bytes))
      return block
    } else if (kind === RECORD.tip) this.#tip(bytes, at)
    else
      throw this.#corrupt(`record of unknown kind ${kind} at offset ${position}: written by a newer version?`)
    return undefined
  }

  /** The chain with its tip and state, once all segments can be read, and the accounts that changed, the latest last. */
  finish(): { chain: Chain; accounts: readonly Account[] } {
    const chain = this.#begin()
    const { state: start, height, accounts } = this.#start(chain)
    const values = new Map<string, Change>()
    const changed = new Set(accounts)
    const touch = ({ kind, key }: Change): void => {
      if (kind !== KIND.account) return
      const account = key as string as Account
      changed.delete(account)
      changed.add(account)
    }
    // Who was paid by a block that is gone has another balance than was last told.
    for (const { block, segment } of this.#undone)
      if (segment >= height) for (const change of this.#changesOf(block)) touch(change)
    /** Entries that are not in the start. */
    const made = new Set<string>()
    for (const block of this.#best.slice(height - chain.base.height)) {
      for (const change of this.#changesOf(block)) {
        touch(change)
        const name = `${change.kind}${change.key}`
        // What came and went since, as every block's reward does until it is mature, leaves nothing.
        if (change.after.length === 0 && made.delete(name)) values.delete(name)
        else {
          if (change.before.length === 0 && !values.has(name)) made.add(name)
          values.set(name, change)
        }
      }
    }
    const state = start.with([...values.values()], 'after')
    const tip = this.#best.at(-1)
    if (tip !== undefined) {
      const { stateRoot } = readBlockHead(this.#modules.block(tip)).coinbase
      if (state.root() !== stateRoot)
        throw this.#corrupt(
          `the stored state's root is ${state.root()}, the tip ${tip} says ${stateRoot}; run pinledger verify`,
        )
    }
    chain.restoreTip(tip ?? chain.base.hash, state)
    return { chain, accounts: [...changed].slice(-ACCOUNTS_MAX) }
  }

  get #head(): Head {
    invariant(this.#newest !== undefined, 'a segment is read')
    return this.#newest
  }

  #begin(): Chain {
    if (this.#chain !== undefined) return this.#chain
    const { network, open } = this.#modules
    let base: Base | undefined
    if (this.#head.height > 0) {
      const block = this.#head.reader.block(network)
      if (!block.ok) throw this.#corrupt(`${block.fault}; run pinledger repair`)
      // Its state only counts if the tip's is built on it.
      base = { ...block.value, state: network.state0 }
    }
    this.#chain = open(base)
    return this.#chain
  }

  /** A state from which the best chain's changes lead to that of its tip. */
  #start(chain: Chain): { state: State; height: number; accounts: readonly Account[] } {
    const { network } = this.#modules
    for (const head of [this.#head, this.#oldest as Head]) {
      const { reader, height } = head
      if (height === 0) break
      const block = reader.block(network)
      const best = height === chain.base.height ? chain.base.hash : this.#best[height - chain.base.height - 1]
      if (block.ok && block.value.position.hash !== best) continue
      for (const bytes of head.state) this.#take(head, RECORD.state, bytes, 'its state')
      const read = reader.base(network)
      if (!read.ok) throw this.#corrupt(`${read.fault}; run pinledger repair`, head)
      return { state: read.value.state, height, accounts: reader.accounts }
    }
    return { state: network.state0, height: 0, accounts: [] }
  }

  #changesOf(block: Hash): readonly Change[] {
    return this.#changes.get(block) ?? this.#modules.changes(block)
  }

  #take(head: Head, kind: number, bytes: Uint8Array, at: string): void {
    const fault = head.reader.take(kind, bytes)
    if (fault !== undefined) throw this.#corrupt(`${at}: ${fault}`, head)
  }

  /** A later segment stands on the tip that the one before ended with. */
  #checkJoint(): void {
    const { network } = this.#modules
    const header = this.#head.reader.record?.header
    const tip = this.#best.at(-1) ?? this.#chain?.base.hash
    if (header === undefined || headerHash(network.hashing, header) !== tip)
      throw this.#corrupt(
        'it does not stand on the block that the segment before ends with; run pinledger repair',
      )
  }

  #block(bytes: Uint8Array): Hash {
    const { network } = this.#modules
    const chain = this.#begin()
    const hash = network.hashing.double(bytes.subarray(0, HEADER_BYTES))
    const block = hashFromBytes(hash)
    this.#last = { bytes: hash, hash: block }
    const stored = readStored(block, bytes)
    if (chain.entry(stored.parent) === undefined && chain.base.height > 0) return block
    const restored = chain.restore(stored)
    if (!restored.ok) throw this.#corrupt(`block ${block}: ${restored.fault.message}`)
    return block
  }

  #tip(bytes: Uint8Array, at: string): void {
    const chain = this.#begin()
    if (this.#isNextTip(bytes) && chain.entry(this.#last.hash) !== undefined) {
      this.#best.push(this.#last.hash)
      return
    }
    const moved = decode(tipRecord, bytes, RECORD_BYTES_MAX)
    if (!moved.ok) throw this.#corrupt(`${at}: ${moved.fault.field} ${moved.fault.message}`)
    const { disconnected, connected } = moved.value
    if (disconnected > this.#best.length)
      throw this.#corrupt('a tip record disconnects more blocks than there are')
    const segment = this.#head.height
    for (const block of this.#best.splice(this.#best.length - disconnected))
      this.#undone.push({ block, segment })
    if (disconnected > 0) this.#lowest = Math.min(this.#lowest, chain.base.height + this.#best.length)
    for (const block of connected) {
      if (chain.entry(block) === undefined)
        throw this.#corrupt(`a tip record connects ${block}, which is not stored before it`)
      this.#best.push(block)
    }
  }

  #isLast(bytes: Uint8Array, at: number): boolean {
    const { bytes: hash } = this.#last
    for (let index = 0; index < HASH_BYTES; index++) if (bytes[at + index] !== hash[index]) return false
    return true
  }

  /** Whether a tip record says what nearly all say: nothing is taken off, and the block that was read last is put on. */
  #isNextTip(bytes: Uint8Array): boolean {
    return (
      bytes.length === NEXT_TIP.length + HASH_BYTES &&
      startsWith(bytes, NEXT_TIP) &&
      this.#isLast(bytes, NEXT_TIP.length)
    )
  }

  #corrupt(what: string, { name } = this.#head): WorldError {
    return new WorldError('store-corrupt', `${name}: ${what}`)
  }
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  for (let at = 0; at < start.length; at++) if (bytes[at] !== start[at]) return false
  return true
}
