/** A log file that can be rewritten: the new one is built beside it and renamed over it once it is whole. */
import { renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { openLogFile, syncDirectory } from './disk.js';
import { WorldError } from './error.js';
export const replaceableLog = (path) => ({
    open: () => openLogFile(path),
    fresh() {
        const draft = `${path}.new`;
        rmSync(draft, { force: true });
        return {
            file: openLogFile(draft),
            commit() {
                try {
                    renameSync(draft, path);
                    syncDirectory(dirname(path));
                }
                catch (error) {
                    throw new WorldError('store-write', `cannot put ${draft} in the place of ${path}: ${String(error)}`, error);
                }
            },
        };
    },
});
//# sourceMappingURL=replaceable-log.js.map