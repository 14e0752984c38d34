/**
 * Driver `script`: values from a YAML or JSON file, one after the other. The same file says the same on each run.
 *
 * `steps: [{ after: 0, value: 21.5 }, { after: 2.5, value: "21.70" }]` and, to begin again after the last,
 * `repeat: true`. `after` is seconds since the step before. Text keeps a value's digits ("21.70"), a number may not.
 */
import { readFile, stat } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import { WorldError } from '../../node/error.js';
import { parseDecimal } from '../../schemas/units.js';
import { createSensor, sensorFields, unitSchema } from '../driver.js';
const FILE_BYTES_MAX = 1 << 20;
const STEPS_MAX = 10_000;
/** A round of a script that repeats; less would be a busy loop. */
const ROUND_SECONDS_MIN = 0.1;
const decimalValue = z.union([z.number(), z.string()]).transform((input, context) => {
    const value = parseDecimal(String(input));
    if (value !== undefined)
        return value;
    context.addIssue({ code: 'custom', message: 'expected a decimal such as 21.5, "21.50" or "12e3"' });
    return z.NEVER;
});
const scriptSchema = z
    .strictObject({
    steps: z
        .array(z.strictObject({ after: z.number().min(0).max(86_400), value: decimalValue }))
        .min(1)
        .max(STEPS_MAX),
    repeat: z.boolean().default(false),
})
    .refine(({ steps, repeat }) => !repeat || steps.reduce((sum, { after }) => sum + after, 0) >= ROUND_SECONDS_MIN, {
    path: ['repeat'],
    message: `expected steps that take at least ${ROUND_SECONDS_MIN} seconds together`,
});
const configSchema = z.strictObject({
    driver: z.literal('script'),
    ...sensorFields,
    /** Path of the script. */
    file: z.string().min(1),
    unit: unitSchema,
});
export const script = {
    configSchema,
    create: ({ file, unit }, surroundings) => createSensor(unit, surroundings, async (emit, signal, ready) => {
        const { steps, repeat } = await readScript(file);
        ready();
        // Due times add up from the start, so that late timers do not slow the script.
        let dueMs = surroundings.nowMs();
        do {
            for (const { after, value } of steps) {
                dueMs += after * 1000;
                await surroundings.sleep(Math.max(0, dueMs - surroundings.nowMs()), signal);
                if (signal.aborted)
                    return;
                emit({ value });
            }
        } while (repeat);
    }),
};
/** Throws a `WorldError` that names the file and the field. */
export async function readScript(file) {
    const refuse = (reason, cause) => new WorldError('sensor', `script ${file}: ${reason}; correct the file, it is read again within a minute`, cause);
    let content;
    try {
        const { size } = await stat(file);
        if (size > FILE_BYTES_MAX)
            throw new Error(`${size} bytes, expected at most ${FILE_BYTES_MAX}`);
        content = parse(await readFile(file, 'utf8'));
    }
    catch (cause) {
        throw refuse(cause instanceof Error ? cause.message : String(cause), cause);
    }
    const result = scriptSchema.safeParse(content);
    if (result.success)
        return result.data;
    const faults = result.error.issues.slice(0, 3).map(({ path, message }) => `${fieldName(path)}: ${message}`);
    throw refuse(faults.join(', '), result.error);
}
/** `steps[2].after` */
const fieldName = (path) => path.reduce((text, key) => (typeof key === 'number' ? `${text}[${key}]` : `${text}${text && '.'}${String(key)}`), '') || 'the file';
//# sourceMappingURL=script.js.map