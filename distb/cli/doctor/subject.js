/** Whom the doctor is asked about: a program by its configuration, a data directory, a broker, or just this machine. */
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { agentConfig } from '../../edge-agent/config.js';
import { loadConfig } from '../../node/config-file.js';
import { WorldError } from '../../node/error.js';
import { brokerConfig, validatorConfig, } from '../../schemas/config.js';
import { configure } from '../configure.js';
import { BROKER_DEFAULT, DATA_DEFAULT } from '../options.js';
import { absent, fails, works } from './finding.js';
import { quoted } from './machine.js';
/** What is needed where nothing says how much: some months of a quiet network. */
const MEGABYTES = 1024;
const PROGRAMS = ['agent', 'validator', 'broker'];
/** Reads the configuration; a broken one is a finding, and the rest is looked at without it. */
export function findSubject(options, etcRoot) {
    const given = options.config ?? ((options.data ?? options.broker) ? undefined : installed(etcRoot));
    const rest = ({ url, ...more }) => ({
        ...more,
        url: options.broker ?? url ?? BROKER_DEFAULT,
    });
    const data = options.data ?? (existsSync(DATA_DEFAULT) ? DATA_DEFAULT : undefined);
    const bare = {
        ...(data !== undefined && { data: resolve(data) }),
        connection: rest({}),
        expectsBroker: options.broker !== undefined,
        megabytesMax: MEGABYTES,
    };
    if (given === undefined) {
        const folder = join(etcRoot, 'pinledger');
        if (options.data === undefined && options.broker === undefined && existsSync(folder)) {
            const finding = absent('configuration', `none in ${folder}, or none for this user to see`, 'sudo -u pinledger pinledger doctor');
            return { subject: bare, finding };
        }
        const example = existsSync(join(DATA_DEFAULT, 'agent-1.yaml'))
            ? join(DATA_DEFAULT, 'agent-1.yaml')
            : 'agent.yaml';
        return {
            subject: bare,
            finding: absent('configuration', `none was named: pinledger doctor --config ${example} looks at its sensors too`),
        };
    }
    try {
        const kind = kindOf(given);
        const finding = works('configuration', `${given}, of ${kind === 'agent' ? 'an agent' : `a ${kind}`}`);
        if (kind === 'broker') {
            const { mqttPort } = configure(brokerConfig, given, {});
            const connection = rest({ url: `mqtt://127.0.0.1:${mqttPort}` });
            return { subject: { ...bare, kind, file: given, connection, expectsBroker: true }, finding };
        }
        const agent = kind === 'agent' ? configure(agentConfig, given, {}) : undefined;
        const config = agent ?? configure(validatorConfig, given, {});
        const subject = {
            ...{ kind, file: given, genesis: config.genesis, expectsBroker: true },
            data: options.data === undefined ? config.data : resolve(options.data),
            connection: rest(config.broker),
            ...(agent !== undefined && { agent }),
            megabytesMax: room(config.storage),
        };
        return { subject, finding };
    }
    catch (error) {
        if (!(error instanceof WorldError))
            throw error;
        return {
            subject: bare,
            finding: fails('configuration', error.message, remedyOf(given, error)),
        };
    }
}
function remedyOf(file, { message }) {
    if (message.includes('EACCES'))
        return `sudo pinledger doctor --config ${quoted(resolve(file))}`;
    return existsSync(file) ? `\${EDITOR:-nano} ${quoted(file)}` : undefined;
}
const room = ({ keep, megabytesMax }) => (keep === 'recent' ? megabytesMax : MEGABYTES);
/** The one that Ansible puts there. */
const installed = (etcRoot) => PROGRAMS.map((program) => join(etcRoot, 'pinledger', `${program}.yaml`)).find((file) => existsSync(file));
/** By what only one kind of configuration has, else by the file's name. Throws WorldError `config`. */
function kindOf(file) {
    const keys = Object.keys(loadConfig(file, z.looseObject({})));
    const has = (...names) => names.some((name) => keys.includes(name));
    if (has('sensors', 'wires', 'outputs', 'mine'))
        return 'agent';
    if (has('validators', 'mqttPort', 'wsPort'))
        return 'broker';
    if (has('host', 'httpPort'))
        return 'validator';
    return PROGRAMS.find((program) => basename(file).startsWith(program)) ?? 'agent';
}
//# sourceMappingURL=subject.js.map