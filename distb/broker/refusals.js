const LINES_PER_WINDOW_MAX = 50;
const WINDOW_MS = 10_000;
export function createRefusals(log, now) {
    const counts = new Map();
    let since = now();
    let lines = 0;
    return {
        counts,
        refuse(reason, facts) {
            counts.set(reason, (counts.get(reason) ?? 0) + 1);
            if (now() - since >= WINDOW_MS) {
                if (lines > LINES_PER_WINDOW_MAX)
                    log.warn('refused', { reason: 'and-more', lines: lines - LINES_PER_WINDOW_MAX });
                since = now();
                lines = 0;
            }
            lines += 1;
            if (lines <= LINES_PER_WINDOW_MAX)
                log.warn('refused', { reason, ...facts });
        },
    };
}
//# sourceMappingURL=refusals.js.map