/** The disk below the data directory: what it is, how worn, how full, whether it can be written. */
import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { absent, fails, warns, works } from './finding.js';
import { namesIn, quoted, realPath, textOf } from './machine.js';
const SECTOR_BYTES = 512;
const FREE_MB_LEAST = 64;
const ROOM = 'sudo apt clean && sudo journalctl --vacuum-size=50M';
/** `data` need not be there yet; `megabytesMax` is what the ledger may come to take. */
export const diskChecks = (machine, data, megabytesMax) => [
    { part: 'disk', msMax: 3_000, run: (say) => disk(machine, existing(data)).forEach(say) },
    { part: 'disk space', msMax: 3_000, run: (say) => say(space(machine, existing(data), megabytesMax)) },
];
/** The directory, or the nearest one above it that is there. */
function existing(path) {
    let at = resolve(path);
    while (!existsSync(at) && dirname(at) !== at)
        at = dirname(at);
    return realPath(at) ?? at;
}
/** The mount that `path` is on, by proc_pid_mountinfo(5): of those that hold it the longest, and of these the last. */
function mountOf({ procRoot }, path) {
    let found;
    for (const line of (textOf(procRoot, 'self/mountinfo') ?? '').split('\n')) {
        const [own = '', shared = ''] = line.split(' - ');
        const [, , device, , escaped, options = ''] = own.split(' ');
        const [type = '', , superOptions = ''] = shared.split(' ');
        if (device === undefined || escaped === undefined)
            continue;
        const point = escaped.replace(/\\(\d{3})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 8)));
        const holds = path === point || path.startsWith(point === '/' ? '/' : `${point}/`);
        if (!holds || point.length < (found?.point.length ?? 0))
            continue;
        const isReadOnly = [options, superOptions].some((list) => list.split(',').includes('ro'));
        found = { point, device, type, isReadOnly };
    }
    return found;
}
function disk(machine, path) {
    const mount = mountOf(machine, path);
    if (mount === undefined)
        return [absent('disk', `which disk ${path} is on is not known here`)];
    const findings = [];
    if (mount.isReadOnly) {
        findings.push(fails('disk', `${path} is on ${mount.point}, which is mounted read-only; the kernel does that when a disk fails`, `sudo dmesg | grep -iE 'ext4|mmc|i/o error'; sudo mount -o remount,rw ${quoted(mount.point)}`));
    }
    const node = realPath(join(machine.sysRoot, 'dev/block', mount.device));
    if (node === undefined) {
        if (findings.length === 0)
            findings.push(works('disk', `${path} is on ${mount.point} (${mount.type})`));
        return [...findings, absent('disk wear', `${mount.type} tells nothing of its disk`)];
    }
    const whole = existsSync(join(node, 'partition')) ? dirname(node) : node;
    const name = basename(whole);
    const written = Number(textOf(whole, 'stat')?.trim().split(/ +/)[6]) * SECTOR_BYTES;
    const writes = Number.isFinite(written) ? `, ${gigabytes(written)} written since the start` : '';
    if (findings.length === 0)
        findings.push(works('disk', `${path} is on ${mount.point} (${mount.type}) of ${name}${writes}`));
    return [...findings, wear(whole, name)];
}
function wear(whole, name) {
    const kind = textOf(whole, 'device/type');
    const what = [textOf(whole, 'device/name'), textOf(whole, 'device/date')]
        .filter((text) => text !== undefined)
        .join(', made ');
    const life = textOf(whole, 'device/life_time');
    if (life !== undefined) {
        // JEDEC eMMC 5.0, DEVICE_LIFE_TIME_EST: steps of 10 %, 11 for more than all; PRE_EOL_INFO: 2 warning, 3 urgent.
        const used = Math.max(...life.split(/\s+/).map((value) => Number.parseInt(value, 16)));
        const reserve = Number.parseInt(textOf(whole, 'device/pre_eol_info') ?? '1', 16);
        const detail = `${name} (eMMC ${what}): ${used > 10 ? 'more than its whole life' : `${Math.max(used - 1, 0) * 10} to ${used * 10} % of its life`} used${reserve > 1 ? ', its spare blocks run out' : ''}`;
        const remedy = 'make a backup (pinledger backup --help) and replace it';
        if (used > 10 || reserve > 2)
            return fails('disk wear', detail, remedy);
        return used > 8 || reserve > 1 ? warns('disk wear', detail, remedy) : works('disk wear', detail);
    }
    if (kind === 'SD')
        return absent('disk wear', `${name} is an SD card (${what}), which does not tell; keep a backup of key.json`);
    const tool = name.startsWith('nvme') || namesIn(whole, 'device').includes('model');
    return absent('disk wear', `${name} does not tell here`, tool ? `sudo smartctl -a /dev/${name}` : undefined);
}
function space(machine, path, megabytesMax) {
    const { free, total } = machine.space(path);
    const detail = `${gigabytes(free)} of ${gigabytes(total)} free at ${path}`;
    const megabytes = free / 2 ** 20;
    if (megabytes < FREE_MB_LEAST)
        return fails('disk space', detail, ROOM);
    return megabytes < megabytesMax
        ? warns('disk space', `${detail}; the ledger may come to take ${megabytesMax} MB`, ROOM)
        : works('disk space', detail);
}
const gigabytes = (bytes) => bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
//# sourceMappingURL=disk.js.map