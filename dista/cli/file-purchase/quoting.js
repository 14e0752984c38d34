/** Asks a seller for a quote, and waits for one that is signed by it, for this buyer and this question. */
import { checkFileMessage, signFileMessage } from '../../ledger/file-quote.js';
import { FileConversation } from '../../node/file-conversation.js';
import { createKeyPair } from '../../node/key-agreement.js';
import { short, toHex } from '../../schemas/hex.js';
import { accept, refuse } from '../../schemas/result.js';
/** The question is sent again so often. */
const AGAIN_MS = 3_000;
/** A seller that says nothing for so long is not there. */
const SILENT_MS = 20_000;
/** A file that is being written, and a seller that is busy, may be ready in a while. */
const LATER_MS = 30_000;
const LOOK_MS = 50;
/** The seller's offer, or why there is none. */
export async function askQuote({ line, show, monotonic, sleep, signal }, seller, name) {
    const { network, signer } = line;
    const pair = createKeyPair();
    const { publicKey } = pair;
    const head = { seller, buyer: signer.account, name, publicKey };
    const question = signFileMessage(network, { type: 'quoteRequest', ...head }, signer.sign);
    const startedMs = monotonic();
    let heardMs = startedMs;
    let sentMs = Number.NEGATIVE_INFINITY;
    let answer;
    line.listen({
        onMessage: (payload) => {
            const checked = checkFileMessage(network, payload, seller, signer.account);
            if (!checked.ok || answer !== undefined)
                return;
            const { value } = checked;
            if (value.type === 'refusal' && value.about === toHex(publicKey)) {
                heardMs = monotonic();
                const { code, message } = value;
                if (code === 'preparing')
                    show({ event: 'preparing', percent: message });
                else if (monotonic() - startedMs > LATER_MS || !isForNow(code))
                    answer = refuse({ code, message });
                else
                    show({ event: 'trouble', reason: message });
            }
            if (value.type === 'quote' && value.name === name && toHex(value.publicKey) === toHex(publicKey)) {
                const { sellerKey, lock } = value;
                const parties = { genesis: network.genesisHash, seller, buyer: signer.account, lock };
                const conversation = FileConversation.between(pair, sellerKey, parties);
                answer =
                    conversation === undefined
                        ? refuse({ code: 'bad-key', message: "the seller's key is none" })
                        : accept({ quote: value, bytes: payload, conversation });
            }
        },
        onTransaction: () => { },
        onReceipt: () => { },
    });
    while (answer === undefined) {
        if (signal.aborted)
            return refuse({ code: 'stopped', message: 'stopped' });
        if (monotonic() - heardMs > SILENT_MS) {
            const message = `${short(seller)} does not answer: is it connected to this broker, and does it sell files?`;
            return refuse({ code: 'silent', message });
        }
        if (monotonic() - sentMs >= AGAIN_MS) {
            sentMs = monotonic();
            await line.sendToSeller(question);
        }
        await sleep(LOOK_MS);
    }
    return answer;
}
const isForNow = (code) => code === 'busy' || code === 'changing';
//# sourceMappingURL=quoting.js.map