import { HEADER_BYTES } from '../schemas/block.js';
import { hashFromBytes, short } from '../schemas/hex.js';
import { BLOCKS_MAX, MESSAGE_BYTES_MAX } from '../schemas/message.js';
const OPEN_MAX = 4;
const OPEN_PER_PEER_MAX = 2;
const PEERS_MAX = 4;
/** What waits for its turn, and what the open questions may bring. */
const BUFFER_BYTES_MAX = 8 * MESSAGE_BYTES_MAX;
/** A share is made so large that its reply is about half a message. */
const SHARE_BYTES = MESSAGE_BYTES_MAX / 2;
/** How long the next block may be on its way before another peer is asked too. */
const STALL_MS = 2_000;
/** How often it is looked, while blocks are connected, whether a peer has a turn again. */
const ASK_EVERY_BLOCKS = 16;
/** Faults of the bytes that somebody sent, which say nothing about the block that the header names. */
const SENDERS = new Set([
    'bad-encoding',
    'block-too-large',
    'bad-content',
    'bad-transactions-root',
]);
export class BodySync {
    #modules;
    #failed = new Set();
    #slow = new Set();
    #open = new Set();
    #bodies = new Map();
    #stretch = { height: 0, hashes: [] };
    /** Index of the next block to connect. */
    #next = 0;
    #bodyBytes = 0;
    #share = BLOCKS_MAX;
    #reason = 'there is nobody to ask';
    /** There may be more to ask since it was last tried. */
    #mayAsk = true;
    /** A reply has come. */
    #news = false;
    constructor(modules) {
        this.#modules = modules;
    }
    /** Fetches and connects blocks; undefined when all are in the tree, or at a stop, else why not. One at a time. */
    async fetch(stretch) {
        const { asked, stopped, bell } = this.#modules;
        this.#stretch = stretch;
        this.#next = 0;
        try {
            while (!stopped()) {
                this.#news = false;
                const fault = await this.#connect();
                if (fault !== undefined)
                    return fault;
                if (this.#next >= stretch.hashes.length || stopped())
                    return undefined;
                const waitMs = this.#ask();
                // A reply that came since the last look rang when nobody listened.
                if (this.#news)
                    continue;
                if (waitMs === Number.POSITIVE_INFINITY && this.#open.size === 0)
                    return this.#reason;
                await bell.wait(waitMs);
            }
            return undefined;
        }
        finally {
            // Late replies belong to nothing any more.
            this.#open.clear();
            this.#bodies.clear();
            this.#bodyBytes = 0;
            for (const hash of stretch.hashes)
                asked.delete(hash);
        }
    }
    /** Connects what has come, as far as it goes; a reason when the chain itself is bad. */
    async #connect() {
        const { timers, chain, stopped, onConnected } = this.#modules;
        for (;;) {
            this.#skipKnown();
            const body = this.#bodies.get(this.#next);
            if (body === undefined)
                return undefined;
            if (this.#mayAsk || this.#next % ASK_EVERY_BLOCKS === 0)
                this.#ask();
            // A full block takes long to check: keep-alives and other messages come in between.
            await timers.turn();
            if (stopped())
                return undefined;
            this.#forget(this.#next);
            const hash = this.#hash(this.#next);
            if (this.#isKnown(this.#next))
                continue;
            const outcome = this.#modules.accept(body.bytes);
            if (outcome.ok || outcome.fault.code === 'known') {
                this.#next++;
                this.#modules.asked.delete(hash);
                onConnected(1, false);
                continue;
            }
            const reason = `${outcome.fault.code} ${outcome.fault.message}`;
            if (chain.isInvalid(hash) || !SENDERS.has(outcome.fault.code))
                return reason;
            this.#modules.asked.delete(hash);
            this.#fail(body.peer, reason);
            this.#forgetFrom(body.peer);
        }
    }
    /** What else came from a peer that spoils bodies is not worth a look. */
    #forgetFrom(peer) {
        for (const [index, body] of this.#bodies) {
            if (body.peer !== peer)
                continue;
            this.#forget(index);
            this.#modules.asked.delete(this.#hash(index));
        }
        this.#mayAsk = true;
    }
    /** Asks all that may be asked now. The milliseconds after which there may be more to ask without a reply. */
    #ask() {
        const { monotonic } = this.#modules;
        this.#mayAsk = false;
        let waitMs = Number.POSITIVE_INFINITY;
        for (;;) {
            const nowMs = monotonic();
            const late = this.#late(nowMs);
            const from = late.due ? this.#next : this.#firstMissing();
            if (!late.due)
                waitMs = Math.min(waitMs, late.waitMs);
            if (!this.#hasRoom(from))
                return waitMs;
            const elsewhereMs = this.#elsewhereMs(from, nowMs);
            if (elsewhereMs > 0)
                return Math.min(waitMs, elsewhereMs);
            const peer = this.#peerFor(late.due ? late.peers : new Set());
            if (typeof peer === 'number')
                return Math.min(waitMs, peer);
            if (late.due)
                this.#setAside(late.peers);
            this.#send(peer, from, this.#end(from, late.due, nowMs), nowMs);
        }
    }
    /** Whether the next block is on its way for too long, and from whom. */
    #late(nowMs) {
        const covering = this.#bodies.has(this.#next)
            ? []
            : [...this.#open].filter(({ from, to }) => from <= this.#next && this.#next < to);
        const peers = new Set(covering.map(({ peer }) => peer));
        const others = this.#candidates().some((peer) => !peers.has(peer));
        if (covering.length === 0 || !others)
            return { due: false, waitMs: Number.POSITIVE_INFINITY, peers };
        const waitMs = Math.max(...covering.map(({ atMs }) => atMs)) + STALL_MS - nowMs;
        return { due: waitMs <= 0, waitMs, peers };
    }
    /** The first block that has neither come nor been asked for. */
    #firstMissing() {
        for (let index = this.#next;;) {
            const open = this.#openAt(index);
            if (open !== undefined)
                index = open.to;
            else if (this.#bodies.has(index))
                index++;
            else
                return index;
        }
    }
    #hasRoom(from) {
        if (from >= this.#stretch.hashes.length)
            return false;
        // Without the next block nothing goes on, whatever waits behind it.
        if (from === this.#next)
            return this.#open.size <= OPEN_MAX;
        const mayComeBytes = (this.#open.size + 1) * MESSAGE_BYTES_MAX;
        return this.#open.size < OPEN_MAX && this.#bodyBytes + mayComeBytes <= BUFFER_BYTES_MAX;
    }
    /** How long another catch-up of this node may still take for a block that it has asked for. */
    #elsewhereMs(index, nowMs) {
        const atMs = this.#isComing(index) ? undefined : this.#modules.asked.get(this.#hash(index));
        return atMs === undefined ? 0 : Math.max(0, atMs + STALL_MS - nowMs);
    }
    /** Where a share ends that begins at `from`. */
    #end(from, again, nowMs) {
        const most = Math.min(from + this.#share, this.#stretch.hashes.length);
        let to = from + 1;
        while (to < most &&
            (again ? !this.#bodies.has(to) : !this.#isComing(to)) &&
            this.#elsewhereMs(to, nowMs) === 0)
            to++;
        return to;
    }
    /** The least busy peer that may be asked, or the milliseconds until there is one. */
    #peerFor(without) {
        let waitMs = Number.POSITIVE_INFINITY;
        const open = (peer) => [...this.#open].filter((question) => question.peer === peer).length;
        const free = this.#candidates()
            .map((peer) => ({ peer, open: open(peer) }))
            .filter((each) => each.open < OPEN_PER_PEER_MAX && !without.has(each.peer))
            .sort((a, b) => a.open - b.open);
        for (const { peer } of free) {
            const peerMs = this.#modules.takeOrWaitMs(peer);
            if (peerMs === 0)
                return peer;
            waitMs = Math.min(waitMs, peerMs);
        }
        return waitMs;
    }
    #candidates() {
        const peers = this.#modules.peers().filter((peer) => !this.#failed.has(peer));
        const quick = peers.filter((peer) => !this.#slow.has(peer));
        return (quick.length > 0 ? quick : peers).slice(0, PEERS_MAX);
    }
    /** Who keeps the others waiting is only asked when there is nobody else. */
    #setAside(peers) {
        for (const peer of peers) {
            if (this.#slow.has(peer))
                continue;
            this.#slow.add(peer);
            this.#modules.onFailed(peer, `no reply within ${STALL_MS} ms`, true);
        }
    }
    #send(peer, from, to, atMs) {
        const { ask, asked, bell } = this.#modules;
        const { height, hashes } = this.#stretch;
        const wanted = hashes.slice(from, to);
        const question = { peer, from, to, atMs };
        this.#open.add(question);
        for (const hash of wanted)
            asked.set(hash, atMs);
        // It never rejects: what can fail is a returned value.
        void ask(peer, height + from, wanted).then((answer) => {
            if (this.#open.delete(question))
                this.#take(question, answer, wanted);
            this.#mayAsk = true;
            this.#news = true;
            bell.ring();
        });
    }
    /** Keeps what a reply brought, up to the first block that is not the one asked for. */
    #take({ peer, from }, answer, wanted) {
        const { network } = this.#modules.chain;
        let good = 0;
        if (answer.ok) {
            for (const bytes of answer.value.slice(0, wanted.length)) {
                const hash = hashFromBytes(network.hashing.double(bytes.subarray(0, HEADER_BYTES)));
                if (hash !== wanted[good])
                    break;
                if (from + good >= this.#next && !this.#bodies.has(from + good)) {
                    this.#bodies.set(from + good, { bytes, peer });
                    this.#bodyBytes += bytes.length;
                }
                good++;
            }
        }
        for (const hash of wanted.slice(good))
            this.#modules.asked.delete(hash);
        if (!answer.ok)
            this.#fail(peer, answer.fault.message, answer.fault.code === 'timeout');
        else if (answer.value.length === 0)
            this.#fail(peer, `it has no body for ${short(wanted[0] ?? '')}`);
        else if (good < Math.min(answer.value.length, wanted.length))
            this.#fail(peer, 'another block than the one asked for');
        else
            this.#measure(answer.value);
    }
    #measure(blocks) {
        const bytes = blocks.reduce((sum, block) => sum + block.length, 0);
        this.#share = Math.max(1, Math.min(BLOCKS_MAX, Math.floor((SHARE_BYTES * blocks.length) / bytes)));
    }
    #fail(peer, reason, stalled = false) {
        this.#reason = reason;
        if (this.#failed.has(peer))
            return;
        this.#failed.add(peer);
        this.#modules.onFailed(peer, reason, stalled);
    }
    #skipKnown() {
        for (; this.#next < this.#stretch.hashes.length && this.#isKnown(this.#next); this.#next++) {
            this.#forget(this.#next);
            this.#modules.asked.delete(this.#hash(this.#next));
            this.#modules.onConnected(1, true);
        }
    }
    #forget(index) {
        this.#bodyBytes -= this.#bodies.get(index)?.bytes.length ?? 0;
        this.#bodies.delete(index);
    }
    #isComing(index) {
        return this.#bodies.has(index) || this.#openAt(index) !== undefined;
    }
    #openAt(index) {
        for (const open of this.#open)
            if (open.from <= index && index < open.to)
                return open;
        return undefined;
    }
    /** In the tree, whoever it came from, or meanwhile settled. */
    #isKnown(index) {
        const { chain } = this.#modules;
        return chain.entry(this.#hash(index)) !== undefined || this.#stretch.height + index <= chain.base.height;
    }
    #hash(index) {
        return this.#stretch.hashes[index];
    }
}
//# sourceMappingURL=body-sync.js.map