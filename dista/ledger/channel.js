/**
 * One-way payment channels: coins put aside for a payee, of which the payer hands out ever more by proofs off the ledger.
 *
 * A proof states the *total* that the payee may have, so the latest is the best, an old one is worthless, and only one has
 * to reach the ledger. Two kinds: the payer's signature over `H(claim, genesis hash || channel || amount)`, and a word of a
 * hash chain (PayWord) whose anchor stands in the channel: `H(word, word of n steps) = word of n - 1 steps`, the anchor
 * being the word of 0. n steps are worth n times the channel's step.
 * Source: docs/PROTOCOL.md section 3; Rivest and Shamir, "PayWord and MicroMint" (1996); XRP Ledger payment channels.
 */
import { encode } from '../schemas/codec.js';
import { u64 } from '../schemas/field.js';
import { fromHex, hashFromBytes, short, ZERO_HASH } from '../schemas/hex.js';
/** A claim by a word counts as so many signatures in a block beside its own. */
export const WORD_SIGNATURES = 4;
/** Steps that one claim may be above the one before: so many hashes cost no more than WORD_SIGNATURES that only noble judges. */
export const CLAIM_STEPS_MAX = 1024;
/** The 32 bytes that a payer signs so that its payee may have `amount` in all. */
export const claimMessage = ({ genesisHash, hashing }, channel, amount) => hashing.tagged('claim', fromHex(genesisHash), fromHex(channel), encode(u64, amount));
/** The same words come in a mempool, a template and a block. */
const words = new WeakMap();
const WORDS_MAX = 16_384;
/** The word that is `steps` steps before this one. */
export function wordBefore(hashing, word, steps) {
    const known = words.get(hashing) ?? new Map();
    words.set(hashing, known);
    const name = `${steps} ${word}`;
    const found = known.get(name);
    if (found !== undefined)
        return found;
    let bytes = fromHex(word);
    for (let step = 0; step < steps; step++)
        bytes = hashing.tagged('word', bytes);
    const before = hashFromBytes(bytes);
    if (known.size >= WORDS_MAX)
        known.clear();
    known.set(name, before);
    return before;
}
/** What a proof allows the payee in all; undefined above 2^53 - 1. */
export function provenAmount({ step }, proof) {
    const amount = proof.type === 'signed' ? proof.amount : proof.steps * step;
    return Number.isSafeInteger(amount) ? amount : undefined;
}
/** What can be said of an opening without the state. */
export function checkOpen(network, tx) {
    if (!network.signatures.isAccount(tx.to))
        return { code: 'bad-account', message: `to: ${short(tx.to)} is no Ed25519 account key` };
    if (tx.amount < 1)
        return { code: 'bad-channel', message: 'amount: at least 1' };
    if (tx.delay < 1)
        return { code: 'bad-channel', message: 'delay: at least 1 block' };
    if ((tx.anchor === ZERO_HASH) !== (tx.step === 0))
        return { code: 'bad-channel', message: 'step: above 0 with an anchor, and 0 without one' };
    return undefined;
}
/** What can be said of a claim without the state: a payer's signature. */
export function checkAuthorisation(network, { channel, proof }) {
    if (proof.type !== 'signed')
        return undefined;
    const { payer, amount, authorisation } = proof;
    if (!network.signatures.isAccount(payer))
        return { code: 'bad-account', message: `payer: ${short(payer)} is no Ed25519 account key` };
    if (network.signatures.verify(authorisation, claimMessage(network, channel, amount), payer))
        return undefined;
    return { code: 'bad-claim', message: `authorisation: not ${short(payer)}'s for this channel and amount` };
}
/** Whether a proof gives the payee more than it has had, at most what is there, and is the payer's. */
export function checkProof(hashing, entry, proof) {
    const amount = provenAmount(entry, proof);
    if (amount === undefined || amount > entry.amount)
        return { code: 'bad-claim', message: `proof: at most the channel's ${entry.amount}` };
    if (amount <= entry.paid)
        return { code: 'claim-not-higher', message: `proof: ${entry.paid} has been claimed, this says ${amount}` };
    if (proof.type === 'signed')
        return proof.payer === entry.from
            ? undefined
            : { code: 'bad-claim', message: `payer: the channel is ${short(entry.from)}'s` };
    const { steps, word } = proof;
    // More was claimed by signature than by words: the chain still counts from its last word on the ledger.
    if (steps <= entry.steps)
        return {
            code: 'claim-not-higher',
            message: `steps: ${entry.steps} have been claimed, this says ${steps}`,
        };
    if (steps - entry.steps > CLAIM_STEPS_MAX) {
        // Not for ever: who is further up the chain may have seen a claim in between.
        const message = `steps: at most ${CLAIM_STEPS_MAX} above the ${entry.steps} that were claimed; claim in between`;
        return { code: 'too-many-steps', message };
    }
    if (wordBefore(hashing, word, steps - entry.steps) === entry.word)
        return undefined;
    return {
        code: 'bad-claim',
        message: `word: does not lead to the channel's after ${steps - entry.steps} steps`,
    };
}
export function checkClaim(network, state, tx) {
    const entry = state.channel(tx.channel);
    return entry === undefined ? unknownChannel(tx.channel) : checkProof(network.hashing, entry, tx.proof);
}
/** The payee may close at any time, the payer may wish to once, and from its height on anybody may. */
export function checkClose(state, { channel, from }, height) {
    const entry = state.channel(channel);
    if (entry === undefined)
        return unknownChannel(channel);
    if (from === entry.to || entry.closing <= height)
        return undefined;
    if (from !== entry.from)
        return { code: 'not-closable', message: `channel: others may close it from height ${entry.closing} on` };
    if (height + entry.delay < entry.closing)
        return undefined;
    return { code: 'not-closable', message: `channel: it closes from height ${entry.closing} on` };
}
const unknownChannel = (channel) => ({
    code: 'unknown-channel',
    message: `channel: ${channel} is not open`,
});
export function applyOpen(view, id, tx) {
    view.setChannel(id, {
        from: tx.from,
        to: tx.to,
        amount: tx.amount,
        paid: 0,
        delay: tx.delay,
        closing: tx.until,
        word: tx.anchor,
        steps: 0,
        step: tx.step,
    });
}
/** What the payee earns by a claim that was checked. */
export function applyClaim(view, { channel, proof }) {
    const entry = view.channel(channel);
    const paid = provenAmount(entry, proof);
    const words = proof.type === 'word' ? { word: proof.word, steps: proof.steps } : {};
    view.setChannel(channel, { ...entry, paid, ...words });
    return { to: entry.to, earns: paid - entry.paid };
}
/** What the payer gets back by a close that was checked; undefined: it closes later. */
export function applyClose(view, { channel, from }, height) {
    const entry = view.channel(channel);
    if (from !== entry.to && entry.closing > height) {
        view.setChannel(channel, { ...entry, closing: height + entry.delay });
        return undefined;
    }
    view.setChannel(channel, undefined);
    return { to: entry.from, returns: entry.amount - entry.paid };
}
//# sourceMappingURL=channel.js.map