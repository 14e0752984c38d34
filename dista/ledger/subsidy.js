/** Smallest units created at `height`. Division by a power of two, since `1e9 >> 32 === 1e9` in JavaScript. */
export function subsidyAt({ subsidy, halvingInterval }, height) {
    if (height === 0)
        return 0;
    if (halvingInterval === 0)
        return subsidy;
    return Math.floor(subsidy / 2 ** Math.floor((height - 1) / halvingInterval));
}
/** All that the schedule will ever create; undefined when it has no end or leaves the exact range. */
export function totalSubsidy({ subsidy, halvingInterval }) {
    if (subsidy === 0)
        return 0;
    if (halvingInterval === 0)
        return undefined;
    let total = 0n;
    for (let era = BigInt(subsidy); era > 0n; era /= 2n)
        total += era * BigInt(halvingInterval);
    return total <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(total) : undefined;
}
//# sourceMappingURL=subsidy.js.map