/** To the broker: a TCP connection first, which tells more than MQTT when it fails, then a login beside the running program. */
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { credentialsFor, refusalText } from '../../node/broker-login.js';
import { openConnection } from '../../node/connection.js';
import { sessionOptions } from '../../node/runtime.js';
import { SESSION_DEFAULTS } from '../../node/session.js';
import { reasonOf } from './finding.js';
export const CONNECT_MS_MAX = 4_000;
/** Undefined when a connection comes about. */
export function reach(host, port, signal) {
    return new Promise((resolve) => {
        const socket = connect({ host, port, signal });
        const end = (answer) => {
            socket.destroy();
            resolve(answer);
        };
        const away = {
            reason: 'no answer',
            remedy: `ping -c 3 ${host}   (then look at its firewall: TCP port ${port})`,
        };
        socket.setTimeout(CONNECT_MS_MAX, () => end(away));
        socket.once('connect', () => end());
        socket.once('error', (error) => {
            if (error.code === 'ECONNREFUSED' || error instanceof AggregateError) {
                const remedy = `sudo systemctl restart pinledger-broker   (on ${host}; by hand: pinledger broker)`;
                end({ reason: `nothing listens on port ${port} there`, remedy });
            }
            else if (error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN')
                end({
                    reason: `the name ${host} is not known`,
                    remedy: `getent hosts ${host}   (or give its address)`,
                });
            else
                end({ ...away, reason: error.code ?? error.message });
        });
    });
}
/** The connection, or why there is none. */
export async function logIn({ connection }, signer, signal, onMessage) {
    let options;
    try {
        options = sessionOptions(connection);
    }
    catch (error) {
        return reasonOf(error);
    }
    const { keepaliveSeconds, connectTimeoutMs, loginTimeoutMs, ackTimeoutMs } = SESSION_DEFAULTS;
    const transport = { url: options.url, ca: options.ca, keepaliveSeconds, connectTimeoutMs, ackTimeoutMs };
    // A broker takes the proof of a client id once, until its challenge changes: each time another id.
    const random = randomBytes(8).toString('hex');
    const login = { ...options, signer, clientIdSuffix: `doctor-${random}`, loginTimeoutMs };
    const credentials = await credentialsFor(login, transport, random, signal);
    if (!credentials.ok)
        return credentials.fault.message;
    const { proof: _, ...present } = credentials.value;
    const opened = await openConnection({ ...transport, ...present }, { onMessage, onOversize: () => { }, signal });
    if (opened.ok)
        return opened.value;
    const { fault } = opened;
    return fault.code === 'refused' ? refusalText(fault.returnCode, credentials.value) : fault.message;
}
//# sourceMappingURL=broker.js.map