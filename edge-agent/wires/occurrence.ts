/**
 * What a wire may act on: a reading on the ledger, a live sample, a slot of its schedule; and what tells two of them apart.
 *
 * Each occurrence has one *key* for a wire, under which the outbox remembers its payment. A reading's is made of its device, sensor,
 * sequence number and time, not of its transaction's id: signed again with another fee it is the same reading. A live sample's has
 * the time too, since a sequence number that a crash kept from the disk is given again. An edge or a change among live samples is
 * counted instead: then the sample that showed it may differ after a crash, and the edge is the same.
 */
import { hashing } from '../../node/signing.ts'
import { toHex } from '../../schemas/hex.ts'
import { writePurchase } from '../../schemas/receipt-memo.ts'
import type { Sample, Transaction } from '../../schemas/transaction.ts'
import type { Decimal } from '../../schemas/units.ts'
import type { Memory } from './condition.ts'
import { purchaseOf, type Wire } from './wire.ts'

export interface Occurrence {
  /** Tells it from all others of the same wire. */
  readonly key: string
  /** What the memo says of it. */
  readonly name: string
  readonly value: Decimal | undefined
  /** Readings in it. */
  readonly count: number
}

const DIGITS = 16
const MINUTE_MS = 60_000

/** The reading or batch of a transaction, if it is what the wire looks at. */
export function readingFor({ source }: Wire, id: string, tx: Transaction): Occurrence | undefined {
  if (source.kind !== 'ledger' || tx.from !== source.device) return undefined
  const name = id.slice(0, DIGITS)
  if (tx.type === 'reading') {
    const { sensor, sequence, time, value } = tx.sample
    if (sensor !== source.sensor) return undefined
    return { key: `reading ${tx.from} ${sensor} ${sequence} ${time}`, name, value, count: 1 }
  }
  if (tx.type !== 'batch' || tx.sensor !== source.sensor) return undefined
  const key = `batch ${tx.from} ${tx.sensor} ${tx.sequence} ${tx.firstTime}`
  return { key, name, value: undefined, count: tx.count }
}

export function sampleFor({ source }: Wire, { sensor, sequence, time, value }: Sample) {
  if (source.kind !== 'own' || sensor !== source.sensor) return undefined
  const occurrence: Occurrence = {
    key: `sample ${sensor} ${sequence} ${time}`,
    name: String(sequence),
    value,
    count: 1,
  }
  return occurrence
}

/** The slot that a time is in. */
export function slotFor({ source }: Wire, nowMs: number): Occurrence | undefined {
  if (source.kind !== 'every') return undefined
  const length = source.minutes * MINUTE_MS
  const begins = Math.floor(nowMs / length) * length
  const name = new Date(begins).toISOString().slice(0, 16)
  return { key: `slot ${source.minutes} ${begins}`, name, value: undefined, count: 1 }
}

/** How a payment is told from others: by its key, and by what was the key of plain readings once. */
export interface Identity {
  readonly key: string
  readonly memo: string
  /** Receiver and memo, if the memo names the occurrence. */
  readonly alias: string | undefined
}

/** `memory`: what is remembered once it is paid. */
export function identify(wire: Wire, occurrence: Occurrence, memory: Memory): Identity {
  const { to, source, condition } = wire
  const counted = source.kind === 'own' && ['rises', 'falls', 'changes'].includes(condition.kind)
  const event = counted ? `${condition.kind} ${memory.epoch} ${memory.count}` : occurrence.key
  const text = new TextEncoder().encode(`${purchaseOf(wire)}\n${event}`)
  const key = `wire ${toHex(hashing.plain(text)).slice(0, 40)}`
  if (to.kind === 'item') return { key, memo: writePurchase(to.item), alias: undefined }
  const memo = `${to.purpose} ${occurrence.name}`
  // The number of a live sample may come again, so that a memo with it names no single one.
  return { key, memo, alias: source.kind === 'own' ? undefined : `${to.account} ${memo}` }
}
