/** `pinledger backup` and `pinledger restore`: a data directory's logs, and its key when asked for, to a new directory. */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { copyLogs, OUTBOX_FILE } from '../node/backup.js';
import { hasLedger } from '../node/chain-store.js';
import { openDataDir } from '../node/data-dir.js';
import { createFileDurably, openDisk, openDiskReadOnly, syncDirectory } from '../node/disk.js';
import { WorldError } from '../node/error.js';
import { KEY_FILE } from '../node/runtime.js';
import { checkLedger } from './ledgers.js';
export function backupCommand({ data, to, withKey, json }, out) {
    if (!existsSync(data))
        throw new WorldError('usage', `no directory ${data}: see --data`);
    // An agent's outbox alone is worth a copy too.
    if (!existsSync(join(data, OUTBOX_FILE)))
        checkLedger(data);
    refuseTaken(to);
    // Under another name until it is whole: what a full disk or an impatient hand left must not pass for a backup.
    const draft = `${resolve(to)}.draft`;
    rmSync(draft, { recursive: true, force: true });
    const copy = copyLogs(openDiskReadOnly(data), openDisk(draft));
    if (withKey)
        createFileDurably(join(draft, KEY_FILE), readFileSync(join(data, KEY_FILE)));
    renameDurably(draft, resolve(to));
    tell(out, json, copy, withKey, `${data} to ${to}`);
}
export function restoreCommand({ from, data, json }, out) {
    if (!existsSync(from))
        throw new WorldError('usage', `no directory ${from}: see --from`);
    if (!existsSync(join(from, OUTBOX_FILE)) && !hasLedger(openDiskReadOnly(from)))
        throw new WorldError('usage', `no backup in ${from}: see --from`);
    refuseTaken(data);
    const dir = openDataDir(data);
    try {
        // The lock file is there by now.
        const target = openDisk(dir.path);
        const copy = copyLogs(openDiskReadOnly(from), {
            ...target,
            list: () => target.list().filter((name) => name.endsWith('.log')),
        });
        const key = join(from, KEY_FILE);
        if (existsSync(key))
            createFileDurably(dir.file(KEY_FILE), readFileSync(key));
        tell(out, json, copy, existsSync(key), `${from} to ${data}`);
    }
    finally {
        dir.close();
    }
}
function renameDurably(from, to) {
    try {
        renameSync(from, to);
        syncDirectory(dirname(to));
    }
    catch (error) {
        throw new WorldError('store-write', `cannot rename ${from} to ${to}: ${String(error)}`, error);
    }
}
function refuseTaken(directory) {
    const [taken] = existsSync(directory) ? readdirSync(directory) : [];
    if (taken !== undefined)
        throw new WorldError('usage', `${directory} is not empty (${taken}): choose a new directory`);
}
function tell(out, json, { files, height }, key, where) {
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    out(json
        ? `${JSON.stringify({ files, height: height ?? null, key })}\n`
        : `copied and checked ${where}: ${files.length === 1 ? 'one file' : `${files.length} files`}, ${bytes} bytes${height === undefined ? '' : `, a ledger of height ${height}`}, ${key ? 'with the key: keep it as safe as the original' : 'without a key (key.json has to be put there by hand)'}\n`);
}
//# sourceMappingURL=backup.js.map