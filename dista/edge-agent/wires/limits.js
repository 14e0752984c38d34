/**
 * What a wire may still pay: its limits against what its purchase has cost, and the account's coins.
 *
 * Hours and days are the ledger's: payments in blocks count by their block's time, against the tip's; those that wait count
 * always. So in no hour of block times there are more than `perHourMax`, whatever restarts come: at the last one's decision all
 * others of that hour were in a block of it or waiting. (A reorganisation may put payments of several hours into one block.)
 */
import { formatCoins } from '../../ledger/amount.js';
import { purchaseOf } from './wire.js';
export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
export const NO_COINS = 'not enough coins';
/** What one round of decisions may spend; every payment that is decided is taken out. */
export class Till {
    #account;
    #used = new Map();
    #spendable;
    constructor(account) {
        this.#account = account;
        this.#spendable = account.spendable;
    }
    /** What keeps a wire from paying so much now. */
    obstacle(wire, amount) {
        const { perHourMax, perDayMax, coinsPerDayMax, balanceMin } = wire.limits;
        const used = this.#of(purchaseOf(wire));
        if (used.hour >= perHourMax)
            return `perHourMax: it has paid ${used.hour} times in the last hour`;
        if (perDayMax !== undefined && used.day >= perDayMax)
            return `perDayMax: it has paid ${used.day} times in the last day`;
        if (coinsPerDayMax !== undefined && used.dayAmount + amount > coinsPerDayMax)
            return `coinsPerDayMax: it has paid ${formatCoins(used.dayAmount)} coins in the last day`;
        const left = this.#spendable - amount - this.#account.fee;
        if (left < 0)
            return `${NO_COINS}: the account can spend ${formatCoins(Math.max(0, this.#spendable))}`;
        if (left < balanceMin)
            return `balanceMin: the account can spend ${formatCoins(this.#spendable)} and has to keep ${formatCoins(balanceMin)}`;
        return undefined;
    }
    take(wire, amount) {
        const used = this.#of(purchaseOf(wire));
        used.hour++;
        used.day++;
        used.dayAmount += amount;
        this.#spendable -= amount + this.#account.fee;
    }
    #of(purchase) {
        const known = this.#used.get(purchase);
        if (known !== undefined)
            return known;
        const { since, waiting, nowMs } = this.#account;
        const queued = waiting(purchase);
        const hour = since(purchase, nowMs - HOUR_MS);
        const day = since(purchase, nowMs - DAY_MS);
        const used = {
            hour: hour.payments + queued.payments,
            day: day.payments + queued.payments,
            dayAmount: day.amount + queued.amount,
        };
        this.#used.set(purchase, used);
        return used;
    }
}
//# sourceMappingURL=limits.js.map