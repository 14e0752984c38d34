/**
 * At most one guard works for a data directory: a new one ends those before it, which let go of their lines.
 *
 * Each guard puts down a file `guard-<pid>-<boot>-<start>`, then looks for others. Whoever was started first gives way: it gets
 * SIGTERM, and SIGKILL if it does not end in time. Because the younger one wins on both sides, two never end each other.
 * The name decides, the content is for people. `boot` and `start` are those of node/data-dir.ts: a pid that was given out
 * again is not taken for its forerunner.
 */
import { readdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bootId, isAlive, startTicks } from '../../node/data-dir.js';
const NAME = /^guard-(\d+)-([0-9a-f]*)-(\d*)$/;
const POLL_MS = 10;
/** How long a guard may take to let go. */
const YIELD_MS_MAX = 3_000;
/** The guards of a data directory that run, oldest first; removes what those left behind that were killed. */
export function guardsOf(directory) {
    const running = [];
    for (const name of readdirSync(directory)) {
        const [, pid, boot = '', start = ''] = NAME.exec(name) ?? [];
        if (pid === undefined)
            continue;
        const alive = () => isAlive(Number(pid), boot, start);
        if (alive())
            running.push({ pid: Number(pid), start: Number(start), isAlive: alive });
        else
            remove(join(directory, name));
    }
    return running.sort((a, b) => a.start - b.start || a.pid - b.pid);
}
/** Shows this process as a guard of the directory; `say` replaces what a person reads there. */
export function putDown(directory) {
    const { pid } = process;
    const path = join(directory, `guard-${pid}-${bootId()}-${startTicks(pid) ?? ''}`);
    const say = (text) => {
        try {
            writeFileSync(path, `${text}\n`, { mode: 0o600 });
        }
        catch {
            // A full disk still takes the name, which is what counts; and holding the outputs matters more than either.
        }
    };
    say(`process ${pid} drives the outputs of a running agent`);
    return { say, remove: () => remove(path) };
}
/** Ends these guards; resolves once they have let go, or cannot be ended (another user's). */
export async function end(guards) {
    for (const signal of ['SIGTERM', 'SIGKILL']) {
        for (const guard of guards)
            if (guard.isAlive())
                kill(guard.pid, signal);
        for (let waitedMs = 0; waitedMs < YIELD_MS_MAX && guards.some((each) => each.isAlive()); waitedMs += POLL_MS)
            await sleep(POLL_MS);
    }
}
/** Ends the guards that were started before this one. False when a younger one runs, to which this one gives way. */
export async function takeOver(directory) {
    const { pid } = process;
    const start = Number(startTicks(pid));
    const others = guardsOf(directory).filter((other) => other.pid !== pid);
    const isYounger = (other) => other.start > start || (other.start === start && other.pid > pid);
    if (others.some(isYounger))
        return false;
    await end(others);
    return true;
}
function kill(pid, signal) {
    try {
        process.kill(pid, signal);
    }
    catch {
        // It has just ended, or is another user's, and the lines that it holds are reported as busy.
    }
}
function remove(path) {
    try {
        unlinkSync(path);
    }
    catch (error) {
        // Another guard saw the same stale file, or the whole directory is gone.
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT'))
            throw error;
    }
}
//# sourceMappingURL=takeover.js.map