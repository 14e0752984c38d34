/**
 * What a seller does about a channel on the ledger, as a function of the ledger: claim, close, or nothing.
 *
 * It claims when the payer wishes to close or the channel's end is near, when much is unclaimed, when the steps that are unclaimed come
 * near to what one claim may bring, and when the sale has ended. It closes, so that the payer gets back what is left, once there is
 * nothing more to claim: never before the claim is on the ledger.
 */
import { CLAIM_STEPS_MAX, provenAmount } from '../../ledger/channel.js';
import { isClosing } from '../../node/channel/payee.js';
import { nextClaim } from '../../node/channel/proof.js';
/** Smallest units that a proof brings beyond what the ledger has paid. */
export const unclaimed = (entry, proof) => proof === undefined ? 0 : Math.max(0, (provenAmount(entry, proof) ?? 0) - entry.paid);
export function claimStep({ entry, sale, height, claimAbove, fee }) {
    const { proof, stopped, price } = sale;
    const gain = unclaimed(entry, proof);
    const isUsedUp = entry.amount - entry.paid - gain < price;
    const isEnding = stopped !== undefined || isClosing(entry, height) || isUsedUp;
    const steps = proof?.type === 'word' ? proof.steps - entry.steps : 0;
    const isMuch = gain >= claimAbove || steps >= CLAIM_STEPS_MAX / 2;
    if (proof !== undefined && gain > fee) {
        const next = isEnding || isMuch ? nextClaim(entry, proof) : undefined;
        if (next === undefined)
            return undefined;
        return { type: 'claim', proof: next, amount: provenAmount(entry, next) ?? 0, isUrgent: isEnding };
    }
    return isEnding ? { type: 'close' } : undefined;
}
//# sourceMappingURL=claiming.js.map