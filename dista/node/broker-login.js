/**
 * Logging in: which client id, user name and password a connection presents.
 *
 * With a key, an anonymous connection first reads the broker's retained challenge and the real one signs it
 * (schemas/login.ts). A broker without a challenge is somebody else's (Mosquitto, EMQX): there the configured user
 * name and password go, or none. docs/PROTOCOL.md section 7.
 */
import { toHex } from '../schemas/hex.js';
import { loginMessage, ownsClientId } from '../schemas/login.js';
import { accept, invariant, refuse } from '../schemas/result.js';
import { CHALLENGE_TOPIC } from '../schemas/topic.js';
import { openConnection } from './connection.js';
import { hashing } from './signing.js';
/** Finds out what to present; refuses when the broker cannot be reached. `randomId` is 16 or so random hex digits. */
export async function credentialsFor(login, transport, randomId, signal) {
    const { signer, username, password } = login;
    if (signer === undefined) {
        return accept({ clientId: `guest-${randomId}`, username, password, proof: false });
    }
    const clientId = login.clientIdSuffix === undefined ? signer.account : `${signer.account}-${login.clientIdSuffix}`;
    invariant(ownsClientId(signer.account, clientId), `client id suffix ${login.clientIdSuffix}`);
    const challenge = await readChallenge(login, transport, `guest-${randomId}`, signal);
    if (!challenge.ok)
        return challenge;
    if (challenge.value === undefined)
        return accept({ clientId, username, password, proof: false });
    const digest = hashing.tagged('login', loginMessage(challenge.value, clientId));
    return accept({ clientId, username: signer.account, password: toHex(signer.sign(digest)), proof: true });
}
/** The broker's challenge (64 hex digits), or undefined when it has none that we can read. */
async function readChallenge({ loginTimeoutMs }, transport, clientId, signal) {
    let found = () => { };
    const answer = new Promise((resolve) => {
        found = resolve;
    });
    const opened = await openConnection({ ...transport, clientId }, {
        onMessage(topic, payload) {
            if (topic !== CHALLENGE_TOPIC)
                return;
            const text = payload.length === 64 ? new TextDecoder().decode(payload) : '';
            found(/^[0-9a-f]{64}$/.test(text) ? text : undefined);
        },
        onOversize: () => found(undefined),
        signal,
    });
    // A broker that lets nobody in without a password has no challenge for us.
    if (!opened.ok)
        return opened.fault.code === 'refused' ? accept(undefined) : refuse(opened.fault);
    const timer = setTimeout(() => found(undefined), loginTimeoutMs);
    void opened.value.closed.then(() => found(undefined));
    void opened.value.subscribe([CHALLENGE_TOPIC], 0).then((refused) => {
        if (refused === undefined || refused.length > 0)
            found(undefined);
    });
    const challenge = await answer;
    clearTimeout(timer);
    await opened.value.end();
    return accept(challenge);
}
const REFUSALS = {
    1: 'the broker does not speak MQTT 3.1.1',
    2: 'the broker does not allow this client id; check clientIdSuffix',
    3: 'the broker is not available now',
};
/** A CONNACK's return code (MQTT 3.1.1 section 3.2.2.3) in words, with the remedy. */
export function refusalText(returnCode, { proof, username }) {
    if (returnCode !== 4 && returnCode !== 5) {
        return REFUSALS[returnCode] ?? `the broker refused the connection (code ${returnCode})`;
    }
    if (proof) {
        return 'the broker refused the proof of our key; its challenge may just have changed, else ask whether this account is admitted';
    }
    if (username === undefined)
        return 'the broker wants a user name and password; set them in the configuration';
    return 'the broker refused the user name or password; check both in the configuration';
}
//# sourceMappingURL=broker-login.js.map