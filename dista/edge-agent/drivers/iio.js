/**
 * Driver `iio`: a channel of a sensor that the kernel knows (Industrial I/O), such as DHT11/DHT22 and BME280.
 *
 * A channel is `in_<channel>_input`, a number in the unit of its kind, or `in_<channel>_raw`, which becomes one as
 * (raw + offset) * scale; offset and scale may be shared by all channels of a kind.
 * Source: Linux, Documentation/ABI/testing/sysfs-bus-iio.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { WorldError } from '../../node/error.js';
import { invariant } from '../../schemas/result.js';
import { toDecimal } from '../../schemas/units.js';
import { createPolledSensor, intervalSeconds, sensorFields } from '../driver.js';
/** Kinds of channels: our unit, what the kernel's unit is in ours, and the digits after the point worth keeping. */
const KINDS = {
    temp: { unit: 'Cel', factor: 0.001, places: 3 },
    humidityrelative: { unit: '%RH', factor: 0.001, places: 3 },
    pressure: { unit: 'Pa', factor: 1000, places: 1 },
    illuminance: { unit: 'lx', factor: 1, places: 2 },
    voltage: { unit: 'V', factor: 0.001, places: 6 },
    current: { unit: 'A', factor: 0.001, places: 6 },
    power: { unit: 'W', factor: 0.001, places: 6 },
    resistance: { unit: 'Ohm', factor: 1, places: 3 },
    distance: { unit: 'm', factor: 1, places: 4 },
    accel: { unit: 'm/s2', factor: 1, places: 6 },
};
const kindOf = (channel) => /^[a-z]+/.exec(channel)?.[0] ?? '';
/** A DHT misses one reading in some, when the kernel is late for its bits, and wants two seconds between readings. */
const RETRY = { attemptsMax: 4, waitMs: 2000, codes: ['EIO', 'ETIMEDOUT'] };
const configSchema = z.strictObject({
    driver: z.literal('iio'),
    ...sensorFields,
    /** What the device's file `name` says, up to an "@", or its directory, such as iio:device0. */
    device: z.string().min(1).max(64),
    /** `temp` for in_temp_input, `voltage0` for in_voltage0_raw, `accel_x` for in_accel_x_raw. */
    channel: z
        .string()
        .regex(/^[a-z]+\d*(_[a-z]+)?$/, 'expected a channel such as temp, for in_temp_input')
        .refine((channel) => Object.hasOwn(KINDS, kindOf(channel)), {
        error: `expected a channel of a kind whose unit is known: ${Object.keys(KINDS).join(', ')}`,
    }),
    intervalSeconds,
});
export const iio = {
    configSchema,
    create({ device, channel, intervalSeconds }, surroundings) {
        const kind = KINDS[kindOf(channel)];
        invariant(kind !== undefined, `the configuration has let ${channel} pass`);
        const { unit, factor, places } = kind;
        return createPolledSensor(unit, intervalSeconds, surroundings, () => async (signal) => {
            const directory = await findDevice(join(surroundings.sysRoot, 'bus/iio/devices'), device);
            for (let attempt = 1;; attempt++) {
                try {
                    return toDecimal((await readChannel(directory, channel)) * factor, places);
                }
                catch (cause) {
                    const again = attempt < RETRY.attemptsMax && RETRY.codes.includes(codeOf(cause)) && !signal.aborted;
                    if (!again)
                        throw await refusal(device, directory, channel, cause);
                    await surroundings.sleep(RETRY.waitMs, signal);
                }
            }
        });
    },
};
async function findDevice(devices, wanted) {
    const seen = [];
    for (const entry of await namesIn(devices)) {
        if (!/^iio:device\d+$/.test(entry))
            continue;
        // A device that goes away while we look is not there.
        const name = await readFile(join(devices, entry, 'name'), 'utf8').catch(() => '');
        seen.push({ entry, name: name.trim() });
    }
    const found = seen.filter(({ entry, name }) => [entry, name, name.split('@')[0]].includes(wanted));
    if (found.length === 1 && found[0])
        return join(devices, found[0].entry);
    const list = seen.map(({ entry, name }) => `${name} (${entry})`).join(', ') || 'none';
    throw new WorldError('sensor', found.length > 1
        ? `several IIO devices are called ${wanted}: ${list}; take one by its directory, such as device: iio:device0`
        : `no IIO device ${wanted} (seen: ${list}); correct device, or add its line to config.txt on the boot partition, such as "dtoverlay=dht11,gpiopin=4" or "dtoverlay=i2c-sensor,bme280", and start the Pi again`);
}
/** In the kernel's unit. Throws the kernel's error, or an Error when a file holds no number. */
async function readChannel(directory, channel) {
    const read = async (name) => {
        let text;
        try {
            text = (await readFile(join(directory, name), 'utf8')).trim();
        }
        catch (error) {
            if (codeOf(error) === 'ENOENT')
                return undefined;
            throw error;
        }
        if (text === '' || !Number.isFinite(Number(text)))
            throw new Error(`${name} holds "${text.slice(0, 40)}"`);
        return Number(text);
    };
    const ready = await read(`in_${channel}_input`);
    if (ready !== undefined)
        return ready;
    const raw = await read(`in_${channel}_raw`);
    if (raw === undefined)
        throw new Error('no such channel');
    const kind = kindOf(channel);
    const offset = (await read(`in_${channel}_offset`)) ?? (await read(`in_${kind}_offset`)) ?? 0;
    const scale = (await read(`in_${channel}_scale`)) ?? (await read(`in_${kind}_scale`)) ?? 1;
    return (raw + offset) * scale;
}
async function refusal(device, directory, channel, cause) {
    const offered = (await namesIn(directory)).flatMap((name) => /^in_(.+)_(?:input|raw)$/.exec(name)?.[1] ?? []);
    const reason = cause instanceof Error ? cause.message : String(cause);
    const remedy = offered.includes(channel)
        ? 'check its wires and supply'
        : `it has the channels: ${offered.join(', ') || 'none'}`;
    return new WorldError('sensor', `cannot read ${channel} of IIO device ${device}: ${reason}; ${remedy}`, cause);
}
/** Names in a directory; none when it is not there, which the caller has words for. */
const namesIn = (directory) => readdir(directory).catch(() => []);
const codeOf = (error) => error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
//# sourceMappingURL=iio.js.map