/**
 * Asks a validator for an entry of the ledger's state: a channel, a hashlock, a split. What it says is not proven.
 *
 * Asking is publishing, so whoever has no key to log in with makes one for this and throws it away.
 */
import { randomBytes } from 'node:crypto';
import { WorldError } from '../node/error.js';
import { createSigner } from '../node/signing.js';
import { decode } from '../schemas/codec.js';
import { short } from '../schemas/hex.js';
import { STATE_VALUE_BYTES_MAX } from '../schemas/proof.js';
import { Sender } from './sender.js';
/** Asks on a session of the caller's. Rejects with WorldError `broker-unreachable` when the validator does not answer. */
export async function askEntry(sender, place, { kind, key, codec }) {
    const { network, validator } = place;
    const answer = await sender.requests(place).ask(validator, { type: 'getEntry', kind, key });
    const cannot = (why) => new WorldError('broker-unreachable', `validator ${short(validator)}: ${why}`);
    if (!answer.ok)
        throw cannot(answer.fault.message);
    const { height, value: bytes } = answer.value;
    if (bytes.length === 0)
        return { network, validator, height, value: undefined };
    const decoded = decode(codec, bytes, STATE_VALUE_BYTES_MAX);
    if (!decoded.ok)
        throw cannot(`its answer is no such entry: ${decoded.fault.message}`);
    return { network, validator, height, value: decoded.value };
}
/** Asks on a session of its own. */
export async function readEntry(where, network, question, log) {
    const sender = new Sender(where, createSigner(randomBytes(32)), network, log);
    try {
        return await askEntry(sender, await sender.start(), question);
    }
    finally {
        await sender.stop();
    }
}
//# sourceMappingURL=state-entry.js.map