/**
 * Questions and answers between nodes: `request/<from>/<to>` and `reply/<from>/<to>`.
 *
 * A question carries an id; its reply repeats it and must come from whom was asked, under that one's own name. Anybody
 * may ask anything at any rate, so answering is limited per requester, in all, and in how much runs at once. What
 * does not decode is logged and forgotten. Source: docs/PROTOCOL.md section 8.
 */
import { decode, encode } from '../schemas/codec.js';
import { short } from '../schemas/hex.js';
import { MESSAGE_BYTES_MAX, reply, request } from '../schemas/message.js';
import { accept, refuse } from '../schemas/result.js';
import { topic } from '../schemas/topic.js';
import { systemTimers } from './timers.js';
import { BucketPerKey, TokenBucket } from './token-bucket.js';
/** No request is larger: 128 hashes, or 64 locator entries, and their head. */
export const REQUEST_BYTES_MAX = 8192;
export const REQUESTS_DEFAULTS = {
    /** How long to wait for a reply. */
    timeoutMs: 10_000,
    outstandingMax: 32,
    /** Answers that run at once. */
    answeringMax: 4,
    /**
     * Who catches up asks once for 768 headers and six times for 128 blocks: 10 a second are 1,100 blocks a second from one
     * peer, some of what a small computer checks.
     */
    perRequester: { perSecond: 10, burst: 40 },
    /** For all requesters together, because on an open broker a name costs nothing. */
    overall: { perSecond: 50, burst: 100 },
    requestersMax: 1024,
};
/** Replies of those who were not asked that are decoded, of all together. */
const UNASKED = { perSecond: 10, burst: 100 };
const ANSWERS = {
    getHeaders: 'headers',
    getBlocks: 'blocks',
    getAccount: 'account',
    getInclusion: 'inclusion',
    getBalance: 'balance',
    getFees: 'fees',
    getEntry: 'entry',
};
const U32 = 2 ** 32;
export function createRequests(options, modules) {
    return new NodeRequests(options, modules);
}
class NodeRequests {
    filters;
    #options;
    #modules;
    #outstanding = new Map();
    #perRequester;
    #overall;
    #unasked;
    #nextId;
    #answerer;
    #answering = 0;
    #stopped = false;
    constructor(options, modules) {
        this.#options = { ...REQUESTS_DEFAULTS, ...options };
        this.#modules = modules;
        this.filters = [
            topic(options.network, 'request', '+', options.self),
            topic(options.network, 'reply', '+', options.self),
        ];
        this.#perRequester = new BucketPerKey(this.#options.perRequester, this.#options.requestersMax);
        this.#overall = new TokenBucket(this.#options.overall, modules.now());
        this.#unasked = new TokenBucket(UNASKED, modules.now());
        // A random start, so that replies to an earlier run of ours are not taken for this one's.
        this.#nextId = Math.floor(modules.random() * U32);
    }
    async ask(peer, question) {
        const { network, self, timeoutMs, outstandingMax } = this.#options;
        const { timers = systemTimers } = this.#modules;
        if (this.#stopped)
            return refuse({ code: 'stopped', message: 'this node is stopping' });
        if (this.#outstanding.size >= outstandingMax) {
            return refuse({ code: 'busy', message: `${outstandingMax} questions are open already` });
        }
        const id = this.#freshId();
        const payload = encode(request, { ...question, id });
        const result = new Promise((resolve) => {
            const settle = (value) => {
                cancel();
                this.#outstanding.delete(id);
                resolve(value);
            };
            const cancel = timers.after(timeoutMs, () => settle(refuse({ code: 'timeout', message: `no reply from ${short(peer)} within ${timeoutMs} ms` })));
            this.#outstanding.set(id, { peer, expected: ANSWERS[question.type], settle });
        });
        const sent = await this.#modules.publish(topic(network, 'request', self, peer), payload, {
            qos: 1,
            retain: false,
        });
        if (!sent) {
            this.#outstanding
                .get(id)
                ?.settle(refuse({ code: 'not-sent', message: 'not connected, or too much is in flight' }));
        }
        // `receive` lets only the expected type through.
        return (await result);
    }
    serve(answerer) {
        this.#answerer = answerer;
    }
    receive(parsed, payload) {
        if (this.#stopped || parsed.network !== this.#options.network || parsed.rest[0] !== this.#options.self)
            return;
        if (parsed.json)
            return;
        if (parsed.kind === 'reply')
            this.#receiveReply(parsed.publisher, payload);
        else if (parsed.kind === 'request')
            this.#receiveRequest(parsed.publisher, payload);
    }
    stop() {
        this.#stopped = true;
        for (const { settle } of [...this.#outstanding.values()]) {
            settle(refuse({ code: 'stopped', message: 'this node is stopping' }));
        }
    }
    #freshId() {
        do
            this.#nextId = (this.#nextId + 1) % U32;
        while (this.#outstanding.has(this.#nextId));
        return this.#nextId;
    }
    #receiveReply(from, payload) {
        const { log } = this.#modules;
        // Anybody may send replies of any size at any rate; who was not asked gets a look and a line in the log now and then.
        const asked = [...this.#outstanding.values()].some(({ peer }) => peer === from);
        if (!asked && !this.#unasked.take(this.#modules.now()))
            return;
        const decoded = decode(reply, payload, MESSAGE_BYTES_MAX);
        if (!decoded.ok) {
            const { code, field, message } = decoded.fault;
            log.warn('refused a reply', { from: short(from), code, field, message });
            return;
        }
        const open = this.#outstanding.get(decoded.value.id);
        if (open === undefined || open.peer !== from) {
            log.debug('a reply that nobody asked for, or too late', { from: short(from), id: decoded.value.id });
            return;
        }
        if (decoded.value.type === open.expected) {
            open.settle(accept(decoded.value));
            return;
        }
        const message = `expected ${open.expected} from ${short(from)}, got ${decoded.value.type}`;
        log.warn('refused a reply', { from: short(from), code: 'bad-reply', message });
        open.settle(refuse({ code: 'bad-reply', message }));
    }
    #receiveRequest(from, payload) {
        const { log, now } = this.#modules;
        const answerer = this.#answerer;
        if (answerer === undefined)
            return;
        const nowMs = now();
        // The requester's own limit first: one that is over it must not use up what is there for all.
        if (!this.#perRequester.take(from, nowMs) || !this.#overall.take(nowMs)) {
            log.debug('refused a request', { from: short(from), code: 'rate-limit' });
            return;
        }
        const decoded = decode(request, payload, REQUEST_BYTES_MAX);
        if (!decoded.ok) {
            const { code, field, message } = decoded.fault;
            log.warn('refused a request', { from: short(from), code, field, message });
            return;
        }
        if (this.#answering >= this.#options.answeringMax) {
            log.debug('refused a request', { from: short(from), code: 'busy' });
            return;
        }
        void this.#answer(answerer, decoded.value, from);
    }
    async #answer(answerer, question, from) {
        const { publish, log, onFault } = this.#modules;
        this.#answering++;
        try {
            const answer = await answerer(question, from);
            if (answer === undefined)
                return;
            const payload = encode(reply, { ...answer, id: question.id });
            const { network, self } = this.#options;
            const sent = await publish(topic(network, 'reply', self, from), payload, { qos: 1, retain: false });
            if (!sent)
                log.debug('a reply was not sent', { to: short(from), type: answer.type });
        }
        catch (error) {
            onFault(error);
        }
        finally {
            this.#answering--;
        }
    }
}
//# sourceMappingURL=requests.js.map