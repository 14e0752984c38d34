/**
 * The chain on disk: one append-only log, one atomic batch per accepted block, the state in memory.
 *
 * Records (kind, payload): 1 genesis, its bytes, first and once; 2 block, its bytes; 3 changes, block hash and the
 * state entries before and after (undo and redo in one); 4 tip, how many blocks were disconnected and which were
 * connected. A batch is: the added block, the changes of blocks connected for the first time, the tip if it moved.
 * What `save` has returned from is on the disk. Source: docs/PROTOCOL.md section 10.
 */
import { type Archive, Chain, NOTHING_SETTLED, type Update } from '../ledger/chain.ts'
import { createNetwork, headerHash, type Modules, type Network } from '../ledger/network.ts'
import { type Change, changes as changesCodec, KIND } from '../ledger/state.ts'
import { type Header, header } from '../schemas/block.ts'
import { type Certificate, certificate as certificateCodec } from '../schemas/checkpoint.ts'
import { decode, encode, type Infer, Reader } from '../schemas/codec.ts'
import { list, struct } from '../schemas/compound.ts'
import { hash, u32 } from '../schemas/field.ts'
import { GENESIS_BYTES_MAX, type Genesis, genesis as genesisCodec } from '../schemas/genesis.ts'
import type { Account, Hash } from '../schemas/hex.ts'
import { invariant } from '../schemas/result.ts'
import { type Coinbase, coinbase } from '../schemas/transaction.ts'
import { type AppendLog, openAppendLog } from './append-log.ts'
import { CHECKPOINT_RECORD, CheckpointRecords } from './checkpoint-records.ts'
import type { Disk } from './disk.ts'
import { WorldError } from './error.ts'
import { hashing, signatures } from './signing.ts'

export const RECORD = { genesis: 1, block: 2, changes: 3, tip: 4, ...CHECKPOINT_RECORD } as const

/** The first segment of the chain. */
export const CHAIN_FILE = 'chain.log'

const NAMES = new Map<number, string>(Object.entries(RECORD).map(([name, kind]) => [kind, name]))
/** For messages: a record's kind in words. */
export const recordName = (kind: number): string => NAMES.get(kind) ?? `kind ${kind}`

const ACCOUNTS_MAX = 1_000
/** More than any record that this version writes. */
export const RECORD_BYTES_MAX = 16 << 20

export const changesRecord = struct({ block: hash, changes: changesCodec })

export const tipRecord = struct({
  /** Blocks taken off the old tip. */
  disconnected: u32,
  /** Blocks put on, lowest first; the last is the tip. */
  connected: list(hash, 0xffff),
})
export type TipRecord = Infer<typeof tipRecord>

/** Header and coinbase of an encoded block, without its transactions. */
export function readBlockHead(bytes: Uint8Array): { header: Header; coinbase: Coinbase } {
  const reader = new Reader(bytes)
  return { header: header.read(reader), coinbase: coinbase.read(reader) }
}

export function networkOf(genesis: Genesis, modules: Modules = { hashing, signatures }): Network {
  const network = createNetwork(genesis, modules)
  if (network.ok) return network.value
  const { field, message } = network.fault
  throw new WorldError('config', `genesis: ${field}: ${message}`)
}

/** The batch that stores an update; `hasChanges` tells of which blocks the changes are stored already. */
export function updateRecords(
  { added, disconnected, connected, tip }: Update,
  hasChanges: (block: Hash) => boolean,
): { kind: number; bytes: Uint8Array; block: Hash }[] {
  const records: { kind: number; bytes: Uint8Array; block: Hash }[] = []
  if (added !== undefined) records.push({ kind: RECORD.block, bytes: added.bytes, block: added.entry.hash })
  for (const { entry, changes } of connected) {
    if (hasChanges(entry.hash)) continue
    records.push({
      kind: RECORD.changes,
      bytes: encode(changesRecord, { block: entry.hash, changes }),
      block: entry.hash,
    })
  }
  if (connected.length > 0) {
    const moved = { disconnected: disconnected.length, connected: connected.map(({ entry }) => entry.hash) }
    records.push({ kind: RECORD.tip, bytes: encode(tipRecord, moved), block: tip.hash })
  }
  return records
}

