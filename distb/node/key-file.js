/**
 * An account's secret key on disk.
 *
 * A JSON file of mode 0600: `{ "pinledgerKey": 1, "account": "<64 hex digits>", "secret": "<64 hex digits>" }`; `secret`
 * is the 32 bytes of RFC 8032 and `account` its public key, in clear for people and as a check of the secret.
 *
 * Invariants: a key is created whole or not at all and never replaced; no error carries a byte of the file, so
 * parser errors are not passed on as `cause`.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { z } from 'zod';
import { accountText, fromHex, toHex } from '../schemas/hex.js';
import { createFileDurably } from './disk.js';
import { WorldError } from './error.js';
import { createSigner } from './signing.js';
const SECRET_BYTES = 32;
const FILE_BYTES_MAX = 4096;
const keyFile = z.strictObject({
    pinledgerKey: z.literal(1),
    account: accountText,
    secret: z.string().regex(/^[0-9a-f]{64}$/),
});
/** Creates a key of random bytes in a new file; throws WorldError `key-file` when `path` is taken or cannot be written. */
export function createKey(path) {
    const secret = randomBytes(SECRET_BYTES);
    const signer = createSigner(secret);
    const content = { pinledgerKey: 1, account: signer.account, secret: toHex(secret) };
    try {
        createFileDurably(path, Buffer.from(`${JSON.stringify(content, undefined, 2)}\n`));
    }
    catch (error) {
        if (systemCode(error) === 'EEXIST') {
            throw new WorldError('key-file', `key file ${path} is already there and is never replaced: choose another name`);
        }
        throw new WorldError('key-file', `cannot create key file ${path}: ${String(error)}`, error);
    }
    return signer;
}
/** Signer of the key in a file; throws WorldError `key-file` that says what is wrong with the file, never what is in it. */
export function loadKey(path) {
    const content = keyFile.safeParse(parse(path, readPrivate(path)));
    if (!content.success) {
        const fields = content.error.issues.map((issue) => issue.path.join('.') || 'the file').join(', ');
        throw unusable(path, `it does not have the form of one (see ${fields})`);
    }
    const signer = createSigner(fromHex(content.data.secret));
    if (signer.account !== content.data.account) {
        throw unusable(path, `its secret belongs to account ${signer.account}, not to ${content.data.account}`);
    }
    return signer;
}
/** The file's bytes, if nobody but its owner (and root) can have read them. */
function readPrivate(path) {
    let fd;
    try {
        fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK); // a FIFO must not hang us
    }
    catch (error) {
        const remedy = systemCode(error) === 'ENOENT' ? ': make one with `pinledger keygen`' : '';
        throw new WorldError('key-file', `cannot open key file ${path} (${String(error)})${remedy}`, error);
    }
    try {
        const stat = fstatSync(fd); // of what is open, not of what the name means by now
        if (!stat.isFile())
            throw unusable(path, 'it is not a regular file');
        if ((stat.mode & 0o077) !== 0) {
            const mode = (stat.mode & 0o777).toString(8).padStart(4, '0');
            throw new WorldError('key-file', `key file ${path} is open to other users of this machine (mode ${mode}, expected 0600): run  chmod 600 ${quoted(path)}`);
        }
        const bytes = Buffer.alloc(FILE_BYTES_MAX + 1);
        const length = readSync(fd, bytes);
        if (length > FILE_BYTES_MAX)
            throw unusable(path, `it is longer than ${FILE_BYTES_MAX} bytes`);
        return bytes.subarray(0, length);
    }
    catch (error) {
        if (error instanceof WorldError)
            throw error;
        throw new WorldError('key-file', `cannot read key file ${path}: ${String(error)}`, error);
    }
    finally {
        closeSync(fd);
    }
}
function parse(path, bytes) {
    try {
        return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    }
    catch {
        // The parser's message quotes the file.
        throw unusable(path, 'it is not JSON');
    }
}
const unusable = (path, why) => new WorldError('key-file', `${path} is not a usable key file: ${why}. Restore it from a backup, or name another`);
/** As a shell takes it. */
const quoted = (path) => /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
function systemCode(error) {
    return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
//# sourceMappingURL=key-file.js.map