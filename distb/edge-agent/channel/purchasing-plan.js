import { readingsIn } from '../../node/channel/payer.js';
import { CHAIN_STEPS_MAX } from '../../node/channel/words.js';
/** A new channel is opened when so much of the old one is left, so that there is no gap. */
const AHEAD_SHARE = 0.1;
export const readingsLeft = (purchase) => readingsIn(purchase) - purchase.index;
/**
 * What a channel at this price, 1 or more, holds: coins, and the steps of its hash chain, 0 for one that is paid by signatures.
 * A chain has only so many words: what they cannot pay is not put in.
 */
export function sizeOf({ deposit, mode }, price) {
    if (mode === 'signed')
        return { deposit, steps: 0 };
    const steps = Math.floor(deposit / price);
    return steps <= CHAIN_STEPS_MAX
        ? { deposit, steps }
        : { deposit: CHAIN_STEPS_MAX * price, steps: CHAIN_STEPS_MAX };
}
/** Whether readings can be bought with it, now or once its channel is on the ledger. */
const isUsable = (purchase) => purchase.stopped === undefined && readingsLeft(purchase) > 0;
/** The one to buy with: the oldest that is open and not used up. */
export const current = (purchases) => purchases.find((each) => each.channel !== undefined && isUsable(each));
/** Whether these purchases of one thing will not do. */
export const wantsNew = (purchases) => !purchases.some((each) => isUsable(each) && readingsLeft(each) > readingsIn(each) * AHEAD_SHARE);
/** Why the coins of a purchase are wanted back; undefined while it is used. */
export const whyClose = (purchase) => purchase.stopped ?? (readingsLeft(purchase) < 1 ? 'used up' : undefined);
/** Whether all is paid by our books and not yet by the ledger: the seller may lack the last payment. */
export const isUnsettled = (purchase, entry) => purchase.stopped === undefined && readingsLeft(purchase) < 1 && entry.paid < purchase.index * purchase.price;
/** What to do on the ledger to get coins back that are wanted back, when the next block is `height`. */
export function closeStep(purchase, entry, height, fee) {
    // The seller of what was stopped may lack the last payment, and then waits for one that does not come: the ledger counts.
    const paid = purchase.stopped === undefined ? Math.max(entry.paid, purchase.index * purchase.price) : entry.paid;
    // Whoever is paid closes what is used up; for dust nobody pays a fee.
    if (entry.amount - paid <= fee)
        return undefined;
    if (entry.closing <= height)
        return 'close';
    if (whyClose(purchase) === undefined)
        return undefined;
    return height + entry.delay < entry.closing ? 'wish' : undefined;
}
//# sourceMappingURL=purchasing-plan.js.map