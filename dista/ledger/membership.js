import { KIND } from './state.js';
export const isEnrolled = ({ genesis }) => genesis.authorities.length > 0;
export const isAuthority = ({ genesis }, account) => genesis.authorities.includes(account);
/** Whether `account` may mine a block whose parent leads to `state`. */
export const mayMine = (network, state, account) => !isEnrolled(network) || isAuthority(network, account) || state.member(account) !== undefined;
/**
 * Whether `account` may mine a block whose parent is further down the best chain, without that parent's state: `tip` is the
 * state of the tip, `undone` the changes of the blocks above the parent, the tip's first. Who may mine on the tip is let
 * through, and `undone` not asked for; the execution of his block tells if he was no member yet. For all others exact.
 */
export function mayMineBelow(network, tip, account, undone) {
    if (mayMine(network, tip, account))
        return true;
    let member = false;
    for (const changes of undone) {
        for (const { kind, key, before } of changes)
            if (kind === KIND.member && key === account)
                member = before.length > 0;
    }
    return member;
}
/** Refuses a block of who may not mine on the state of its parent. */
export function checkMiner(network, before, miner) {
    return mayMine(network, before, miner) ? undefined : notAdmitted(miner);
}
export const notAdmitted = (miner) => ({
    code: 'not-admitted',
    message: `coinbase: ${miner} is neither an authority nor a member of this enrolled network`,
});
/** Refuses an admission of who may mine already, and a revocation of who is no member. */
export function checkMembership(network, members, { type, member }) {
    const entry = members.member(member);
    if (type === 'admission') {
        if (isAuthority(network, member))
            return { code: 'already-member', message: `member: ${member} is an authority, which may always mine` };
        if (entry === undefined)
            return undefined;
        return { code: 'already-member', message: `member: ${member} is a member since block ${entry.since}` };
    }
    return entry === undefined ? { code: 'not-member', message: `member: ${member} is no member` } : undefined;
}
/** What can be said of an admission or revocation without the state. */
export function checkAuthority(network, { from }) {
    if (isAuthority(network, from))
        return undefined;
    const message = isEnrolled(network)
        ? `from: ${from} is none of the network's authorities`
        : `from: an open network has no authorities, everybody may mine`;
    return { code: 'not-authority', message };
}
//# sourceMappingURL=membership.js.map