/** Whether the clock is right: which service keeps it, since when, and what an agent makes of it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isRaspberryPi, parseTimeState, RELEASED_MS, systemClock, TIMEDATECTL_SHOW, timesyncdMarkMs, } from '../../node/clock.js';
import { absent, fails, warns, works } from './finding.js';
import { said } from './machine.js';
const INSTALL = 'sudo apt install systemd-timesyncd && sudo timedatectl set-ntp true';
export const timeChecks = (machine) => [
    { part: 'clock', msMax: 10_000, run: async (say) => say(await clock(machine)) },
];
async function clock(machine) {
    const { runRoot, procRoot, now } = machine;
    const [state, tracking] = await Promise.all([
        said(machine, 'timedatectl', TIMEDATECTL_SHOW).then((text) => text && parseTimeState(text)),
        said(machine, 'chronyc', ['-c', 'tracking']).then((text) => text?.trim().split(',')),
    ]);
    const known = state === undefined || state === '' ? undefined : state;
    const keeper = existsSync(join(runRoot, 'systemd/timesync'))
        ? 'systemd-timesyncd'
        : tracking !== undefined || existsSync(join(runRoot, 'chrony'))
            ? 'chrony'
            : known?.service === true
                ? 'a time service'
                : undefined;
    const markMs = timesyncdMarkMs(runRoot);
    // chronyc(1), tracking: the fourth field is when its last measurement was, the last one the leap status.
    const chronyMs = tracking?.at(-1) === 'Not synchronised' ? 0 : Number(tracking?.[3] ?? 0) * 1_000;
    const lastMs = markMs ?? (chronyMs > 0 ? chronyMs : undefined);
    const last = lastMs === undefined ? '' : `, last ${at(lastMs)} (${span(now() - lastMs)} ago)`;
    if (await agentTrusts(machine, known)) {
        if (markMs !== undefined || known?.synchronised === true)
            return works('clock', `${at(now())}, synchronised by ${keeper ?? 'the kernel’s time service'}${last}`);
        const detail = `${at(now())}; no service keeps it, so it is believed as it is`;
        const has = (name) => existsSync(join(runRoot, 'systemd', name));
        return has('system') && !has('container')
            ? warns('clock', detail, INSTALL)
            : absent('clock', `${detail} (a container has the clock of its host)`);
    }
    if (now() < RELEASED_MS)
        return fails('clock', `${at(now())} is before this program was made`, 'sudo timedatectl set-ntp true');
    const effect = `${isRaspberryPi(procRoot) ? 'a Pi has no clock of its own, and an agent' : 'an agent'} does not mine until it is set`;
    if (keeper === undefined) {
        return fails('clock', `${at(now())}, not synchronised: no time service runs; ${effect}`, INSTALL);
    }
    const look = keeper === 'chrony' ? 'chronyc sources' : 'timedatectl timesync-status';
    return fails('clock', `${at(now())}, not synchronised: ${keeper} has reached no time server${last}; ${effect}`, known?.service === false
        ? 'sudo timedatectl set-ntp true'
        : `${look}   (which server it asks; it needs UDP port 123 to get out)`);
}
/** What an agent's clock says of the same machine. */
async function agentTrusts(machine, state) {
    const { runRoot, procRoot, now, nowMs } = machine;
    const clock = systemClock({ runRoot, procRoot, now, monotonic: nowMs, ask: async () => state });
    clock.synchronised();
    await new Promise(setImmediate);
    return clock.synchronised();
}
/** Such as `2026-11-24 04:30:12 UTC`. */
export const at = (ms) => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
/** A span of time in its largest unit, to be read at a glance. */
export function span(ms) {
    const seconds = Math.abs(ms) / 1_000;
    if (seconds < 10)
        return `${seconds.toFixed(1)} s`;
    if (seconds < 120)
        return `${Math.round(seconds)} s`;
    if (seconds < 7_200)
        return `${Math.round(seconds / 60)} min`;
    return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} days`;
}
//# sourceMappingURL=time.js.map