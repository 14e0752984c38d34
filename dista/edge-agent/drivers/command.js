/**
 * Driver `command`: the number in the last line that a program writes.
 *
 * The program gets its arguments as they are, no shell and none of the agent's environment, and is killed with all that it
 * started when it passes its limits or the agent stops.
 */
import { z } from 'zod';
import { WorldError } from '../../node/error.js';
import { createPolledSensor, intervalSeconds, sensorFields, unitSchema } from '../driver.js';
import { runProgram } from '../program.js';
import { findNumber, numberFields } from './number.js';
const OUTPUT_BYTES_MAX = 65_536;
const argument = z.string().max(4096);
const configSchema = z.strictObject({
    driver: z.literal('command'),
    ...sensorFields,
    /** Program and arguments. */
    argv: z.tuple([argument.min(1)], argument).refine((list) => list.length <= 64, 'expected at most 64'),
    timeoutSeconds: z.number().min(0.1).max(300).default(10),
    ...numberFields,
    unit: unitSchema,
    intervalSeconds,
});
export const command = {
    configSchema,
    create(config, surroundings) {
        const [program, ...args] = config.argv;
        const limits = { timeoutMs: config.timeoutSeconds * 1000, outputBytesMax: OUTPUT_BYTES_MAX };
        return createPolledSensor(config.unit, config.intervalSeconds, surroundings, () => async (signal) => {
            try {
                const said = await runProgram(surroundings.spawn, program, args, limits, signal);
                return findNumber(said.trim().split('\n').at(-1) ?? '', config);
            }
            catch (cause) {
                const reason = cause instanceof Error ? cause.message : String(cause);
                const text = `the command gave no number: ${reason}; run it by hand as the agent's user, its last line has to be the number`;
                throw new WorldError('sensor', text, cause);
            }
        });
    },
};
//# sourceMappingURL=command.js.map