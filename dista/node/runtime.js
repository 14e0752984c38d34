/**
 * What every program that follows a ledger opens first: its data directory, key and chain store.
 *
 * `key.json` is made on the first start and never leaves the directory; the files `*.log` are the ledger, see chain-store.ts.
 */
import { existsSync, readFileSync } from 'node:fs';
import { ChainStore, STORE_DEFAULTS, storedGenesis } from './chain-store.js';
import { openDataDir } from './data-dir.js';
import { openDisk } from './disk.js';
import { WorldError } from './error.js';
import { readGenesis } from './genesis-file.js';
import { createKey, loadKey } from './key-file.js';
import { selfTest } from './signing.js';
export const SOFTWARE = 'pinledger 0.1.0';
export const KEY_FILE = 'key.json';
/** Throws WorldError; whatever was opened before is closed again. */
export function openRuntime(data, genesisPath, log, limits = STORE_DEFAULTS) {
    selfTest();
    const dir = openDataDir(data);
    try {
        const keyPath = dir.file(KEY_FILE);
        const signer = existsSync(keyPath) ? loadKey(keyPath) : createKey(keyPath);
        const disk = openDisk(dir.path);
        if (storedGenesis(disk) === undefined && genesisPath === undefined) {
            throw new WorldError('config', `${dir.path} holds no ledger yet: name the network's genesis file (genesis: in the configuration, or --genesis FILE)`);
        }
        const genesis = genesisPath === undefined ? undefined : readGenesis(genesisPath);
        const onNotice = (reason) => log.warn('storage', { reason });
        const store = new ChainStore(disk, genesis, {
            bytesMax: limits.bytesMax,
            ageMsMax: limits.ageMsMax,
            onNotice,
        });
        if (store.torn > 0)
            log.info('cut off an unfinished write', { bytes: store.torn });
        const { tip, network } = store.chain;
        log.info('ledger open', { network: network.id, height: tip.height, account: signer.account });
        return {
            dir,
            signer,
            store,
            close() {
                store.close();
                dir.close();
            },
        };
    }
    catch (error) {
        dir.close();
        throw error;
    }
}
/** Room below the budget for what is written before old blocks are deleted: a block, or the state that a segment begins with. */
const RESERVE_BYTES = 2 << 20;
/** What a configuration's `storage` comes to. */
export const storageLimits = ({ keep, megabytesMax, daysMax, }) => keep === 'all'
    ? { bytesMax: Number.POSITIVE_INFINITY, ageMsMax: Number.POSITIVE_INFINITY }
    : {
        bytesMax: megabytesMax * 2 ** 20 - RESERVE_BYTES,
        ageMsMax: daysMax === undefined ? Number.POSITIVE_INFINITY : daysMax * 86_400_000,
    };
/** Session options from a connection's configuration; reads the password and the CA from their files. */
export function sessionOptions({ url, caFile, username, passwordFile, }) {
    return {
        url,
        ca: caFile === undefined ? undefined : readText(caFile),
        username,
        password: passwordFile === undefined ? undefined : readText(passwordFile).trim(),
    };
}
function readText(path) {
    try {
        return readFileSync(path, 'utf8');
    }
    catch (error) {
        throw new WorldError('config', `cannot read ${path}: ${String(error)}`, error);
    }
}
/** Resolves when the signal is aborted, rejects with the first fatal error. */
export function untilAborted(signal) {
    let fail = () => { };
    const done = new Promise((resolve, reject) => {
        fail = reject;
        if (signal.aborted)
            resolve();
        signal.addEventListener('abort', () => resolve(), { once: true });
    });
    return { done, fail };
}
//# sourceMappingURL=runtime.js.map