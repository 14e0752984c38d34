import { formatIssues } from '../../node/config-issues.js';
import { decode } from '../../schemas/codec.js';
import { fromHex, short } from '../../schemas/hex.js';
import { accept, refuse } from '../../schemas/result.js';
import { WIRING_BYTES_MAX, wiring as wiringCodec, wiringParts, } from '../../schemas/wiring.js';
import { wireMisfits, wiresConfig } from './config.js';
const REASON_CHARS_MAX = 400;
const ISSUES_MAX = 3;
export function checkWiring(network, to, bytes) {
    const decoded = decode(wiringCodec, bytes, WIRING_BYTES_MAX);
    if (!decoded.ok) {
        const { field, message } = decoded.fault;
        return refuse({
            sequence: undefined,
            reason: `bad-encoding: ${field === '' ? '' : `${field}: `}${message}`,
        });
    }
    const message = decoded.value;
    const { sequence, text, signature } = message;
    const because = (reason) => refuse({ sequence, reason: reason.slice(0, REASON_CHARS_MAX) });
    const { hashing, signatures, genesisHash } = network;
    const signed = hashing.tagged('wiring', fromHex(genesisHash), ...wiringParts(to.agent, message));
    if (!signatures.verify(signature, signed, to.owner))
        return because(`bad-signature: not signed by the owner ${short(to.owner)} for agent ${short(to.agent)} on network ${network.id}`);
    if (sequence <= to.sequence)
        return because(`old-sequence: expected more than ${to.sequence}, got ${sequence}; an old message counts once`);
    const wires = readWires(text, to.sensors);
    return wires.ok ? accept({ ...message, wires: wires.value }) : because(wires.fault);
}
/** Wires out of their JSON text, by the rules of the configuration; else why not. */
export function readWires(text, sensors) {
    let value;
    try {
        value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text));
    }
    catch {
        return refuse('bad-wires: the text is not JSON');
    }
    const schema = wiresConfig.superRefine((wires, context) => {
        if (context.issues.length > 0)
            return;
        for (const { path, message } of wireMisfits(wires, sensors))
            context.addIssue({ code: 'custom', path: [...path], message });
    });
    const parsed = schema.safeParse(value);
    if (parsed.success)
        return accept(parsed.data);
    const issues = formatIssues(parsed.error.issues, { value, schema }).slice(0, ISSUES_MAX);
    return refuse(`bad-wires: ${issues.map((issue) => `wires${issue}`).join(' | ')}`);
}
//# sourceMappingURL=wiring.js.map