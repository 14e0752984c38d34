/**
 * Proof that a client holds its account key, as MQTT 3.1.1 can carry it.
 *
 * user name: the account (64 hex digits). Client id: the account, or the account, `-` and a suffix. Password: the
 * Ed25519 signature (128 hex digits) over the tagged hash (`pinledger/login`) of the broker's current challenge
 * (32 bytes) and the client id (UTF-8). The challenge is read from its retained topic by an anonymous connection
 * first, so that a Pi without a clock can log in and a recorded password is worthless. docs/PROTOCOL.md section 7.
 */
import { fromHex } from './hex.js';
export const LOGIN_TAG = 'pinledger/login';
/** The bytes that are hashed under `LOGIN_TAG` and signed. */
export function loginMessage(challengeHex, clientId) {
    const id = new TextEncoder().encode(clientId);
    const message = new Uint8Array(32 + id.length);
    message.set(fromHex(challengeHex));
    message.set(id, 32);
    return message;
}
/** Whether a client id belongs to an account: nobody else may take its session over. */
export const ownsClientId = (account, clientId) => clientId === account || (clientId.startsWith(`${account}-`) && /^[a-z0-9-]{1,32}$/.test(clientId.slice(65)));
//# sourceMappingURL=login.js.map