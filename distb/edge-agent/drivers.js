/** All drivers by name: the one place that a new driver is added to. */
import { z } from 'zod';
import { WorldError } from '../node/error.js';
import { command } from './drivers/command.js';
import { file } from './drivers/file.js';
import { gpio } from './drivers/gpio.js';
import { host } from './drivers/host.js';
import { iio } from './drivers/iio.js';
import { oneWire } from './drivers/one-wire.js';
import { script } from './drivers/script.js';
import { thisGpio } from './gpio/access.js';
export const drivers = {
    host,
    gpio,
    'one-wire': oneWire,
    iio,
    file,
    command,
    script,
};
/** A sensor's part of the configuration; the field `driver` tells which one. */
export const sensorConfig = z.discriminatedUnion('driver', [
    host.configSchema,
    gpio.configSchema,
    oneWire.configSchema,
    iio.configSchema,
    file.configSchema,
    command.configSchema,
    script.configSchema,
]);
/** The sensor that `config` describes, whose reports begin with its name; nothing is opened before its `start`. */
export function openSensor(config, machine) {
    const report = ({ code, message, cause }) => machine.report(new WorldError(code, `sensor ${config.name}: ${message}`, cause));
    const surroundings = { ...machine, report };
    switch (config.driver) {
        case 'host':
            return drivers.host.create(config, surroundings);
        case 'gpio':
            return drivers.gpio.create(config, surroundings);
        case 'one-wire':
            return drivers['one-wire'].create(config, surroundings);
        case 'iio':
            return drivers.iio.create(config, surroundings);
        case 'file':
            return drivers.file.create(config, surroundings);
        case 'command':
            return drivers.command.create(config, surroundings);
        case 'script':
            return drivers.script.create(config, surroundings);
    }
}
/** This machine. */
export const thisMachine = (report) => ({
    ...thisGpio,
    random: Math.random,
    report,
});
//# sourceMappingURL=drivers.js.map