const SECOND_MS = 1_000;
const MINUTE_SECONDS = 60;
export function settle(payment, wanted, { nowMs, runningMs, refundFee }) {
    const refund = (code, amount) => amount > refundFee ? { code, amount: amount - refundFee } : undefined;
    const allBack = (code) => ({
        until: undefined,
        refund: refund(code, payment.amount),
    });
    if (typeof wanted === 'string')
        return allBack(wanted);
    const { perMinute, secondsMin, secondsMax, lateSeconds } = wanted;
    if (payment.ageMs > lateSeconds * SECOND_MS)
        return allBack('late');
    const seconds = secondsFor(payment.amount, perMinute);
    if (seconds < secondsMin)
        return allBack('underpaid');
    const room = Math.max(0, secondsMax - Math.ceil(runningMs / SECOND_MS));
    if (room === 0)
        return allBack('overpaid');
    const sold = Math.min(seconds, room);
    const rest = seconds > room ? payment.amount - priceOf(sold, perMinute) : 0;
    // Rounded up, so that nobody gets less than was paid for.
    const until = Math.ceil((nowMs + runningMs) / SECOND_MS + sold) * SECOND_MS;
    return { until, refund: refund('overpaid', rest) };
}
/** Whole seconds that an amount buys. Amounts times seconds can leave the exact range of numbers. */
export const secondsFor = (amount, perMinute) => Number((BigInt(amount) * BigInt(MINUTE_SECONDS)) / BigInt(perMinute));
/** The least amount that buys so many whole seconds. */
export const priceOf = (seconds, perMinute) => Number((BigInt(seconds) * BigInt(perMinute) + BigInt(MINUTE_SECONDS - 1)) / BigInt(MINUTE_SECONDS));
//# sourceMappingURL=settlement.js.map