/**
 * A hand of an experiment: a slow hand whose difficulty never changes, and one tick at a time that is searched on its tip.
 *
 * The interval is 1 ms and the first target the easiest that the hand allows. Times are whole milliseconds and ascend, so no tick is
 * early and the difficulty rule never makes the next one harder; easier it may not get. So the target stays, by the rule of every hand
 * and without an exception, which is why `SlowHand` checks these ticks as it checks any other.
 * Source: docs/PROTOCOL.md section 14, docs/CLOCKCHAIN.md "The lecture's experiments".
 */
import { createHand, type Hand, tickTemplate } from '../../ledger/hand.ts'
import { SlowHand, type TickAdded } from '../../ledger/slow-hand.ts'
import { WorldError } from '../../node/error.ts'
import { hashing } from '../../node/signing.ts'
import { HEADER_BYTES, header as headerCodec } from '../../schemas/block.ts'
import { decode, encode } from '../../schemas/codec.ts'
import { invariant } from '../../schemas/result.ts'
import { type Anchor, type Tick, tick as tickCodec } from '../../schemas/tick.ts'
import type { Find, OpenSearch, Search } from './search.ts'

/** Leading zero hex digits of an experiment. */
export const DIGITS_MAX = 15
/** How old a tick's time may get while it is searched. */
const TEMPLATE_MS_MAX = 1_000
/** Anchors may change a thousand times a second while a find is on its way from another machine: of so many jobs it is taken. */
const JOBS_KEPT = 4096

/** The hand of `digits` leading zero hex digits, for ever. `time`: of tick 0, milliseconds. */
export function fixedHand(name: string, digits: number, time: number): Hand {
  invariant(Number.isInteger(digits) && digits >= 1 && digits <= DIGITS_MAX, `1 to ${DIGITS_MAX} digits`)
  const target = (1n << BigInt(256 - 4 * digits)) - 1n
  return createHand({ name, time, interval: 1, halfLife: 64, target, targetMax: target }, hashing)
}

/** A tick that an experiment made. */
export interface Made {
  readonly hand: ExperimentHand
  readonly added: TickAdded
  readonly bytes: Uint8Array
  /** Tried for it. */
  readonly hashes: number
  /** Milliseconds of searching. */
  readonly ms: number
  /** When it came in, by the experiment's clock that never jumps. */
  readonly atMs: number
}

export interface ExperimentHandOptions {
  /** What people call it. */
  readonly label: string
  readonly hand: Hand
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** The hand as it was left; one that begins where left out. */
  readonly slow?: SlowHand
}

interface Seeking {
  readonly anchors: () => readonly Anchor[]
  readonly resolve: (made: Made | undefined) => void
  readonly reject: (error: unknown) => void
}

export class ExperimentHand {
  readonly label: string
  readonly slow: SlowHand
  readonly #now: () => number
  #search: Search | undefined
  #unfinished = 0
  #failure: { readonly error: unknown } | undefined
  #stopped = false
  #seeking: Seeking | undefined
  #jobs: Tick[] = []
  #timer: NodeJS.Timeout | undefined

  constructor({ label, hand, now, slow = new SlowHand(hand) }: ExperimentHandOptions) {
    this.label = label
    this.slow = slow
    this.#now = now
  }

  /** Throws WorldError when the search cannot be opened. */
  async start(open: OpenSearch): Promise<void> {
    const search = await open({
      onFound: (find) => this.#found(find),
      onFailed: (error) => this.#fail(error),
    })
    this.#search = search
    if (this.#stopped) await search.stop()
  }

  /** Hashes that went into a tick which was not found before the hand was stopped. */
  get unfinished(): number {
    return this.#unfinished
  }

  /** Its newest tick, as others anchor it. */
  get newest(): Anchor {
    const { hand, tip } = this.slow
    return { ledger: hand.genesisHash, height: tip.height, block: tip.hash }
  }

  /** Searches the next tick. Undefined when the hand is stopped before it is found; rejects when the search fails. */
  seek(anchors: () => readonly Anchor[]): Promise<Made | undefined> {
    invariant(this.#seeking === undefined, 'one tick at a time')
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error)
    if (this.#stopped) return Promise.resolve(undefined)
    return new Promise((resolve, reject) => {
      this.#seeking = { anchors, resolve, reject }
      this.#jobs = []
      this.#timer = setInterval(() => this.refresh(), TEMPLATE_MS_MAX)
      this.refresh()
    })
  }

  /** Takes the newest anchors and time, if a tick is being searched. */
  refresh(): void {
    if (this.#seeking === undefined) return
    const { hand, tip } = this.slow
    const template = tickTemplate(hand, tip, this.#seeking.anchors(), this.#now())
    if (this.#jobs.unshift(template) > JOBS_KEPT) this.#jobs.pop()
    this.#search?.mine(encode(headerCodec, template.header))
  }

  /** May be called twice. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#end()?.resolve(undefined)
    this.#unfinished += (await this.#search?.stop()) ?? 0
  }

  #found({ header: bytes, hashes, ms }: Find): void {
    const header = decode(headerCodec, bytes, HEADER_BYTES)
    if (!header.ok) return void this.#fail(this.#wrong(header.fault))
    const template = this.#jobs.find(({ header: { content } }) => content === header.value.content)
    // A find of a job that another find has outrun.
    if (template === undefined || header.value.parent !== this.slow.tip.hash) return void this.refresh()
    const tick = encode(tickCodec, { ...template, header: header.value })
    const outcome = this.slow.accept(tick, Number.POSITIVE_INFINITY)
    if (!outcome.ok) return void this.#fail(this.#wrong(outcome.fault))
    this.#end()?.resolve({
      hand: this,
      added: outcome.value,
      bytes: tick,
      hashes,
      ms,
      atMs: performance.now(),
    })
  }

  #wrong({ code, message }: { readonly code: string; readonly message: string }): WorldError {
    return new WorldError('child', `what ${this.label} found does not hold: ${code}: ${message}`)
  }

  #fail(error: unknown): void {
    this.#failure ??= { error }
    this.#end()?.reject(error)
  }

  #end(): Seeking | undefined {
    clearInterval(this.#timer)
    const seeking = this.#seeking
    this.#seeking = undefined
    return seeking
  }
}
