/** A program's data directory: its key, who has it open, and whose network its ledger is of. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createNetwork } from '../../ledger/network.js';
import { storedGenesis } from '../../node/chain-store.js';
import { isAlive } from '../../node/data-dir.js';
import { openDiskReadOnly } from '../../node/disk.js';
import { WorldError } from '../../node/error.js';
import { readGenesis } from '../../node/genesis-file.js';
import { loadKey } from '../../node/key-file.js';
import { KEY_FILE } from '../../node/runtime.js';
import { hashing, signatures } from '../../node/signing.js';
import { absent, fails, works } from './finding.js';
import { namesIn, quoted, textOf } from './machine.js';
export const ledgerChecks = (machine, subject) => {
    const { data } = subject;
    if (data === undefined || subject.kind === 'broker')
        return [];
    return [
        { part: 'key', msMax: 2_000, run: (say) => say(key(machine, data)) },
        { part: 'data directory', msMax: 2_000, run: (say) => say(directory(machine, data)) },
        { part: 'genesis', msMax: 10_000, run: (say) => say(genesis(subject)) },
    ];
};
function status(path) {
    try {
        return statSync(path);
    }
    catch (error) {
        return error instanceof Error && 'code' in error && error.code === 'EACCES' ? 'forbidden' : 'missing';
    }
}
/** The name of a user's number, from `/etc/passwd`. */
function nameOf({ etcRoot }, uid) {
    const lines = (textOf(etcRoot, 'passwd') ?? '').split('\n').map((line) => line.split(':'));
    return lines.find(([, , number]) => number === String(uid))?.[0] ?? String(uid);
}
function key(machine, data) {
    const { user, uid } = machine;
    const path = join(data, KEY_FILE);
    const stat = status(path);
    const as = 'sudo -u pinledger pinledger doctor   (the user that runs the agent)';
    if (stat === 'forbidden')
        return absent('key', `${path} is not for ${user} to see`, as);
    if (stat === 'missing') {
        const one = namesIn(data).find((name) => existsSync(join(data, name, KEY_FILE)));
        if (one === undefined)
            return absent('key', `${path} is made at the first start`);
        return absent('key', `${data} holds several programs`, `pinledger doctor --data ${quoted(join(data, one))}`);
    }
    const mode = (stat.mode & 0o777).toString(8).padStart(4, '0');
    const owner = nameOf(machine, stat.uid);
    const root = stat.uid === uid ? '' : 'sudo ';
    if ((stat.mode & 0o077) !== 0)
        return fails('key', `${path} has mode ${mode}: others on this machine may read it`, `${root}chmod 600 ${quoted(path)}`);
    const keeper = statSync(data).uid;
    if (keeper !== stat.uid)
        return fails('key', `${path} belongs to ${owner}, its directory to ${nameOf(machine, keeper)}, who cannot read it`, `sudo chown ${nameOf(machine, keeper)} ${quoted(path)}`);
    if (uid !== 0 && stat.uid !== uid)
        return absent('key', `${path}, mode ${mode}, is ${owner}'s and not for ${user} to read`, `sudo -u ${owner} pinledger doctor`);
    return works('key', `account ${loadKey(path).account}, mode ${mode}, owner ${owner}`);
}
/** The program's key where it is there and ours to read. */
export function signerOf({ data }) {
    const path = data === undefined ? undefined : join(data, KEY_FILE);
    if (path === undefined || !existsSync(path))
        return undefined;
    try {
        return loadKey(path);
    }
    catch (error) {
        // What is wrong with it is said by its own check.
        if (!(error instanceof WorldError))
            throw error;
        return undefined;
    }
}
/** The process that has a data directory open. */
export function holderOf(data) {
    for (const name of data === undefined ? [] : namesIn(data)) {
        const [, pid, boot = '', start = ''] = /^lock-(\d+)-([0-9a-f]*)-(\d*)$/.exec(name) ?? [];
        if (pid !== undefined && isAlive(Number(pid), boot, start))
            return Number(pid);
    }
    return undefined;
}
function directory({ user, uid }, data) {
    const stat = status(data);
    if (stat === 'forbidden')
        return absent('data directory', `${data} is not for ${user} to see`);
    if (stat === 'missing')
        return absent('data directory', `${data} is made at the first start`);
    const mode = (stat.mode & 0o777).toString(8).padStart(4, '0');
    if ((stat.mode & 0o022) !== 0) {
        const root = stat.uid === uid ? '' : 'sudo ';
        return fails('data directory', `${data} has mode ${mode}: others may write there`, `${root}chmod 700 ${quoted(data)}`);
    }
    const holder = holderOf(data);
    const stale = holder === undefined && namesIn(data).some((name) => name.startsWith('lock-'));
    if (stale)
        return works('data directory', `${data}; a lock was left by a program that ended, the next start removes it`);
    return works('data directory', `${data}, ${holder === undefined ? 'no program has it open' : `in use by process ${holder}`}`);
}
/** The network of the ledger, else of the genesis file; undefined where there is neither. Throws WorldError. */
export function networkOf(data, file) {
    const stored = data !== undefined && existsSync(data) ? storedGenesis(openDiskReadOnly(data)) : undefined;
    const founding = stored ?? (file === undefined ? undefined : readGenesis(file));
    if (founding === undefined)
        return undefined;
    const network = createNetwork(founding, { hashing, signatures });
    if (network.ok)
        return network.value;
    throw new WorldError('config', `the genesis of this machine is not valid: ${network.fault.message}`);
}
function genesis({ data, genesis: file }) {
    const network = networkOf(data, file);
    if (network === undefined) {
        if (file === undefined)
            return absent('genesis', `${data} holds no ledger yet, and no genesis file is named`);
        return fails('genesis', `no ledger in ${data} and no ${file}`, `copy genesis.json from another machine of the network to ${file}`);
    }
    const named = file !== undefined && existsSync(file) ? networkOf(undefined, file) : undefined;
    if (named !== undefined && named.genesisHash !== network.genesisHash) {
        return fails('genesis', `${data} is of network ${network.id}, ${file} of ${named.id}`, 'name the right genesis file, or another data directory');
    }
    return works('genesis', `network ${network.id} "${network.genesis.name}", a block in ${network.genesis.interval / 1_000} s on average`);
}
//# sourceMappingURL=ledger.js.map