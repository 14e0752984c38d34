/** Who is meant by a seller's name: an account, or the device that is online under this name. */
import { z } from 'zod';
import { WorldError } from '../node/error.js';
import { accountText, short } from '../schemas/hex.js';
import { readRetained } from './reader.js';
const presence = z.object({ state: z.enum(['online', 'offline']), name: z.string() });
/** Throws WorldError `usage` when nobody, or more than one, goes by this name. */
export async function findSeller(where, of, log) {
    const account = accountText.safeParse(of);
    if (account.success)
        return account.data;
    const online = new Map();
    await readRetained(where, ['status'], log, ({ publisher, value }) => {
        const parsed = presence.safeParse(value);
        if (parsed.success && parsed.data.state === 'online')
            online.set(publisher, parsed.data.name);
    });
    const found = [...online].filter(([, name]) => name === of).map(([seller]) => seller);
    const [seller] = found;
    if (seller === undefined) {
        const names = [...new Set(online.values())].slice(0, 8).join(', ') || 'nobody';
        throw new WorldError('usage', `--of: no device ${of} is online at ${where.url}; there is ${names}. Or give its account`);
    }
    if (found.length > 1)
        throw new WorldError('usage', `--of: ${of} may be ${found.map(short).join(' or ')}; give the account`);
    return seller;
}
//# sourceMappingURL=seller.js.map