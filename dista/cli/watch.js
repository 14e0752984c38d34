/** `pinledger watch`: one line per event of a running network. */
import { createLog, formatFor } from '../node/log.js';
import { describeEvent, Live } from './live.js';
import { openReader } from './reader.js';
export const WATCHED = [
    'status',
    'confirmed',
    'account',
    'refused',
    'output',
    'grant',
    'claim',
];
/** Prints events: JSON lines for machines, else words, coloured on a terminal. */
export function eventPrinter(json) {
    const colour = formatFor(process.stdout, json) === 'colour';
    return (event) => {
        const now = Date.now();
        const line = json
            ? JSON.stringify({ at: new Date(now).toISOString(), ...event })
            : describeEvent(event, now, colour);
        process.stdout.write(`${line}\n`);
    };
}
/** Watches until the signal is aborted; throws WorldError when the broker cannot be reached within 10 s. */
export async function watchCommand(session, json, signal) {
    const log = createLog({
        name: 'watch',
        format: formatFor(process.stderr, json),
        level: 'warn',
        write: (line) => process.stderr.write(line),
        now: Date.now,
    });
    const live = new Live(eventPrinter(json));
    const reader = openReader(session, WATCHED, log, (mirror) => live.receive(mirror));
    await reader.connected(5_000);
    await new Promise((resolve) => {
        if (signal.aborted)
            resolve();
        signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await reader.stop();
}
//# sourceMappingURL=watch.js.map