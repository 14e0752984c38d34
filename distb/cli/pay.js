/** `pinledger pay`: signs a transfer, sends it and waits until a validator has it in a block. */
import { formatCoins } from '../ledger/amount.js';
import { short } from '../schemas/hex.js';
import { sendCommand } from './send.js';
/** Prints what became of the payment; 0 confirmed, 1 refused or not confirmed in time. */
export function payCommand(where, signer, { to, amount, memo, ...rest }, json, log) {
    const draft = { type: 'transfer', to, amount, memo };
    const doing = `paying ${formatCoins(amount)} to ${short(to)}`;
    return sendCommand(where, signer, { draft, doing, ...rest }, json, log);
}
//# sourceMappingURL=pay.js.map