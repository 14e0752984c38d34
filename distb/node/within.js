/** Waiting for something, but not for ever. */
import { setTimeout as sleep } from 'node:timers/promises';
/** What the promise resolves with, or undefined once the time is over. Leaves no timer behind that would keep a process alive. */
export function within(timeoutMs, promise) {
    const timer = new AbortController();
    const late = sleep(timeoutMs, undefined, { signal: timer.signal }).catch(() => undefined);
    return Promise.race([promise, late]).finally(() => timer.abort());
}
//# sourceMappingURL=within.js.map