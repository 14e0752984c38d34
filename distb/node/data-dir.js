/**
 * A directory of state that one process at a time has open.
 *
 * Every process that wants it puts down a lock file named after itself (`lock-<pid>-<boot>-<start>`), made with
 * O_EXCL, and then looks for others; it has the directory if none of the others is alive. Because a process
 * first shows itself and then looks, of two that come at once at least one sees the other and gives way: there is
 * no moment at which both take over the same stale lock. `start` is the process's start in clock ticks since
 * boot and `boot` the kernel's boot id (proc(5)), so a pid that was given out again is not taken for its forerunner.
 *
 * The name decides, the content (the pid) is for people. Limit: a pid means something on one machine only, so two
 * containers with pids of their own, or two machines, are not kept apart.
 */
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, statSync, unlinkSync, writeSync, } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { syncDirectory } from './disk.js';
import { WorldError } from './error.js';
const LOCK_NAME = /^lock-(\d+)-([0-9a-f]*)-(\d*)$/;
/**
 * Opens a data directory, makes it (mode 0700) when there is none, and locks it.
 *
 * Throws WorldError `store-locked` when another process, or this one, has it open, `store-write` when it
 * cannot be made or written to. A lock left behind by a process that was killed is removed.
 */
export function openDataDir(path) {
    const directory = resolve(path);
    let lock;
    try {
        makeDirectory(directory);
        lock = putLock(directory);
    }
    catch (error) {
        if (error instanceof WorldError)
            throw error;
        throw new WorldError('store-write', `cannot use ${directory} as data directory (${String(error)}): choose another, make room on its disk, or give this user the right to write there`, error);
    }
    try {
        for (const other of readdirSync(directory)) {
            const holder = LOCK_NAME.exec(other);
            if (holder === null || other === lock)
                continue;
            const [, pid = '', boot = '', start = ''] = holder;
            if (isAlive(Number(pid), boot, start))
                throw locked(directory, Number(pid));
            remove(join(directory, other));
        }
    }
    catch (error) {
        remove(join(directory, lock));
        throw error;
    }
    let open = true;
    return {
        path: directory,
        file: (name) => join(directory, name),
        close() {
            if (open)
                remove(join(directory, lock));
            open = false;
        },
    };
}
function makeDirectory(directory) {
    if (mkdirSync(directory, { recursive: true, mode: 0o700 }) !== undefined)
        syncDirectory(dirname(directory));
    const mode = statSync(directory).mode & 0o777;
    if ((mode & 0o022) !== 0) {
        throw new WorldError('store-write', `other users of this machine can write to data directory ${directory} (mode 0${mode.toString(8)}): run  chmod 700 '${directory}'`);
    }
}
/** Makes our own lock file and returns its name. */
function putLock(directory) {
    const name = `lock-${process.pid}-${bootId()}-${startTicks(process.pid) ?? ''}`;
    let fd;
    try {
        fd = openSync(join(directory, name), 'wx', 0o600);
    }
    catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'EEXIST')
            throw locked(directory, process.pid);
        throw error;
    }
    try {
        writeSync(fd, `${process.pid}\n`);
    }
    finally {
        closeSync(fd);
    }
    return name;
}
function locked(directory, pid) {
    const who = pid === process.pid ? `this process (pid ${pid})` : `process ${pid}`;
    return new WorldError('store-locked', `data directory ${directory} is in use by ${who}: stop it first (kill ${pid}), or choose another directory with --data`);
}
/** Whether this very process still runs, not another under its pid. */
export function isAlive(pid, boot, start) {
    if (boot !== bootId())
        return false;
    if (start !== '')
        return startTicks(pid) === start;
    try {
        process.kill(pid, 0);
        return true;
    }
    catch (error) {
        return !(error instanceof Error && 'code' in error && error.code === 'ESRCH'); // EPERM: somebody else's, alive
    }
}
/** Start of a running process; undefined when it has ended (also when its parent has not yet waited for it) or without /proc. */
export function startTicks(pid) {
    const stat = readProc(`/proc/${pid}/stat`);
    // Field 2 is the program's name in brackets, and may itself hold blanks and brackets: count from behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const state = fields[0] ?? '';
    return 'ZX'.includes(state) ? undefined : fields[19];
}
export const bootId = () => readProc('/proc/sys/kernel/random/boot_id').slice(0, 8);
function readProc(path) {
    try {
        return readFileSync(path, 'utf8');
    }
    catch {
        return ''; // no such process, or no /proc on this system
    }
}
function remove(path) {
    try {
        unlinkSync(path);
    }
    catch (error) {
        // Somebody else saw the same stale lock, or removed the whole directory: it is gone, which is all we want.
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT'))
            throw error;
    }
}
//# sourceMappingURL=data-dir.js.map