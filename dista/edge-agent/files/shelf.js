/**
 * The directory whose files are for sale: what lies there, and chunks of it that are what they were.
 *
 * A file is sold under its own name, if that is a name of the protocol. What is read is compared with the hashes of when the file
 * was last looked through, chunk by chunk: under one key only one content may ever be sealed, and a file can change at any moment.
 */
import { createHash, hash } from 'node:crypto';
import { constants, lstatSync, readdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { name as nameCodec } from '../../schemas/field.js';
import { chunksOf, FILE_BYTES_MAX, FILE_CHUNK_BYTES } from '../../schemas/file-message.js';
const HASH_BYTES = 32;
/** The file is not what it was, or cannot be read any more. */
export class ChangedError extends Error {
}
export class Shelf {
    #directory;
    constructor(directory) {
        this.#directory = directory;
    }
    /** Regular files by name, those whose name or size cannot be sold apart. Throws the system's error when there is no such directory. */
    list() {
        const files = [];
        const unfit = [];
        for (const entry of readdirSync(this.#directory, { withFileTypes: true })) {
            if (!entry.isFile() || entry.name.startsWith('.'))
                continue;
            const file = this.look(entry.name);
            if (file !== undefined)
                files.push(file);
            else
                unfit.push(entry.name);
        }
        return { files: files.sort((a, b) => (a.name < b.name ? -1 : 1)), unfit };
    }
    /** Undefined when there is no such file, or when it cannot be sold. */
    look(name) {
        if (!nameCodec.json.safeParse(name).success)
            return undefined;
        const stat = lstatSync(join(this.#directory, name), { bigint: true, throwIfNoEntry: false });
        if (stat?.isFile() !== true || stat.size > BigInt(FILE_BYTES_MAX))
            return undefined;
        const version = [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join('-');
        return { name, size: Number(stat.size), changedMs: Number(stat.mtimeMs), version };
    }
    /** Looks through a file, a chunk at a time. Throws ChangedError when it is not the one that was seen. */
    async study({ name, size, version }, onBytes) {
        const whole = createHash('sha256');
        const chunkHashes = new Uint8Array(chunksOf(size) * HASH_BYTES);
        for await (const { index, bytes } of this.#chunks(name, size)) {
            whole.update(bytes);
            chunkHashes.set(sha256(bytes), index * HASH_BYTES);
            onBytes(bytes.length);
        }
        if (this.look(name)?.version !== version)
            throw new ChangedError(`${name} was changed while it was read`);
        return { name, size, version, hash: new Uint8Array(whole.digest()), chunkHashes };
    }
    /** All chunks of a content, each as it was. Throws ChangedError at one that is not. */
    async *read(content) {
        for await (const chunk of this.#chunks(content.name, content.size)) {
            checkChunk(content, chunk.index, chunk.bytes);
            yield chunk;
        }
    }
    /** One chunk of a content. Throws ChangedError when it is not what it was. */
    async chunk(content, index) {
        const file = await this.#open(content.name);
        try {
            const bytes = await readChunk(file, content.name, content.size, index);
            checkChunk(content, index, bytes);
            return bytes;
        }
        finally {
            await file.close();
        }
    }
    async *#chunks(name, size) {
        const file = await this.#open(name);
        try {
            for (let index = 0; index < chunksOf(size); index++) {
                yield { index, bytes: await readChunk(file, name, size, index) };
                // Hashing a large file must not hold up the ledger.
                await turn();
            }
        }
        finally {
            await file.close();
        }
    }
    async #open(name) {
        try {
            // Not what a link leads to, and not a FIFO, which would hang us.
            return await open(join(this.#directory, name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
        }
        catch (error) {
            throw new ChangedError(`${name} cannot be opened any more: ${String(error)}`, { cause: error });
        }
    }
}
async function readChunk(file, name, size, index) {
    const from = index * FILE_CHUNK_BYTES;
    const bytes = Buffer.allocUnsafe(Math.min(FILE_CHUNK_BYTES, size - from));
    for (let done = 0; done < bytes.length;) {
        const { bytesRead } = await file.read(bytes, done, bytes.length - done, from + done).catch((error) => {
            throw new ChangedError(`${name} cannot be read: ${String(error)}`, { cause: error });
        });
        if (bytesRead === 0)
            throw new ChangedError(`${name} has become shorter`);
        done += bytesRead;
    }
    return bytes;
}
function checkChunk({ name, chunkHashes }, index, bytes) {
    const known = chunkHashes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES);
    if (Buffer.compare(sha256(bytes), known) !== 0)
        throw new ChangedError(`${name} was changed`);
}
const sha256 = (bytes) => hash('sha256', bytes, 'buffer');
//# sourceMappingURL=shelf.js.map