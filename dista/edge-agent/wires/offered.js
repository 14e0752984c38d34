/** What the seller's offer makes of a wire that pays for the time of an output or a paid topic: pure functions. */
import { formatCoins } from '../../ledger/amount.js';
import { secondsFor } from '../sale/settlement.js';
export const OFFERED_AS = {
    on: 'output',
    topic: 'topic',
};
/** Why a payment would only come back; undefined when it would not. */
export function underpayment(amount, { price, secondsMin }) {
    const seconds = secondsFor(amount, price);
    if (seconds >= secondsMin)
        return undefined;
    return `underpaid: ${formatCoins(amount)} buys ${seconds} s at the offered ${formatCoins(price)} a minute, and the seller sells ${secondsMin} s at least`;
}
/** How what is paid and what it is to cover differ; undefined when they do not, or the amount depends on a reading. */
export function mismatch({ pay, to }, { price, secondsMax }) {
    if (pay.kind !== 'amount' || to.kind !== 'item')
        return undefined;
    const seconds = secondsFor(pay.amount, price);
    const stated = Math.round(to.minutes * 60);
    const paid = `${formatCoins(pay.amount)} buys ${seconds} s at the offered ${formatCoins(price)} a minute`;
    if (seconds > secondsMax)
        return `${paid}; the seller sells ${secondsMax} s at most and gives the rest back`;
    return seconds === stated
        ? undefined
        : `${paid}, ${seconds < stated ? 'fewer' : 'more'} than the ${stated} s that it says`;
}
//# sourceMappingURL=offered.js.map