/** A wait that ends early when it is called off; loaded by the guard of the outputs too, so it brings nothing along. */
import { setTimeout as sleepFor } from 'node:timers/promises';
/** Resolves after `ms`, or at once when aborted; never rejects. */
export async function sleep(ms, signal) {
    try {
        await sleepFor(ms, undefined, { signal });
    }
    catch (error) {
        if (!signal.aborted)
            throw error;
    }
}
//# sourceMappingURL=sleep.js.map