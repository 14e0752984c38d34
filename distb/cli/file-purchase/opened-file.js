/** Opens a ciphertext with its key, chunk by chunk, into a file that is there whole or not at all. */
import { randomBytes } from 'node:crypto';
import { closeSync, constants, fsyncSync, linkSync, openSync, readSync, statSync, unlinkSync, writeSync, } from 'node:fs';
import { dirname } from 'node:path';
import { syncDirectory } from '../../node/disk.js';
import { WorldError } from '../../node/error.js';
import { openChunk } from '../../node/file-cipher.js';
/**
 * Writes the file to `out`. `spoilt`: a chunk does not open, and nothing was written. A file that is there already with the same
 * bytes is what a run before this one wrote; with others it is never replaced. Throws WorldError `usage` or `store-write`.
 */
export function writeOpened(part, key, out) {
    const draft = `${out}.${randomBytes(6).toString('hex')}.part`;
    const fd = guarded(draft, () => openSync(draft, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600));
    try {
        try {
            for (let index = 0; index < part.chunks; index++) {
                const text = openChunk(key, { index, last: index === part.chunks - 1 }, part.read(index));
                if (text === undefined)
                    return 'spoilt';
                guarded(draft, () => {
                    for (let done = 0; done < text.length;)
                        done += writeSync(fd, text, done);
                });
            }
            guarded(draft, () => fsyncSync(fd));
            place(draft, fd, out);
        }
        finally {
            closeSync(fd);
        }
    }
    finally {
        unlinkSync(draft);
    }
    guarded(out, () => syncDirectory(dirname(out)));
    return 'written';
}
function place(draft, fd, out) {
    try {
        linkSync(draft, out); // a rename would replace what is there
    }
    catch (error) {
        const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST';
        if (!isThere)
            throw new WorldError('store-write', `cannot write ${out}: ${String(error)}`, error);
        if (!isSame(fd, out))
            throw new WorldError('usage', `${out} is already there and is never replaced: go on with  pinledger buy file --resume --out ANOTHER`);
    }
}
function isSame(fd, path) {
    const other = guarded(path, () => openSync(path, constants.O_RDONLY | constants.O_NONBLOCK));
    try {
        const [ours, theirs] = [Buffer.alloc(1 << 16), Buffer.alloc(1 << 16)];
        if (!statSync(path).isFile())
            return false;
        for (let from = 0;;) {
            const count = readSync(fd, ours, 0, ours.length, from);
            const same = readSync(other, theirs, 0, theirs.length, from);
            if (count !== same || Buffer.compare(ours.subarray(0, count), theirs.subarray(0, count)) !== 0)
                return false;
            if (count === 0)
                return true;
            from += count;
        }
    }
    finally {
        closeSync(other);
    }
}
function guarded(path, action) {
    try {
        return action();
    }
    catch (error) {
        throw new WorldError('store-write', `cannot write ${path}: ${String(error)}`, error);
    }
}
//# sourceMappingURL=opened-file.js.map