/**
 * The ciphertext of a file while it is fetched: chunks one after the other in a file, so that its length says how many are there.
 *
 * What was there before a crash counts as far as it is whole chunks; whether its bytes are right says the hash of the whole.
 */
import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, fsyncSync, ftruncateSync, openSync, readSync, writeSync, } from 'node:fs';
import { WorldError } from '../../node/error.js';
import { CHUNK_TAG_BYTES, chunksOf, FILE_CHUNK_BYTES } from '../../schemas/file-message.js';
import { hashFromBytes } from '../../schemas/hex.js';
import { invariant } from '../../schemas/result.js';
const SEALED_BYTES = FILE_CHUNK_BYTES + CHUNK_TAG_BYTES;
export class PartFile {
    path;
    /** Chunks of the whole. */
    chunks;
    #lastBytes;
    #fd;
    #digest = createHash('sha256');
    #have = 0;
    /** `size`: bytes of the file in clear. Throws WorldError `store-write`. */
    constructor(path, size) {
        this.path = path;
        this.chunks = chunksOf(size);
        this.#lastBytes = size - (this.chunks - 1) * FILE_CHUNK_BYTES + CHUNK_TAG_BYTES;
        this.#fd = this.#guarded('open', () => openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600));
        const { size: stored } = fstatSync(this.#fd);
        const whole = (this.chunks - 1) * SEALED_BYTES + this.#lastBytes;
        const have = stored >= whole ? this.chunks : Math.floor(stored / SEALED_BYTES);
        this.#cut(have);
        for (; this.#have < have; this.#have++)
            this.#digest.update(this.read(this.#have));
    }
    /** Chunks that are there, from the first on. */
    get have() {
        return this.#have;
    }
    get isWhole() {
        return this.#have === this.chunks;
    }
    /** Bytes of a chunk of the ciphertext. */
    bytesOf(index) {
        return index === this.chunks - 1 ? this.#lastBytes : SEALED_BYTES;
    }
    /** Adds the next chunk; durable only after `finish`. */
    append(bytes) {
        invariant(bytes.length === this.bytesOf(this.#have), 'a chunk of the length that it has to have');
        const from = this.#have * SEALED_BYTES;
        this.#guarded('write', () => {
            for (let done = 0; done < bytes.length;)
                done += writeSync(this.#fd, bytes, done, bytes.length - done, from + done);
        });
        this.#digest.update(bytes);
        this.#have++;
    }
    read(index) {
        const bytes = Buffer.allocUnsafe(this.bytesOf(index));
        const from = index * SEALED_BYTES;
        for (let done = 0; done < bytes.length;) {
            const count = this.#guarded('read', () => readSync(this.#fd, bytes, done, bytes.length - done, from + done));
            if (count === 0)
                throw new WorldError('store-corrupt', `${this.path} has become shorter`);
            done += count;
        }
        return bytes;
    }
    /** Makes all chunks durable; the SHA-256 of the whole. */
    finish() {
        invariant(this.isWhole, 'all chunks are there');
        this.#guarded('write', () => fsyncSync(this.#fd));
        return hashFromBytes(this.#digest.copy().digest());
    }
    /** Begins again. */
    clear() {
        this.#cut(0);
        this.#have = 0;
        this.#digest = createHash('sha256');
    }
    close() {
        closeSync(this.#fd);
    }
    #cut(chunks) {
        const bytes = chunks === this.chunks ? (chunks - 1) * SEALED_BYTES + this.#lastBytes : chunks * SEALED_BYTES;
        this.#guarded('write', () => ftruncateSync(this.#fd, bytes));
    }
    #guarded(what, action) {
        try {
            return action();
        }
        catch (error) {
            throw new WorldError('store-write', `cannot ${what} ${this.path}: ${String(error)}`, error);
        }
    }
}
//# sourceMappingURL=part-file.js.map