/** The genesis as a file for people: the JSON mirror of its canonical bytes, which alone are hashed. */
import { readFileSync } from 'node:fs';
import { encode } from '../schemas/codec.js';
import { GENESIS_BYTES_MAX, genesis as genesisCodec } from '../schemas/genesis.js';
import { formatIssues } from './config-issues.js';
import { createFileDurably } from './disk.js';
import { WorldError } from './error.js';
/** Throws WorldError `config` that names the file, the field and what is wrong. */
export function readGenesis(path) {
    let json;
    try {
        json = JSON.parse(readFileSync(path, 'utf8'));
    }
    catch (error) {
        throw new WorldError('config', `cannot read genesis ${path}: ${String(error)}; copy the file from the network's other machines`, error);
    }
    const parsed = genesisCodec.json.safeParse(json);
    if (!parsed.success) {
        const issues = formatIssues(parsed.error.issues, { value: json, schema: genesisCodec.json });
        throw new WorldError('config', `genesis ${path}:\n${issues.join('\n')}`);
    }
    if (encode(genesisCodec, parsed.data).length > GENESIS_BYTES_MAX)
        throw new WorldError('config', `genesis ${path} is too large`);
    return parsed.data;
}
export function writeGenesis(path, genesis) {
    createFileDurably(path, Buffer.from(`${JSON.stringify(genesisCodec.toJson(genesis), undefined, 2)}\n`));
}
//# sourceMappingURL=genesis-file.js.map