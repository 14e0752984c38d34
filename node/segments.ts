/**
 * Segments: the ledger's logs, one after the other, each but the first beginning with the whole state.
 *
 * `chain.log` is the first and begins with the genesis; `chain-<height of its base, 10 digits>.log` begins with the genesis,
 * the block on which it stands (header and coinbase), what is certified and voted by then, and the state after it. It
 * is written under a draft's name and renamed once it is whole, so that a segment that can be seen is complete up to there.
 * Source: docs/PROTOCOL.md section 10.
 */
import type { Base } from '../ledger/chain.ts'
import { nextTarget } from '../ledger/difficulty.ts'
import { HEADER_GROUP, headerHash } from '../ledger/header.ts'
import type { Network } from '../ledger/network.ts'
import { State } from '../ledger/state.ts'
import { sealCoinbase } from '../ledger/transaction.ts'
import { header } from '../schemas/block.ts'
import { type Codec, decode, encode, type Infer } from '../schemas/codec.ts'
import { list, struct } from '../schemas/compound.ts'
import { account, blob, hash, time, u32, u256 } from '../schemas/field.ts'
import { genesis as genesisCodec } from '../schemas/genesis.ts'
import { type Account, fromHex, hashFromBytes } from '../schemas/hex.ts'
import { accept, type Result, refuse } from '../schemas/result.ts'
import { coinbase } from '../schemas/transaction.ts'
import { type LogEntry, openAppendLog } from './append-log.ts'
import type { Disk } from './disk.ts'
import { RECORD, RECORD_BYTES_MAX } from './records.ts'

export const FIRST_SEGMENT = 'chain.log'
const NAME = /^chain-(\d{10})\.log$/
/** End of the name of a file that is not yet whole. */
export const DRAFT = '.new'
/** Entries in one state record, which is a batch of its own: some 0.3 MB. */
const ENTRIES_MAX = 4096
export const ACCOUNTS_MAX = 1_000

export const segmentName = (height: number): string =>
  height === 0 ? FIRST_SEGMENT : `chain-${String(height).padStart(10, '0')}.log`

/** Heights of the bases of all segments on a disk, ascending. */
export const segmentHeights = (disk: Disk): number[] =>
  disk
    .list()
    .flatMap((name) => (name === FIRST_SEGMENT ? [0] : (NAME.exec(name)?.slice(1).map(Number) ?? [])))
    .sort((a, b) => a - b)

export const baseRecord = struct({
  header,
  coinbase,
  /** Time of the header before. */
  parentTime: time,
  /** Work of the chain up to the base. */
  work: u256,
  /** Entries of the state, in the records that follow. */
  entries: u32,
})
export type BaseRecord = Infer<typeof baseRecord>

export const stateRecord = list(struct({ path: hash, value: blob(1024) }), ENTRIES_MAX)
/** The latest accounts that were changed, the last one last: those that people ask for. */
export const accountsRecord = list(account, ACCOUNTS_MAX)

/** What a segment begins with, batch by batch. */
export function* baseBatches(
  network: Network,
  base: Omit<BaseRecord, 'entries'>,
  state: State,
  { accounts, checkpoints }: { accounts: readonly Account[]; checkpoints: readonly LogEntry[] },
): Generator<LogEntry[]> {
  const items = [...state.entries()].map(({ path, value }) => ({ path: hashFromBytes(path), value }))
  yield [
    { kind: RECORD.genesis, bytes: encode(genesisCodec, network.genesis) },
    { kind: RECORD.base, bytes: encode(baseRecord, { ...base, entries: items.length }) },
    { kind: RECORD.accounts, bytes: encode(accountsRecord, accounts) },
    ...checkpoints,
  ]
  for (let at = 0; at < items.length; at += ENTRIES_MAX)
    yield [{ kind: RECORD.state, bytes: encode(stateRecord, items.slice(at, at + ENTRIES_MAX)) }]
}

/** Writes a log that is there whole or not at all. Throws WorldError `store-write`. */
export function writeLog(disk: Disk, name: string, batches: Iterable<readonly LogEntry[]>): void {
  disk.remove(`${name}${DRAFT}`)
  const log = openAppendLog(disk.open(`${name}${DRAFT}`))
  try {
    for (const batch of batches) log.append(batch)
  } finally {
    log.close()
  }
  disk.rename(`${name}${DRAFT}`, name)
}

/** Removes what a crash left of logs that were being written. */
export function removeDrafts(disk: Disk): void {
  for (const name of disk.list()) if (name.endsWith(`.log${DRAFT}`)) disk.remove(name)
}

/** Collects the records that a segment begins with. */
export class BaseReader {
  record: BaseRecord | undefined
  accounts: readonly Account[] = []
  #state: State
  #entries = 0

  constructor(network: Network) {
    this.#state = new State(network.hashing)
  }

  /** Takes a record of kind base, accounts or state; what is wrong with it, if anything. */
  take(kind: number, bytes: Uint8Array): string | undefined {
    if (kind === RECORD.base) return this.#read(baseRecord, bytes, (record) => (this.record = record))
    if (kind === RECORD.accounts) return this.#read(accountsRecord, bytes, (list) => (this.accounts = list))
    return this.#read(stateRecord, bytes, (items) => {
      this.#entries += items.length
      this.#state = this.#state.withEntries(items.map(({ path, value }) => ({ path: fromHex(path), value })))
    })
  }

  /** All records have been taken. */
  get complete(): boolean {
    return this.record !== undefined && this.#entries >= this.record.entries
  }

  /** The base, once all its records have been taken: its coinbase is the header's, its state the coinbase's. */
  base(network: Network): Result<Base, string> {
    const block = this.block(network)
    if (!block.ok) return block
    const { entries, coinbase } = this.record as BaseRecord
    if (this.#entries !== entries) return refuse(`${this.#entries} of ${entries} state entries are there`)
    const root = this.#state.root()
    if (root !== coinbase.stateRoot)
      return refuse(`the root of its state is ${root}, its base says ${coinbase.stateRoot}`)
    return accept({ ...block.value, state: this.#state })
  }

  /** The base without its state, for which the base record is enough. */
  block(network: Network): Result<Omit<Base, 'state'>, string> {
    const { record } = this
    if (record === undefined) return refuse('it has no base')
    const { header, coinbase, parentTime, work } = record
    if (header.height % HEADER_GROUP !== 0) return refuse(`its base has height ${header.height}`)
    if (sealCoinbase(network, coinbase).content !== header.content)
      return refuse("its base's coinbase is not its header's")
    const { height, target } = header
    const childTarget = nextTarget(network.genesis, target, header.time - parentTime)
    const position = {
      hash: headerHash(network.hashing, header),
      height,
      time: header.time,
      target,
      childTarget,
      work,
    }
    return accept({ position, miner: coinbase.from })
  }

  #read<T>(codec: Codec<T>, bytes: Uint8Array, take: (value: T) => void): string | undefined {
    const decoded = decode(codec, bytes, RECORD_BYTES_MAX)
    if (!decoded.ok) return `${decoded.fault.field} ${decoded.fault.message}`
    take(decoded.value)
    return undefined
  }
}
