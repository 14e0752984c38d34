/**
 * The built-in broker: Aedes with every bound set, behind the gate, with logins and access control.
 *
 * The broker is untrusted transport: it may delay or lose, it cannot forge. PUBACK says that it has a message, not
 * that anybody keeps it; only a validator's receipt does. Speaks MQTT 3.1.1 (and 3.1).
 */
import { randomBytes } from 'node:crypto';
import { Aedes } from 'aedes';
import { signatures as realSignatures } from '../node/signing.js';
import { invariant } from '../schemas/result.js';
import { CHALLENGE_TOPIC } from '../schemas/topic.js';
import { LEVELS_MAX } from './filter.js';
import { Gate } from './gate.js';
import { Hooks } from './hooks.js';
import { LIMITS } from './limits.js';
import { Login } from './login.js';
import { PaidGrants } from './paid-grants.js';
import { Readers } from './readers.js';
import { createRefusals } from './refusals.js';
import { RetainedMessages } from './retained.js';
import { Sessions } from './sessions.js';
import { Withheld } from './withheld.js';
/** How often the broker looks whether a challenge or a session is over, milliseconds. */
const TICK_MS = 1000;
export function createBroker(options, modules) {
    const { log, now = () => performance.now(), clock = Date.now } = modules;
    const { random = randomBytes, signatures = realSignatures } = modules;
    const limits = { ...LIMITS, ...options.limits };
    const validators = new Set(options.validators);
    const refusals = createRefusals(log, now);
    const retained = new RetainedMessages(limits, validators);
    const login = new Login(limits, { signatures, random, now });
    const granted = (client, filter) => hooks.granted(client, filter);
    const grants = new PaidGrants(limits, clock);
    const readers = new Readers(grants);
    const withheld = new Withheld(log, now);
    const isOpen = (topic) => readers.isOpen(topic);
    const sessions = new Sessions(limits, { retained, now, granted, isOpen });
    const hooks = new Hooks({
        ...{ limits, validators, login, retained, sessions, refusals, log, now },
        ...{ grants, readers, withheld },
    });
    const gate = new Gate({ ...options, limits }, { refusals, handle: (connection) => running().handle(connection) });
    let aedes;
    let ticker;
    let messages = 0;
    let bytes = 0;
    const running = () => {
        invariant(aedes !== undefined, 'the gate opens after the broker runs');
        return aedes;
    };
    const tick = () => {
        sessions.expire();
        grants.expire();
        withheld.tell();
        const challenge = login.renew();
        if (challenge === undefined)
            return;
        const payload = Buffer.from(challenge);
        const packet = {
            cmd: 'publish',
            topic: CHALLENGE_TOPIC,
            payload,
            qos: 0,
            retain: true,
            dup: false,
        };
        running().publish(packet, (error) => {
            if (error)
                log.error('challenge not published', { error: error.message });
        });
    };
    return {
        async start() {
            invariant(aedes === undefined, 'a broker starts once');
            aedes = new Aedes({ ...aedesOptions(limits), ...hooks.options(), persistence: sessions });
            hooks.watch(aedes);
            aedes.on('publish', (packet, client) => {
                if (client === null)
                    return;
                messages += 1;
                bytes += packet.payload.length;
            });
            await aedes.listen();
            tick();
            ticker = setInterval(tick, TICK_MS);
            return gate.start();
        },
        async stop() {
            clearInterval(ticker);
            const broker = aedes;
            if (broker !== undefined)
                await new Promise((resolve) => broker.close(resolve));
            await gate.stop();
        },
        stats: () => ({
            connections: gate.connections,
            clients: hooks.clients,
            messages,
            bytes,
            refused: refusals.counts,
            withheld: withheld.counts,
            grants: grants.size,
            retained: retained.count,
            retainedBytes: retained.bytes,
            sessions: sessions.count,
            queuedBytes: sessions.queueBytes,
            backlogBytes: gate.budget.outgoing,
        }),
    };
}
/** Aedes' options with what each closes. */
const aedesOptions = (limits) => ({
    // With a bound on messages at work one stalled subscriber stalls everybody, and its queue recurses until the
    // stack overflows; our connections never make it wait, so there is nothing to bound.
    concurrency: 0,
    connectTimeout: limits.connectMsMax,
    drainTimeout: limits.drainMsMax,
    keepaliveLimit: limits.keepaliveSecondsMax,
    maxInflightInbound: limits.inflightMax,
    maxTopicLevels: LEVELS_MAX,
});
//# sourceMappingURL=broker.js.map