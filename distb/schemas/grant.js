import { list, struct } from './compound.js';
import { account, name, time, u32 } from './field.js';
/** Sensors of one seller that a buyer may read at a time. */
export const GRANT_SENSORS_MAX = 16;
/** A receipt is heeded for so long after its block, milliseconds, whatever it says: so far back a restart has to look. */
export const GRANT_MS_MAX = 31 * 86_400_000;
export const grant = struct({
    seller: account,
    buyer: account,
    /** Of the validator's tip. */
    height: u32,
    sensors: list(struct({ sensor: name, until: time }), GRANT_SENSORS_MAX),
});
export const GRANT_BYTES_MAX = 32 + 32 + 4 + 2 + GRANT_SENSORS_MAX * (33 + 6);
//# sourceMappingURL=grant.js.map