/** Finds a few of a failing run's faults that are enough to break the same invariant, by leaving out ever smaller parts (ddmin). */
import { World } from './world.js';
export async function minimise(options, failed, runsMax, onRun) {
    const { violation } = failed;
    let report = failed;
    let runs = 0;
    const fails = async (only) => {
        runs++;
        onRun(only.length);
        const again = await new World({ ...options, only, onLine: undefined }).run();
        if (again.violation?.invariant !== violation?.invariant)
            return false;
        report = again;
        return true;
    };
    const begun = (index) => (failed.faults[index]?.atMs ?? 0) <= (violation?.atMs ?? 0);
    let only = (options.only ?? failed.faults.map((_, index) => index)).filter(begun);
    if (runsMax < 1 || !(await fails(only)))
        return { only: options.only ?? failed.faults.map((_, index) => index), report: failed, runs };
    for (let size = Math.ceil(only.length / 2); size >= 1 && runs < runsMax;) {
        let removed = false;
        for (let from = 0; from < only.length && runs < runsMax;) {
            const rest = [...only.slice(0, from), ...only.slice(from + size)];
            if (await fails(rest)) {
                only = rest;
                removed = true;
            }
            else
                from += size;
        }
        if (size === 1 && !removed)
            break;
        size = size === 1 ? 1 : Math.ceil(size / 2);
    }
    return { only, report, runs };
}
//# sourceMappingURL=minimise.js.map