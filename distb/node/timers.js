/** Delays as an argument, so that a simulator can run a day in a minute. */
export const systemTimers = {
    after(delayMs, run) {
        const timer = setTimeout(run, delayMs);
        return () => clearTimeout(timer);
    },
    turn: () => new Promise((resolve) => setImmediate(resolve)),
};
export const sleep = (timers, delayMs) => new Promise((resolve) => timers.after(delayMs, resolve));
/** Runs `run` every `periodMs`, the first time after one period. */
export function every(timers, periodMs, run) {
    let cancel = timers.after(periodMs, function again() {
        cancel = timers.after(periodMs, again);
        run();
    });
    return () => cancel();
}
//# sourceMappingURL=timers.js.map