import { decode } from '../../schemas/codec.js';
import { topic } from '../../schemas/topic.js';
import { TRANSACTION_BYTES_MAX, transaction } from '../../schemas/transaction.js';
import { feeFor } from '../pay-fee.js';
import { Sender } from '../sender.js';
/** Validators asked at most for one answer. */
const VALIDATORS_ASKED_MAX = 5;
const NOBODY = { onMessage: () => { }, onTransaction: () => { }, onReceipt: () => { } };
/** Connects, and finds the network. Throws WorldError `broker-unreachable`. */
export async function openLine(where, signer, seller, wanted, log) {
    const sender = new Sender(where, signer, wanted, log);
    try {
        const place = await sender.start();
        const { network, validator } = place;
        const { id } = network;
        let listener = NOBODY;
        const requests = sender.requests(place);
        sender.onReceipt((receipt) => listener.onReceipt(receipt));
        sender.session.subscribe([topic(id, 'file', seller, signer.account), topic(id, 'tx', seller)]);
        sender.onMessage(({ kind, publisher, network: on, rest, json }, payload) => {
            if (json || publisher !== seller || on !== id)
                return;
            if (kind === 'file' && rest[0] === signer.account)
                listener.onMessage(payload);
            if (kind !== 'tx')
                return;
            // Its signature does not matter: what a claim tells proves itself.
            const decoded = decode(transaction, payload, TRANSACTION_BYTES_MAX);
            if (decoded.ok)
                listener.onTransaction(decoded.value);
        });
        const say = (name, payload) => sender.session.publish(name, payload, { qos: 1, retain: false });
        return {
            network,
            signer,
            tips: () => sender.tips.values(),
            view: () => sender.view,
            async ask(question, isUseful = () => true) {
                const peers = [...sender.tips].sort(([, a], [, b]) => b.height - a.height).map(([peer]) => peer);
                for (const peer of peers.slice(0, VALIDATORS_ASKED_MAX)) {
                    const reply = await requests.ask(peer, question);
                    if (reply.ok && isUseful(reply.value))
                        return reply.value;
                }
                return undefined;
            },
            fee: (offer) => feeFor(network, offer, requests, validator),
            sendTransaction: (bytes) => say(topic(id, 'tx', signer.account), bytes),
            sendToSeller: (message) => say(topic(id, 'file', signer.account, seller), message),
            listen(next) {
                listener = next;
            },
            stop: () => sender.stop(),
        };
    }
    catch (error) {
        await sender.stop();
        throw error;
    }
}
//# sourceMappingURL=line.js.map