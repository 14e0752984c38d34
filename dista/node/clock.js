/**
 * The wall clock and whether it can be trusted. A Raspberry Pi has no battery clock: after power-on it may say 1970, or when it
 * was switched off.
 *
 * What tells, the first that knows: the mark that systemd-timesyncd touches at each synchronisation (systemd-timesyncd.service(8));
 * `timedatectl`, which asks the kernel and so speaks for chrony and ntpd too, without root (timedatectl(1)). Being synchronised
 * holds for a week, so that a site does not stop with its line to the internet. Where nothing keeps the time, a plausible clock
 * is trusted, but never a Raspberry Pi's.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
/** Made no earlier than this: a clock before 2026-01-01 is not synchronised, whatever else says so. */
export const RELEASED_MS = Date.UTC(2026, 0, 1);
/** A Pi's crystal is off by less than 100 millionths: 60 s in this time, while a block may be 9 intervals ahead, 90 s with `field`. */
export const HOLDS_MS = 7 * 86_400_000;
/** While the clock is not trusted, and while it is: asking starts a process. */
const ASK_MS = 10_000;
const ASK_AGAIN_MS = 600_000;
const ASK_TIMEOUT_MS = 5_000;
const thisMachine = {
    runRoot: '/run',
    procRoot: '/proc',
    now: Date.now,
    monotonic: () => performance.now(),
    ask: () => new Promise((resolve) => {
        const options = { timeout: ASK_TIMEOUT_MS, maxBuffer: 65_536 };
        execFile('timedatectl', TIMEDATECTL_SHOW, options, (error, stdout) => resolve(error === null ? parseTimeState(stdout) : undefined));
    }),
};
export const TIMEDATECTL_SHOW = ['show', '--property=NTP', '--property=NTPSynchronized'];
/** Undefined when `text` is not what `timedatectl show` prints. */
export function parseTimeState(text) {
    const value = (name) => new RegExp(`^${name}=(yes|no)$`, 'm').exec(text)?.[1];
    const [service, synchronised] = [value('NTP'), value('NTPSynchronized')];
    if (synchronised === undefined)
        return undefined;
    return { service: service === 'yes', synchronised: synchronised === 'yes' };
}
/** When systemd-timesyncd last set the time; `undefined`: not yet, or it does not run. */
export const timesyncdMarkMs = (runRoot) => statSync(join(runRoot, 'systemd/timesync/synchronized'), { throwIfNoEntry: false })?.mtimeMs;
/** Such as `Raspberry Pi 4 Model B Rev 1.4`; undefined on machines without a device tree. */
export function boardModel(procRoot) {
    try {
        return readFileSync(join(procRoot, 'device-tree/model'), 'utf8').replace(/\0+$/, '');
    }
    catch {
        // Most machines have none.
        return undefined;
    }
}
export const isRaspberryPi = (procRoot) => boardModel(procRoot)?.startsWith('Raspberry Pi') === true;
export function systemClock(overrides = {}) {
    const { runRoot, procRoot, now, monotonic, ask } = { ...thisMachine, ...overrides };
    const isPi = isRaspberryPi(procRoot);
    let answer;
    let isAsking = false;
    let nextAskMs = Number.NEGATIVE_INFINITY;
    let heldUntilMs = Number.NEGATIVE_INFINITY;
    const trusted = () => {
        if (monotonic() < heldUntilMs)
            return true;
        if (isPi)
            return false;
        return answer === undefined ? !existsSync(join(runRoot, 'systemd/timesync')) : !answer.service;
    };
    const askIfDue = () => {
        if (isAsking || monotonic() < nextAskMs)
            return;
        isAsking = true;
        const take = (said) => {
            answer = said;
            if (said?.synchronised === true)
                heldUntilMs = monotonic() + HOLDS_MS;
            nextAskMs = monotonic() + (trusted() ? ASK_AGAIN_MS : ASK_MS);
            isAsking = false;
        };
        ask().then(take, () => take(undefined));
    };
    return {
        now,
        monotonic,
        synchronised() {
            if (now() < RELEASED_MS)
                return false;
            const markMs = timesyncdMarkMs(runRoot);
            if (markMs !== undefined && now() - markMs < HOLDS_MS)
                return true;
            askIfDue();
            return trusted();
        },
    };
}
//# sourceMappingURL=clock.js.map