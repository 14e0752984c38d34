/**
 * Sends chunks to those who have a quote: on request, in turns, within the rates, and a bounded number at a time.
 *
 * A conversation begins with a quote and lives until there are too many others or the agent ends; its buyer then asks for a quote
 * again, gets the same one, and goes on where it was.
 */
import { sealChunk } from '../../node/file-cipher.js';
import { FileConversation } from '../../node/file-conversation.js';
import { createKeyPair } from '../../node/key-agreement.js';
import { CHUNKS_ASKED_MAX, chunksOf, FILE_CHUNK_BYTES, } from '../../schemas/file-message.js';
import { short, toHex } from '../../schemas/hex.js';
import { ChunkQueue } from './chunk-queue.js';
import { ChangedError } from './shelf.js';
const CONVERSATIONS_MAX = 64;
/** Chunks that are read or on their way to the broker at a time: 1 MiB. */
const IN_FLIGHT_MAX = 16;
export class Delivery {
    #desk;
    #modules;
    #pair = createKeyPair();
    #queue;
    /** By lock. */
    #open = new Map();
    #inFlight = 0;
    #timer;
    constructor(limits, desk, modules) {
        this.#desk = desk;
        this.#modules = modules;
        this.#queue = new ChunkQueue(limits);
    }
    /** Our key in every conversation. */
    get publicKey() {
        return this.#pair.publicKey;
    }
    /** Begins a conversation; false when the buyer's key is none. */
    begin(prepared, buyerKey) {
        const { chain, signer } = this.#desk;
        const { buyer, lock } = prepared;
        const parties = { genesis: chain.network.genesisHash, seller: signer.account, buyer, lock };
        const conversation = FileConversation.between(this.#pair, buyerKey, parties);
        if (conversation === undefined)
            return false;
        // What an earlier conversation has asked for, nobody waits for any more.
        if (this.#open.get(lock)?.buyerKey !== toHex(buyerKey))
            this.#end(lock);
        this.#open.delete(lock);
        this.#open.set(lock, { prepared, conversation, buyerKey: toHex(buyerKey) });
        for (const oldest of this.#open.keys()) {
            if (this.#open.size <= CONVERSATIONS_MAX)
                break;
            this.#end(oldest);
        }
        return true;
    }
    /** Takes a request for chunks; false when there is no conversation about its lock with this account. */
    ask(from, request) {
        const open = this.#open.get(request.lock);
        if (open === undefined || open.prepared.buyer !== from)
            return false;
        // Somebody else under the buyer's name, or a conversation before this one: the buyer asks for a quote when nothing comes.
        if (!open.conversation.isRequest(request))
            return true;
        const chunks = chunksOf(open.prepared.content.size);
        const count = Math.min(request.count, CHUNKS_ASKED_MAX, chunks - request.first);
        this.#queue.add(request.lock, request.first, Math.max(0, count));
        this.#pump();
        return true;
    }
    stop() {
        clearTimeout(this.#timer);
        for (const lock of [...this.#open.keys()])
            this.#end(lock);
    }
    #end(lock) {
        this.#open.delete(lock);
        this.#queue.drop(lock);
    }
    #pump() {
        clearTimeout(this.#timer);
        while (this.#inFlight < IN_FLIGHT_MAX) {
            const next = this.#queue.next(FILE_CHUNK_BYTES, this.#desk.clock.monotonic());
            if (next === undefined)
                return;
            if ('waitMs' in next) {
                this.#timer = setTimeout(() => this.#pump(), next.waitMs).unref();
                return;
            }
            this.#inFlight++;
            void this.#send(next).finally(() => {
                this.#inFlight--;
                this.#pump();
            });
        }
    }
    async #send({ sale, index }) {
        const open = this.#open.get(sale);
        if (open === undefined)
            return;
        const { prepared, conversation } = open;
        const { content, key, lock, buyer } = prepared;
        try {
            const text = await this.#modules.shelf.chunk(content, index);
            const last = index === chunksOf(content.size) - 1;
            const sealed = sealChunk(key, { index, last }, text);
            // What does not go out is asked for again.
            await this.#desk.tell('file', [buyer], conversation.chunk(index, sealed));
        }
        catch (error) {
            if (!(error instanceof ChangedError))
                throw error;
            if (!this.#open.has(lock))
                return;
            this.#end(lock);
            this.#desk.log.warn('a file was changed while it was sold', {
                buyer: short(buyer),
                reason: error.message,
            });
            this.#modules.onChanged(buyer, lock);
        }
    }
}
//# sourceMappingURL=delivery.js.map