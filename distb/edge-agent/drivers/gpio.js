/**
 * Driver `gpio`: an input pin of a Raspberry Pi, by its BCM number.
 *
 * Mode `level` reads the pin at an interval, mode `edge` says each change as it happens, and the level at the start
 * when both edges are asked for: 0 and 1. Mode `pulse` counts for meters that give pulses (water, energy, wind).
 */
import { z } from 'zod';
import { WorldError } from '../../node/error.js';
import { TokenBucket } from '../../node/token-bucket.js';
import { createSensor, intervalSeconds, sensorFields, unitSchema } from '../driver.js';
import { openAccess } from '../gpio/access.js';
import { createPulseCounter, PULSES_PER_SECOND_MAX, pulseFields } from './pulses.js';
/** A floating pin changes thousands of times a second; nobody pays for that. */
const EDGES = { perSecond: 20, burst: 100 };
const configSchema = z.strictObject({
    driver: z.literal('gpio'),
    ...sensorFields,
    /** BCM number, as printed on pin-out charts behind "GPIO"; the header has 0 to 27. */
    pin: z.int().min(0).max(27),
    mode: z.enum(['level', 'edge', 'pulse']).default('edge'),
    /** Which changes mode `edge` says. */
    edge: z.enum(['rising', 'falling', 'both']).default('both'),
    /** A change counts once the pin has been stable for this long, milliseconds; 10 in mode `edge`, 0 in mode `pulse`. */
    debounceMs: z.int().min(0).max(10_000).optional(),
    /** 1 when the pin is at ground, for buttons against ground. */
    activeLow: z.boolean().default(false),
    /** The Pi's own resistor. */
    bias: z.enum(['as-is', 'pull-up', 'pull-down', 'disabled']).default('as-is'),
    /** The way to the pin; see `openAccess`. */
    access: z.enum(['auto', 'sysfs', 'gpiod']).default('auto'),
    /** Modes `level` and `pulse`: seconds between two readings. */
    intervalSeconds,
    ...pulseFields,
    /** By default `/`, a plain number such as a switch's 0 or 1, and in mode `pulse` `1/s` or `count`. */
    unit: unitSchema.optional(),
});
export const gpio = {
    configSchema,
    create(config, surroundings) {
        const { pin, mode, activeLow, bias } = config;
        const unit = config.unit ?? (mode !== 'pulse' ? '/' : config.quantity === 'rate' ? '1/s' : 'count');
        const options = {
            edge: mode === 'level' ? 'none' : mode === 'pulse' ? 'rising' : config.edge,
            debounceMs: mode === 'level' ? 0 : (config.debounceMs ?? (mode === 'edge' ? 10 : 0)),
            activeLow,
            bias,
        };
        return createSensor(unit, surroundings, async (emit, signal, ready) => {
            const access = await openAccess(surroundings, config.access, orderFor(config));
            if (signal.aborted)
                return;
            const line = await access.openInput(pin, options);
            try {
                if (mode === 'level')
                    await levels(line, emit, signal, ready);
                else if (mode === 'pulse')
                    await pulses(line, PULSES_PER_SECOND_MAX[access.kind], emit, signal, ready);
                else
                    await edges(line, emit, signal, ready);
            }
            finally {
                await line.close();
            }
        });
        async function levels(line, emit, signal, ready) {
            while (!signal.aborted) {
                emit(whole(await line.read()));
                ready();
                await surroundings.sleep(config.intervalSeconds * 1000, signal);
            }
        }
        /** Says edges until aborted; rejects when watching fails or the pin floats. */
        async function edges(line, emit, signal, ready) {
            const bucket = new TokenBucket(EDGES, surroundings.nowMs());
            if (config.edge === 'both')
                emit(whole(await line.read()));
            await watch(line, signal, ready, (level, fail) => {
                if (bucket.take(surroundings.nowMs()))
                    return emit(whole(level));
                const text = `GPIO ${pin} changes more than ${EDGES.perSecond} times a second; raise debounceMs, connect a pull-up or pull-down resistor, or take mode: pulse`;
                fail(new WorldError('sensor', text));
            });
        }
        /** Counts rising edges until aborted, and says the count or rate at each interval. */
        async function pulses(line, perSecondMax, emit, signal, ready) {
            const counter = createPulseCounter({ ...config, unit, perSecondMax }, surroundings.nowMs());
            const broken = new AbortController();
            const either = AbortSignal.any([signal, broken.signal]);
            const say = async () => {
                while (!either.aborted) {
                    await surroundings.sleep(config.intervalSeconds * 1000, either);
                    if (!either.aborted)
                        emit({ value: counter.take(surroundings.nowMs()) });
                }
            };
            const counting = watch(line, signal, ready, () => counter.count());
            await Promise.all([counting.finally(() => broken.abort()), say()]);
        }
    },
};
/** Ways to the pin: sysfs cannot set the resistor, and loses pulses that come while the event loop is busy. */
function orderFor({ bias, mode }) {
    if (bias !== 'as-is')
        return ['gpiod'];
    return mode === 'pulse' ? ['gpiod', 'sysfs'] : ['sysfs', 'gpiod'];
}
const whole = (level) => ({ value: { mantissa: level, exponent: 0 } });
/** Resolves when aborted; rejects with the line's fault or the listener's. */
function watch(line, signal, ready, listener) {
    return new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => resolve(), { once: true });
        line.watch((level) => listener(level, reject), reject);
        ready();
    });
}
//# sourceMappingURL=gpio.js.map