/**
 * Exit codes and the one place where errors become words.
 *
 * 0 done; 1 what was asked for does not hold (a payment refused, a chain that fails verification); 2 wrong usage or
 * configuration; 3 the world failed (port, disk, broker, key file); 70 a bug of ours.
 */
import { WorldError } from '../node/error.js';
export const EXIT = { ok: 0, no: 1, usage: 2, world: 3, bug: 70 };
export const EXIT_HELP = `
Exit codes:
  0   done
  1   what was asked for does not hold (payment refused, chain fails verification)
  2   wrong usage or configuration
  3   the world failed: port in use, disk, broker unreachable, key file
  70  a bug in pinledger: please report it`;
const USAGE = ['config', 'usage'];
/** Exit code for an error that reached the top. */
export const exitCodeOf = (error) => error instanceof WorldError ? (USAGE.includes(error.code) ? EXIT.usage : EXIT.world) : EXIT.bug;
/** What the person at the keyboard reads; a stack only for our own bugs. */
export function explain(error) {
    if (error instanceof WorldError)
        return error.message;
    if (error instanceof Error)
        return `bug in pinledger, please report it: ${error.stack ?? error.message}`;
    return `bug in pinledger, please report it: ${String(error)}`;
}
//# sourceMappingURL=exit.js.map