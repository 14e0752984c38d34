/**
 * What a purchase of a file has to remember: a directory of mode 0700 with a record that is replaced as a whole, and the ciphertext.
 *
 * Invariant: what is about to be sent is recorded first. So after a crash at any point the record says at least what happened,
 * and what it says beyond that can be done again without harm: the same transaction is sent again, and counts once.
 */
import { hash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { openDataDir } from '../../node/data-dir.js';
import { replaceFileDurably } from '../../node/disk.js';
import { WorldError } from '../../node/error.js';
import { accountText, hashText } from '../../schemas/hex.js';
const hexBytes = z
    .string()
    .regex(/^([0-9a-f]{2})+$/)
    .transform((text) => new Uint8Array(Buffer.from(text, 'hex')));
const recordSchema = z.strictObject({
    pinledgerPurchase: z.literal(1),
    /** Genesis hash of the network. */
    genesis: hashText,
    seller: accountText,
    buyer: accountText,
    /** The file's name at its seller. */
    name: z.string(),
    /** Where it goes. */
    out: z.string(),
    /** The encoded quote, with the seller's signature. */
    quote: hexBytes,
    /** The encoded hashlock, from before it is sent, and the block on whose chain it was made. */
    payment: z
        .strictObject({ transaction: hexBytes, since: z.strictObject({ height: z.int(), hash: hashText }) })
        .optional(),
    /** The key, once it is known. */
    key: hashText.optional(),
    /** `void`: the payment was not confirmed and can no longer be. */
    state: z.enum(['open', 'void', 'done', 'refunded']),
});
const RECORD_FILE = 'purchase.json';
const CIPHERTEXT_FILE = 'ciphertext';
const RECORD_BYTES_MAX = 16_384;
/** A purchase on disk; it is this process's alone until it is closed. */
export class PurchaseFiles {
    #dir;
    #record;
    /** Throws WorldError `store-locked`, `store-write`, or `store-corrupt` when the record cannot be read. */
    constructor(directory) {
        this.#dir = openDataDir(directory);
        try {
            this.#record = readRecord(this.#dir.file(RECORD_FILE));
        }
        catch (error) {
            this.#dir.close();
            throw error;
        }
    }
    get directory() {
        return this.#dir.path;
    }
    /** Undefined for a purchase that has not begun. */
    get record() {
        return this.#record;
    }
    get ciphertextPath() {
        return this.#dir.file(CIPHERTEXT_FILE);
    }
    /** Durable when it returns. */
    save(record) {
        const { payment, quote } = record;
        const json = {
            ...record,
            quote: toHex(quote),
            ...(payment === undefined ? {} : { payment: { ...payment, transaction: toHex(payment.transaction) } }),
        };
        const path = this.#dir.file(RECORD_FILE);
        try {
            replaceFileDurably(path, Buffer.from(`${JSON.stringify(json, undefined, 2)}\n`));
        }
        catch (error) {
            throw new WorldError('store-write', `cannot write ${path}: ${String(error)}`, error);
        }
        this.#record = record;
    }
    /** The ciphertext is of no use any more. */
    removeCiphertext() {
        rmSync(this.ciphertextPath, { force: true });
    }
    close() {
        this.#dir.close();
    }
}
/** Where a purchase is kept below `root`: the file's name for people, and digits that tell it from others. */
export const purchaseDirectory = (root, { genesis, seller, buyer, name }) => join(root, `${name}-${hash('sha256', [genesis, seller, buyer, name].join(' ')).slice(0, 16)}`);
/** Directories of the purchases of an account below `root` that have begun. Throws WorldError `store-corrupt`. */
export function purchasesOf(root, buyer) {
    if (!existsSync(root))
        return [];
    return readdirSync(root, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => join(root, name))
        .filter((directory) => readRecord(join(directory, RECORD_FILE))?.buyer === buyer)
        .sort();
}
function readRecord(path) {
    if (!existsSync(path))
        return undefined;
    const bytes = readFileSync(path);
    let json;
    try {
        json = bytes.length <= RECORD_BYTES_MAX ? JSON.parse(bytes.toString('utf8')) : undefined;
    }
    catch {
        // What cannot be parsed does not have the form of a record either.
        json = undefined;
    }
    const parsed = recordSchema.safeParse(json);
    if (parsed.success)
        return parsed.data;
    throw new WorldError('store-corrupt', `${path} is not the record of a purchase. Restore it from a backup: without it, coins that were locked come back only by their transaction's id`);
}
const toHex = (bytes) => Buffer.from(bytes).toString('hex');
//# sourceMappingURL=record.js.map