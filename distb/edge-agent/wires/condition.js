/**
 * Whether a wire's condition holds for a reading, and what the next decision has to know of it.
 *
 * The first reading only says where things are: an edge needs one on the other side before it, a change one to compare with.
 * `above` and `below` are strict; an edge has happened once the value is strictly through the threshold, and may happen again
 * once the value was on the other side by `hysteresis` or more.
 */
import { invariant } from '../../schemas/result.js';
import { scaled, scaledNumber } from './exact.js';
export const freshMemory = (epoch) => ({
    side: 'unknown',
    base: undefined,
    count: 0,
    epoch,
});
/** A value that is not known (a batch has only a Merkle root) fulfils `each` and nothing else. */
export function judge(condition, memory, value) {
    if (condition.kind === 'each')
        return same(true, memory);
    if (value === undefined)
        return same(false, memory);
    switch (condition.kind) {
        case 'above':
            return same(scaled(value) > exactly(condition.threshold), memory);
        case 'below':
            return same(scaled(value) < exactly(condition.threshold), memory);
        case 'changes':
            return changed(exactly(condition.by), memory, value);
        case 'rises':
        case 'falls': {
            // Falling is rising with everything upside down.
            const sign = condition.kind === 'rises' ? 1n : -1n;
            const beyond = sign * (scaled(value) - exactly(condition.threshold));
            return edge(beyond, exactly(condition.hysteresis), memory);
        }
    }
}
const same = (fires, memory) => ({ fires, memory, paid: memory });
function exactly(value) {
    const exact = scaledNumber(value);
    invariant(exact !== undefined, 'the configuration has checked its numbers');
    return exact;
}
/** `beyond`: how far the value is through the threshold. */
function edge(beyond, hysteresis, memory) {
    if (beyond > 0n) {
        const count = memory.side === 'before' ? memory.count + 1 : memory.count;
        return same(memory.side === 'before', { ...memory, side: 'through', count });
    }
    const back = memory.side === 'unknown' || -beyond >= hysteresis;
    return same(false, back ? { ...memory, side: 'before' } : memory);
}
function changed(by, memory, value) {
    const { base } = memory;
    if (base === undefined)
        return same(false, { ...memory, base: value });
    const difference = scaled(value) - scaled(base);
    const fires = (difference < 0n ? -difference : difference) >= by;
    return { fires, memory, paid: fires ? { ...memory, base: value, count: memory.count + 1 } : memory };
}
//# sourceMappingURL=condition.js.map