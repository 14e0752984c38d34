export function createDelayRing(size) {
    const delays = [];
    let next = 0;
    let largest;
    return {
        add(delayMs) {
            delays[next] = delayMs;
            next = (next + 1) % size;
            largest = Math.max(largest ?? 0, delayMs);
        },
        quantile(q) {
            const sorted = delays.toSorted((a, b) => a - b);
            return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)];
        },
        max: () => largest,
    };
}
//# sourceMappingURL=delay-ring.js.map