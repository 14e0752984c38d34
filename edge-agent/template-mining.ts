/**
 * Keeps a miner on what there is to mine: a fresh template on every new tip and every second, a rest when there is none, and
 * its finds handed over.
 */
import type { Log } from '../node/log.ts'
import { HEADER_BYTES, type Header, header as headerCodec } from '../schemas/block.ts'
import { type Codec, decode, encode } from '../schemas/codec.ts'
import { invariant } from '../schemas/result.ts'
import { type Job, Miner, type MinerOptions, type MinerStats } from './miner.ts'

/** How old a template's time, and what it names, may get. */
const TEMPLATE_MS_MAX = 1_000

export interface TemplateModules {
  readonly random: () => number
  readonly log: Log
  readonly onFatal: (error: unknown) => void
}

export abstract class TemplateMining<T extends { readonly header: Header }> {
  readonly #miner: Miner
  readonly #codec: Codec<T>
  readonly #onFatal: (error: unknown) => void
  readonly #templates = new WeakMap<Job, T>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: MinerOptions, { log, random, onFatal }: TemplateModules, codec: Codec<T>) {
    this.#codec = codec
    this.#onFatal = onFatal
    this.#miner = new Miner(options, {
      log,
      random,
      onFound: (header, job) => this.#found(header, job),
      nonceStart: () =>
        (BigInt(Math.floor(random() * 2 ** 32)) << 32n) | BigInt(Math.floor(random() * 2 ** 32)),
    })
  }

  /** What to mine now, but for its nonce; undefined to rest. */
  protected abstract template(): T | undefined

  /** Takes a find and tells others of it; false when it came too late. What it throws is fatal. */
  protected abstract take(found: T, encoded: Uint8Array): boolean

  start(): void {
    this.#miner.start()
    this.#timer = setInterval(() => this.refresh(), TEMPLATE_MS_MAX)
  }

  /** Takes the newest tip and what is new for it; called on every new tip. */
  refresh(): void {
    const template = this.template()
    if (template === undefined) {
      this.#miner.pause()
      return
    }
    const job = { header: encode(headerCodec, template.header), target: template.header.target }
    this.#templates.set(job, template)
    this.#miner.mine(job)
  }

  stats(): MinerStats {
    return this.#miner.stats()
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#miner.stop()
  }

  #found(bytes: Uint8Array, job: Job): void {
    const template = this.#templates.get(job)
    const header = decode(headerCodec, bytes, HEADER_BYTES)
    invariant(template !== undefined && header.ok, 'a find belongs to a template')
    const found = { ...template, header: header.value }
    const encoded = encode(this.#codec, found)
    try {
      if (!this.take(found, encoded)) this.refresh()
    } catch (error) {
      this.#onFatal(error)
    }
  }
}
