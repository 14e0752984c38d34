/** Configuration of a program from its file and its options. */
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { loadConfig } from '../node/config-file.js';
import { formatIssues } from '../node/config-issues.js';
import { WorldError } from '../node/error.js';
/** A configuration from a file, or from options alone; options given win over the file, and are checked as it is. */
export function configure(schema, file, options) {
    if (file === undefined)
        return checked(schema, options, '\ngive the missing options, or a file with --config');
    const config = loadConfig(file, schema);
    // What refines the whole needs all of it, and the file has been checked so.
    checked(z.strictObject(schema.shape).partial(), options);
    return {
        ...(isFollower(config) ? besideFile(file, config) : config),
        ...options,
    };
}
function checked(schema, options, remedy = '') {
    const parsed = schema.safeParse(options);
    if (parsed.success)
        return parsed.data;
    const issues = formatIssues(parsed.error.issues, { value: options, schema });
    throw new WorldError('config', `${issues.join('\n')}${remedy}`);
}
const isFollower = (config) => typeof config === 'object' && config !== null && 'data' in config;
/** Paths in a configuration file are relative to that file; those in options, to where the user stands. */
function besideFile(file, config) {
    const at = (path) => resolve(dirname(file), path);
    const { data, genesis, broker } = config;
    const own = 'sensors' in config
        ? {
            sensors: config.sensors.map((sensor) => sensor.driver === 'script' ? { ...sensor, file: at(sensor.file) } : sensor),
            outputs: config.outputs.map((output) => output.file === undefined ? output : { ...output, file: at(output.file) }),
        }
        : {};
    const files = 'files' in config && config.files !== undefined
        ? { files: { ...config.files, directory: at(config.files.directory) } }
        : {};
    return {
        ...config,
        ...own,
        ...files,
        data: at(data),
        ...(genesis === undefined ? {} : { genesis: at(genesis) }),
        broker: {
            ...broker,
            ...(broker.caFile === undefined ? {} : { caFile: at(broker.caFile) }),
            ...(broker.passwordFile === undefined ? {} : { passwordFile: at(broker.passwordFile) }),
        },
    };
}
/** Leaves out options that were not given, so that they do not hide the file's. */
export const given = (options) => Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
//# sourceMappingURL=configure.js.map