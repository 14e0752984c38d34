/**
 * Proofs of payment in a sale of readings: how a payer makes them, and what a payee checks before it believes one.
 *
 * Reading number n is paid by a proof of n times the price, no more and no less; with words, of n steps. What `checkPayment` accepts the
 * ledger accepts as a claim (in leaps of at most CLAIM_STEPS_MAX steps), while the channel is open: a payee is never content with less
 * than the ledger is. Signatures that only noble takes are not enough here, since OpenSSL says no some twenty times faster.
 * Source: docs/PROTOCOL.md sections 3 and 15.
 */
import { CLAIM_STEPS_MAX, claimMessage, provenAmount } from '../../ledger/channel.js';
import { short } from '../../schemas/hex.js';
import { accountSecret } from '../sealed.js';
import { wordBefore } from './words.js';
/** Steps that a proof may be above the last one that is known: a payee whose log is lost counts at most so far. */
const LEAP_STEPS_MAX = 65_536;
/** A payer's signature that `amount` of a channel is the payee's. */
export function signedProof(network, signer, channel, amount) {
    const authorisation = new Uint8Array(signer.sign(claimMessage(network, channel, amount)));
    return { type: 'signed', payer: signer.account, amount, authorisation };
}
export const wordProof = (chain, steps) => ({
    type: 'word',
    steps,
    word: chain.word(steps),
});
/** The seed of a payer's chain number `number`, which only its key gives: no number may be used twice. */
export const chainSeed = ({ genesisHash }, signer, number) => accountSecret(signer, `words/${genesisHash}/${number}`);
/** The farther of what the ledger has and what a payee has. */
export const knownWord = (entry, proof) => proof?.type === 'word' && proof.steps > entry.steps ? proof : { word: entry.word, steps: entry.steps };
/** Why a proof does not pay readings 1 to `index` of a channel; undefined when it does. */
export function checkPayment(network, accepts, { channel, entry, price, best }, index, proof) {
    const amount = provenAmount(entry, proof);
    if (amount !== index * price)
        return `proof: of ${amount ?? 'too much'}, expected ${index} times ${price}`;
    if (amount > entry.amount)
        return `proof: of ${amount}, the channel has ${entry.amount}`;
    if (entry.step > 0)
        return checkWord(knownWord(entry, best), proof);
    if (proof.type !== 'signed')
        return 'proof: a word, and the channel has no hash chain';
    if (proof.payer !== entry.from)
        return `payer: the channel is ${short(entry.from)}'s`;
    const message = claimMessage(network, channel, amount);
    return isAccepted(accepts, proof, message) ? undefined : 'authorisation: not a signature of the payer';
}
function checkWord(known, proof) {
    if (proof.type !== 'word')
        return 'proof: signed, and the channel has a hash chain';
    const leap = proof.steps - known.steps;
    if (leap < 0 || leap > LEAP_STEPS_MAX)
        return `steps: ${proof.steps}, known are ${known.steps}`;
    return wordBefore(proof.word, leap) === known.word ? undefined : 'word: not of the hash chain';
}
function isAccepted(accepts, { payer, authorisation }, message) {
    try {
        return accepts(authorisation, message, payer);
    }
    catch {
        // OpenSSL does not even take the key.
        return false;
    }
}
/**
 * The next claim on the way to the best proof: that proof, or a word as far on as one claim may go. Undefined when the ledger has
 * as much.
 */
export function nextClaim(entry, best) {
    const amount = provenAmount(entry, best);
    if (amount === undefined || amount <= entry.paid)
        return undefined;
    if (best.type === 'signed')
        return best;
    const steps = Math.min(best.steps, entry.steps + CLAIM_STEPS_MAX);
    return { type: 'word', steps, word: wordBefore(best.word, best.steps - steps) };
}
//# sourceMappingURL=proof.js.map