export class ChainStore implements Archive {
  readonly chain: Chain
  readonly checkpoints = new CheckpointRecords((kind, bytes) => void this.#log.append([{ kind, bytes }]))
  /** Bytes of an unfinished last batch that a crash left behind and that were cut off. */
  readonly torn: number
  /** Accounts that the stored chain has changed, when the store was opened: the latest last, at most 1,000. */
  readonly accounts: readonly Account[]
  readonly header = NOTHING_SETTLED.header
  readonly settled = NOTHING_SETTLED.settled
  readonly waypoint = NOTHING_SETTLED.waypoint
  readonly waypointHeight = NOTHING_SETTLED.waypointHeight
  readonly #log: AppendLog
  readonly #blocks = new Map<Hash, number>()
  readonly #changes = new Map<Hash, number>()

  /** Opens a store, or founds it with `genesis` when the file is empty. Throws WorldError `store-corrupt`, `config`. */
  constructor(disk: Disk, genesis: Genesis | undefined, modules?: Modules) {
    const replay = new Replay()
    this.#log = openAppendLog(disk.open(CHAIN_FILE), {
      kindName: recordName,
      onRecord: (kind, bytes, position) => this.#replay(replay, kind, bytes, position),
    })
    this.torn = this.#log.torn
    const stored = replay.genesis
    if (stored === undefined) {
      if (genesis === undefined) throw new WorldError('config', 'the store is empty and no genesis was given')
      this.accounts = []
      this.chain = new Chain(networkOf(genesis, modules), this)
      this.#log.append([{ kind: RECORD.genesis, bytes: encode(genesisCodec, genesis) }])
      return
    }
    const network = networkOf(stored, modules)
    if (genesis !== undefined && networkOf(genesis).genesisHash !== network.genesisHash) {
      throw new WorldError(
        'config',
        `this data directory belongs to network ${network.id} and not to the configured genesis; use another --data directory`,
      )
    }
    this.chain = new Chain(network, this)
    this.accounts = replay.into(this.chain, (block) => this.changes(block))
  }

  block(block: Hash): Uint8Array {
    return this.#read(this.#blocks, block, RECORD.block)
  }

  changes(block: Hash): readonly Change[] {
    const decoded = decode(changesRecord, this.#read(this.#changes, block, RECORD.changes), RECORD_BYTES_MAX)
    invariant(decoded.ok, `the stored changes of ${block} decode`)
    return decoded.value.changes
  }

  /**
   * Makes an update durable, with the certificate that caused it, both or neither. Throws WorldError `store-write`; nothing
   * of the update may be announced then.
   */
  save(update: Update, certificate?: Certificate): void {
    const records = updateRecords(update, (block) => this.#changes.has(block))
    if (certificate !== undefined) {
      const bytes = encode(certificateCodec, certificate)
      records.unshift({ kind: RECORD.certificate, bytes, block: certificate.target.hash })
    }
    const positions = this.#log.append(records)
    if (certificate !== undefined) this.checkpoints.keep(certificate)
    for (const [index, { kind, block }] of records.entries()) {
      if (kind === RECORD.block) this.#blocks.set(block, positions[index] as number)
      if (kind === RECORD.changes) this.#changes.set(block, positions[index] as number)
    }
  }

  /** Bytes on disk. */
  get size(): number {
    return this.#log.size
  }

  close(): void {
    this.#log.close()
  }

  #replay(replay: Replay, kind: number, bytes: Uint8Array, position: number): void {
    if (kind === RECORD.genesis)
      replay.genesis = decodeStored(genesisCodec, bytes, GENESIS_BYTES_MAX, position)
    else if (kind === RECORD.block) this.#blocks.set(replay.block(bytes), position)
    else if (kind === RECORD.changes) {
      const { block, changes } = decodeStored(changesRecord, bytes, RECORD_BYTES_MAX, position)
      this.#changes.set(block, position)
      replay.changes.set(block, changes)
    } else if (kind === RECORD.tip)
      replay.tips.push(decodeStored(tipRecord, bytes, RECORD_BYTES_MAX, position))
    else if (kind === RECORD.certificate || kind === RECORD.vote) {
      const fault = this.checkpoints.replay(kind, bytes)
      if (fault !== undefined) throw new WorldError('store-corrupt', `record at offset ${position}: ${fault}`)
    } else
      throw new WorldError(
        'store-corrupt',
        `record of unknown kind ${kind} at offset ${position}: written by a newer version?`,
      )
  }

  #read(positions: ReadonlyMap<Hash, number>, block: Hash, kind: number): Uint8Array {
    const position = positions.get(block)
    invariant(position !== undefined, `block ${block} is stored`)
    const record = this.#log.read(position)
    invariant(record.kind === kind, `record at ${position} is of kind ${kind}`)
    return record.bytes
  }
}

