/** Wait before attempt number `attempt` (0, 1, 2, ...), whole milliseconds below `min(cap, base * 2^attempt)`. */
export const fullJitterMs = (attempt, { baseMs, capMs }, random) => Math.floor(random() * Math.min(capMs, baseMs * 2 ** attempt));
export function createBackoff(options, random) {
    let attempt = 0;
    return {
        next(upMs) {
            if (upMs >= options.stableMs)
                attempt = 0;
            return fullJitterMs(attempt++, options, random);
        },
    };
}
//# sourceMappingURL=backoff.js.map