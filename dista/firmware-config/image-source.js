/**
 * An image file as a stream of its decompressed bytes: .img as it is, .img.xz, .img.gz, or .zip with one .img in it, told by
 * the first bytes and not by the name.
 *
 * The SHA-256 is of the file as it was fetched, still compressed: that is what Raspberry Pi publishes beside it.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, createReadStream, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { createGunzip } from 'node:zlib';
import { WorldError } from '../node/error.js';
import { missing, runCommand } from './command.js';
/** Raspberry Pi OS with all software is 12 GB; a file that unpacks to more than this is none. */
export const IMAGE_BYTES_MAX = 64 * 2 ** 30;
const SUMS_BYTES_MAX = 1_000_000;
/** Throws WorldError `usage` when it is no file or holds no image. */
export async function openImage(name, bytesMax = IMAGE_BYTES_MAX) {
    const path = resolve(name);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined)
        throw new WorldError('usage', `there is no image file ${path}`);
    if (!stat.isFile())
        throw new WorldError('usage', `${path} is no regular file: name the image that was fetched`);
    const kind = kindOf(firstBytes(path));
    const bytes = kind === 'raw'
        ? stat.size
        : kind === 'xz'
            ? await xzBytes(path)
            : kind === 'zip'
                ? await zipBytes(path)
                : undefined;
    if (bytes !== undefined && bytes > bytesMax) {
        throw new WorldError('usage', `${path} unpacks to ${gigabytes(bytes)}, more than an image for a Pi has (${gigabytes(bytesMax)}): is it the right file?`);
    }
    return { path, fileBytes: stat.size, bytes, open: () => limited(path, decompressed(path, kind), bytesMax) };
}
function kindOf(first) {
    const hex = first.toString('hex');
    if (hex.startsWith('fd377a585a00'))
        return 'xz';
    if (hex.startsWith('1f8b'))
        return 'gzip';
    return hex.startsWith('504b0304') ? 'zip' : 'raw';
}
function firstBytes(path) {
    try {
        const fd = openSync(path, 'r');
        try {
            const bytes = Buffer.alloc(8);
            return bytes.subarray(0, readSync(fd, bytes));
        }
        finally {
            closeSync(fd);
        }
    }
    catch (error) {
        throw new WorldError('usage', `cannot read image file ${path}: ${String(error)}`, error);
    }
}
const damaged = (path, why) => new WorldError('child', `image file ${path} is damaged (${why}): fetch it again, and its SHA-256 too`);
/** Its index says it; a truncated file has none. */
async function xzBytes(path) {
    const { code, out, err } = await runCommand('xz', ['--robot', '--list', '--', path]);
    const bytes = Number(/^totals\t\d+\t\d+\t\d+\t(\d+)\t/m.exec(out.toString())?.[1]);
    if (code !== 0 || !Number.isSafeInteger(bytes))
        throw damaged(path, err || 'xz cannot list it');
    return bytes;
}
async function zipBytes(path) {
    const { code, out, err } = await runCommand('unzip', ['-Z', path]);
    if (code !== 0)
        throw damaged(path, err || out.toString().trim() || 'unzip cannot list it');
    // -rw-r--r--  2.1 unx  1234 bX defN 24-Jul-04 01:23 name.img
    const images = [...out.toString().matchAll(/^\S+ +\S+ +\S+ +(\d+) .*\.img$/gm)];
    const [image] = images;
    if (image === undefined || images.length > 1)
        throw new WorldError('usage', `${path} holds ${images.length} files that end in .img, expected one`);
    return Number(image[1]);
}
function decompressed(path, kind) {
    if (kind === 'raw')
        return createReadStream(path, { highWaterMark: 1 << 20 });
    if (kind === 'gzip')
        return gunzipped(path);
    return kind === 'xz'
        ? outputOf(path, 'xz', ['--decompress', '--stdout', '--', path])
        : outputOf(path, 'unzip', ['-p', path, '*.img']);
}
async function* gunzipped(path) {
    const file = createReadStream(path);
    const gunzip = createGunzip();
    file.once('error', (error) => gunzip.destroy(error));
    try {
        for await (const chunk of file.pipe(gunzip))
            yield chunk;
    }
    catch (error) {
        throw damaged(path, error instanceof Error ? error.message : String(error));
    }
    finally {
        file.destroy();
    }
}
async function* outputOf(path, program, args) {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let err = '';
    child.stderr.on('data', (data) => {
        if (err.length < 2_000)
            err += data.toString();
    });
    const ended = new Promise((resolve, reject) => {
        child.once('error', (error) => reject(missing(program, error)));
        child.once('close', resolve);
    });
    ended.catch(() => {
        // Awaited below; until then it must not count as unhandled.
    });
    try {
        for await (const chunk of child.stdout)
            yield chunk;
        const code = await ended;
        if (code !== 0)
            throw damaged(path, err.trim() || `${program} ended with ${code}`);
    }
    finally {
        child.kill();
    }
}
/** A file may claim less than it unpacks to. */
async function* limited(path, source, bytesMax) {
    let bytes = 0;
    for await (const chunk of source) {
        bytes += chunk.length;
        if (bytes > bytesMax)
            throw damaged(path, `it unpacks to more than ${gigabytes(bytesMax)}`);
        yield chunk;
    }
}
/** The expected hash: 64 hex digits, or a file as sha256sum writes it. Throws WorldError `usage`. */
export function expectedHash(text, image) {
    if (/^[0-9a-fA-F]{64}$/.test(text))
        return text.toLowerCase();
    const stat = statSync(text, { throwIfNoEntry: false });
    if (stat === undefined || !stat.isFile() || stat.size > SUMS_BYTES_MAX)
        throw new WorldError('usage', `--sha256: expected 64 hex digits, or a file as sha256sum writes it, got ${text}`);
    const sums = [...readFileSync(text, 'utf8').matchAll(/^([0-9a-fA-F]{64})(?:[ \t]+\*?(.*?))?\r?$/gm)];
    const named = sums.find(([, , name]) => name !== undefined && basename(name) === basename(image));
    // Only one without a name may be of any file.
    const sum = named ?? (sums.length === 1 && (sums[0]?.[2] ?? '') === '' ? sums[0] : undefined);
    if (sum?.[1] === undefined)
        throw new WorldError('usage', `${text} has no SHA-256 of ${basename(image)}: is it the one for this image?`);
    return sum[1].toLowerCase();
}
/** SHA-256 of the file as it is, 64 hex digits. */
export async function hashFile(path, onBytes, signal) {
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, signal })) {
        hash.update(chunk);
        onBytes(chunk.length);
    }
    return hash.digest('hex');
}
const gigabytes = (bytes) => `${(bytes / 1e9).toFixed(1)} GB`;
//# sourceMappingURL=image-source.js.map