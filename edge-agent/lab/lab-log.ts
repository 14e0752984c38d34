/**
 * What an agent remembers of its owner's experiments: `lab/` in the data directory.
 *
 * `orders.log` has records, the last of each sort counts: 1 order, who gave it and its bytes; 2 over, the hash of an order that is
 * done. So an order counts once, and the last one is resumed. Beside it is a folder for each experiment, named by the first 16 hex
 * digits of its order, with a folder for each hand. The oldest are deleted when there are more than a few.
 */
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type AppendLog, type LogFile, openAppendLog } from '../../node/append-log.ts'
import { openLogFile } from '../../node/disk.ts'
import { WorldError } from '../../node/error.ts'
import { HAND_FILE } from '../../node/hand-store.ts'
import { replaceableLog } from '../../node/replaceable-log.ts'
import { decode, encode, type Infer } from '../../schemas/codec.ts'
import { struct } from '../../schemas/compound.ts'
import { account, blob, hash } from '../../schemas/field.ts'
import type { Hash } from '../../schemas/hex.ts'
import { LAB_ORDER_BYTES_MAX } from '../../schemas/lab-message.ts'
import { invariant } from '../../schemas/result.ts'

export const LAB_FOLDER = 'lab'
export const ORDERS_FILE = 'orders.log'
const RECORD = { order: 1, over: 2 } as const
const RECORD_BYTES_MAX = 4096
const REWRITE_BYTES = 1 << 18
/** Experiments on disk. */
const KEPT = 4
const FOLDER = /^[0-9a-f]{16}$/

const orderRecord = struct({ owner: account, bytes: blob(LAB_ORDER_BYTES_MAX) })
const overRecord = struct({ order: hash })
export type StoredOrder = Infer<typeof orderRecord>

export class LabLog {
  readonly #path: string
  readonly #files: ReturnType<typeof replaceableLog>
  #log: AppendLog
  #order: StoredOrder | undefined
  #over: Hash | undefined

  /** `path`: the folder, made when there is none. Throws WorldError `store-write`, `store-corrupt`. */
  constructor(path: string) {
    this.#path = path
    makeFolder(path)
    this.#files = replaceableLog(join(path, ORDERS_FILE))
    this.#log = openAppendLog(this.#files.open(), { onRecord: (kind, bytes) => this.#replay(kind, bytes) })
  }

  /** That was taken last. */
  get order(): StoredOrder | undefined {
    return this.#order
  }

  isOver(order: Hash): boolean {
    return this.#over === order
  }

  setOrder(order: StoredOrder): void {
    this.#order = order
    this.#append({ kind: RECORD.order, bytes: encode(orderRecord, order) })
  }

  setOver(order: Hash): void {
    this.#over = order
    this.#append({ kind: RECORD.over, bytes: encode(overRecord, { order }) })
  }

  /** The log of one of an experiment's hands. */
  hand(order: Hash, name: string): LogFile {
    const folder = join(this.#path, order.slice(0, 16), name)
    makeFolder(folder)
    return openLogFile(join(folder, HAND_FILE))
  }

  /** Deletes the oldest experiments, but not this one. */
  prune(order: Hash): void {
    const folders = readdirSync(this.#path)
      .filter((name) => FOLDER.test(name) && name !== order.slice(0, 16))
      .map((name) => ({ name, changedMs: statSync(join(this.#path, name)).mtimeMs }))
      .sort((a, b) => b.changedMs - a.changedMs)
    for (const { name } of folders.slice(KEPT - 1))
      rmSync(join(this.#path, name), { recursive: true, force: true })
  }

  close(): void {
    this.#log.close()
  }

  #append(entry: { readonly kind: number; readonly bytes: Uint8Array }): void {
    this.#log.append([entry])
    if (this.#log.size <= REWRITE_BYTES) return
    const fresh = this.#files.fresh()
    const log = openAppendLog(fresh.file)
    if (this.#order !== undefined)
      log.append([{ kind: RECORD.order, bytes: encode(orderRecord, this.#order) }])
    if (this.#over !== undefined)
      log.append([{ kind: RECORD.over, bytes: encode(overRecord, { order: this.#over }) }])
    fresh.commit()
    this.#log.close()
    this.#log = log
  }

  #replay(kind: number, bytes: Uint8Array): void {
    if (kind === RECORD.order) {
      const order = decode(orderRecord, bytes, RECORD_BYTES_MAX)
      invariant(order.ok, 'an order record decodes')
      this.#order = order.value
    } else if (kind === RECORD.over) {
      const over = decode(overRecord, bytes, RECORD_BYTES_MAX)
      invariant(over.ok, 'a record of an end decodes')
      this.#over = over.value.order
    }
  }
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new WorldError(
      'store-write',
      `cannot make ${path} (${String(error)}): make room on its disk, or give this user the right to write there`,
      error,
    )
  }
}
