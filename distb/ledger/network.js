/**
 * A network: its genesis, what follows from it, and the cryptography that the shell supplies.
 *
 * Block 0 is a header alone: its parent is the genesis hash, its content the state root of the allocations; it
 * needs no proof of work. Source: docs/PROTOCOL.md section 6.
 */
import { BLOCK_BYTES_MAX, BLOCK_TRANSACTIONS_MAX, header } from '../schemas/block.js';
import { encode } from '../schemas/codec.js';
import { genesis as genesisCodec } from '../schemas/genesis.js';
import { hashFromBytes } from '../schemas/hex.js';
import { accept, refuse } from '../schemas/result.js';
import { TYPE_NUMBERS } from '../schemas/transaction.js';
import { State, StateView } from './state.js';
import { totalSubsidy } from './subsidy.js';
export const headerHash = (hashing, value) => hashFromBytes(hashing.double(encode(header, value)));
/** The network of a genesis, or which of its fields makes no network. */
export function createNetwork(genesis, modules) {
    const fault = checkGenesis(genesis, modules);
    if (fault !== undefined)
        return refuse({ code: 'bad-genesis', ...fault });
    const { hashing } = modules;
    const genesisHash = hashFromBytes(hashing.tagged('genesis', encode(genesisCodec, genesis)));
    const view = new StateView(new State(hashing));
    let supply = 0;
    for (const { account, amount } of genesis.allocations) {
        view.setAccount(account, { nonce: 0, balance: amount });
        supply += amount;
    }
    view.setTotals({ supply, transactions: 0, readings: 0 });
    const state0 = new State(hashing).with(view.changes(), 'after');
    const block0 = {
        version: 1,
        height: 0,
        parent: genesisHash,
        content: state0.root(),
        target: genesis.target,
        time: genesis.time,
        nonce: new Uint8Array(8),
    };
    const id = genesisHash.slice(0, 8);
    return accept({
        ...modules,
        genesis,
        genesisHash,
        id,
        block0,
        block0Hash: headerHash(hashing, block0),
        state0,
    });
}
function checkGenesis(genesis, { signatures }) {
    const bad = (field, message) => ({ field, message });
    if (genesis.interval < 100)
        return bad('interval', `at least 100 ms, got ${genesis.interval}`);
    if (genesis.halfLife < 1)
        return bad('halfLife', 'at least 1 block');
    if (genesis.target < 1n || genesis.target > genesis.targetMax)
        return bad('target', 'from 1 to targetMax');
    if (genesis.maturity < 1)
        return bad('maturity', 'at least 1 block');
    if (genesis.blockBytesMax < 4096 || genesis.blockBytesMax > BLOCK_BYTES_MAX) {
        return bad('blockBytesMax', `from 4096 to ${BLOCK_BYTES_MAX}, got ${genesis.blockBytesMax}`);
    }
    if (genesis.blockSignaturesMax < 2 || genesis.blockSignaturesMax > BLOCK_TRANSACTIONS_MAX) {
        return bad('blockSignaturesMax', `from 2 to ${BLOCK_TRANSACTIONS_MAX}, got ${genesis.blockSignaturesMax}`);
    }
    const minted = totalSubsidy(genesis);
    let supply = minted ?? Number.NaN;
    const seen = new Set();
    for (const [index, { account, amount }] of genesis.allocations.entries()) {
        if (seen.has(account))
            return bad(`allocations.${index}`, 'each account once');
        if (amount < 1)
            return bad(`allocations.${index}.amount`, 'at least 1');
        seen.add(account);
        supply += amount;
    }
    if (!Number.isSafeInteger(supply))
        return bad('subsidy', 'allocations and all rewards together stay below 2^53');
    for (const list of ['authorities', 'checkpointSigners']) {
        if (new Set(genesis[list]).size !== genesis[list].length)
            return bad(list, 'each account once');
    }
    const named = { allocations: [...seen], authorities: genesis.authorities };
    for (const [field, accounts] of Object.entries({
        ...named,
        checkpointSigners: genesis.checkpointSigners,
    })) {
        const wrong = accounts.find((account) => !signatures.isAccount(account));
        if (wrong !== undefined)
            return bad(field, `${wrong} is no Ed25519 account key`);
    }
    const [k, n] = [genesis.checkpointThreshold, genesis.checkpointSigners.length];
    // Two groups of k have 2k - n signers in common, and at least one must be, or both could be right.
    if (n === 0 ? k !== 0 : k > n || 2 * k <= n) {
        const expected = n === 0 ? '0 without checkpointSigners' : `${Math.floor(n / 2) + 1} to ${n} of ${n} checkpointSigners`;
        return bad('checkpointThreshold', `${expected}, got ${k}`);
    }
    return checkActivations(genesis);
}
/** A genesis may only name what this software can check. */
function checkActivations(genesis) {
    const known = new Set(Object.values(TYPE_NUMBERS));
    const seen = new Set();
    for (const { type } of genesis.activations) {
        if (!known.has(type))
            return { field: 'activations', message: `type ${type} is unknown to this version: update pinledger` };
        if (seen.has(type))
            return { field: 'activations', message: `type ${type} stands twice` };
        seen.add(type);
    }
    const enrolled = genesis.authorities.length > 0;
    for (const type of [TYPE_NUMBERS.admission, TYPE_NUMBERS.revocation]) {
        if (enrolled && !seen.has(type)) {
            const message = `an enrolled network needs types 4 and 5 (admission, revocation): activate type ${type}, or leave authorities empty`;
            return { field: 'activations', message };
        }
        if (!enrolled && seen.has(type)) {
            const message = `type ${type} (admission, revocation) is for enrolled networks: name authorities, or leave the type out`;
            return { field: 'activations', message };
        }
    }
    const later = (field, set) => set ? { field, message: 'not supported by this version: update pinledger' } : undefined;
    return later('slowRatio', genesis.slowRatio !== 0);
}
//# sourceMappingURL=network.js.map