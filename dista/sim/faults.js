export const FAULT_KINDS = ['clock', 'network', 'disk', 'crash', 'power', 'byzantine'];
/** How an adversary plays; docs/SIMULATOR.md says what each does. */
export const PLAYS = [
    'withhold',
    'wrong-target',
    'time-lies',
    'bad-body',
    'spoilt-body',
    'equivocate',
    'spam',
    'false-tip',
];
/** In a run of half an hour, one fault of a kind about every so many intervals; in longer runs they are further apart. */
const EVERY = {
    clock: 30,
    network: 25,
    disk: 20,
    crash: 30,
    power: 80,
};
export function drawFaults(random, options) {
    const { kinds, intervalMs, endMs } = options;
    const faults = [];
    const spread = Math.max(1, Math.sqrt(endMs / 1_800_000));
    if (kinds.has('byzantine'))
        for (const node of options.adversaries)
            faults.push({
                what: 'adversary',
                kind: 'byzantine',
                node,
                plays: random.fork(`plays ${node}`).some(PLAYS, random.whole(1, 4)),
                atMs: random.between(0, 0.2 * endMs),
                untilMs: endMs,
            });
    for (const kind of ['clock', 'network', 'disk', 'crash', 'power']) {
        if (!kinds.has(kind))
            continue;
        const stream = random.fork(kind);
        for (let atMs = stream.exponential(spread * EVERY[kind] * intervalMs); atMs < endMs;) {
            faults.push(draw(stream, kind, atMs, options));
            atMs += stream.exponential(spread * EVERY[kind] * intervalMs);
        }
    }
    return faults.sort((a, b) => a.atMs - b.atMs);
}
function draw(random, kind, atMs, options) {
    const { nodes, endMs, intervalMs } = options;
    const lasting = (least, most) => Math.min(endMs, atMs + random.between(least, most) * intervalMs);
    const node = random.whole(0, nodes - 1);
    switch (kind) {
        case 'clock':
            if (random.chance(0.4))
                return { what: 'no-rtc', kind, node, atMs, untilMs: lasting(1, 12) };
            return {
                what: 'skew',
                kind,
                node,
                atMs,
                untilMs: lasting(5, 40),
                offsetMs: random.chance(0.5) ? random.between(-2, 2) * intervalMs : random.pick([-1, 1]) * 3_600_000,
                drift: random.between(-1e-3, 1e-3),
            };
        case 'network': {
            const dice = random.next();
            if (dice < 0.25)
                return { what: 'broker-restart', kind, atMs, untilMs: lasting(0.1, 3), forget: random.chance(0.5) };
            if (dice < 0.6) {
                const count = random.whole(2, 3);
                const long = random.chance(0.3);
                return {
                    what: 'partition',
                    kind,
                    atMs,
                    untilMs: long ? lasting(30, 70) : lasting(2, 30),
                    sides: Array.from({ length: nodes }, () => random.whole(0, count - 1)),
                };
            }
            return {
                what: 'weather',
                kind,
                atMs,
                untilMs: lasting(3, 40),
                delayMs: [20, random.between(100, 4_000)],
                loss: random.between(0, 0.15),
                repeat: random.between(0, 0.15),
                reorder: random.between(0, 0.4),
            };
        }
        case 'disk':
            if (random.chance(0.2))
                return { what: 'disk-full', kind, node, atMs, untilMs: lasting(1, 20) };
            return { what: 'power-cut', kind, node, atMs, untilMs: atMs, writes: random.whole(0, 6) };
        case 'crash': {
            const all = random.chance(0.1);
            const list = Array.from({ length: nodes }, (_, index) => index);
            return {
                what: 'kill',
                kind,
                atMs,
                untilMs: lasting(0.2, 6),
                nodes: all ? list : random.some(list, random.whole(1, 5)),
            };
        }
        case 'power':
            return {
                what: 'hash-rate',
                kind,
                node,
                atMs,
                untilMs: lasting(10, 60),
                factor: random.pick([0, 0.2, 3, 10]),
            };
    }
}
/** For a trace: one line. */
export function describeFault(fault) {
    const { what, atMs, untilMs, kind, ...facts } = fault;
    const text = Object.entries(facts)
        .map(([name, value]) => `${name}=${Array.isArray(value) ? value.join(',') : typeof value === 'number' ? Math.round(value * 1e5) / 1e5 : value}`)
        .join(' ');
    return `${what} until ${(untilMs / 1000).toFixed(1)} s ${text}`;
}
//# sourceMappingURL=faults.js.map