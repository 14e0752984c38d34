/** Headers of a group against the rules: the part of a history that can be checked without its blocks. */
import { checkHeader } from '../ledger/header.js';
import { accept, refuse } from '../schemas/result.js';
import { expandGroup } from './header-file.js';
/**
 * The place of a group's last header, if all of them follow from `parent`: proof of work, difficulty, times, and what the
 * group says of itself. `nowMs` bounds the times; without it a header's own is taken.
 */
export function checkGroup(network, parent, group, nowMs) {
    if (group.parentTime !== parent.time)
        return refuse(`the time before height ${parent.height + 1} is another`);
    let position = parent;
    for (const header of expandGroup(network, group)) {
        const placed = checkHeader(network, header, position, nowMs ?? header.time);
        if (!placed.ok)
            return refuse(`height ${position.height + 1}: ${placed.fault.code}: ${placed.fault.message}`);
        position = placed.value;
    }
    if (group.last !== position.hash || group.work !== position.work)
        return refuse(`what the group up to height ${position.height} says of itself is wrong`);
    return accept(position);
}
//# sourceMappingURL=header-check.js.map