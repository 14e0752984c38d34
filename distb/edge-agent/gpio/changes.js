export function createChanges({ edge, debounceMs }, initial, onChange, { nowMs, sleep }) {
    const controller = new AbortController();
    const { signal } = controller;
    const wanted = edge === 'both' ? [0, 1] : edge === 'rising' ? [1] : edge === 'falling' ? [0] : [];
    let stable = initial;
    let latest = initial;
    let latestMs = 0;
    let settling = false;
    function change(level) {
        stable = level;
        if (!signal.aborted && wanted.includes(level))
            onChange(level);
    }
    /** Waits until no edge has come for `debounceMs`. One wait at a time, however much the line bounces. */
    async function settle() {
        settling = true;
        for (;;) {
            const waitMs = latestMs + debounceMs - nowMs();
            if (waitMs <= 0 || signal.aborted)
                break;
            await sleep(waitMs, signal);
        }
        settling = false;
        if (latest !== stable)
            change(latest);
    }
    return {
        level: () => stable,
        tell(level) {
            latest = level;
            latestMs = nowMs();
            if (debounceMs > 0) {
                if (!settling && level !== stable)
                    void settle();
                return;
            }
            if (level === stable)
                change(level === 1 ? 0 : 1);
            change(level);
        },
        stop: () => controller.abort(),
    };
}
//# sourceMappingURL=changes.js.map