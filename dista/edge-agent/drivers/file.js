/** Driver `file`: a number from a file, for all that the kernel or another program writes down. */
import { constants, open } from 'node:fs/promises';
import { z } from 'zod';
import { WorldError } from '../../node/error.js';
import { createPolledSensor, intervalSeconds, sensorFields, unitSchema } from '../driver.js';
import { findNumber, numberFields } from './number.js';
/** Also what bounds the work of a pattern. */
const FILE_BYTES_MAX = 65_536;
const configSchema = z.strictObject({
    driver: z.literal('file'),
    ...sensorFields,
    path: z.string().min(1),
    ...numberFields,
    unit: unitSchema,
    intervalSeconds,
});
export const file = {
    configSchema,
    create: (config, surroundings) => createPolledSensor(config.unit, config.intervalSeconds, surroundings, () => async () => {
        try {
            return findNumber(await readBounded(config.path), config);
        }
        catch (cause) {
            const reason = cause instanceof Error ? cause.message : String(cause);
            const text = `cannot read a number from ${config.path}: ${reason}; correct path or pattern, or let the user read the file`;
            throw new WorldError('sensor', text, cause);
        }
    }),
};
/** The kernel's files tell no size, and their end only by reading. */
async function readBounded(path) {
    // A pipe without a writer would keep us waiting.
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
        const buffer = Buffer.alloc(FILE_BYTES_MAX + 1);
        let length = 0;
        for (;;) {
            const { bytesRead } = await handle.read(buffer, length, buffer.length - length);
            length += bytesRead;
            if (length > FILE_BYTES_MAX)
                throw new Error(`more than ${FILE_BYTES_MAX} bytes`);
            if (bytesRead === 0)
                return buffer.toString('utf8', 0, length);
        }
    }
    finally {
        await handle.close();
    }
}
//# sourceMappingURL=file.js.map