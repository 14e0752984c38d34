/** The work of `pinledger split`: reads the shares of an account, shows them, and changes them. */
import { checkSplit, PARTS } from '../ledger/split.js';
import { KIND, splitEntry } from '../ledger/state.js';
import { short } from '../schemas/hex.js';
import { SIGNATURE_BYTES } from '../schemas/transaction.js';
import { EXIT } from './exit.js';
import { sendCommand } from './send.js';
import { readEntry } from './state-entry.js';
const question = (account) => ({
    kind: KIND.split,
    key: account,
    codec: splitEntry,
});
const percent = (parts) => `${parts / 100}%`;
const restOf = (shares) => shares.reduce((rest, { parts }) => rest - parts, PARTS);
/** `30% to 8a88..., 70% to itself`; accounts in full, since shares go to no other. */
export function describe(shares) {
    if (shares.length === 0)
        return 'everything stays';
    const others = shares.map(({ account, parts }) => `${percent(parts)} to ${account}`);
    return `${others.join(', ')}, ${percent(restOf(shares))} stays`;
}
export async function showSplit(where, network, account, json, log) {
    const { value: shares = [], height, validator, network: on, } = await readEntry(where, network, question(account), log);
    if (json) {
        const facts = { network: on.id, validator, height, account, shares, stays: restOf(shares) };
        process.stdout.write(`${JSON.stringify(facts)}\n`);
    }
    else
        process.stdout.write(`network ${on.id}, validator ${short(validator)}, height ${height}: of what ${short(account)} earns, ${describe(shares)}\n`);
    return EXIT.ok;
}
/** Shows before and after, sends, and prints what became of it; exit codes of `sendCommand`. */
export async function setSplit(where, signer, { shares, ...rest }, json, log) {
    const { value: before = [] } = await readEntry(where, rest.network, question(signer.account), log);
    if (json)
        process.stdout.write(`${JSON.stringify({ account: signer.account, before, after: shares })}\n`);
    else
        process.stdout.write(`before: ${describe(before)}\nafter:  ${describe(shares)}\n`);
    if (same(before, shares)) {
        process.stdout.write(json ? `${JSON.stringify({ status: 'unchanged' })}\n` : 'it is so already; nothing was sent\n');
        return EXIT.ok;
    }
    const draft = { type: 'split', shares };
    const obstacle = (network) => {
        const head = { network: network.id, from: signer.account, nonce: 0, fee: 0, expiry: 0 };
        const whole = { ...draft, ...head, signature: new Uint8Array(SIGNATURE_BYTES) };
        return checkSplit(network, whole)?.message;
    };
    const doing = shares.length === 0 ? 'ending the split' : 'setting the split';
    return sendCommand(where, signer, { draft, doing, obstacle, ...rest }, json, log);
}
const same = (a, b) => a.length === b.length &&
    a.every(({ account, parts }, at) => account === b[at]?.account && parts === b[at]?.parts);
//# sourceMappingURL=sharing.js.map