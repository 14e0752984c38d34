import { feeFloorFor } from '../ledger/transaction.js';
/** An answer is an opinion, and nobody should lose a fortune by it: who wants to pay more says so. */
const FLOORS_MAX = 100;
const AMOUNT_PARTS = 100;
/**
 * Smallest units for a transfer of `amount` in `bytes` bytes that should be confirmed within 6 blocks: at least the
 * floor, at most 100 floors or a hundredth of the amount, and the floor when the validator does not answer.
 */
export async function feeFor(network, { bytes, amount }, requests, validator) {
    const floor = feeFloorFor(network, bytes);
    const answer = await requests.ask(validator, { type: 'getFees' });
    if (!answer.ok)
        return floor;
    const most = Math.max(FLOORS_MAX * floor, Math.floor(amount / AMOUNT_PARTS));
    return Math.min(most, Math.max(floor, Math.ceil((answer.value.soon * bytes) / 1000)));
}
//# sourceMappingURL=pay-fee.js.map