/** Makes outputs safe without staying: for what comes after an agent and its guard, such as a service manager's last step. */
import { setTimeout as sleep } from 'node:timers/promises';
import { openLine } from './guarded-line.js';
import { guardsOf } from './takeover.js';
const POLL_MS = 20;
/** A guard over sysfs ends by itself, soon after its agent. */
const GUARD_MS_MAX = 1_000;
/** Process id of the guard that holds the outputs of a data directory whose agent is gone; undefined when there is none. */
export async function holder(directory) {
    for (let waitedMs = 0;; waitedMs += POLL_MS) {
        const pid = guardsOf(directory).at(-1)?.pid;
        if (pid === undefined || waitedMs >= GUARD_MS_MAX)
            return pid;
        await sleep(POLL_MS);
    }
}
/** Sets each output to its safe state and lets go of it; what fails costs no other one anything. */
export async function setSafe(lines, open) {
    const outcomes = [];
    for (const line of lines) {
        try {
            const { kind, output } = await openLine(line, line.safe, open);
            await output.close();
            outcomes.push({ line, kind, fault: undefined });
        }
        catch (error) {
            outcomes.push({ line, kind: undefined, fault: error instanceof Error ? error.message : String(error) });
        }
    }
    return outcomes;
}
//# sourceMappingURL=safe.js.map