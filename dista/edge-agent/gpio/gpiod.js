/**
 * Lines through the character device, with the gpiod tools: a child process for each line (held-line.ts).
 *
 * - A line has one holder, so the level at the start is read just before gpiomon takes over. An edge within those
 *   milliseconds is not seen; the one after it tells the truth again.
 * - Neither version of gpioset as Debian builds it takes commands, so each change costs a new process (some 10 ms on
 *   a Pi) and, in between, the line's own resistors. As there are two levels, going from one to the other by way of
 *   what the resistors make of it is still one change; a level that the line has already costs nothing.
 */
import { invariant } from '../../schemas/result.js';
import { runProgram } from '../program.js';
import { createChanges } from './changes.js';
import { driveWords, edgeLevel, headerChip, readWords, reasonOf, TOOL_LIMITS, watchWords, } from './gpiod-tools.js';
import { hold, refusal } from './held-line.js';
export const gpiodAccess = (tools, surroundings) => ({
    kind: 'gpiod',
    openInput: (bcm, options) => openInput(tools, bcm, options, surroundings),
    openOutput: (bcm, options) => openOutput(tools, bcm, options, surroundings),
});
async function openInput({ version, chips }, bcm, options, surroundings) {
    const { edge, debounceMs } = options;
    const at = { version, chip: headerChip(chips, bcm).name, bcm };
    async function get() {
        try {
            const said = await runProgram(surroundings.spawn, 'gpioget', readWords(at, options), TOOL_LIMITS);
            return said.trim() === '1' ? 1 : 0;
        }
        catch (cause) {
            throw refusal('read', bcm, reasonOf(cause), cause);
        }
    }
    const initial = await get();
    if (edge === 'none')
        return { read: get, watch: () => { }, close: async () => { } };
    // Debouncing needs to know when the line is back; counting alone is cheaper with half the edges.
    const asked = debounceMs > 0 ? 'both' : edge;
    const held = await hold('gpiomon', watchWords(at, options, asked), bcm, surroundings);
    let changes;
    let closed = false;
    return {
        async read() {
            invariant(asked === 'both', 'a line whose other edge is not heard is not read');
            return changes?.level() ?? initial;
        },
        watch(onChange, onError) {
            const told = createChanges({ edge, debounceMs }, initial, onChange, surroundings);
            changes = told;
            let rest = '';
            held.child.stdout.setEncoding('utf8').on('data', (text) => {
                const lines = (rest + text).split('\n');
                rest = lines.pop()?.slice(-16) ?? '';
                for (const line of lines)
                    if (!closed)
                        told.tell(edgeLevel(line.trim()));
            });
            void held.ended.then((reason) => {
                if (closed)
                    return;
                closed = true;
                told.stop();
                onError(refusal('watch', bcm, `gpiomon has ended (${reason})`));
            });
        },
        async close() {
            closed = true;
            changes?.stop();
            await held.release();
        },
    };
}
async function openOutput({ version, chips }, bcm, options, surroundings) {
    const at = { version, chip: headerChip(chips, bcm).name, bcm };
    const drive = (level) => hold('gpioset', driveWords(at, options, level), bcm, surroundings);
    let wanted = options.initial;
    let driven = wanted;
    let held = await drive(wanted);
    let turning;
    /** Until the line is as wanted; whatever is wanted meanwhile is one more round at most. */
    async function turn() {
        while (held === undefined || held.hasEnded() || driven !== wanted) {
            await held?.release();
            held = undefined;
            if (wanted === undefined)
                return;
            driven = wanted;
            held = await drive(driven);
        }
    }
    return {
        set(level) {
            invariant(wanted !== undefined, 'an output that is closed is not set');
            wanted = level;
            turning ??= turn().finally(() => {
                turning = undefined;
            });
            return turning;
        },
        async close() {
            wanted = undefined;
            // Why a change failed has been said to who asked for it.
            await turning?.catch(() => { });
            await held?.release();
        },
    };
}
//# sourceMappingURL=gpiod.js.map