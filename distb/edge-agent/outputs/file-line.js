/**
 * An output that is a file: `1` or `0` and a newline, such as an LED's brightness below /sys/class/leds, or a file that shows what a
 * relay would do.
 *
 * As a line of sysfs does, it keeps its level when nobody holds it. It is opened anew for each level, so that a file that was
 * replaced is written too; it is two bytes at any time, so that who reads it never sees less.
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { WorldError } from '../../node/error.js';
/** Rejects with a `WorldError` that names the file and the remedy. */
export async function openFileLine(path, { activeLow, initial }) {
    const physical = (level) => (activeLow ? (level === 1 ? 0 : 1) : level);
    await write(path, physical(initial), constants.O_TRUNC);
    return {
        set: (level) => write(path, physical(level), 0),
        close: async () => { },
    };
}
async function write(path, level, flags) {
    try {
        // A pipe that nobody reads must not hold us.
        const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_NONBLOCK | flags, 0o644);
        try {
            await file.write(`${level}\n`, 0);
        }
        finally {
            await file.close();
        }
    }
    catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new WorldError('sensor', `cannot write ${path}: ${reason}; give the agent's user the right to write it, or choose another file`, error);
    }
}
//# sourceMappingURL=file-line.js.map