/** The machine that the doctor looks at: its files, programs, clock and user, as parameters. */
import { accessSync, constants, readdirSync, readFileSync, realpathSync, statfsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { thisMachine } from '../../edge-agent/drivers.js';
import { runProgram } from '../../edge-agent/program.js';
import { WorldError } from '../../node/error.js';
export const thisComputer = () => ({
    ...thisMachine(() => { }),
    runRoot: '/run',
    etcRoot: '/etc',
    platform: process.platform,
    arch: process.arch,
    nodeVersion: process.versions.node,
    uid: process.getuid?.(),
    user: userName(),
    now: Date.now,
    mayUse(path) {
        try {
            accessSync(path, constants.R_OK | constants.W_OK);
            return true;
        }
        catch {
            // That it may not is the answer.
            return false;
        }
    },
    space(path) {
        const { bavail, blocks, bsize } = statfsSync(path);
        return { free: bavail * bsize, total: blocks * bsize };
    },
});
function userName() {
    try {
        return userInfo().username;
    }
    catch {
        // A container may run as a number without a name.
        return String(process.getuid?.() ?? 'unknown');
    }
}
/** A small file's text without its last line break; undefined where it is not, or cannot be read. */
export function textOf(...path) {
    try {
        return readFileSync(join(...path), 'utf8').replace(/[\0\n]+$/, '');
    }
    catch {
        // Each caller has its own words for what is not there.
        return undefined;
    }
}
/** Names in a directory, sorted; none where it is not. */
export function namesIn(...path) {
    try {
        return readdirSync(join(...path)).sort();
    }
    catch {
        // As above.
        return [];
    }
}
/** Where a path really is; undefined where it is not. */
export function realPath(path) {
    try {
        return realpathSync(path);
    }
    catch {
        // As above.
        return undefined;
    }
}
const COMMAND_LIMITS = { timeoutMs: 4_000, outputBytesMax: 65_536 };
/** What a program prints; undefined where it is not installed, fails, or says nothing in time. */
export async function said({ spawn }, command, args) {
    try {
        return await runProgram(spawn, command, args, COMMAND_LIMITS);
    }
    catch (error) {
        if (!(error instanceof WorldError))
            throw error;
        return undefined;
    }
}
/** As a shell takes it. */
export const quoted = (text) => /^[\w./:@=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
//# sourceMappingURL=machine.js.map