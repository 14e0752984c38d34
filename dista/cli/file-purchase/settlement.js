/** Blocks after a payment's expiry until nobody expects a reorganisation to bring it back. */
export const VOID_BLOCKS = 6;
export function settlementOf({ expiry, height, time }, { paidAt, refundedAt, next }) {
    if (refundedAt !== undefined)
        return { step: 'refunded' };
    if (paidAt === undefined)
        return next.height > expiry + VOID_BLOCKS ? { step: 'void' } : { step: 'send' };
    if (next.height >= height && next.medianTime >= time)
        return { step: 'refund' };
    return {
        step: 'wait',
        blocksLeft: Math.max(0, height - next.height),
        msLeft: Math.max(0, time - next.medianTime),
    };
}
//# sourceMappingURL=settlement.js.map