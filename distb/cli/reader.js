/**
 * A person's view of a network over MQTT: an anonymous session that reads the JSON mirrors.
 *
 * Nothing here is checked against the ledger: it shows what validators say, and says which validator.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { WorldError } from '../node/error.js';
import { createSession } from '../node/session.js';
import { KINDS, parseTopic, ROOT } from '../schemas/topic.js';
/** Hears what these filters match. */
export function openTopics(options, filters, log, onMessage) {
    let reason = 'no answer';
    let connect = () => { };
    const isConnected = new Promise((resolve) => {
        connect = resolve;
    });
    const session = createSession(options, {
        log,
        random: Math.random,
        now: () => performance.now(),
        onMessage({ topic, payload, retain }) {
            const parsed = parseTopic(topic);
            if (parsed !== undefined)
                onMessage({ topic: parsed, payload, retain });
        },
        onConnected: () => connect(),
        onDisconnected(why) {
            reason = why;
        },
        onDropped: (dropped) => log.warn('more messages than can be shown', { dropped }),
        onFault(error) {
            throw error;
        },
    });
    session.subscribe(filters);
    session.start();
    return {
        session,
        async connected(timeoutMs) {
            const timer = new Promise((resolve) => setTimeout(resolve, timeoutMs).unref());
            await Promise.race([isConnected, timer]);
            if (session.connected)
                return;
            await session.stop();
            throw new WorldError('broker-unreachable', `cannot reach the broker at ${options.url}: ${reason}; is it running, and is the address right?`);
        },
        stop: () => session.stop(),
    };
}
/** Reads the mirrors of these kinds from every network on the broker. */
export function openReader(options, kinds, log, onMirror) {
    return openTopics(options, mirrorsOf(kinds), log, mirrorTo(onMirror));
}
/** Filters for the mirrors of these kinds. */
export const mirrorsOf = (kinds) => kinds.map((kind) => `${ROOT}/+/${kind}${'/+'.repeat(1 + KINDS[kind].levels)}/json`);
/** Undefined for what is no JSON: anybody may publish on a foreign broker. */
export function parseJson(payload) {
    try {
        return JSON.parse(new TextDecoder().decode(payload));
    }
    catch {
        return undefined;
    }
}
const mirrorTo = (onMirror) => ({ topic, payload, retain }) => {
    if (!topic.json)
        return;
    const value = payload.length === 0 ? undefined : parseJson(payload);
    // What is no JSON is nothing to show.
    if (payload.length === 0 || value !== undefined)
        onMirror({ ...topic, retain, value });
};
/** Retained messages arrive at once; this long after the last one there are no more. */
const QUIET_MS = 400;
const WAIT_MS_MAX = 3_000;
/** Reads what the broker keeps of these kinds and stops. Rejects with WorldError `broker-unreachable`. */
export const readRetained = (options, kinds, log, onMirror) => readTopics(options, mirrorsOf(kinds), log, mirrorTo(onMirror));
/** Hears what the broker keeps of these filters and stops. Rejects with WorldError `broker-unreachable`. */
export async function readTopics(options, filters, log, onMessage) {
    let lastMs = 0;
    const reader = openTopics(options, filters, log, (message) => {
        lastMs = performance.now();
        onMessage(message);
    });
    try {
        await reader.connected(5_000);
        const startedMs = performance.now();
        lastMs = startedMs;
        while (performance.now() - lastMs < QUIET_MS && performance.now() - startedMs < WAIT_MS_MAX)
            await sleep(50);
    }
    finally {
        await reader.stop();
    }
}
//# sourceMappingURL=reader.js.map