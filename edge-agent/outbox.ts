/**
 * The device's own transactions, on disk from the moment they are signed until the ledger has them for good.
 *
 * A broker's PUBACK means nothing here; only our own chain says what is confirmed. Every transaction takes the next
 * nonce and keeps it: one that expires is signed again under the same nonce, so no payment can happen twice. Records
 * (kind, payload): 1 entry, a transaction with its key and the height when it was made (a later one with the same
 * nonce replaces it); 2 settled, the nonce below which everything is confirmed for good; 3 key, of an event acted on whose
 * entry is settled; 4 sequence, the next sequence number of a sensor; 5 mark, the height up to which blocks were acted on. The log is rewritten with what still counts whenever it has grown large.
 */

import { checkOnState, spendOf } from '../ledger/apply.ts'
import { parseBlock } from '../ledger/block.ts'
import type { Chain, Update } from '../ledger/chain.ts'
import { feeFloorFor, type Sealed, sealTransaction, signTransaction } from '../ledger/transaction.ts'
import { type AppendLog, type LogEntry, type LogFile, openAppendLog } from '../node/append-log.ts'
import { WorldError } from '../node/error.ts'
import type { Signer } from '../node/signing.ts'
import { decode, encode } from '../schemas/codec.ts'
import { struct } from '../schemas/compound.ts'
import { blob, freeText, name, u32, u64 } from '../schemas/field.ts'
import { short, toHex } from '../schemas/hex.ts'
import { invariant } from '../schemas/result.ts'
import {
  TRANSACTION_BYTES_MAX,
  type Transaction,
  transaction,
  type Unsigned,
} from '../schemas/transaction.ts'

/** Transactions that wait at most; a sensor whose network is down that long loses its newest readings. */
export const OUTBOX_ENTRIES_MAX = 20_000
/** Blocks after which a confirmation is for good. */
export const SETTLED_DEPTH = 30
/** Blocks that a transaction is valid for. */
const LIFETIME_BLOCKS = 1_000
/** Keys remembered, so that the same event does not act twice after a restart: those of all that may wait, and of the last that no longer do. */
const KEYS_MAX = OUTBOX_ENTRIES_MAX + 10_000
const RECORD = { entry: 1, settled: 2, key: 3, sequence: 4, mark: 5 } as const
/** A mark goes with the next write, and when it is so far above the one on disk alone. */
const MARK_BLOCKS_MAX = 100
/** The log is rewritten when it is larger than this and than four times what still counts. */
const REWRITE_BYTES = 4 << 20

const entryRecord = struct({
  nonce: u64,
  height: u32,
  key: freeText(200),
  transaction: blob(TRANSACTION_BYTES_MAX),
})
const settledRecord = struct({ nonce: u64 })
const keyRecord = struct({ key: freeText(200) })
const sequenceRecord = struct({ sensor: name, sequence: u64 })
const markRecord = struct({ height: u32 })

interface Entry {
  sealed: Sealed
  readonly height: number
  readonly key: string
  /** Height of the block of our best chain that has it. */
  confirmed: number | undefined
  /** Tip height when its nonce was first seen used by another transaction. */
  lost: number | undefined
}

/** Where the outbox lives: a log, and a way to put a rewritten one in its place. */
export interface OutboxFiles {
  open(): LogFile
  /** An empty file beside it; `commit` makes it durable under the log's name. */
  fresh(): { readonly file: LogFile; commit(): void }
}

/** A transaction's own fields; the outbox adds network, sender, nonce, fee, expiry and signature. */
export type Draft =
  Unsigned<Transaction> extends infer U
    ? U extends unknown
      ? Omit<U, 'network' | 'from' | 'nonce' | 'fee' | 'expiry'>
      : never
    : never

export class Outbox {
  readonly #chain: Chain
  readonly #signer: Signer
  readonly #files: OutboxFiles
  readonly #rewriteBytes: number
  #log: AppendLog
  #rewriteAt: number
  /** By nonce, ascending. */
  readonly #entries = new Map<number, Entry>()
  readonly #keys = new Set<string>()
  /** Next sequence number by sensor. */
  readonly #sequences = new Map<string, number>()
  #settled = 0
  #settledStored = 0
  #mark: number | undefined
  #markStored: number | undefined
  #overtaken = 0

