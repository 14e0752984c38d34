/**
 * When an output is on: a function of its rule, what is known now, and what it remembers.
 *
 * The safe state wins where nothing is known: no broker for too long, no reading that is fresh enough, or on for as long as
 * it may. The first of these that holds is the cause, then the condition decides. What has been on for its longest time
 * stays safe until a fresh reading says that the condition is false; time in the safe state does not count.
 */
import { writeTime } from '../../schemas/receipt-memo.js';
import { invariant } from '../../schemas/result.js';
export const firstMemory = (nowMs) => ({ atMs: nowMs, on: false, isMet: false, onMs: 0 });
const seconds = (ms) => `${Math.round(ms / 1000)} s`;
export function decide(rule, facts, before) {
    const { nowMs, lostSinceMs } = facts;
    invariant(nowMs >= before.atMs, 'time runs forward');
    const judged = judge(rule.condition, facts, before.isMet);
    const onMs = judged.isMet === false ? 0 : before.onMs + (before.on ? nowMs - before.atMs : 0);
    const become = (on, cause, reason) => ({
        on,
        cause,
        reason,
        memory: { atMs: nowMs, on, isMet: judged.isMet === true, onMs },
    });
    const { safe, onMsMax, lostMsMax } = rule;
    if (lostSinceMs !== undefined && lostMsMax !== undefined && nowMs - lostSinceMs >= lostMsMax) {
        const reason = lostSinceMs === -Infinity ? 'no connection yet' : `no connection for ${seconds(lostMsMax)}`;
        return become(safe, 'lost', reason);
    }
    if (judged.isMet === undefined)
        return become(safe, 'stale', judged.reason);
    if (!judged.isMet)
        return become(false, 'condition', judged.reason);
    if (onMsMax !== undefined && onMs >= onMsMax)
        return become(safe, 'limit', `was on for ${seconds(onMsMax)}, its longest time, and ${judged.reason}`);
    return become(true, 'condition', judged.reason);
}
function judge(condition, facts, wasMet) {
    if (condition.kind === 'agent') {
        const { state } = condition;
        const isMet = state === 'connected' ? facts.lostSinceMs === undefined : facts.isMining;
        return { isMet, reason: `the agent is ${isMet ? '' : 'not '}${state}` };
    }
    if (condition.kind === 'paid') {
        const { sold } = facts;
        if (sold === undefined)
            return { isMet: undefined, reason: 'what was sold is not known before the ledger is' };
        if (sold.remainingMs <= 0)
            return { isMet: false, reason: 'nobody has paid' };
        return { isMet: true, reason: `paid until ${writeTime(sold.until)}` };
    }
    const { sensor, compare, threshold, hysteresis, staleMs } = condition;
    const { reading, nowMs } = facts;
    if (reading === undefined)
        return { isMet: undefined, reason: `${sensor} has said nothing yet` };
    if (nowMs - reading.atMs >= staleMs)
        return { isMet: undefined, reason: `${sensor} has said nothing for ${seconds(staleMs)}` };
    const { value } = reading;
    const back = wasMet ? hysteresis : 0;
    const limit = Number((compare === 'above' ? threshold - back : threshold + back).toPrecision(12));
    const isMet = compare === 'above' ? value > limit : value < limit;
    return { isMet, reason: `${sensor} ${value} is ${isMet ? '' : 'not '}${compare} ${limit}` };
}
//# sourceMappingURL=rule.js.map