/** The computer itself: Node, board and kernel, temperature and power, memory. */
import { boardModel } from '../../node/clock.js';
import { absent, fails, warns, works } from './finding.js';
import { namesIn, said, textOf } from './machine.js';
const NODE_MIN = [20, 15];
/** A Pi slows down from 80 degrees on, and more at 85 (Raspberry Pi documentation, "Frequency management and thermal control"). */
const WARM = 75;
const HOT = 80;
/** What an agent of a middling network takes (docs/OPERATIONS.md), and what leaves Linux hardly anything. */
const MEMORY_MB_MIN = 200;
const MEMORY_MB_LEAST = 60;
export const computerChecks = (machine) => [
    { part: 'node', msMax: 1_000, run: (say) => say(node(machine)) },
    { part: 'board', msMax: 1_000, run: (say) => say(board(machine)) },
    { part: 'temperature', msMax: 2_000, run: (say) => say(temperature(machine)) },
    { part: 'power', msMax: 6_000, run: async (say) => say(await power(machine)) },
    { part: 'memory', msMax: 1_000, run: (say) => say(memory(machine)) },
];
function node({ nodeVersion, arch }) {
    const [major = 0, minor = 0] = nodeVersion.split('.').map(Number);
    const [majorMin, minorMin] = NODE_MIN;
    if (major > majorMin || (major === majorMin && minor >= minorMin))
        return works('node', `v${nodeVersion}, ${arch}`);
    return fails('node', `v${nodeVersion}, ${arch}: ${NODE_MIN.join('.')} or later is needed`, 'sudo apt install nodejs   (Raspberry Pi OS Trixie; for Bookworm a tarball from nodejs.org)');
}
function board({ platform, procRoot, etcRoot }) {
    if (platform !== 'linux')
        return absent('board', `${platform}: pins, temperature and disks are looked at on Linux only`);
    const kernel = textOf(procRoot, 'sys/kernel/osrelease') ?? 'unknown';
    const system = /^PRETTY_NAME="?([^"\n]*)/m.exec(textOf(etcRoot, 'os-release') ?? '')?.[1] ?? 'Linux';
    const model = boardModel(procRoot);
    return works('board', `${model ?? 'not a Raspberry Pi'}, ${system}, kernel ${kernel}`);
}
function temperature({ sysRoot }) {
    const [hottest] = namesIn(sysRoot, 'class/thermal')
        .filter((zone) => zone.startsWith('thermal_zone'))
        .flatMap((zone) => {
        const degrees = Number(textOf(sysRoot, 'class/thermal', zone, 'temp') ?? Number.NaN) / 1000;
        return Number.isFinite(degrees) ? [degrees] : [];
    })
        .sort((a, b) => b - a);
    if (hottest === undefined)
        return absent('temperature', 'this machine has no thermometer');
    const detail = `${hottest.toFixed(1)} °C`;
    const remedy = 'give it a heat sink or a fan, or lower mine.duty in the configuration';
    if (hottest >= HOT)
        return fails('temperature', `${detail}: a Pi slows down at ${HOT} °C`, remedy);
    return hottest >= WARM
        ? warns('temperature', `${detail}, close to the ${HOT} °C at which a Pi slows down`, remedy)
        : works('temperature', detail);
}
/** Bits of the firmware's get_throttled; those since the start are 16 higher. */
const THROTTLED = [
    'the voltage is too low',
    'the processor is kept below its full speed',
    'the processor is slowed down',
    'the processor is at its soft limit of temperature',
];
async function power(machine) {
    const word = textOf(machine.sysRoot, 'devices/platform/soc/soc:firmware/get_throttled') ??
        /throttled=(\w+)/.exec((await said(machine, 'vcgencmd', ['get_throttled'])) ?? '')?.[1];
    const bits = word === undefined ? Number.NaN : Number.parseInt(word.replace(/^0x/, ''), 16);
    if (Number.isNaN(bits))
        return absent('power', 'no firmware here that watches it');
    const now = THROTTLED.filter((_, bit) => (bits >> bit) & 1);
    const before = THROTTLED.filter((_, bit) => (bits >> (bit + 16)) & 1 && !((bits >> bit) & 1));
    const isWeak = (bits & 0x1_0001) !== 0;
    const remedy = isWeak
        ? 'use the power supply made for this Pi (5.1 V; 3 A, a Pi 5 wants 5 A) and a short thick cable; unplug what draws from USB'
        : 'give it a heat sink or a fan, or lower mine.duty in the configuration';
    const parts = [
        ...(now.length === 0 ? [] : [`now: ${now.join(', ')}`]),
        ...(before.length === 0 ? [] : [`since the start, but not now: ${before.join(', ')}`]),
    ];
    if (parts.length === 0)
        return works('power', 'never too low, never throttled since the start');
    return (now.length > 0 ? fails : warns)('power', parts.join('; '), remedy);
}
function memory({ procRoot }) {
    const meminfo = textOf(procRoot, 'meminfo') ?? '';
    const megabytes = (name) => Math.round(Number(new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(meminfo)?.[1]) / 1024);
    const [available, total] = [megabytes('MemAvailable'), megabytes('MemTotal')];
    if (Number.isNaN(available))
        return absent('memory', 'no /proc/meminfo here');
    const detail = `${available} of ${total} MB available`;
    const remedy = 'ps -eo rss,comm --sort=-rss | head   (says what takes it)';
    if (available < MEMORY_MB_LEAST)
        return fails('memory', detail, remedy);
    return available < MEMORY_MB_MIN
        ? warns('memory', `${detail}; an agent takes up to ${MEMORY_MB_MIN} MB`, remedy)
        : works('memory', detail);
}
//# sourceMappingURL=computer.js.map