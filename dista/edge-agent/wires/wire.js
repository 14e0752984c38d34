/**
 * A wire: when something happens, pay so much to somebody, for this, within limits.
 *
 * What it looks at is another device's sensor (by readings on the ledger), a sensor of this agent (by its live samples), or the time.
 * Receiver and purpose together are its *purchase*: a payment's receiver and memo tell on the ledger which wire paid, so each
 * purchase is one wire's alone.
 */
import { formatCoins } from '../../ledger/amount.js';
import { short } from '../../schemas/hex.js';
import { parsePurchase, writePurchase } from '../../schemas/receipt-memo.js';
export const receiverOf = ({ to }) => (to.kind === 'account' ? to.account : to.device);
/** Receiver and purpose. */
export const purchaseOf = ({ to }) => to.kind === 'account' ? `${to.account} ${to.purpose}` : `${to.device} ${writePurchase(to.item)}`;
/** What a wire's memo ends with: a reading on the ledger, a sample of this agent, or a slot. */
const EVENT_NAME = /^(.+) (?:[0-9a-f]{16}|[0-9]{1,16}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2})$/s;
/** The purchase that a transfer was: its receiver, and its memo without the event. */
export function purchaseIn({ to, memo }) {
    if (parsePurchase(memo) !== undefined)
        return `${to} ${memo}`;
    return `${to} ${EVENT_NAME.exec(memo)?.[1] ?? memo}`;
}
const comparison = (condition) => {
    switch (condition.kind) {
        case 'each':
            return 'says something';
        case 'above':
        case 'below':
            return `is ${condition.kind} ${condition.threshold}`;
        case 'rises':
        case 'falls': {
            const way = condition.kind === 'rises' ? 'above' : 'below';
            const back = condition.hysteresis === 0 ? '' : ` (back by ${condition.hysteresis} in between)`;
            return `${condition.kind} ${way} ${condition.threshold}${back}`;
        }
        case 'changes':
            return `has changed by ${condition.by}`;
    }
};
/** The wire in words: `when soil of 3ccd0ca6 falls below 20, pay 0.04 to 1f2e3d4c for on pump, 2 minutes`. */
export function describeWire({ source, condition, pay, to, label, limits }) {
    const when = source.kind === 'every'
        ? `every ${source.minutes} minutes`
        : `when ${source.sensor}${source.kind === 'ledger' ? ` of ${short(source.device)}` : ''} ${comparison(condition)}`;
    const coins = pay.kind === 'amount'
        ? formatCoins(pay.amount)
        : `${formatCoins(pay.amount)} a unit, at most ${formatCoins(pay.most)},`;
    const what = to.kind === 'account'
        ? `to ${short(to.account)} for ${to.purpose}`
        : `to ${short(to.device)} for ${writePurchase(to.item)}, ${to.minutes} minutes`;
    const more = to.kind === 'item' && label !== '' ? ` (${label})` : '';
    return `${when}, pay ${coins} ${what}${more}${limitsInWords(limits)}`;
}
function limitsInWords({ perHourMax, perDayMax, coinsPerDayMax, balanceMin }) {
    const words = [`${perHourMax} an hour`];
    if (perDayMax !== undefined)
        words.push(`${perDayMax} a day`);
    if (coinsPerDayMax !== undefined)
        words.push(`${formatCoins(coinsPerDayMax)} coins a day`);
    const keep = balanceMin === 0 ? '' : `, ${formatCoins(balanceMin)} stay`;
    return `; at most ${words.join(', ')}${keep}`;
}
//# sourceMappingURL=wire.js.map