/**
 * Looks through the blocks of validators for what concerns one hashlock: its payment, its claim, its refund.
 *
 * Blocks are believed as far as they are what their headers say; that they are the best chain is their validators' word, as with
 * `pinledger pay`. The key in a claim needs nobody's word.
 */
import { parseBlock } from '../../ledger/block.ts'
import { MEDIAN_BLOCKS, type Moment } from '../../ledger/hashlock.ts'
import { headerHash } from '../../ledger/header.ts'
import type { Network } from '../../ledger/network.ts'
import type { Question, ReplyTo } from '../../node/requests.ts'
import type { Header } from '../../schemas/block.ts'
import type { Hash } from '../../schemas/hex.ts'
import { BLOCKS_MAX, HEADERS_MAX } from '../../schemas/message.ts'
import { invariant } from '../../schemas/result.ts'

/** Asks the validators, the one with the highest tip first; undefined when none gives an answer that is of use. */
export type AskValidators = <const Q extends Question>(
  question: Q,
  isUseful?: (reply: ReplyTo<Q>) => boolean,
) => Promise<ReplyTo<Q> | undefined>

/** Blocks below where the payment was made that are looked through, too: the chain may have been another one. */
const BELOW = 12

interface Looked {
  readonly height: number
  readonly hash: Hash
  readonly time: number
  paid: boolean
  refunded: boolean
}

export class LedgerScan {
  readonly #network: Network
  readonly #payment: Hash
  readonly #since: { readonly height: number; readonly hash: Hash }
  readonly #ask: AskValidators
  /** The blocks looked through, lowest first, each the next one's parent. */
  #looked: Looked[] = []
  #key: Hash | undefined

  /** `since`: a block on whose chain the payment was made. */
  constructor(
    network: Network,
    payment: Hash,
    since: { readonly height: number; readonly hash: Hash },
    ask: AskValidators,
  ) {
    this.#network = network
    this.#payment = payment
    this.#since = since
    this.#ask = ask
  }

  /** The preimage in a claim of the hashlock, in whatever block it was seen. Whether it opens the lock is for the caller to check. */
  get key(): Hash | undefined {
    return this.#key
  }

  get paidAt(): number | undefined {
    return this.#looked.find(({ paid }) => paid)?.height
  }

  get refundedAt(): number | undefined {
    return this.#looked.find(({ refunded }) => refunded)?.height
  }

  /** Where the next block will stand; undefined before anything was looked through. */
  get next(): Moment | undefined {
    const last = this.#looked.at(-1)
    if (last === undefined) return undefined
    const times = this.#looked.slice(-MEDIAN_BLOCKS).map(({ time }) => time)
    return { height: last.height + 1, medianTime: times[Math.floor(times.length / 2)] ?? 0 }
  }

  /** Looks on up to the validators' tip; false when they did not answer. */
  async look(): Promise<boolean> {
    for (;;) {
      const locator = [...this.#looked.slice(-2 * BELOW).map(({ hash }) => hash)].reverse()
      const reply = await this.#ask({
        type: 'getHeaders',
        locator: [...locator, this.#since.hash],
        limit: HEADERS_MAX,
      })
      if (reply === undefined) return false
      const { headers } = reply
      this.#cut(headers)
      const wanted = headers.filter(({ height }) => height > this.#since.height - BELOW)
      if (!(await this.#take(wanted))) return false
      if (headers.length < HEADERS_MAX) return true
      // A chain that begins far below what concerns us: on to the next headers.
      const last = headers.at(-1)
      if (wanted.length === 0 && last !== undefined) this.#looked = [this.#lookedAt(last, false, false)]
    }
  }

  /** Forgets what is no longer below the headers that follow. */
  #cut(headers: readonly Header[]): void {
    const [first] = headers
    if (first === undefined) return
    const at = this.#looked.findIndex(({ hash }) => hash === first.parent)
    this.#looked = at < 0 ? [] : this.#looked.slice(0, at + 1)
  }

  /** Fetches the bodies of headers that follow each other, and looks at them. */
  async #take(headers: readonly Header[]): Promise<boolean> {
    for (let done = 0; done < headers.length; ) {
      const part = headers.slice(done, done + BLOCKS_MAX)
      const [first] = part
      invariant(first !== undefined, 'a part has headers')
      const hashes = part.map((header) => headerHash(this.#network.hashing, header))
      const question = { type: 'getBlocks', height: first.height, hashes } as const
      // Not every validator keeps old blocks.
      const reply = await this.#ask(question, ({ blocks }) => blocks.length > 0)
      if (reply === undefined) return false
      for (const bytes of reply.blocks) {
        const header = headers[done]
        if (header === undefined || !this.#takeBlock(bytes, header)) return false
        done++
      }
    }
    return true
  }

  #takeBlock(bytes: Uint8Array, header: Header): boolean {
    const { hashing } = this.#network
    const parsed = parseBlock(this.#network, bytes)
    if (!parsed.ok || headerHash(hashing, parsed.value.block.header) !== headerHash(hashing, header))
      return false
    let [paid, refunded] = [false, false]
    for (const { id, transaction: tx } of parsed.value.transactions) {
      if (id === this.#payment) paid = true
      if (tx.type === 'hashlockRefund' && tx.hashlock === this.#payment) refunded = true
      if (tx.type === 'hashlockClaim' && tx.hashlock === this.#payment) this.#key = tx.preimage
    }
    this.#looked.push(this.#lookedAt(header, paid, refunded))
    return true
  }

  #lookedAt(header: Header, paid: boolean, refunded: boolean): Looked {
    const hash = headerHash(this.#network.hashing, header)
    return { height: header.height, hash, time: header.time, paid, refunded }
  }
}
