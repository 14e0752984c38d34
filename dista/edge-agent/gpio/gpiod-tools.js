/**
 * The words of the gpiod tools, in both versions: 1 (Debian 12, Raspberry Pi OS Bookworm) and 2 (Debian 13, Trixie).
 *
 * Source: the manual pages and help texts of gpiod 1.6.3 and 2.2.1.
 */
import { WorldError } from '../../node/error.js';
import { runProgram } from '../program.js';
import { isHeaderChip } from './sysfs-number.js';
const INSTALL = 'install the GPIO tools with "sudo apt install gpiod"';
/** Both tools answer in milliseconds; the limit is for a Pi that is busy elsewhere. */
export const TOOL_LIMITS = { timeoutMs: 10_000, outputBytesMax: 65_536 };
/** Asks the tools for their version and the chips they see. Rejects with a `WorldError`. */
export async function readTools(spawn) {
    let said;
    try {
        said = await runProgram(spawn, 'gpiodetect', ['--version'], TOOL_LIMITS);
    }
    catch (cause) {
        throw new WorldError('sensor', `${reasonOf(cause)}; ${INSTALL}`, cause);
    }
    const major = Number(/\bv(\d+)\.\d+/.exec(said)?.[1]);
    if (major !== 1 && major !== 2) {
        const first = said.split('\n', 1)[0]?.slice(0, 80);
        throw new WorldError('sensor', `gpiodetect calls itself "${first}", expected version 1 or 2; ${INSTALL}`);
    }
    try {
        const listed = await runProgram(spawn, 'gpiodetect', [], TOOL_LIMITS);
        return { version: major, chips: parseChips(listed) };
    }
    catch (cause) {
        throw new WorldError('sensor', `${reasonOf(cause)}; ${gpiodRemedy(reasonOf(cause))}`, cause);
    }
}
/** `gpiochip0 [pinctrl-bcm2711] (58 lines)`, a line for each chip. */
export function parseChips(listed) {
    return [...listed.matchAll(/^(\S+) \[(.*)\] \((\d+) lines\)$/gm)].map(([, name = '', label = '', lines]) => ({
        name,
        label,
        lines: Number(lines),
    }));
}
/** The header's chip, by its label. Throws a `WorldError` when the tools see none, or it has no such line. */
export function headerChip(chips, bcm) {
    const chip = chips.find(({ label }) => isHeaderChip(label));
    if (chip === undefined) {
        const seen = chips.map(({ label }) => label).join(', ') || 'none';
        throw new WorldError('sensor', `gpiodetect sees no GPIO chip of a Raspberry Pi's header (chips: ${seen}); use another driver here`);
    }
    if (bcm < chip.lines)
        return chip;
    throw new WorldError('sensor', `${chip.label} has the pins 0 to ${chip.lines - 1}, not ${bcm}; use the BCM number, not the header's position`);
}
const place = ({ version, chip }) => (version === 1 ? [chip] : ['--chip', chip]);
const polarity = (activeLow) => (activeLow ? ['--active-low'] : []);
const resistor = ({ version }, bias) => bias === 'as-is' ? [] : [`--bias=${bias === 'disabled' && version === 1 ? 'disable' : bias}`];
/** `gpioget`, which says 0 or 1. */
export const readWords = (at, { activeLow, bias }) => [
    ...(at.version === 2 ? ['--numeric'] : []),
    ...polarity(activeLow),
    ...resistor(at, bias),
    ...place(at),
    `${at.bcm}`,
];
/** `gpiomon`, which says a line for each edge: see `edgeLevel`. */
export function watchWords(at, { activeLow, bias }, edge) {
    const edges = at.version === 2
        ? [`--edges=${edge}`]
        : ['--line-buffered', ...(edge === 'both' ? [] : [`--${edge}-edge`])];
    return [...edges, '--format=%e', ...polarity(activeLow), ...resistor(at, bias), ...place(at), `${at.bcm}`];
}
/** The level after an edge as `%e` has it: 1 is rising in both versions; falling is 0 in version 1 and 2 in version 2. */
export const edgeLevel = (text) => (text === '1' ? 1 : 0);
/** `gpioset`, which drives the line until it is killed. */
export const driveWords = (at, { activeLow }, level) => [
    ...(at.version === 1 ? ['--mode=signal'] : []),
    ...polarity(activeLow),
    ...place(at),
    `${at.bcm}=${level}`,
];
/** What mends that a tool ended with `reason`, the words of the C library. */
export function gpiodRemedy(reason) {
    if (/permission denied|not permitted/i.test(reason))
        return 'add the user to the group gpio and log in again';
    if (/busy/i.test(reason))
        return 'another program or a kernel overlay uses the pin, choose another or free it';
    if (/ENOENT|failed to execute/.test(reason))
        return INSTALL;
    return 'see with "gpioinfo" that the pin is free';
}
export const reasonOf = (cause) => (cause instanceof Error ? cause.message : String(cause));
//# sourceMappingURL=gpiod-tools.js.map