/**
 * A line that a child process of ours holds.
 *
 * - The gpiod tools say nothing once they hold a line. The kernel shows it as one of the child's open files
 *   (`anon_inode:gpio-line` and, older, `gpio-event` and `gpio-linehandle`): opening waits for that.
 * - No child outlives us, not even after kill -9, since a line that a dead agent holds is a relay that nobody can switch
 *   off. gpiomon would notice its broken pipe at the next edge only and gpioset never: setpriv (util-linux) has the
 *   kernel kill them together with us.
 */
import { readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { WorldError } from '../../node/error.js';
import { killProgram, programEnd } from '../program.js';
import { gpiodRemedy } from './gpiod-tools.js';
/** Longer than a busy Pi takes to start a process. */
const HOLD_MS_MAX = 10_000;
/** Starts `tool`, and resolves once it holds the line. Rejects with a `WorldError`. */
export async function hold(tool, words, bcm, { spawn, procRoot, nowMs, sleep }) {
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', tool, ...words]);
    let how;
    const ended = programEnd(child).then(({ reason }) => {
        how = reason;
        return reason;
    });
    const release = async () => {
        if (how === undefined)
            killProgram(child);
        await ended;
    };
    const deadlineMs = nowMs() + HOLD_MS_MAX;
    const { signal } = new AbortController();
    while (how === undefined && !(await holdsLine(child.pid, procRoot))) {
        if (nowMs() > deadlineMs) {
            await release();
            throw refusal('open', bcm, `${tool} did not get it within ${HOLD_MS_MAX / 1000} s`);
        }
        await sleep(2, signal);
    }
    if (how !== undefined)
        throw refusal('open', bcm, how);
    return { child, ended, hasEnded: () => how !== undefined, release };
}
/** Whether one of the process's open files is a line. */
async function holdsLine(pid, procRoot) {
    const directory = join(procRoot, String(pid), 'fd');
    try {
        const files = await readdir(directory);
        const targets = await Promise.all(files.map((file) => readlink(join(directory, file))));
        return targets.some((target) => /^anon_inode:\[?gpio-/.test(target));
    }
    catch {
        // It has ended, or closed one of its files while we looked: the next look tells.
        return false;
    }
}
export const refusal = (action, bcm, reason, cause) => new WorldError('sensor', `cannot ${action} GPIO ${bcm}: ${reason}; ${gpiodRemedy(reason)}`, cause);
//# sourceMappingURL=held-line.js.map