/**
 * What Linux says about itself in /proc and /sys, parsed from the files' text. Functions of their inputs.
 *
 * Each throws an Error that says what is missing when the text is not as documented. Source: proc(5),
 * Linux Documentation/admin-guide/iostats.rst.
 */
/** `/proc/stat`: the first line sums all cores. Waiting for a disk counts as idle, a guest's time is in `user`. */
export function parseCpuTicks(stat) {
    const line = /^cpu +(.*)$/m.exec(stat)?.[1];
    const ticks = line?.trim().split(/ +/).slice(0, 8).map(Number) ?? [];
    const [, , , idle = Number.NaN, waiting = 0] = ticks;
    const total = ticks.reduce((sum, value) => sum + value, 0);
    if (Number.isNaN(idle) || Number.isNaN(total))
        throw new Error('no line "cpu" with at least 4 counters');
    return { idle: idle + waiting, total };
}
/** `/proc/meminfo`: percent of memory that programs could not get without swapping. */
export function parseMemoryUsed(meminfo) {
    const field = (name) => {
        const kilobytes = new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(meminfo)?.[1];
        if (kilobytes === undefined)
            throw new Error(`no line "${name}"`);
        return Number(kilobytes);
    };
    const total = field('MemTotal');
    if (total === 0)
        throw new Error('MemTotal is 0');
    return (1 - field('MemAvailable') / total) * 100;
}
/** `/sys/class/thermal/thermal_zone*\/temp`: thousandths of a degree Celsius. */
export function parseTemperature(temp) {
    if (!/^-?\d+\s*$/.test(temp))
        throw new Error('no whole number of thousandths of a degree');
    return Number(temp) / 1000;
}
const SECTOR_BYTES = 512; // iostats.rst: whatever the disk's own sectors are
/** `/proc/diskstats`: bytes read or written by the disks in `devices` since boot; partitions would count twice. */
export function parseDiskBytes(diskstats, devices, direction) {
    let bytes = 0;
    for (const line of diskstats.split('\n')) {
        const fields = line.trim().split(/ +/);
        const sectors = Number(fields[direction === 'read' ? 5 : 9]);
        if (devices.has(fields[2] ?? '') && Number.isFinite(sectors))
            bytes += sectors * SECTOR_BYTES;
    }
    return bytes;
}
/** `/proc/net/dev`: bytes over all interfaces but the loopback, since boot. */
export function parseNetworkBytes(dev, direction) {
    let bytes;
    for (const line of dev.split('\n')) {
        const match = /^ *([^:\s]+): *(.*)$/.exec(line);
        if (match === null || match[1] === 'lo')
            continue;
        const count = Number(match[2]?.split(/ +/)[direction === 'received' ? 0 : 8]);
        if (Number.isFinite(count))
            bytes = (bytes ?? 0) + count;
    }
    if (bytes === undefined)
        throw new Error('no interface but the loopback');
    return bytes;
}
//# sourceMappingURL=kernel-counters.js.map