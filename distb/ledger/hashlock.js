/**
 * Hashlocks: coins that go to whoever is named once a secret is told, or back after a deadline.
 *
 * The deadline is a height and a time, and has passed when both are reached: a fast chain does not cut the time short, and a
 * stopped one does not cut the blocks short. Before it only the claim is valid, after it only the refund, so the two never
 * race. Time is the *median time* of the chain before the block, which one miner cannot move.
 * Source: docs/PROTOCOL.md section 3; BIP 113, BIP 199.
 */
import { fromHex, hashFromBytes, short } from '../schemas/hex.js';
/** Blocks of whose times the median is taken: a miner who has not half of them cannot choose it. */
export const MEDIAN_BLOCKS = 11;
/**
 * Height of the block whose time is the median of the 11 blocks below `height`, or of all if there are fewer. Times grow from
 * block to block, so the block in the middle has the time in the middle.
 */
export function medianHeight(height) {
    const blocks = Math.min(MEDIAN_BLOCKS, height);
    return height - blocks + Math.floor(blocks / 2);
}
const isPast = ({ height, time }, at) => at.height >= height && at.medianTime >= time;
export function checkHashlock(network, tx) {
    if (!network.signatures.isAccount(tx.to))
        return { code: 'bad-account', message: `to: ${short(tx.to)} is no Ed25519 account key` };
    return tx.amount < 1 ? { code: 'bad-hashlock', message: 'amount: at least 1' } : undefined;
}
export function checkHashlockClaim({ hashing }, state, tx, at) {
    const entry = state.hashlock(tx.hashlock);
    if (entry === undefined)
        return unknownHashlock(tx);
    if (isPast(entry, at))
        return { code: 'deadline-passed', message: `hashlock: its deadline was height ${entry.height}` };
    if (hashFromBytes(hashing.plain(fromHex(tx.preimage))) === entry.lock)
        return undefined;
    return { code: 'bad-preimage', message: `preimage: its SHA-256 is not ${entry.lock}` };
}
export function checkHashlockRefund(state, tx, at) {
    const entry = state.hashlock(tx.hashlock);
    if (entry === undefined)
        return unknownHashlock(tx);
    if (isPast(entry, at))
        return undefined;
    const message = `hashlock: not before height ${entry.height} and median time ${entry.time}, this is ${at.height} and ${at.medianTime}`;
    return { code: 'deadline-not-passed', message };
}
const unknownHashlock = ({ hashlock }) => ({
    code: 'unknown-hashlock',
    message: `hashlock: ${hashlock} is not there`,
});
/** Takes a lock away; who gets its coins by claim, and by refund. */
export function takeHashlock(view, { hashlock }) {
    const entry = view.hashlock(hashlock);
    view.setHashlock(hashlock, undefined);
    return entry;
}
//# sourceMappingURL=hashlock.js.map