/** Structures, lists and unions of fields. Source: docs/PROTOCOL.md section 1. */
import { z } from 'zod';
import { asCodecJson, CodecError, named } from './codec.js';
import { u8, u16 } from './field.js';
/** At most `max` items behind a u16 count. */
export function list(item, max) {
    return {
        size(value) {
            let bytes = 2;
            for (const entry of value)
                bytes += item.size(entry);
            return bytes;
        },
        write(writer, value) {
            if (value.length > max)
                throw new CodecError(`expected at most ${max} items, got ${value.length}`);
            u16.write(writer, value.length);
            for (const entry of value)
                item.write(writer, entry);
        },
        read(reader) {
            const count = u16.read(reader);
            if (count > max)
                throw new CodecError(`expected at most ${max} items, got ${count}`);
            const value = [];
            for (let index = 0; index < count; index++)
                value.push(item.read(reader));
            return value;
        },
        toJson: (value) => value.map((entry) => item.toJson(entry)),
        json: asCodecJson(z.array(item.json).max(max)),
    };
}
/** Fields one after the other, in the order in which they are declared. */
export function struct(fields) {
    const entries = Object.entries(fields);
    const shape = {};
    for (const [key, codec] of entries)
        shape[key] = codec.json;
    return {
        fields,
        size(value) {
            let bytes = 0;
            for (const [key, codec] of entries)
                bytes += codec.size(value[key]);
            return bytes;
        },
        write(writer, value) {
            for (const [key, codec] of entries) {
                try {
                    codec.write(writer, value[key]);
                }
                catch (error) {
                    throw named(error, key);
                }
            }
        },
        read(reader) {
            const value = {};
            for (const [key, codec] of entries) {
                try {
                    value[key] = codec.read(reader);
                }
                catch (error) {
                    throw named(error, key);
                }
            }
            return value;
        },
        toJson(value) {
            const json = {};
            for (const [key, codec] of entries)
                json[key] = codec.toJson(value[key]);
            return json;
        },
        json: asCodecJson(z.strictObject(shape)),
    };
}
/** One of several structs behind a u8 type number; an unknown number is refused. */
export function union(cases) {
    const byNumber = new Map(Object.entries(cases).map(([type, { number, codec }]) => [number, { type, codec }]));
    const codecOf = (value) => {
        const entry = cases[value.type];
        if (entry === undefined)
            throw new CodecError(`unknown type ${String(value.type)}`);
        return entry;
    };
    const options = Object.entries(cases).map(([type, { codec }]) => codec.json.extend({ type: z.literal(type) }));
    return {
        size: (value) => 1 + codecOf(value).codec.size(value),
        write(writer, value) {
            const { number, codec } = codecOf(value);
            u8.write(writer, number);
            codec.write(writer, value);
        },
        read(reader) {
            const number = u8.read(reader);
            const entry = byNumber.get(number);
            if (entry === undefined)
                throw named(new CodecError(`unknown type ${number}, known are ${[...byNumber.keys()].join(', ')}`), 'type');
            return { type: entry.type, ...entry.codec.read(reader) };
        },
        toJson: (value) => ({ type: value.type, ...codecOf(value).codec.toJson(value) }),
        json: asCodecJson(z.discriminatedUnion('type', options)),
    };
}
//# sourceMappingURL=compound.js.map