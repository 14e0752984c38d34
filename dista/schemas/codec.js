import { accept, refuse } from './result.js';
/** Thrown inside codecs only; `decode` turns it into a `DecodeFault`. Thrown by `encode` it is our own bug. */
export class CodecError extends Error {
    field = '';
}
/** Writes forward into one buffer of the exact size. */
export class Writer {
    bytes;
    view;
    offset = 0;
    constructor(size) {
        this.bytes = new Uint8Array(size);
        this.view = new DataView(this.bytes.buffer);
    }
}
/** Reads forward; `take` is the one place that checks the end of the message. */
export class Reader {
    bytes;
    view;
    offset = 0;
    constructor(bytes) {
        // A plain Uint8Array even when given a Buffer, whose `slice` shares memory instead of copying.
        this.bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    /** Moves past `count` bytes and returns where they start. */
    take(count) {
        const start = this.offset;
        if (start + count > this.bytes.length) {
            throw new CodecError(`needs ${count} bytes at offset ${start}, message has ${this.bytes.length}`);
        }
        this.offset = start + count;
        return start;
    }
}
/** Zod's transforms forget their output type behind a plain schema. */
export const asCodecJson = (schema) => schema;
/** Says in which field a codec failed. */
export function named(error, field) {
    if (error instanceof CodecError)
        error.field = error.field === '' ? field : `${field}.${error.field}`;
    return error;
}
/** Encodes a value of our own making; a value out of range throws CodecError, which is our bug. */
export function encode(codec, value) {
    const writer = new Writer(codec.size(value));
    codec.write(writer, value);
    return writer.bytes;
}
/** Decodes a whole message of at most `maxBytes`; refuses what is cut, has trailing bytes or is out of range. */
export function decode(codec, bytes, maxBytes) {
    if (bytes.length > maxBytes) {
        return refuse({
            code: 'bad-encoding',
            field: '',
            message: `message of ${bytes.length} bytes, limit is ${maxBytes}`,
        });
    }
    try {
        const reader = new Reader(bytes);
        const value = codec.read(reader);
        if (reader.offset !== bytes.length) {
            return refuse({
                code: 'bad-encoding',
                field: '',
                message: `${bytes.length - reader.offset} trailing bytes`,
            });
        }
        return accept(value);
    }
    catch (error) {
        if (!(error instanceof CodecError))
            throw error;
        return refuse({ code: 'bad-encoding', field: error.field, message: error.message });
    }
}
//# sourceMappingURL=codec.js.map