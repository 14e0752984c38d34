/**
 * Splits: an account shares what it earns with up to four others, by ten thousandths.
 *
 * Earnings are transfers, claims of channels and of hashlocks; rewards and what comes back are not. Shares are rounded down
 * and the account keeps the rest, so nothing is lost. What a share brings is not split again, whatever its receiver has set.
 * Source: docs/PROTOCOL.md section 3.
 */
import { short } from '../schemas/hex.js';
/** The whole, of which a share has `parts`. */
export const PARTS = 10_000;
export function checkSplit(network, { from, shares }) {
    let sum = 0;
    for (const [index, { account, parts }] of shares.entries()) {
        const bad = (message) => ({ code: 'bad-split', message: `shares.${index}.${message}` });
        if (!network.signatures.isAccount(account))
            return { code: 'bad-account', message: `shares.${index}: ${short(account)} is no Ed25519 account key` };
        if (account === from)
            return bad('account: not the sender, which keeps what is left');
        if (shares.findIndex((share) => share.account === account) !== index)
            return bad('account: each once');
        if (parts < 1)
            return bad('parts: at least 1');
        sum += parts;
    }
    return sum > PARTS
        ? { code: 'bad-split', message: `shares: ${PARTS} parts at most, got ${sum}` }
        : undefined;
}
/** floor(amount * parts / PARTS), without leaving the exact integers. */
export const shareOf = (amount, parts) => Math.floor(amount / PARTS) * parts + Math.floor(((amount % PARTS) * parts) / PARTS);
/** Gives an account what it has earned, and others their shares of it. */
export function earn(view, account, amount) {
    let rest = amount;
    for (const share of view.split(account)) {
        const part = shareOf(amount, share.parts);
        add(view, share.account, part);
        rest -= part;
    }
    add(view, account, rest);
}
/** Adds to a balance. Cannot leave the exact range: all coins together are the supply, which the genesis keeps below 2^53. */
export function add(view, account, amount) {
    if (amount === 0)
        return;
    const entry = view.account(account);
    view.setAccount(account, { ...entry, balance: entry.balance + amount });
}
//# sourceMappingURL=split.js.map