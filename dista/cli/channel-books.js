/**
 * A person's or an agent's channels on disk: the log in an agent's data directory, or in a directory beside a person's key file.
 *
 * What somebody only looks at is read without a lock and without a change, also while its agent runs.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { audit } from '../node/append-log.js';
import { CHANNEL_LOG, ChannelLog, parseRecord } from '../node/channel/channel-log.js';
import { Books } from '../node/channel/records.js';
import { openDataDir } from '../node/data-dir.js';
import { openLogFileReadOnly } from '../node/disk.js';
import { WorldError } from '../node/error.js';
import { loadKey } from '../node/key-file.js';
import { replaceableLog } from '../node/replaceable-log.js';
import { KEY_FILE } from '../node/runtime.js';
import { systemTimers } from '../node/timers.js';
export function placeOf({ key, data }) {
    if ((key === undefined) === (data === undefined))
        throw new WorldError('usage', "give --key with a key file, or --data with an agent's directory");
    return data === undefined
        ? { keyFile: key ?? '', directory: `${key}.channels` }
        : { keyFile: join(data, KEY_FILE), directory: data };
}
export const signerOf = (whose) => loadKey(placeOf(whose).keyFile);
/** What the log says now. */
export function readBooks(whose) {
    const books = new Books();
    const path = join(placeOf(whose).directory, CHANNEL_LOG);
    if (!existsSync(path))
        return books;
    const file = openLogFileReadOnly(path);
    try {
        for (const outcome of audit(file)) {
            if (outcome.ok)
                books.take(parseRecord(outcome.value.bytes, outcome.value.position));
            // A running agent may be about to write.
            else if (!outcome.fault.unfinished)
                throw new WorldError('store-corrupt', `${path}: ${outcome.fault.message}`);
        }
        return books;
    }
    finally {
        file.close();
    }
}
/** The log to write, locked; only for channels beside a key file, since an agent's are the agent's. */
export function openBooks(key) {
    const dir = openDataDir(placeOf({ key }).directory);
    try {
        const log = new ChannelLog(replaceableLog(dir.file(CHANNEL_LOG)), {
            timers: systemTimers,
            nowMs: () => performance.now(),
            onFatal(error) {
                throw error;
            },
        });
        return {
            log,
            close() {
                log.close();
                dir.close();
            },
        };
    }
    catch (error) {
        dir.close();
        throw error;
    }
}
//# sourceMappingURL=channel-books.js.map