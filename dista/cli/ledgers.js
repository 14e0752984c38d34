/** Where ledgers are: a program's own data directory, or those below the one of `pinledger up`. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { hasLedger } from '../node/chain-store.js';
import { openDiskReadOnly } from '../node/disk.js';
import { WorldError } from '../node/error.js';
import { FIRST_SEGMENT } from '../node/segments.js';
const holds = (path) => existsSync(path) && statSync(path).isDirectory() && hasLedger(openDiskReadOnly(path));
const below = (data) => existsSync(data)
    ? readdirSync(data)
        .map((name) => join(data, name))
        .filter(holds)
    : [];
/** A data directory itself, or those of the programs below it. Throws WorldError `usage` when there is no ledger. */
export function ledgersIn(data) {
    if (holds(data))
        return [data];
    const found = below(data);
    if (found.length > 0)
        return found;
    throw new WorldError('usage', `no ledger in ${data}: expected ${FIRST_SEGMENT} there or in a directory below; see --data`);
}
/** Throws WorldError `usage` when a directory has no ledger, naming one below it that has. */
export function checkLedger(data) {
    if (holds(data))
        return;
    const [one] = below(data);
    throw new WorldError('usage', `no ledger in ${data}: ${one === undefined ? 'see --data' : `name one program's directory, such as --data ${one}`}`);
}
//# sourceMappingURL=ledgers.js.map