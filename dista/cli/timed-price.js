/**
 * What a stretch of time costs, by the seller's signed offer: for `pinledger buy output` and `pinledger buy topic`.
 *
 * The offer may be half an hour old: what the payment buys is decided by the seller when it comes.
 */
import { priceOf } from '../edge-agent/sale/settlement.js';
import { formatCoins } from '../ledger/amount.js';
import { WorldError } from '../node/error.js';
import { harmless } from '../node/log.js';
import { accept, refuse } from '../schemas/result.js';
import { findOffer } from './offers.js';
const OFFERED = { on: 'output', topic: 'topic' };
export function priceTime({ seller, name, network, item, online }, { seconds, coinsMax }) {
    const who = harmless(name);
    const no = (code, message) => refuse({ code, message });
    if (online === false)
        return no('offline', `${who} is offline and would answer once it is back: --coins pays it nevertheless`);
    if (!('secondsMin' in item))
        return no('not-timed', `${who} does not sell ${item.name} by time`);
    const { price: perMinute, secondsMin, secondsMax } = item;
    if (seconds < secondsMin)
        return no('too-short', `${who} sells ${secondsMin} s of ${item.name} at least, not ${seconds} s`);
    if (seconds > secondsMax)
        return no('too-long', `${who} sells ${secondsMax} s of ${item.name} at most, not ${seconds} s`);
    const amount = priceOf(seconds, perMinute);
    // A seller may ask for more than there can be.
    const most = Math.min(coinsMax ?? Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    if (amount > most)
        return no('too-dear', `${seconds} s cost ${formatCoins(amount)} coins, more than ${formatCoins(most)}`);
    return accept({ seller, name, network: network.genesisHash, seconds, perMinute, amount });
}
/** What is wanted, of the one seller that is meant. Throws WorldError `usage` when there is no such offer, or not for so long. */
export async function findTimedPrice(where, { of, kind, name }, wish, network, log) {
    const found = await findOffer(where, { of, kind: OFFERED[kind], item: name }, network, log);
    if (!found.ok) {
        const hint = found.fault.code === 'ambiguous' ? '' : '; or say what you pay with --coins';
        throw new WorldError('usage', found.fault.message + hint);
    }
    const priced = priceTime(found.value, wish);
    if (!priced.ok && priced.fault.code !== 'too-dear')
        throw new WorldError('usage', priced.fault.message);
    return priced;
}
//# sourceMappingURL=timed-price.js.map