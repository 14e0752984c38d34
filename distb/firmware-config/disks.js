/**
 * The disks of this machine, and why one of them must not be written over, from the kernel's own files.
 *
 * Sources: /sys/block (sysfs-block in the kernel's ABI documents; sizes are in sectors of 512 bytes whatever the disk's
 * own are), /proc/self/mountinfo (proc(5)) and /proc/swaps. What this cannot see, such as a mount in another container,
 * the kernel refuses when the disk is opened exclusively.
 */
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';
const SECTOR_BYTES = 512;
/** Larger is hardly a card: it takes `--yes-erase`. 256 GB, as printed on cards. */
export const CARD_BYTES_MAX = 256e9;
export const ROOTS = { sys: '/sys', proc: '/proc' };
/** All disks with a medium, by name. */
export function listDisks(roots = ROOTS) {
    const dir = join(roots.sys, 'block');
    if (!existsSync(dir))
        return [];
    return readdirSync(dir)
        .sort()
        .map((name) => readDisk(name, roots))
        .filter(({ bytes }) => bytes > 0);
}
/** The disk of a block device's number, or the name of the disk that it is only a part of. */
export function diskOf(number, roots = ROOTS) {
    const link = join(roots.sys, 'dev/block', number);
    if (!existsSync(link))
        return undefined;
    const path = realpathSync(link);
    return existsSync(join(path, 'partition'))
        ? { partOf: basename(join(path, '..')) }
        : { disk: readDisk(basename(path), roots) };
}
function readDisk(name, roots) {
    const dir = join(roots.sys, 'block', name);
    const text = (file) => readText(join(dir, file)).trim();
    const bytes = Number(text('size')) * SECTOR_BYTES;
    const removable = text('removable') === '1' || text('device/type') === 'SD' || /\/usb\d/.test(realpathSync(dir));
    const model = [text('device/vendor'), text('device/model'), text('device/name')]
        .filter((part) => part !== '')
        .join(' ');
    const doubts = [
        ...(bytes > CARD_BYTES_MAX ? [`larger than ${CARD_BYTES_MAX / 1e9} GB`] : []),
        ...(removable ? [] : ['not removable']),
    ];
    const refusals = [
        ...(bytes === 0 ? ['there is no card in it'] : []),
        ...(text('ro') === '1' ? ["write-protected: look at the card's switch"] : []),
        ...uses(name, dir, roots),
    ];
    return { name, bytes, model, removable, refusals, doubts };
}
/** What uses the disk or one of its partitions. */
function uses(name, dir, { proc }) {
    const parts = [
        { name, dir },
        ...readdirSync(dir)
            .filter((entry) => existsSync(join(dir, entry, 'partition')))
            .map((entry) => ({ name: entry, dir: join(dir, entry) })),
    ];
    const mounts = readMounts(proc);
    const swaps = readText(join(proc, 'swaps'))
        .split('\n')
        .map((line) => line.split(/\s/)[0] ?? '');
    return parts.flatMap((part) => {
        const number = readText(join(part.dir, 'dev')).trim();
        const device = `/dev/${part.name.replaceAll('!', '/')}`;
        const where = mounts
            .filter((mount) => mount.number === number || mount.source === device)
            .map(({ at }) => at);
        const holders = existsSync(join(part.dir, 'holders')) ? readdirSync(join(part.dir, 'holders')) : [];
        return [
            ...(where.some((at) => SYSTEM.includes(at))
                ? [`${part.name} holds this system (${where.join(', ')})`]
                : []),
            ...(where.length > 0 && !where.some((at) => SYSTEM.includes(at))
                ? [`${part.name} is mounted at ${where.join(', ')}: run  sudo umount ${device}`]
                : []),
            ...(swaps.includes(device) ? [`${part.name} is swap: run  sudo swapoff ${device}`] : []),
            ...(holders.length > 0
                ? [`${part.name} is in use by ${holders.join(', ')} (LVM, RAID or encryption)`]
                : []),
        ];
    });
}
const SYSTEM = ['/', '/boot', '/boot/firmware', '/boot/efi', '/usr', '/var', '/home'];
/** Octal escapes, such as \040 for a blank, are taken back. */
function readMounts(proc) {
    return readText(join(proc, 'self/mountinfo'))
        .split('\n')
        .flatMap((line) => {
        const [before = '', after = ''] = line.split(' - ');
        const [, , number = '', , at = ''] = before.split(' ');
        const [, source = ''] = after.split(' ');
        const plain = (text) => text.replace(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 8)));
        return number === '' ? [] : [{ number, source: plain(source), at: plain(at) }];
    });
}
function readText(path) {
    try {
        return readFileSync(path, 'utf8');
    }
    catch {
        // Not every disk has every file: a card has no vendor, a virtual disk no model.
        return '';
    }
}
//# sourceMappingURL=disks.js.map