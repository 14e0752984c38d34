/**
 * Counting pulses: how many came in an interval, or how fast, in the unit of what is metered.
 *
 * Above the limit of its way to the pin a counter would be too low without anybody noticing, so it refuses instead.
 */
import { z } from 'zod';
import { WorldError } from '../../node/error.js';
import { toDecimal } from '../../schemas/units.js';
/**
 * Pulses a second that are counted. sysfs keeps one pulse until our event loop comes by, which a block may hold up for
 * some 20 ms. gpiomon is a process of its own that the kernel keeps 16 edges for, and its pipe some thousand; so
 * what it needs is a processor every 32 ms.
 */
export const PULSES_PER_SECOND_MAX = { sysfs: 20, gpiod: 500 };
export const pulseFields = {
    /** Mode `pulse`: `rate` is a mean since the reading before, `count` what came since then. */
    quantity: z.enum(['rate', 'count']).default('rate'),
    /** Mode `pulse`: pulses for one unit, such as 450 for a flow meter's litre. */
    pulsesPerUnit: z.number().min(1e-6).max(1e9).default(1),
};
/** `startMs` and `nowMs` are monotonic milliseconds. */
export function createPulseCounter({ quantity, pulsesPerUnit, unit, perSecondMax }, startMs) {
    let pulses = 0;
    let sinceMs = startMs;
    return {
        count() {
            pulses++;
        },
        take(nowMs) {
            const seconds = Math.max(1, nowMs - sinceMs) / 1000;
            const counted = pulses;
            pulses = 0;
            sinceMs = nowMs;
            if (counted > perSecondMax * seconds) {
                const text = `${Math.round(counted / seconds)} pulses a second, more than the ${perSecondMax} that are counted without loss; raise debounceMs or bias a floating pin, or divide the pulses`;
                throw new WorldError('sensor', text);
            }
            const perPulse = quantity === 'count' ? 1 : unit.endsWith('/min') ? 60 / seconds : 1 / seconds;
            const step = perPulse / pulsesPerUnit;
            const places = step === 1 ? 0 : Math.min(12, Math.max(0, 1 - Math.floor(Math.log10(step))));
            return toDecimal(counted * step, places);
        },
    };
}
//# sourceMappingURL=pulses.js.map