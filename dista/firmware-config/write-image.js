/**
 * Writes an image to a disk or a file and reads it back.
 *
 * Order: the first sector (the partition table) is zeroed, everything behind it is written and synced, read back and compared;
 * then the caller puts its files onto the boot partition; the first sector is written last. Invariant: whatever cuts it
 * short, the card has no partition table, so no Pi starts from half an image, and the same command begins anew.
 */
import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, fsyncSync, ftruncateSync, openSync, readSync, writeSync, } from 'node:fs';
import { WorldError } from '../node/error.js';
import { runCommand } from './command.js';
import { hasBootSignature } from './partition-table.js';
const SECTOR_BYTES = 512;
/** A multiple of what cards erase at once. */
const CHUNK_BYTES = 4 * 2 ** 20;
const ZEROS = Buffer.alloc(CHUNK_BYTES);
/** Opens a disk so that the kernel lets nobody mount it meanwhile (O_EXCL, open(2)), or makes a file empty. */
export function openTarget(path, isDisk) {
    try {
        return isDisk
            ? openSync(path, constants.O_RDWR | constants.O_EXCL)
            : openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    }
    catch (error) {
        const code = error instanceof Error && 'code' in error ? error.code : undefined;
        const remedy = code === 'EACCES' || code === 'EPERM'
            ? 'run it with sudo'
            : code === 'EBUSY'
                ? 'it is in use: unmount all of it'
                : String(error);
        throw new WorldError('store-write', `cannot open ${path} for writing: ${remedy}`, error);
    }
}
/** Throws WorldError when the image does not fit, is none, or the target fails. */
export async function writeImage(fd, path, source, { capacityBytes, onBytes, signal }) {
    const isFile = fstatSync(fd).isFile();
    // The old content of a file must not shine through the holes.
    if (isFile)
        ftruncateSync(fd, 0);
    else
        writeAt(fd, path, ZEROS.subarray(0, SECTOR_BYTES), 0);
    const hash = createHash('sha256');
    let first;
    let at = 0;
    for await (const chunk of chunks(source)) {
        if (signal.aborted)
            throw stopped(path);
        if (capacityBytes !== undefined && at + chunk.length > capacityBytes)
            throw tooSmall(path, capacityBytes);
        let rest = chunk;
        if (first === undefined) {
            first = Buffer.from(chunk.subarray(0, SECTOR_BYTES));
            if (!hasBootSignature(first)) {
                throw new WorldError('usage', 'what is in the image file is no disk image: it does not begin with a partition table. Name an .img, .img.xz, .img.gz or .zip');
            }
            rest = chunk.subarray(SECTOR_BYTES);
            at += SECTOR_BYTES;
        }
        hash.update(rest);
        // A file that is new has zeros where nothing is written.
        if (!isFile || !rest.equals(ZEROS.subarray(0, rest.length)))
            writeAt(fd, path, rest, at);
        at += rest.length;
        onBytes(chunk.length);
    }
    if (first === undefined)
        throw new WorldError('usage', 'the image file is empty');
    if (isFile)
        ftruncateSync(fd, at);
    sync(fd, path);
    return { bytes: at, first, hash: hash.digest('hex') };
}
/** Reads everything behind the first sector back; throws WorldError `store-write` when it is not what was written. */
export async function verifyImage(fd, path, { bytes, hash: expected }, { onBytes, signal }) {
    await dropCache(path);
    const hash = createHash('sha256');
    const buffer = Buffer.alloc(CHUNK_BYTES);
    onBytes(SECTOR_BYTES);
    for (let at = SECTOR_BYTES; at < bytes;) {
        if (signal.aborted)
            throw stopped(path);
        const length = readSync(fd, buffer, 0, Math.min(CHUNK_BYTES, bytes - at), at);
        if (length === 0)
            break;
        hash.update(buffer.subarray(0, length));
        at += length;
        onBytes(length);
        // Let signals and the progress line in.
        await new Promise((resolve) => setImmediate(resolve));
    }
    if (hash.digest('hex') !== expected) {
        throw new WorldError('store-write', `${path} does not give back what was written to it: the card is worn out, counterfeit or badly seated. Try another`);
    }
}
/** Makes the disk one that starts: writes the first sector, last of all. */
export async function finishImage(fd, path, { first }) {
    writeAt(fd, path, first, 0);
    sync(fd, path);
    await dropCache(path);
    const back = Buffer.alloc(SECTOR_BYTES);
    readSync(fd, back, 0, SECTOR_BYTES, 0);
    if (!back.equals(first))
        throw new WorldError('store-write', `${path}: its first sector is not what was written. Try another card`);
}
/** Asks the kernel to forget what it remembers of the target, so that reading reads the card. Advice: it may keep some. */
const dropCache = (path) => runCommand('dd', [`if=${path}`, 'iflag=nocache', 'count=0', 'status=none']);
export const closeTarget = (fd) => closeSync(fd);
/** Flushes everything, also what other programs wrote to the target. */
export function sync(fd, path) {
    try {
        fsyncSync(fd);
    }
    catch (error) {
        throw failed(path, error);
    }
}
function writeAt(fd, path, bytes, at) {
    try {
        for (let done = 0; done < bytes.length;)
            done += writeSync(fd, bytes, done, bytes.length - done, at + done);
    }
    catch (error) {
        throw failed(path, error);
    }
}
function failed(path, error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const remedy = code === 'ENOSPC'
        ? 'there is no room for the image: free some, or take a larger card'
        : 'was it pulled out, or is it worn out? Put it in and flash again, or try another';
    return new WorldError('store-write', `cannot write to ${path} (${String(code ?? error)}): ${remedy}`, error);
}
export const tooSmall = (path, capacityBytes) => new WorldError('store-write', `the image is larger than ${path}, which holds ${(capacityBytes / 1e9).toFixed(1)} GB: take a larger card`);
const stopped = (path) => new WorldError('child', `stopped: ${path} has no partition table now, and no Pi starts from it. Run the same command again`);
/** In pieces of one size, the last one shorter. */
async function* chunks(source) {
    let waiting = [];
    let bytes = 0;
    for await (const part of source) {
        waiting.push(part);
        bytes += part.length;
        if (bytes < CHUNK_BYTES)
            continue;
        const all = Buffer.concat(waiting);
        let at = 0;
        for (; all.length - at >= CHUNK_BYTES; at += CHUNK_BYTES)
            yield all.subarray(at, at + CHUNK_BYTES);
        waiting = [all.subarray(at)];
        bytes = all.length - at;
    }
    if (bytes > 0)
        yield Buffer.concat(waiting);
}
//# sourceMappingURL=write-image.js.map