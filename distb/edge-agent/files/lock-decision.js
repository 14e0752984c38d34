import { fileInMemo } from '../../schemas/file-message.js';
import { hashFromBytes, short } from '../../schemas/hex.js';
/** `depth`: blocks from the lock's to the tip, both counted. */
export function decideLock(lock, depth, terms, { next, nowMs }, keys) {
    if (lock.to !== terms.account)
        return no('foreign', `to: ${short(lock.to)} is paid, not we`);
    if (fileInMemo(lock.memo) === undefined)
        return no('no-file', 'memo: names no file');
    const key = fittingKey(lock, keys);
    if (key === undefined)
        return no('unknown-lock', 'lock: of no file that we quoted to this buyer');
    if (lock.amount < key.price)
        return no('underpaid', `amount: ${lock.amount}, the file costs ${key.price} smallest units`);
    const blocks = lock.height - next.height;
    if (blocks < terms.marginBlocks)
        return no('too-late', `height: ${blocks} blocks are left, at least ${terms.marginBlocks} have to be`);
    const leftMs = lock.time - Math.max(next.medianTime, nowMs);
    if (leftMs < terms.marginMs)
        return no('too-late', `time: ${leftMs} ms are left, at least ${terms.marginMs} have to be`);
    if (depth < terms.confirmations)
        return { act: 'wait' };
    return { act: 'reveal', preimage: hashFromBytes(key.bytes) };
}
/** Our key that opens the lock, and the price for which we made it: what is paid, or else one of those that we ask. */
export function fittingKey({ from, amount, lock, memo }, { keyOf, prices, sha256 }) {
    const file = fileInMemo(memo);
    if (file === undefined)
        return undefined;
    for (const price of new Set([amount, ...prices])) {
        const bytes = keyOf({ buyer: from, price, file });
        if (hashFromBytes(sha256(bytes)) === lock)
            return { bytes, price };
    }
    return undefined;
}
const no = (code, message) => ({ act: 'refuse', code, message });
//# sourceMappingURL=lock-decision.js.map