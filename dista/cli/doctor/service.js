/** The programs as systemd runs them. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { absent, fails, warns, works } from './finding.js';
import { said } from './machine.js';
const PROGRAMS = ['broker', 'validator', 'agent'];
/** Since the unit was started. */
const RESTARTS_MAX = 3;
export const serviceChecks = (machine, { kind }) => [
    {
        part: 'service',
        msMax: 10_000,
        async run(say) {
            if (!existsSync(join(machine.runRoot, 'systemd/system'))) {
                say(absent('service', 'no systemd runs here: programs are started by hand'));
                return;
            }
            const programs = kind === undefined ? PROGRAMS : [kind];
            const findings = await Promise.all(programs.map((program) => unit(machine, program)));
            const installed = findings.filter((finding) => finding !== undefined);
            if (installed.length === 0)
                say(absent('service', `systemd has no unit pinledger-${kind ?? '*'}: programs are started by hand`));
            for (const finding of installed)
                say(finding);
        },
    },
];
/** Undefined where systemd does not know the unit. */
async function unit(machine, program) {
    const name = `pinledger-${program}`;
    const show = ['show', `${name}.service`, '--property=LoadState,ActiveState,SubState,Result,NRestarts'];
    const text = (await said(machine, 'systemctl', show)) ?? '';
    const value = (property) => new RegExp(`^${property}=(.*)$`, 'm').exec(text)?.[1] ?? '';
    if (value('LoadState') !== 'loaded')
        return undefined;
    const part = `service ${program}`;
    const restarts = Number(value('NRestarts'));
    const state = `${value('ActiveState')} (${value('SubState')})`;
    const look = `journalctl -u ${name} -n 30 --no-pager`;
    if (value('ActiveState') !== 'active')
        return fails(part, `${name} is ${state}, result ${value('Result')}`, `${look}; sudo systemctl restart ${name}`);
    return restarts >= RESTARTS_MAX
        ? warns(part, `${name} is ${state}, but was restarted ${restarts} times`, look)
        : works(part, `${name} is ${state}`);
}
//# sourceMappingURL=service.js.map