/**
 * What has been made ready for buyers: a quote names the hash of the whole ciphertext, so a file is encrypted once before it is
 * quoted, without keeping what comes out. One file at a time; what was made ready is remembered as long as the file stays the same.
 */
import { createHash } from 'node:crypto'
import { sealChunk } from '../../node/file-cipher.ts'
import { chunksOf } from '../../schemas/file-message.ts'
import { type Account, type Hash, hashFromBytes } from '../../schemas/hex.ts'
import type { FileKeys } from './file-keys.ts'
import { ChangedError, type Content, type Shelf, type ShelfFile } from './shelf.ts'

/** A file as one buyer gets it. */
export interface Prepared {
  readonly buyer: Account
  readonly price: number
  readonly content: Content
  readonly file: Hash
  readonly key: Uint8Array
  readonly lock: Hash
  /** SHA-256 of the ciphertext. */
  readonly ciphertext: Hash
}

/** Files that wait to be made ready, and files and sales that are remembered. */
const JOBS_MAX = 16
const CONTENTS_MAX = 64
const PREPARED_MAX = 64

interface Job {
  readonly buyer: Account
  readonly file: ShelfFile
  readonly price: number
  readonly onDone: (outcome: Prepared | ChangedError) => void
  bytesDone: number
}

export class Stock {
  readonly #shelf: Shelf
  readonly #keys: FileKeys
  readonly #contents = new Map<string, Content>()
  readonly #prepared = new Map<string, Prepared>()
  readonly #jobs = new Map<string, Job>()
  #running: Promise<void> | undefined
  #stopped = false

  constructor(shelf: Shelf, keys: FileKeys) {
    this.#shelf = shelf
    this.#keys = keys
  }

  /** What is ready for a buyer, if the file is still the same. */
  ready(buyer: Account, { name, version }: ShelfFile, price: number): Prepared | undefined {
    const found = this.#prepared.get(keyOf(buyer, name))
    return found?.content.version === version && found.price === price ? found : undefined
  }

  /** Percent that is done of what is being made ready for a buyer; undefined: nothing is. */
  progress(buyer: Account, name: string): number | undefined {
    const job = this.#jobs.get(keyOf(buyer, name))
    if (job === undefined) return undefined
    return Math.floor((100 * job.bytesDone) / Math.max(1, 2 * job.file.size))
  }

  /** Makes a file ready; false when too many wait. Only for what neither is ready nor being made. */
  prepare(buyer: Account, file: ShelfFile, price: number, onDone: Job['onDone']): boolean {
    if (this.#jobs.size >= JOBS_MAX) return false
    this.#jobs.set(keyOf(buyer, file.name), { buyer, file, price, onDone, bytesDone: 0 })
    this.#running ??= this.#run()
    return true
  }

  /** Ends after the chunk that is being read. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
  }

  async #run(): Promise<void> {
    for (const [key, job] of this.#jobs) {
      if (this.#stopped) break
      let outcome: Prepared | ChangedError
      try {
        outcome = await this.#make(job)
        remember(this.#prepared, key, outcome, PREPARED_MAX)
      } catch (error) {
        if (!(error instanceof ChangedError)) throw error
        outcome = error
      }
      this.#jobs.delete(key)
      job.onDone(outcome)
    }
    this.#running = undefined
  }

  async #make(job: Job): Promise<Prepared> {
    const { buyer, price } = job
    const content = await this.#study(job)
    const file = this.#keys.fileOf(content.hash)
    const key = this.#keys.keyOf({ buyer, price, file })
    const digest = createHash('sha256')
    const last = chunksOf(content.size) - 1
    for await (const { index, bytes } of this.#shelf.read(content)) {
      this.#goOn()
      digest.update(sealChunk(key, { index, last: index === last }, bytes))
      job.bytesDone += bytes.length
    }
    const lock = hashFromBytes(this.#keys.sha256(key))
    return { buyer, price, content, file, key, lock, ciphertext: hashFromBytes(digest.digest()) }
  }

  async #study(job: Job): Promise<Content> {
    const { file } = job
    const known = this.#contents.get(file.name)
    if (known?.version === file.version) {
      job.bytesDone += file.size
      return known
    }
    const content = await this.#shelf.study(file, (bytes) => {
      this.#goOn()
      job.bytesDone += bytes
    })
    remember(this.#contents, file.name, content, CONTENTS_MAX)
    return content
  }

  #goOn(): void {
    if (this.#stopped) throw new ChangedError('the agent stops')
  }
}

const keyOf = (buyer: Account, name: string): string => `${buyer} ${name}`

/** The one remembered for longest makes room. */
function remember<K, V>(map: Map<K, V>, key: K, value: V, max: number): void {
  map.delete(key)
  map.set(key, value)
  if (map.size <= max) return
  for (const oldest of map.keys()) {
    map.delete(oldest)
    break
  }
}
