/** What `--to` names: a whole disk that may be written over, or an image file. Everything else is refused with the reason. */
import { existsSync, realpathSync, statfsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { WorldError } from '../node/error.js';
import { diskOf, ROOTS } from './disks.js';
/** Throws WorldError `usage`; `image` is the file that is going to be written. */
export function findTarget(name, image, roots = ROOTS) {
    const path = existsSync(name) ? realpathSync(name) : resolve(name);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat?.isBlockDevice())
        return { kind: 'disk', path, disk: diskBehind(path, stat, roots) };
    if (path.startsWith('/dev/'))
        throw refused(path, stat === undefined ? 'there is no such device' : 'it is no disk');
    if (stat !== undefined && !stat.isFile())
        throw refused(path, 'it is neither a disk nor a file');
    if (stat !== undefined && isSame(stat, statSync(image)))
        throw refused(path, 'it is the image itself');
    const dir = dirname(path);
    if (!existsSync(dir))
        throw refused(path, `there is no directory ${dir}`);
    const { bavail, bsize } = statfsSync(dir);
    const exists = stat !== undefined;
    return { kind: 'file', path, exists, roomBytes: bavail * bsize + (exists ? stat.blocks * 512 : 0) };
}
function diskBehind(path, stat, roots) {
    const found = diskOf(deviceNumber(stat.rdev), roots);
    if (found === undefined)
        throw refused(path, 'the kernel does not say what it is');
    if ('partOf' in found)
        throw refused(path, `it is a partition: an image goes onto the whole disk, /dev/${found.partOf}`);
    const { disk } = found;
    if (disk.refusals.length > 0)
        throw refused(path, disk.refusals.join('; '));
    return disk;
}
/** `MAJOR:MINOR` of a device number as Linux packs it (makedev(3)). */
export const deviceNumber = (rdev) => `${(rdev >> 8) & 0xfff}:${(rdev & 0xff) | ((rdev >> 12) & 0xfff00)}`;
const isSame = (a, b) => a.dev === b.dev && a.ino === b.ino;
const refused = (path, why) => new WorldError('usage', `${path} is not written to: ${why}. pinledger flash --list shows the disks that may be`);
/** What has to be agreed to; undefined when nothing is lost. `isForced` stands for `--yes-erase`. */
export function whatIsErased(target) {
    if (target.kind === 'file')
        return target.exists ? { what: `the file ${target.path}`, needsFlag: false } : undefined;
    const { bytes, model, doubts } = target.disk;
    const size = `${(bytes / 1e9).toFixed(1)} GB`;
    return {
        what: `everything on ${target.path} (${[model, size].filter((part) => part !== '').join(', ')}${doubts.map((doubt) => `, ${doubt}`).join('')})`,
        needsFlag: doubts.length > 0,
    };
}
//# sourceMappingURL=target.js.map