import { channelTalk } from '../../schemas/channel-message.js';
import { encode } from '../../schemas/codec.js';
import { fromHex } from '../../schemas/hex.js';
import { SIGNATURE_BYTES } from '../../schemas/transaction.js';
/** The 32 bytes that a seller signs. */
const deliveryMessage = ({ genesisHash, hashing }, delivery) => hashing.tagged('delivery', fromHex(genesisHash), encode(channelTalk, delivery).subarray(0, -SIGNATURE_BYTES));
export function signDelivery(network, signer, fields) {
    const draft = { type: 'delivery', ...fields, signature: new Uint8Array(SIGNATURE_BYTES) };
    return { ...draft, signature: new Uint8Array(signer.sign(deliveryMessage(network, draft))) };
}
export function isDelivery(network, accepts, delivery, seller) {
    try {
        return accepts(delivery.signature, deliveryMessage(network, delivery), seller);
    }
    catch {
        // Not even a key.
        return false;
    }
}
//# sourceMappingURL=delivery.js.map