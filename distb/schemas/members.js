/** Who may mine on an enrolled network, as a validator tells people: JSON only, so nothing may be concluded from it. */
import { z } from 'zod';
import { accountText } from './hex.js';
export const membersMirror = z.object({
    /** Of the validator's tip. */
    height: z.int(),
    authorities: z.array(accountText),
    /** Members in all; the list has the first ones to be admitted. */
    count: z.int(),
    /** `since`: height of the block that admitted the account. */
    members: z.array(z.object({ account: accountText, since: z.int() })),
});
//# sourceMappingURL=members.js.map