import { faulty } from './fault.js';
/**
 * Justifies the target of a checked certificate; the tip may move to it, which is what is returned and to be stored. Fault `bad-checkpoint` or `below-final`, or that of the target's chain if it is not valid: then as
 * many signers as it takes have broken the rules.
 */
export function justify(chain, { source, target }, entry) {
    if (entry.height !== target.height)
        return faulty('bad-checkpoint', `target: block ${target.hash} has height ${entry.height}, got ${target.height}`);
    if (!descends(chain, entry, source))
        return faulty('bad-checkpoint', `target: does not build on the source, ${source.hash}`);
    const moved = chain.justify(target.hash);
    if (moved.ok && !chain.isBest(entry))
        return faulty('bad-checkpoint', `target: excludes block ${chain.justified.height}, which is justified`);
    return moved;
}
/** Whether a block builds on a checkpoint; what lies below the window is settled, and the signers' word for it is enough. */
function descends(chain, entry, source) {
    if (source.height < chain.base.height)
        return true;
    if (chain.isBest(entry))
        return chain.at(source.height)?.hash === source.hash;
    let at = entry;
    while (at !== undefined && at.height > source.height)
        at = at.parent;
    return at?.hash === source.hash;
}
//# sourceMappingURL=checkpoint.js.map