function decodeStored<T>(
  codec: Parameters<typeof decode<T>>[0],
  bytes: Uint8Array,
  max: number,
  position: number,
): T {
  const decoded = decode(codec, bytes, max)
  if (decoded.ok) return decoded.value
  throw new WorldError(
    'store-corrupt',
    `record at offset ${position}: ${decoded.fault.field} ${decoded.fault.message}`,
  )
}

/** Collects the log's records and rebuilds the chain without running a transaction again. */
class Replay {
  genesis: Genesis | undefined
  readonly changes = new Map<Hash, readonly Change[]>()
  readonly tips: TipRecord[] = []
  readonly #heads: { hash: Hash; header: Header; coinbase: Coinbase }[] = []

  block(bytes: Uint8Array): Hash {
    const head = readBlockHead(bytes)
    const block = headerHash(hashing, head.header)
    this.#heads.push({ hash: block, ...head })
    return block
  }

  /** Returns the accounts that changed, the latest last. */
  into(chain: Chain, changesOf: (block: Hash) => readonly Change[]): readonly Account[] {
    for (const {
      hash: block,
      header: value,
      coinbase: { from },
    } of this.#heads) {
      const restored = chain.restore(block, value, from)
      if (!restored.ok) throw new WorldError('store-corrupt', `block ${block}: ${restored.fault.message}`)
    }
    const best: Hash[] = []
    const values = new Map<string, Change>()
    const set = (entry: Change): void => {
      const name = `${entry.kind}${entry.key}`
      values.delete(name)
      values.set(name, entry)
    }
    for (const { disconnected, connected } of this.tips) {
      for (let count = 0; count < disconnected; count++) {
        const block = best.pop()
        if (block === undefined)
          throw new WorldError('store-corrupt', 'a tip record disconnects more blocks than there are')
        for (const entry of this.changes.get(block) ?? changesOf(block))
          set({ ...entry, after: entry.before })
      }
      for (const block of connected) {
        best.push(block)
        for (const entry of this.changes.get(block) ?? changesOf(block)) set(entry)
      }
    }
    const tip = best.at(-1)
    if (tip === undefined) return []
    const state = chain.network.state0.with([...values.values()], 'after')
    const expected = this.#heads.find(({ hash: block }) => block === tip)?.coinbase.stateRoot
    if (state.root() !== expected) {
      throw new WorldError(
        'store-corrupt',
        `the stored state's root is ${state.root()}, the tip ${tip} says ${expected}; run pinledger verify`,
      )
    }
    chain.restoreTip(tip, state)
    return [...values.values()]
      .filter(({ kind }) => kind === KIND.account)
      .slice(-ACCOUNTS_MAX)
      .map(({ key }) => key as string as Account)
  }
}
