/** Amounts in a configuration: coins as text, since YAML numbers are floats. */
import { z } from 'zod';
import { parseCoins } from '../ledger/amount.js';
/** Coins in quotes; smallest units once parsed. */
export const coins = z
    .string({ error: 'expected coins in quotes, such as "0.01"' })
    .transform((text, context) => {
    const amount = parseCoins(text);
    if (amount !== undefined)
        return amount;
    context.addIssue({
        code: 'custom',
        message: 'expected coins such as "0.01", at most 8 digits after the point',
    });
    return z.NEVER;
});
/** A price: free is what is not for sale. */
export const price = coins.refine((amount) => amount > 0, 'expected more than "0"; leave it out for what is not sold');
//# sourceMappingURL=coins.js.map