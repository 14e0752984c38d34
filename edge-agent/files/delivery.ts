/**
 * Sends chunks to those who have a quote: on request, in turns, within the rates, and a bounded number at a time.
 *
 * A conversation begins with a quote and lives until there are too many others or the agent ends; its buyer then asks for a quote
 * again, gets the same one, and goes on where it was.
 */

import { sealChunk } from '../../node/file-cipher.ts'
import { FileConversation } from '../../node/file-conversation.ts'
import { createKeyPair, type KeyPair } from '../../node/key-agreement.ts'
import {
  CHUNKS_ASKED_MAX,
  type ChunkRequest,
  chunksOf,
  FILE_CHUNK_BYTES,
} from '../../schemas/file-message.ts'
import { type Account, type Hash, short, toHex } from '../../schemas/hex.ts'
import type { Desk } from '../trade.ts'
import { ChunkQueue, type ChunkTurn, type QueueLimits } from './chunk-queue.ts'
import { ChangedError, type Shelf } from './shelf.ts'
import type { Prepared } from './stock.ts'

const CONVERSATIONS_MAX = 64
/** Chunks that are read or on their way to the broker at a time: 1 MiB. */
const IN_FLIGHT_MAX = 16

interface Open {
  readonly prepared: Prepared
  /** The buyer's, in hex. */
  readonly buyerKey: string
  readonly conversation: FileConversation
}

export interface DeliveryModules {
  readonly shelf: Shelf
  /** The file is no longer what was quoted. */
  readonly onChanged: (buyer: Account, lock: Hash) => void
}

export class Delivery {
  readonly #desk: Desk
  readonly #modules: DeliveryModules
  readonly #pair: KeyPair = createKeyPair()
  readonly #queue: ChunkQueue
  /** By lock. */
  readonly #open = new Map<Hash, Open>()
  #inFlight = 0
  #timer: NodeJS.Timeout | undefined

  constructor(limits: QueueLimits, desk: Desk, modules: DeliveryModules) {
    this.#desk = desk
    this.#modules = modules
    this.#queue = new ChunkQueue(limits)
  }

  /** Our key in every conversation. */
  get publicKey(): Uint8Array {
    return this.#pair.publicKey
  }

  /** Begins a conversation; false when the buyer's key is none. */
  begin(prepared: Prepared, buyerKey: Uint8Array): boolean {
    const { chain, signer } = this.#desk
    const { buyer, lock } = prepared
    const parties = { genesis: chain.network.genesisHash, seller: signer.account, buyer, lock }
    const conversation = FileConversation.between(this.#pair, buyerKey, parties)
    if (conversation === undefined) return false
    // What an earlier conversation has asked for, nobody waits for any more.
    if (this.#open.get(lock)?.buyerKey !== toHex(buyerKey)) this.#end(lock)
    this.#open.delete(lock)
    this.#open.set(lock, { prepared, conversation, buyerKey: toHex(buyerKey) })
    for (const oldest of this.#open.keys()) {
      if (this.#open.size <= CONVERSATIONS_MAX) break
      this.#end(oldest)
    }
    return true
  }

  /** Takes a request for chunks; false when there is no conversation about its lock with this account. */
  ask(from: Account, request: ChunkRequest): boolean {
    const open = this.#open.get(request.lock)
    if (open === undefined || open.prepared.buyer !== from) return false
    // Somebody else under the buyer's name, or a conversation before this one: the buyer asks for a quote when nothing comes.
    if (!open.conversation.isRequest(request)) return true
    const chunks = chunksOf(open.prepared.content.size)
    const count = Math.min(request.count, CHUNKS_ASKED_MAX, chunks - request.first)
    this.#queue.add(request.lock, request.first, Math.max(0, count))
    this.#pump()
    return true
  }

  stop(): void {
    clearTimeout(this.#timer)
    for (const lock of [...this.#open.keys()]) this.#end(lock)
  }

  #end(lock: Hash): void {
    this.#open.delete(lock)
    this.#queue.drop(lock)
  }

  #pump(): void {
    clearTimeout(this.#timer)
    while (this.#inFlight < IN_FLIGHT_MAX) {
      const next = this.#queue.next(FILE_CHUNK_BYTES, this.#desk.clock.monotonic())
      if (next === undefined) return
      if ('waitMs' in next) {
        this.#timer = setTimeout(() => this.#pump(), next.waitMs).unref()
        return
      }
      this.#inFlight++
      void this.#send(next).finally(() => {
        this.#inFlight--
        this.#pump()
      })
    }
  }

  async #send({ sale, index }: ChunkTurn): Promise<void> {
    const open = this.#open.get(sale as Hash)
    if (open === undefined) return
    const { prepared, conversation } = open
    const { content, key, lock, buyer } = prepared
    try {
      const text = await this.#modules.shelf.chunk(content, index)
      const last = index === chunksOf(content.size) - 1
      const sealed = sealChunk(key, { index, last }, text)
      // What does not go out is asked for again.
      await this.#desk.tell('file', [buyer], conversation.chunk(index, sealed))
    } catch (error) {
      if (!(error instanceof ChangedError)) throw error
      if (!this.#open.has(lock)) return
      this.#end(lock)
      this.#desk.log.warn('a file was changed while it was sold', {
        buyer: short(buyer),
        reason: error.message,
      })
      this.#modules.onChanged(buyer, lock)
    }
  }
}
