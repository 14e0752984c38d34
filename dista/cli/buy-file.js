/** `pinledger buy file` and `pinledger buy refund`: purchases of files, each in a directory of its own until it is over. */
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { WorldError } from '../node/error.js';
import { invariant } from '../schemas/result.js';
import { EXIT } from './exit.js';
import { openLine } from './file-purchase/line.js';
import { PurchaseFiles, purchaseDirectory, purchasesOf } from './file-purchase/record.js';
import { buy, goOn, isPaid } from './file-purchase/run.js';
/** Buys a file, or goes on with what was begun; 0 when it is there. Throws WorldError. */
export async function buyFileCommand(where, signer, order, modules) {
    const { seller, name, purchases, network } = order;
    const out = resolve(order.out);
    if (!existsSync(dirname(out)))
        throw new WorldError('usage', `--out: there is no directory ${dirname(out)}`);
    const line = await openLine(where, signer, seller, network, modules.log);
    try {
        const purchase = { genesis: line.network.genesisHash, seller, buyer: signer.account, name };
        const files = new PurchaseFiles(purchaseDirectory(purchases, purchase));
        try {
            const surroundings = surroundingsOf(line, modules);
            if (!isPaid(files) && existsSync(out))
                throw new WorldError('usage', `--out: ${out} is already there, and is never replaced`);
            const outcome = isPaid(files)
                ? await goOn(surroundings, files, true)
                : await buy(surroundings, files, { ...purchase, out }, order);
            modules.progress.end(outcome);
            return codeOf(outcome);
        }
        finally {
            files.close();
        }
    }
    finally {
        await line.stop();
    }
}
/** Goes on with every purchase of an account that was paid and is not over; 0 when all of them are. Throws WorldError. */
export async function openPurchasesCommand(where, signer, { purchases, network, out, isPatient }, modules) {
    const all = purchasesOf(purchases, signer.account).flatMap((directory) => opened(directory, modules));
    try {
        const open = all.filter(isPaid);
        if (out !== undefined && open.length !== 1)
            throw new WorldError('usage', `--out: ${open.length} purchases are open, expected one`);
        let code = EXIT.ok;
        for (const files of open) {
            const { record } = files;
            invariant(record !== undefined, 'an open purchase has a record');
            if (out !== undefined)
                files.save({ ...record, out: resolve(out) });
            const line = await openLine(where, signer, record.seller, network ?? record.genesis, modules.log);
            try {
                const outcome = await goOn(surroundingsOf(line, modules), files, isPatient);
                modules.progress.end(outcome);
                // Coins that are back are what a refund was asked for.
                const isFine = outcome.status === 'bought' || (!isPatient && outcome.status === 'refunded');
                if (!isFine)
                    code = EXIT.no;
            }
            finally {
                await line.stop();
            }
        }
        if (open.length === 0)
            modules.progress.nothing(`no purchase of ${signer.account} in ${purchases} is open`);
        return code;
    }
    finally {
        for (const files of all)
            files.close();
    }
}
/** None when another process has the purchase. */
function opened(directory, { progress }) {
    try {
        return [new PurchaseFiles(directory)];
    }
    catch (error) {
        if (!(error instanceof WorldError) || error.code !== 'store-locked')
            throw error;
        progress.show({ event: 'trouble', reason: error.message });
        return [];
    }
}
const surroundingsOf = (line, { progress, signal }) => ({
    line,
    show: (event) => progress.show(event),
    now: Date.now,
    monotonic: () => performance.now(),
    sleep: (ms) => delay(ms),
    signal,
});
const codeOf = ({ status }) => (status === 'bought' ? EXIT.ok : EXIT.no);
//# sourceMappingURL=buy-file.js.map