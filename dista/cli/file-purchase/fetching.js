/** Fetches the chunks of a ciphertext that are missing, from where it was interrupted. */
import { checkFileMessage } from '../../ledger/file-quote.js';
import { ciphertextBytes } from '../../schemas/file-message.js';
import { accept, refuse } from '../../schemas/result.js';
import { Download } from './download.js';
/** A seller that sends nothing new for so long has perhaps forgotten us. */
const SILENT_MS = 20_000;
const LOOK_MS = 20;
/** Ok when all chunks are there. Throws WorldError when the disk does not take them. */
export async function fetchChunks({ line, show, monotonic, sleep, signal }, { quote, conversation }, part) {
    const { network, signer } = line;
    const { seller, lock, size } = quote;
    const download = new Download(part.chunks, part.have, monotonic());
    const of = ciphertextBytes(size);
    let done = 0;
    for (let index = 0; index < part.have; index++)
        done += part.bytesOf(index);
    let newMs = monotonic();
    let refused;
    let failure;
    const ask = () => {
        for (const { first, count } of download.ask(monotonic()))
            void line.sendToSeller(conversation.request(first, count));
    };
    const take = (payload) => {
        const checked = checkFileMessage(network, payload, seller, signer.account);
        if (!checked.ok)
            return;
        const { value } = checked;
        if (value.type === 'refusal' && value.about === lock)
            refused = { code: value.code, message: value.message };
        if (value.type !== 'chunk')
            return;
        const bytes = conversation.chunkIn(value);
        if (bytes === undefined || value.index >= part.chunks || bytes.length !== part.bytesOf(value.index))
            return;
        for (const ready of download.take(value.index, bytes, monotonic())) {
            part.append(ready);
            done += ready.length;
            newMs = monotonic();
        }
        show({ event: 'fetching', done, of });
        ask();
    };
    line.listen({
        onMessage: (payload) => {
            try {
                if (failure === undefined)
                    take(payload);
            }
            catch (error) {
                // Not the session's affair: it ends this function instead.
                failure = { error };
            }
        },
        onTransaction: () => { },
        onReceipt: () => { },
    });
    show({ event: 'fetching', done, of });
    while (!download.isDone) {
        if (failure !== undefined)
            throw failure.error;
        if (refused !== undefined)
            return refuse(refused);
        if (signal.aborted)
            return refuse({ code: 'stopped', message: 'stopped' });
        if (monotonic() - newMs > SILENT_MS)
            return refuse({ code: 'silent', message: `the seller has sent nothing for ${SILENT_MS / 1000} s` });
        ask();
        await sleep(LOOK_MS);
    }
    if (failure !== undefined)
        throw failure.error;
    return accept(true);
}
//# sourceMappingURL=fetching.js.map