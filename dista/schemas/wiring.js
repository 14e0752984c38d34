/**
 * Wiring: the wires that an owner gives to an agent while it runs, on `wiring/<owner>/<agent>`.
 *
 * Layout: `sequence` u64, `text` blob, `signature` 64. The text is the `wires` of a configuration as JSON. The signature is over
 * `H(wiring, genesis hash || agent || sequence || text)`: for this agent of this network, and once. Source: docs/PROTOCOL.md section 8.
 */
import { encode } from './codec.js';
import { struct } from './compound.js';
import { blob, fixed, u64 } from './field.js';
import { fromHex } from './hex.js';
import { SIGNATURE_BYTES } from './transaction.js';
export const WIRING_TEXT_BYTES_MAX = 32_768;
export const WIRING_BYTES_MAX = 8 + 4 + WIRING_TEXT_BYTES_MAX + SIGNATURE_BYTES;
export const wiring = struct({
    /** Larger than that of every message that the agent has taken. */
    sequence: u64,
    /** UTF-8. */
    text: blob(WIRING_TEXT_BYTES_MAX),
    signature: fixed(SIGNATURE_BYTES),
});
/** What is hashed behind the genesis hash under the tag `wiring`: agent, sequence, text. */
export const wiringParts = (agent, { sequence, text }) => [fromHex(agent), encode(u64, sequence), text];
//# sourceMappingURL=wiring.js.map