  constructor(files: OutboxFiles, chain: Chain, signer: Signer, rewriteBytes = REWRITE_BYTES) {
    this.#files = files
    this.#rewriteBytes = rewriteBytes
    this.#rewriteAt = rewriteBytes
    this.#chain = chain
    this.#signer = signer
    this.#log = openAppendLog(files.open(), {
      onRecord: (kind, bytes, position) => this.#replay(kind, bytes, position),
    })
    for (const nonce of [...this.#entries.keys()]) if (nonce < this.#settled) this.#entries.delete(nonce)
    this.#settledStored = this.#settled
    this.#scan()
  }

  /** Transactions that are not confirmed yet. */
  get waiting(): number {
    let count = 0
    for (const { confirmed } of this.#entries.values()) if (confirmed === undefined) count++
    return count
  }

  /** Transactions that are in no block of our chain, in nonce order. */
  get unconfirmed(): readonly Sealed[] {
    const list: Sealed[] = []
    for (const { confirmed, sealed } of this.#entries.values()) if (confirmed === undefined) list.push(sealed)
    return list
  }

  /** Smallest units that waiting transactions will take from the account. */
  get committed(): number {
    let sum = 0
    for (const { confirmed, sealed } of this.#entries.values()) {
      if (confirmed !== undefined) continue
      sum += spendOf(sealed.transaction) ?? 0
    }
    return sum
  }

  /**
   * Waiting transactions whose nonce on the ledger is another's: another program signs with our key, or did before a backup
   * was restored. Each gets a new nonce once that is for good.
   */
  get overtaken(): number {
    return this.#overtaken
  }

  /** Transactions that there is room for. */
  get room(): number {
    return OUTBOX_ENTRIES_MAX - this.#entries.size
  }

  /** Own transactions that are not on the ledger for good. */
  get transactions(): readonly Sealed[] {
    return [...this.#entries.values()].map(({ sealed }) => sealed)
  }

  /** Height up to which everything that the blocks ask for had been done when that was last stored; undefined: never. */
  get marked(): number | undefined {
    return this.#mark
  }

  /** Everything that blocks up to this height ask for is in the outbox. Stored with what comes next. */
  mark(height: number): void {
    this.#mark = height
    if (this.#markStored === undefined || Math.abs(height - this.#markStored) >= MARK_BLOCKS_MAX)
      this.#append([])
  }

  /** Whether an event with this key has been acted on. */
  has(key: string): boolean {
    return this.#keys.has(key)
  }

  /** Whether a transaction on the ledger is one that waits here or has just been confirmed. */
  knows(sealed: Sealed): boolean {
    return this.#entryOf(sealed) !== undefined
  }

  /** The sequence number of a sensor's next reading: it goes on where the last stored one ended. */
  nextSequence(sensor: string): number {
    return this.#sequences.get(sensor) ?? 0
  }

  /** Signs and stores drafts in one durable write; `key` names the event behind each, empty for none. */
  add(drafts: readonly { readonly draft: Draft; readonly key: string }[]): readonly Sealed[] {
    const fresh = drafts
      .filter(({ key }) => key === '' || !this.#keys.has(key))
      .slice(0, Math.max(0, this.room))
    const first = this.#nextNonce()
    const entries = fresh.map(({ draft, key }, index) => this.#entry(draft, key, first + index))
    this.#store(entries)
    return entries.map(({ sealed }) => sealed)
  }

  /** What to send (again), in nonce order: at most `limit`. Signs anew what has expired, can now pay its fee, or no longer can. */
  pending(limit: number): readonly Sealed[] {
    const { tip, state } = this.#chain
    const account = state.account(this.#signer.account)
    const replaced: Entry[] = []
    // One whose nonce another transaction has used waits until that is for good, and holds up nobody.
    const waiting = [...this.#entries.values()]
      .filter(({ confirmed, sealed }) => confirmed === undefined && sealed.transaction.nonce >= account.nonce)
      .slice(0, limit)
    for (const [index, entry] of waiting.entries()) {
      const { transaction: tx, bytes } = entry.sealed
      const stuck = this.#stuck(entry)
      if (stuck !== undefined) {
        const memo = `cancelled: ${stuck.why}`
        const sealed = this.#sign({ type: 'transfer', to: tx.from, amount: 0, memo }, tx.nonce)
        waiting[index] = { ...entry, key: stuck.key, sealed }
        replaced.push(waiting[index])
        continue
      }
      const expired = tx.expiry <= tip.height
      const floor = feeFloorFor(this.#chain.network, bytes.length)
      const affordable = tx.fee < floor && account.balance >= floor
      // Those before it took the coins. What spends more is cancelled instead, and a ledger that is fetched anew has not come to them.
      const isPoor = tx.fee > account.balance && spendOf(tx) === tx.fee && tip.height > entry.height
      if (!expired && !affordable && !isPoor) continue
      const renewed = { ...entry, sealed: this.#sign(tx, tx.nonce) }
      waiting[index] = renewed
      replaced.push(renewed)
    }
    if (replaced.length > 0) this.#store(replaced)
    return waiting.map(({ sealed }) => sealed)
  }

  /** Follows the chain. */
  update({ disconnected, connected }: Pick<Update, 'disconnected' | 'connected'>): void {
    for (const { transactions } of disconnected) {
      for (const sealed of transactions) {
        const entry = this.#entryOf(sealed)
        if (entry !== undefined) entry.confirmed = undefined
      }
    }
    for (const { transactions, entry: at } of connected) this.#confirm(transactions, at.height)
    this.#settle()
  }

  close(): void {
    this.#log.close()
  }

  /**
   * Why a transaction cannot be mined, and what then remains of its key. It would hold up everything behind it: a payment that a
   * reorganisation left uncovered, a claim that somebody else has made. What the state allows only once may be wanted again,
   * if it is still due; a payment may not.
   */
  #stuck({ sealed: { transaction: tx }, height, key }: Entry): { why: string; key: string } | undefined {
    const { network, tip, state, next } = this.#chain
    const account = state.account(this.#signer.account)
    // A ledger that is fetched anew has not come to what it was signed for.
    if (tx.nonce !== account.nonce || tip.height <= height) return undefined
    const impossible = checkOnState(network, state, tx, next)
    if (impossible !== undefined) return { why: impossible.code, key: '' }
    const spend = spendOf(tx) ?? 0
    const isUncovered = spend > tx.fee && spend > account.balance
    return isUncovered && tip.height - height >= SETTLED_DEPTH ? { why: 'not covered', key } : undefined
  }

  #entry(draft: Draft, key: string, nonce: number): Entry {
    return {
      sealed: this.#sign(draft, nonce),
      height: this.#chain.tip.height,
      key,
      confirmed: undefined,
      lost: undefined,
    }
  }

  #sign(draft: Draft, nonce: number): Sealed {
    const { network, tip, state } = this.#chain
    const head = {
      network: network.id,
      from: this.#signer.account,
      nonce,
      expiry: tip.height + LIFETIME_BLOCKS,
    }
    // Every type's fee is at most one step of the floor above another's, so one signing tells the size.
    const sizing = { ...draft, ...head, fee: 0, signature: new Uint8Array(64) } as Transaction
    const floor = feeFloorFor(network, transaction.size(sizing))
    // A device without a coin still gets its readings into the blocks that it mines itself.
    const fee = state.account(this.#signer.account).balance >= floor ? floor : 0
    return signTransaction(network, { ...draft, ...head, fee } as Unsigned<Transaction>, this.#signer.sign)
  }

  #store(entries: readonly Entry[]): void {
    if (entries.length === 0) return
    this.#append(entries.map(toRecord))
    for (const entry of entries) this.#put(entry)
    if (this.#log.size > this.#rewriteAt) this.#rewrite()
  }

  #append(records: readonly LogEntry[]): void {
    const more: LogEntry[] = []
    if (this.#settled !== this.#settledStored)
      more.push({ kind: RECORD.settled, bytes: encode(settledRecord, { nonce: this.#settled }) })
    if (this.#mark !== undefined && this.#mark !== this.#markStored)
      more.push({ kind: RECORD.mark, bytes: encode(markRecord, { height: this.#mark }) })
    this.#log.append([...records, ...more])
    this.#settledStored = this.#settled
    this.#markStored = this.#mark
  }

  /** Leaves behind what is settled; a crash at any point leaves the old log or the new one. */
  #rewrite(): void {
    const fresh = this.#files.fresh()
    const log = openAppendLog(fresh.file)
    const live = new Set([...this.#entries.values()].map(({ key }) => key))
    log.append([
      { kind: RECORD.settled, bytes: encode(settledRecord, { nonce: this.#settled }) },
      ...(this.#mark === undefined
        ? []
        : [{ kind: RECORD.mark, bytes: encode(markRecord, { height: this.#mark }) }]),
      ...[...this.#keys]
        .filter((key) => !live.has(key))
        .map((key) => ({ kind: RECORD.key, bytes: encode(keyRecord, { key }) })),
      ...[...this.#sequences].map(([sensor, sequence]) => ({
        kind: RECORD.sequence,
        bytes: encode(sequenceRecord, { sensor, sequence }),
      })),
      ...[...this.#entries.values()].map(toRecord),
    ])
    fresh.commit()
    this.#log.close()
    this.#log = log
    this.#rewriteAt = Math.max(this.#rewriteBytes, 4 * log.size)
  }

  #remember(key: string): void {
    if (key === '') return
    this.#keys.delete(key)
    this.#keys.add(key)
    if (this.#keys.size <= KEYS_MAX) return
    for (const oldest of this.#keys) {
      this.#keys.delete(oldest)
      break
    }
  }

  #put(entry: Entry): void {
    const { nonce } = entry.sealed.transaction
    const before = this.#entries.get(nonce)
    if (before !== undefined && entry.key === '') this.#keys.delete(before.key)
    this.#entries.set(nonce, entry)
    this.#remember(entry.key)
    const { transaction: tx } = entry.sealed
    if (tx.type === 'reading') this.#follow(tx.sample.sensor, tx.sample.sequence + 1)
    if (tx.type === 'batch') this.#follow(tx.sensor, tx.sequence + tx.count)
  }

  #follow(sensor: string, next: number): void {
    this.#sequences.set(sensor, Math.max(next, this.nextSequence(sensor)))
  }

  #nextNonce(): number {
    const onLedger = this.#chain.state.account(this.#signer.account).nonce
    let last = -1
    for (const nonce of this.#entries.keys()) last = Math.max(last, nonce)
    return Math.max(onLedger, last + 1)
  }

  #confirm(transactions: readonly Sealed[], height: number): void {
    for (const sealed of transactions) {
      const entry = this.#entryOf(sealed)
      if (entry !== undefined) entry.confirmed = height
    }
  }

  /**
   * The entry that a transaction on the ledger is. It may be an earlier signing of it, with another fee or expiry: to
   * take that for a stranger's would do the same thing again under another nonce.
   */
  #entryOf({ transaction: tx }: Sealed): Entry | undefined {
    const entry = tx.from === this.#signer.account ? this.#entries.get(tx.nonce) : undefined
    return entry !== undefined && intentOf(entry.sealed.transaction) === intentOf(tx) ? entry : undefined
  }

  /** Forgets what is confirmed for good; a lost nonce (another program used the key) gets a new one. */
  #settle(): void {
    const { tip, state } = this.#chain
    const nonceOnLedger = state.account(this.#signer.account).nonce
    const lost: Entry[] = []
    this.#overtaken = 0
    let settled = this.#settled
    for (const [nonce, entry] of this.#entries) {
      const { confirmed } = entry
      // Not before the other transaction is for good: after a reorganisation ours might still be confirmed, and then twice.
      const isLost = confirmed === undefined && nonce < nonceOnLedger
      entry.lost = isLost ? (entry.lost ?? tip.height) : undefined
      if (isLost) this.#overtaken++
      if (entry.lost !== undefined && tip.height - entry.lost >= SETTLED_DEPTH) lost.push(entry)
      else if (confirmed === undefined || tip.height - confirmed < SETTLED_DEPTH) continue
      this.#entries.delete(nonce)
      settled = Math.max(settled, nonce + 1)
    }
    // A start forgets what is below: a lost one that still waits for its new nonce must not be among that.
    const [oldest = settled] = this.#entries.keys()
    this.#settled = Math.max(this.#settled, Math.min(settled, oldest))
    const first = this.#nextNonce()
    this.#store(lost.map(({ sealed, key }, index) => this.#entry(sealed.transaction, key, first + index)))
  }

  #replay(kind: number, bytes: Uint8Array, position: number): void {
    if (kind === RECORD.settled) {
      const settled = decode(settledRecord, bytes, 64)
      invariant(settled.ok, `outbox record at ${position} decodes`)
      this.#settled = settled.value.nonce
      return
    }
    if (kind === RECORD.mark) {
      const mark = decode(markRecord, bytes, 64)
      invariant(mark.ok, `outbox record at ${position} decodes`)
      this.#mark = mark.value.height
      this.#markStored = this.#mark
      return
    }
    if (kind === RECORD.key) {
      const key = decode(keyRecord, bytes, 256)
      invariant(key.ok, `outbox record at ${position} decodes`)
      this.#remember(key.value.key)
      return
    }
    if (kind === RECORD.sequence) {
      const next = decode(sequenceRecord, bytes, 256)
      invariant(next.ok, `outbox record at ${position} decodes`)
      this.#follow(next.value.sensor, next.value.sequence)
      return
    }
    const decoded = decode(entryRecord, bytes, 4096)
    invariant(decoded.ok, `outbox record at ${position} decodes`)
    const { height, key, transaction: tx } = decoded.value
    const parsed = decode(transaction, tx, TRANSACTION_BYTES_MAX)
    invariant(parsed.ok, `outbox transaction at ${position} decodes`)
    if (parsed.value.network !== this.#chain.network.id) {
      throw new WorldError(
        'config',
        `the outbox belongs to network ${parsed.value.network}; use another data directory for this one`,
      )
    }
    // Its numbers are another account's: among our own they would hold up everything.
    const { account } = this.#signer
    if (parsed.value.from !== account) {
      throw new WorldError(
        'config',
        `the outbox belongs to account ${short(parsed.value.from)}, and the key to ${short(account)}: put the key of the outbox back, or see "new key" in OPERATIONS.md`,
      )
    }
    this.#put({
      sealed: sealTransaction(this.#chain.network, parsed.value, tx),
      height,
      key,
      confirmed: undefined,
      lost: undefined,
    })
  }

  /**
   * Finds what our chain already has of the entries on disk. A nonce that was used in a block which is not there to look at,
   * below the window or below a snapshot, counts as used by its entry: to do it anew would mostly be to do it twice.
   */
  #scan(): void {
    /** Below, nonces were used in blocks that are not looked at. */
    let unseen = this.#chain.state.account(this.#signer.account).nonce
    let from = Number.POSITIVE_INFINITY
    for (const { height } of this.#entries.values()) from = Math.min(from, height + 1)
    for (
      let height = Math.max(this.#chain.base.height + 1, from);
      height <= this.#chain.tip.height;
      height++
    ) {
      const entry = this.#chain.at(height)
      invariant(entry !== undefined, `the chain has height ${height}`)
      const block = parseBlock(this.#chain.network, this.#chain.archive.block(entry.hash))
      invariant(block.ok, `stored block ${entry.hash} parses`)
      this.#confirm(block.value.transactions, height)
      for (const { transaction: tx } of block.value.transactions)
        if (tx.from === this.#signer.account) unseen = Math.min(unseen, tx.nonce)
    }
    for (const nonce of [...this.#entries.keys()]) {
      if (nonce >= unseen) continue
      this.#entries.delete(nonce)
      this.#settled = Math.max(this.#settled, nonce + 1)
    }
    this.#settle()
  }
}

/** What a transaction does, whatever it pays for that and how long it is valid. */
const intentOf = (tx: Transaction): string =>
  toHex(encode(transaction, { ...tx, fee: 0, expiry: 0, signature: new Uint8Array(64) }))

const toRecord = ({ sealed, height, key }: Entry): { kind: number; bytes: Uint8Array } => ({
  kind: RECORD.entry,
  bytes: encode(entryRecord, { nonce: sealed.transaction.nonce, height, key, transaction: sealed.bytes }),
})
