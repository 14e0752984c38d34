/**
 * A light client with a session of its own: finds a network and its validators on a broker, follows their headers, and asks
 * for proofs.
 *
 * All that it needs is a key to log in with, which it makes and throws away, since asking is publishing. What it hears is
 * believed only as far as ledger/light-client.ts checks it. Source: docs/PROTOCOL.md section 8.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { LIGHT_CLIENT_DEFAULTS, LightClient } from '../ledger/light-client.js';
import { createNetwork } from '../ledger/network.js';
import { WorldError } from '../node/error.js';
import { createRequests } from '../node/requests.js';
import { createSession } from '../node/session.js';
import { createSigner, hashing, signatures } from '../node/signing.js';
import { decode } from '../schemas/codec.js';
import { GENESIS_BYTES_MAX, genesis as genesisCodec } from '../schemas/genesis.js';
import { short } from '../schemas/hex.js';
import { HEADERS_MAX, tip as tipCodec } from '../schemas/message.js';
import { parseTopic, ROOT } from '../schemas/topic.js';
export const LIGHT_SESSION_DEFAULTS = {
    connectMsMax: 10_000,
    /** For finding the network and its validators. */
    findMsMax: 3_000,
    /** A validator that cannot prove what it is asked for stays silent. */
    replyMsMax: 5_000,
};
const PEERS_MAX = 8;
const TIP_BYTES_MAX = 1024;
/** Retained messages arrive at once; this long after the last one there are no more. */
const QUIET_MS = 400;
/** A node answers 5 questions a second of one asker, and 20 at first. */
const BURST = 15;
const PACE_MS = 220;
/** Places that are kept at most, for an old transaction: some 80 MB. */
const WINDOW_MAX = 200_000;
export class LightSession {
    #where;
    #limits;
    #modules;
    #signer = createSigner(randomBytes(32));
    #session;
    /** What validators claim of the height of their tips. */
    #claims = new Map();
    #networks = new Map();
    #requests;
    #client;
    #reason = 'no answer';
    #heardMs = 0;
    #asked = 0;
    constructor(where, genesis, modules, limits = {}) {
        this.#where = where;
        this.#limits = { ...LIGHT_SESSION_DEFAULTS, ...limits };
        this.#modules = modules;
        this.#session = createSession({ ...where, signer: this.#signer, clientIdSuffix: 'light' }, {
            log: modules.log,
            random: Math.random,
            now: () => performance.now(),
            onMessage: (message) => this.#receive(message),
            onConnected: () => { },
            onDisconnected: (reason) => {
                this.#reason = reason;
            },
            onDropped: () => { },
            onFault: fail,
        });
        if (genesis !== undefined)
            this.#learn(genesis);
        const { id = '+' } = this.#only() ?? {};
        this.#session.subscribe([`${ROOT}/${id}/tip/+`]);
        if (genesis === undefined)
            this.#session.subscribe([`${ROOT}/+/genesis/+`]);
    }
    /**
     * Connects and finds the network and its validators. The client keeps headers back to `keepHeight`. Throws WorldError
     * `broker-unreachable`, or `usage` when there are several networks or the height is too long ago.
     */
    async start(keepHeight) {
        const { url } = this.#where;
        this.#session.start();
        if (!(await until(() => this.#session.connected, this.#limits.connectMsMax))) {
            throw new WorldError('broker-unreachable', `cannot log in to the broker at ${url}: ${this.#reason}; asking is publishing, so a broker of another make must let this client publish below ${ROOT}/<network>/request/`);
        }
        this.#heardMs = performance.now();
        const enough = () => this.#networks.size > 1 || this.#peers().length > 0;
        await until(() => enough() && performance.now() - this.#heardMs > QUIET_MS, this.#limits.findMsMax);
        const network = this.#only();
        if (network === undefined && this.#networks.size > 1)
            throw new WorldError('usage', `${this.#networks.size} networks at ${url}: say which by --genesis`);
        if (network === undefined || this.#peers().length === 0) {
            const which = network === undefined ? 'a network' : `network ${network.id}`;
            throw new WorldError('broker-unreachable', `no validator at ${url} tells of ${which}`);
        }
        const windowMax = Math.max(LIGHT_CLIENT_DEFAULTS.windowMax, this.#claimed() - (keepHeight ?? Infinity) + 100);
        if (windowMax > WINDOW_MAX)
            throw new WorldError('usage', `height ${keepHeight}: more than ${WINDOW_MAX} blocks ago, or not that height`);
        this.#requests = createRequests({ network: network.id, self: this.#signer.account, timeoutMs: this.#limits.replyMsMax }, {
            publish: this.#session.publish.bind(this.#session),
            log: this.#modules.log,
            random: Math.random,
            now: () => performance.now(),
            onFault: fail,
        });
        this.#session.subscribe(this.#requests.filters);
        this.#client = new LightClient(network, { windowMax });
        return this.#client;
    }
    async stop() {
        this.#requests?.stop();
        await this.#session.stop();
    }
    /** Follows the headers of every validator in turn, so that one with the best chain is enough. */
    async sync(client) {
        for (const peer of this.#peers())
            await this.#syncWith(client, peer);
    }
    /** The first proof that holds, of any validator; undefined when none gives one. */
    async prove(client, question, check) {
        for (const peer of this.#peers()) {
            // The tip may move on between the last header and the proof.
            for (let attempt = 0; attempt < 2; attempt++) {
                const reply = await this.#ask(peer, question);
                if (reply === undefined)
                    break;
                const checked = check(reply);
                if (checked.ok)
                    return checked.value;
                const { code, message } = checked.fault;
                this.#modules.log.warn('refused a proof', { from: short(peer), code, reason: message });
                await this.#syncWith(client, peer);
            }
        }
        return undefined;
    }
    async #syncWith(client, peer) {
        for (;;) {
            const { work } = client.tip;
            const reply = await this.#ask(peer, {
                type: 'getHeaders',
                locator: client.locator(),
                limit: HEADERS_MAX,
            });
            if (reply === undefined)
                return;
            const followed = client.follow(reply.headers, this.#modules.now());
            this.#modules.onProgress(client.tip.height, this.#claimed());
            if (!followed.ok) {
                const { code, message } = followed.fault;
                this.#modules.log.warn('refused a header', { from: short(peer), code, reason: message });
            }
            // A peer that only repeats itself would keep us for ever.
            if (!followed.ok || reply.headers.length < HEADERS_MAX || client.tip.work === work)
                return;
        }
    }
    async #ask(peer, question) {
        if (++this.#asked > BURST)
            await sleep(PACE_MS);
        const reply = await this.#requests?.ask(peer, question);
        if (reply?.ok)
            return reply.value;
        const reason = reply?.fault.message;
        this.#modules.log.warn('a validator did not answer', {
            peer: short(peer),
            question: question.type,
            reason,
        });
        return undefined;
    }
    #receive({ topic, payload }) {
        const parsed = parseTopic(topic);
        if (parsed === undefined || parsed.json)
            return;
        if (parsed.kind === 'reply')
            this.#requests?.receive(parsed, payload);
        if (parsed.kind === 'genesis') {
            const decoded = decode(genesisCodec, payload, GENESIS_BYTES_MAX);
            if (decoded.ok)
                this.#learn(decoded.value, parsed.network);
        }
        if (parsed.kind !== 'tip')
            return;
        this.#heardMs = performance.now();
        const decoded = decode(tipCodec, payload, TIP_BYTES_MAX);
        const claims = this.#claims.get(parsed.network) ?? new Map();
        this.#claims.set(parsed.network, claims);
        if (decoded.ok && (claims.size < PEERS_MAX || claims.has(parsed.publisher)))
            claims.set(parsed.publisher, decoded.value.height);
    }
    /** A genesis counts only if its bytes hash to the network's name. */
    #learn(genesis, id) {
        const network = createNetwork(genesis, { hashing, signatures });
        if (network.ok && (id ?? network.value.id) === network.value.id)
            this.#networks.set(network.value.id, network.value);
        else if (id === undefined)
            throw new WorldError('config', 'genesis: makes no network');
    }
    #only() {
        return this.#networks.size === 1 ? [...this.#networks.values()][0] : undefined;
    }
    /** Validators, the highest claim first. */
    #peers() {
        const claims = this.#claims.get(this.#only()?.id ?? '') ?? [];
        return [...claims].sort(([, a], [, b]) => b - a).map(([peer]) => peer);
    }
    #claimed() {
        return Math.max(0, ...(this.#claims.get(this.#only()?.id ?? '')?.values() ?? []));
    }
}
function fail(error) {
    throw error;
}
/** Whether the condition came true in time. */
async function until(condition, timeoutMs) {
    const endMs = performance.now() + timeoutMs;
    while (!condition() && performance.now() < endMs)
        await sleep(20);
    return condition();
}
//# sourceMappingURL=light-session.js.map