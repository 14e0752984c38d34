/** `pinledger snapshot export` and `import`: a ledger without its history, for a machine that joins late. */
import { existsSync, rmSync } from 'node:fs';
import { ChainStore } from '../node/chain-store.js';
import { openDataDir } from '../node/data-dir.js';
import { openDisk, openDiskReadOnly, openLogFile, openLogFileReadOnly } from '../node/disk.js';
import { WorldError } from '../node/error.js';
import { readGenesis } from '../node/genesis-file.js';
import { expectHistory } from '../node/history.js';
import { readSnapshot, snapshotHeight, writeSnapshot } from '../node/snapshot.js';
import { checkLedger } from './ledgers.js';
/** Makes a snapshot, also while the program runs. */
export function exportCommand({ data, out: path, height, json }, out) {
    checkLedger(data);
    if (existsSync(path))
        throw new WorldError('usage', `${path} is there already: choose another --out`);
    const store = new ChainStore(openDiskReadOnly(data), undefined, { readOnly: true });
    try {
        const at = snapshotHeight(store, height);
        const file = openLogFile(path);
        try {
            tell(out, json, writeSnapshot(store, at, file), path);
        }
        catch (error) {
            file.close();
            rmSync(path, { force: true });
            throw error;
        }
    }
    finally {
        store.close();
    }
}
/** Takes a snapshot into a directory without a ledger. */
export function importCommand({ file: path, data, genesis, hash, json }, nowMs, out, err) {
    const expected = genesis === undefined ? undefined : readGenesis(genesis);
    const file = openLogFileReadOnly(path);
    try {
        const dir = openDataDir(data);
        try {
            const steps = readSnapshot(file, openDisk(dir.path), { genesis: expected, hash, nowMs });
            for (;;) {
                const step = steps.next();
                if (step.done === true) {
                    expectHistory(dir.path);
                    tell(out, json, step.value, data);
                    return;
                }
                if (!json)
                    err(`headers checked up to height ${step.value}\n`);
            }
        }
        finally {
            dir.close();
        }
    }
    finally {
        file.close();
    }
}
function tell(out, json, { network, height, hash, stateRoot, work }, where) {
    out(json
        ? `${JSON.stringify({ network, height, hash, stateRoot, work: work.toString(), where })}\n`
        : `${where}: network ${network} at height ${height}
  block ${hash}
  state root ${stateRoot}
Compare the block with what machines you trust have at that height (their explorer, their own snapshot export): whoever takes the
snapshot checks all proof of work, but trusts that this chain has no better rival and that its miners had checked its history.
`);
}
//# sourceMappingURL=snapshot.js.map