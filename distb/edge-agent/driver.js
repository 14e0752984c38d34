/**
 * Drivers: how a sensor is opened from its configuration and says its values.
 *
 * A sensor that fails reports a `WorldError` and tries again with backoff; it costs no other sensor anything. The
 * machine's files, the clock and the GPIO library are parameters (`Surroundings`).
 */
import { z } from 'zod';
import { createBackoff } from '../node/backoff.js';
import { WorldError } from '../node/error.js';
import { name } from '../schemas/field.js';
import { UNITS } from '../schemas/units.js';
import { sensorSale } from './sale/config.js';
export const unitSchema = z.enum(UNITS, {
    error: (issue) => `expected a unit symbol of RFC 8428 such as Cel, %, B/s or count, got ${String(issue.input)}`,
});
/** Fields of every sensor's configuration. */
export const sensorFields = {
    /** The sensor's name in topics and on the ledger. */
    name: name.json,
    /** Samples in one transaction: 1 signs each on its own, more carry their Merkle root. */
    batch: z.int().min(1).max(1024).default(1),
    /** On which terms its readings are sold. */
    sell: sensorSale.optional(),
};
/** Seconds between two readings of a polled sensor. */
export const intervalSeconds = z.number().min(0.1).max(86_400).default(5);
const RETRY = { baseMs: 1000, capMs: 60_000, stableMs: 10_000 };
/**
 * A sensor out of one task, which runs until its signal aborts, returns for good, or throws: then the fault is reported
 * and the task begins anew after a wait of up to a minute. `ready` is what `start` waits for.
 */
export function createSensor(unit, surroundings, task) {
    let controller;
    let running;
    async function run(emit, signal, ready) {
        const backoff = createBackoff(RETRY, surroundings.random);
        while (!signal.aborted) {
            const startedMs = surroundings.nowMs();
            try {
                await task((sample) => signal.aborted || emit(sample), signal, ready);
                return ready();
            }
            catch (error) {
                if (!(error instanceof WorldError))
                    throw error;
                if (!signal.aborted)
                    surroundings.report(error);
            }
            ready();
            await surroundings.sleep(backoff.next(surroundings.nowMs() - startedMs), signal);
        }
    }
    return {
        unit,
        start(emit) {
            controller = new AbortController();
            const { signal } = controller;
            return new Promise((resolve, reject) => {
                let isReady = false;
                const ready = () => {
                    isReady = true;
                    resolve();
                };
                running = run(emit, signal, ready);
                running.catch((error) => {
                    // A fault of our own: who starts the sensor hears of it, and later `main` does, as an unhandled rejection.
                    if (isReady)
                        throw error;
                    reject(error);
                });
            });
        },
        async stop() {
            controller?.abort();
            await running;
        },
    };
}
/**
 * A sensor that is read at an interval. `open` begins a round of readings, which a fault ends; a reading that resolves with
 * undefined has nothing to say.
 */
export const createPolledSensor = (unit, intervalSeconds, surroundings, open) => createSensor(unit, surroundings, async (emit, signal, ready) => {
    const read = open();
    while (!signal.aborted) {
        const value = await read(signal);
        if (value !== undefined)
            emit({ value });
        ready();
        await surroundings.sleep(intervalSeconds * 1000, signal);
    }
});
//# sourceMappingURL=driver.js.map