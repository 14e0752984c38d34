/**
 * What buyer and seller of a file sign, and how the other checks it. Source: docs/PROTOCOL.md section 8.
 *
 * A signature names both, since a topic's name proves nothing on a broker that lets everybody publish under every name.
 */
import { decode, encode } from '../schemas/codec.js';
import { chunksOf, FILE_BYTES_MAX, FILE_MESSAGE_BYTES_MAX, fileMessage, } from '../schemas/file-message.js';
import { fromHex, short } from '../schemas/hex.js';
import { accept, refuse } from '../schemas/result.js';
import { SIGNATURE_BYTES, TYPE_NUMBERS } from '../schemas/transaction.js';
/** A message's signed bytes. */
export function signFileMessage(network, unsigned, sign) {
    const draft = { ...unsigned, signature: new Uint8Array(SIGNATURE_BYTES) };
    const bytes = encode(fileMessage, draft);
    bytes.set(sign(digest(network, bytes)), bytes.length - SIGNATURE_BYTES);
    return bytes;
}
/** A message that `from` published for `to`. What is signed must be theirs; what is sealed is for the receiver to open. */
export function checkFileMessage(network, bytes, from, to) {
    const decoded = decode(fileMessage, bytes, FILE_MESSAGE_BYTES_MAX);
    if (!decoded.ok) {
        const { code, field, message } = decoded.fault;
        return refuse({ code, message: field === '' ? message : `${field}: ${message}` });
    }
    const { value } = decoded;
    if (value.type === 'chunk' || value.type === 'chunkRequest')
        return accept(value);
    const [sender, addressee] = value.type === 'quoteRequest' ? [value.buyer, value.seller] : [value.seller, value.buyer];
    if (sender !== from || addressee !== to) {
        const message = `${value.type}: of ${short(sender)} for ${short(addressee)}, came from ${short(from)} for ${short(to)}`;
        return refuse({ code: 'foreign-name', message });
    }
    const misfit = value.type === 'quote' ? misfitOf(value) : undefined;
    if (misfit !== undefined)
        return refuse({ code: 'bad-quote', message: misfit });
    const { signatures } = network;
    if (!signatures.isAccount(from) || !signatures.verify(value.signature, digest(network, bytes), from))
        return refuse({ code: 'bad-signature', message: `signature: not ${short(from)}'s over this message` });
    return accept(value);
}
/** Whether files can be sold on a network from `height` on: it has hashlocks, their claims and their refunds. */
export const hasHashlocks = ({ genesis }, height) => ['hashlock', 'hashlockClaim', 'hashlockRefund'].every((type) => genesis.activations.some((each) => each.type === TYPE_NUMBERS[type] && each.height <= height));
/** What no honest seller says. */
function misfitOf(quote) {
    const { size, chunks, price, blocks, minutes, confirmations } = quote;
    if (size > FILE_BYTES_MAX)
        return `size: at most ${FILE_BYTES_MAX}, got ${size}`;
    if (chunks !== chunksOf(size))
        return `chunks: ${chunksOf(size)} for ${size} bytes, got ${chunks}`;
    if (price < 1)
        return 'price: at least 1';
    if (blocks < 1 || minutes < 1)
        return 'blocks, minutes: at least 1';
    return confirmations < 1 ? 'confirmations: at least 1' : undefined;
}
const digest = ({ genesisHash, hashing }, bytes) => hashing.tagged('file', fromHex(genesisHash), bytes.subarray(0, -SIGNATURE_BYTES));
//# sourceMappingURL=file-quote.js.map