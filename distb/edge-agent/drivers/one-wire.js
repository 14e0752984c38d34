/**
 * Driver `one-wire`: a thermometer such as the DS18B20 on the 1-Wire bus, through the kernel's w1_therm.
 *
 * Source: Linux, Documentation/w1/slaves/w1_therm.rst; the DS18B20's data sheet for the value at power-on.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { WorldError } from '../../node/error.js';
import { toDecimal } from '../../schemas/units.js';
import { createPolledSensor, intervalSeconds, sensorFields } from '../driver.js';
/** Thermometers by the family in front of their number: DS18S20, DS1822, DS18B20, DS1825, DS28EA00. */
const ID = /^(10|22|28|3b|42)-[0-9a-f]{12}$/;
/** What a sensor says that has measured nothing since it got power, thousandths of a degree. */
const POWER_ON = 85_000;
const WIRING = 'check its wires, supply and the 4.7 kΩ pull-up between data and 3.3 V';
const configSchema = z.strictObject({
    driver: z.literal('one-wire'),
    ...sensorFields,
    /** As its directory in /sys/bus/w1/devices is called. */
    id: z
        .string()
        .regex(ID, 'expected the name of a thermometer in /sys/bus/w1/devices, such as 28-0316a2790aff'),
    intervalSeconds,
});
export const oneWire = {
    configSchema,
    create: ({ id, intervalSeconds }, surroundings) => createPolledSensor('Cel', intervalSeconds, surroundings, () => async () => {
        const devices = join(surroundings.sysRoot, 'bus/w1/devices');
        return toDecimal(parseTherm(await readTherm(devices, id), id) / 1000, 3);
    }),
};
async function readTherm(devices, id) {
    try {
        return await readFile(join(devices, id, 'w1_slave'), 'utf8');
    }
    catch (cause) {
        const seen = (await readdir(devices).catch(() => undefined))?.filter((name) => ID.test(name));
        if (seen?.includes(id)) {
            const reason = cause instanceof Error ? cause.message : String(cause);
            throw new WorldError('sensor', `cannot read thermometer ${id}: ${reason}; ${WIRING}`, cause);
        }
        const text = seen === undefined
            ? `no 1-Wire bus in ${devices}; add the line "dtoverlay=w1-gpio" to config.txt on the boot partition and start the Pi again`
            : `no thermometer ${id} on the 1-Wire bus (seen: ${seen.join(', ') || 'none'}); correct id, or ${WIRING}`;
        throw new WorldError('sensor', text, cause);
    }
}
/** `w1_slave`: the nine bytes with the kernel's check of their CRC, and again with the temperature. */
function parseTherm(text, id) {
    const refuse = (reason) => new WorldError('sensor', `thermometer ${id} ${reason}; ${WIRING}`);
    const temperature = /\bt=(-?\d+)\s*$/.exec(text)?.[1];
    if (!/: crc=[0-9a-f]{2} YES$/m.test(text))
        throw refuse('sent bytes whose checksum is wrong');
    // A bus that is shorted to ground reads as zeros, whose CRC is zero too.
    if (/^(00 ){9}:/.test(text) || temperature === undefined)
        throw refuse('sent no temperature');
    if (Number(temperature) === POWER_ON)
        throw refuse('says 85 degrees, which it does when it lost its supply before it could measure');
    return Number(temperature);
}
//# sourceMappingURL=one-wire.js.map