/**
 * A validator's opinions of devices' readings on their way to the broker: retained, one for each device.
 *
 * A start looks back on the last blocks, so that a validator does not begin without an opinion; nothing is said while catching up.
 */
import type { Chain, Update } from '../ledger/chain.ts'
import { jsonBytes } from '../node/json-bytes.ts'
import { type Cancel, every, type Timers } from '../node/timers.ts'
import { block as blockCodec } from '../schemas/block.ts'
import { Reader } from '../schemas/codec.ts'
import type { Account } from '../schemas/hex.ts'
import type { Quality } from '../schemas/quality.ts'
import { mirror, type ParsedTopic, topic } from '../schemas/topic.ts'
import type { Announcer } from './announcer.ts'
import type { HistoryFile } from './history-file.ts'
import { QualityBook } from './quality.ts'
import { QualityHistory } from './quality-history.ts'

/** Blocks that a start looks back on. */
const LOOK_BACK_BLOCKS = 200
/** New opinions are looked for this often. */
const OPINION_MS = 1_000
/** Days are kept this often, and at the end: some 200 blocks, so that a killed validator counts on from what it looks back on. */
const KEEP_MS = 1_800_000

export interface OpinionsModules {
  readonly chain: Chain
  /** Whether what we have is all that there is. */
  readonly inSync: () => boolean
  /** Whose opinions they are. */
  readonly account: Account
  readonly retained: Announcer['retained']
  /** Keeps earlier days; undefined: they go with the process. */
  readonly file?: HistoryFile | undefined
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly timers: Timers
  readonly onFatal: (error: unknown) => void
}

export class Opinions {
  readonly #modules: OpinionsModules
  readonly #history: QualityHistory
  readonly #book: QualityBook
  #stop: Cancel = () => {}

  constructor(modules: OpinionsModules) {
    this.#modules = modules
    this.#history = new QualityHistory(modules.file?.load())
    this.#book = new QualityBook(modules.chain.network, this.#history)
  }

  start(): void {
    const { chain, timers } = this.#modules
    const { tip, base, archive } = chain
    const from = Math.max(base.height, tip.height - LOOK_BACK_BLOCKS)
    for (let height = from + 1; height <= tip.height; height++) {
      const entry = chain.at(height)
      if (entry === undefined) continue
      this.#book.block(entry, blockCodec.read(new Reader(archive.block(entry.hash))).transactions)
    }
    const stops = [
      every(timers, OPINION_MS, () => this.#say()),
      every(timers, KEEP_MS, () => this.#keep()),
      () => this.#keep(),
    ]
    this.#stop = () => {
      for (const stop of stops) stop()
    }
  }

  stop(): void {
    this.#stop()
  }

  /** Offers say where sensors are. */
  receive({ kind, publisher, json }: ParsedTopic, payload: Uint8Array): void {
    if (kind === 'offer' && !json) this.#book.offer(publisher, payload, this.#modules.now())
  }

  onUpdate(update: Pick<Update, 'connected'>): void {
    this.#book.update(update)
  }

  /** Says everything again, to a broker that may have forgotten. */
  publishAll(): void {
    for (const quality of this.#book.standing) this.#publish(quality)
  }

  #keep(): void {
    this.#modules.file?.save(this.#history.saved())
  }

  #say(): void {
    const { chain, inSync, now, onFatal } = this.#modules
    try {
      if (!inSync()) return
      for (const quality of this.#book.due(now(), chain.tip.height)) this.#publish(quality)
      for (const device of this.#book.gone()) this.#publish({ device })
    } catch (error) {
      onFatal(error)
    }
  }

  /** Without sensors: what was said of the device is taken back. */
  #publish(value: Quality | { readonly device: Account; readonly sensors?: never }): void {
    const { account, chain, retained } = this.#modules
    const name = mirror(topic(chain.network.id, 'quality', account, value.device))
    const payload = value.sensors === undefined ? new Uint8Array(0) : jsonBytes(value)
    retained(name, () => [{ topic: name, payload, qos: 1 }])
  }
}
