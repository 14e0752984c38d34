/**
 * What simulated devices have agreed on off the ledger: who pays whom by which channel, and the secrets of hashlocks.
 *
 * All devices know the deals of all, as if each word, signature and secret that is handed on had arrived.
 */
import { claimMessage } from '../ledger/channel.js';
/** Older deals are forgotten, closed or not. */
const DEALS_MAX = 48;
export class Deals {
    channels = [];
    locks = [];
    addChannel(channel) {
        this.channels.push(channel);
        if (this.channels.length > DEALS_MAX)
            this.channels.shift();
    }
    addLock(lock) {
        this.locks.push(lock);
        if (this.locks.length > DEALS_MAX)
            this.locks.shift();
    }
}
/** The proof that `payer`, by the signature of `signer`, lets the payee of a channel have `amount` in all. */
export const signedProof = (network, channel, amount, signer, payer = signer.account) => ({
    type: 'signed',
    payer,
    amount,
    authorisation: signer.sign(claimMessage(network, channel, amount)),
});
//# sourceMappingURL=deals.js.map