/**
 * Driver `host`: what the machine says of itself, from /proc and /sys (Linux).
 *
 * Loads and rates are means since the previous reading, so their first value comes after one interval.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { WorldError } from '../../node/error.js';
import { toDecimal } from '../../schemas/units.js';
import { createPolledSensor, intervalSeconds, sensorFields, } from '../driver.js';
import { parseCpuTicks, parseDiskBytes, parseMemoryUsed, parseNetworkBytes, parseTemperature, } from './kernel-counters.js';
/** Bytes a second, from bytes since boot. */
const bytesPerSecond = (bytes) => ({
    unit: 'B/s',
    places: 0,
    ratio: { scale: 1000, read: async (roots, nowMs) => ({ part: await bytes(roots), whole: nowMs }) },
});
const disk = (direction) => bytesPerSecond(async (roots) => {
    const devices = new Set(await disks(roots.sysRoot));
    return parseFile(join(roots.procRoot, 'diskstats'), (text) => parseDiskBytes(text, devices, direction));
});
const network = (direction) => bytesPerSecond((roots) => parseFile(join(roots.procRoot, 'net/dev'), (text) => parseNetworkBytes(text, direction)));
const sources = {
    /** Percent of all cores. */
    'cpu-load': {
        unit: '%',
        places: 1,
        ratio: {
            scale: 100,
            read: async ({ procRoot }) => {
                const { idle, total } = await parseFile(join(procRoot, 'stat'), parseCpuTicks);
                return { part: total - idle, whole: total };
            },
        },
    },
    'memory-used': {
        unit: '%',
        places: 1,
        value: ({ procRoot }) => parseFile(join(procRoot, 'meminfo'), parseMemoryUsed),
    },
    /** The first thermal zone that can be read: on a Pi, the processor. */
    temperature: { unit: 'Cel', places: 1, value: ({ sysRoot }) => readTemperature(sysRoot) },
    'disk-read': disk('read'),
    'disk-written': disk('written'),
    'network-received': network('received'),
    'network-sent': network('sent'),
};
const quantities = Object.keys(sources);
const configSchema = z.strictObject({
    driver: z.literal('host'),
    ...sensorFields,
    quantity: z.enum(quantities),
    intervalSeconds,
});
export const host = {
    configSchema,
    create(config, surroundings) {
        const source = sources[config.quantity];
        return createPolledSensor(source.unit, config.intervalSeconds, surroundings, () => reader(source, surroundings));
    },
};
/** The quantities that can be read on this machine, in the order in which they are worth having. */
export async function offeredQuantities(surroundings) {
    const offered = [];
    for (const quantity of quantities) {
        try {
            await reader(sources[quantity], surroundings)();
            if (!quantity.startsWith('disk-') || (await disks(surroundings.sysRoot)).length > 0)
                offered.push(quantity);
        }
        catch (error) {
            // Not being there is the answer here.
            if (!(error instanceof WorldError))
                throw error;
        }
    }
    return offered;
}
/** Reads values one after the other; undefined where a ratio has nothing to compare with yet. */
function reader(source, surroundings) {
    if ('value' in source)
        return async () => toDecimal(await source.value(surroundings), source.places);
    const { scale, read } = source.ratio;
    let previous;
    return async () => {
        const current = await read(surroundings, surroundings.nowMs());
        const grown = previous && { part: current.part - previous.part, whole: current.whole - previous.whole };
        previous = current;
        // A counter that fell has wrapped, or its device was taken out: begin again from here.
        if (grown === undefined || grown.part < 0 || grown.whole <= 0)
            return undefined;
        return toDecimal((scale * grown.part) / grown.whole, source.places);
    };
}
async function parseFile(path, parse) {
    try {
        return parse(await readFile(path, 'utf8'));
    }
    catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        const text = `cannot read ${path}: ${reason}; driver host needs Linux and this file, use driver script elsewhere`;
        throw new WorldError('sensor', text, cause);
    }
}
/** Whole disks behind a real device: no partitions, loops or memory disks. None where /sys does not tell. */
async function disks(sysRoot) {
    const directory = join(sysRoot, 'block');
    const real = async (entry) => (await entries(join(directory, entry))).includes('device');
    const found = await entries(directory);
    const keep = await Promise.all(found.map(real));
    return found.filter((_, index) => keep[index]);
}
async function readTemperature(sysRoot) {
    const directory = join(sysRoot, 'class/thermal');
    const zones = (await entries(directory))
        .filter((entry) => /^thermal_zone\d+$/.test(entry))
        .sort((a, b) => Number(a.slice(12)) - Number(b.slice(12)));
    let fault = new WorldError('sensor', `no thermal zone in ${directory}; this machine has no thermometer, remove the sensor`);
    for (const zone of zones) {
        try {
            return await parseFile(join(directory, zone, 'temp'), parseTemperature);
        }
        catch (error) {
            // Zones whose device sleeps answer EINVAL: the next may do.
            if (!(error instanceof WorldError))
                throw error;
            fault = error;
        }
    }
    throw fault;
}
/** Names in a directory; none when it is not there, which each caller has its own words for. */
async function entries(directory) {
    try {
        return await readdir(directory);
    }
    catch {
        return [];
    }
}
//# sourceMappingURL=host.js.map