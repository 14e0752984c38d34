/** All that the doctor looks at, in the order in which it is read. */
import { computerChecks } from './computer.js';
import { diskChecks } from './disk.js';
import { examine } from './finding.js';
import { holderOf, ledgerChecks } from './ledger.js';
import { NETWORK_LIMITS, networkChecks } from './network.js';
import { pinChecks } from './pins.js';
import { serviceChecks } from './service.js';
import { findSubject } from './subject.js';
import { timeChecks } from './time.js';
/** Begins all checks at once; the sections are in the order in which they are to be shown. Nothing rejects. */
export function examination(machine, options, limits = NETWORK_LIMITS) {
    const { subject, finding } = findSubject(options, machine.etcRoot);
    const { data, agent, kind, megabytesMax } = subject;
    const holder = kind === 'agent' ? holderOf(data) : undefined;
    const section = (title, checks) => ({
        title,
        findings: Promise.all(checks.map(examine)).then((lists) => lists.flat()),
    });
    const configuration = { part: 'configuration', msMax: 1_000, run: (say) => say(finding) };
    return [
        section('Computer', computerChecks(machine)),
        section('Time', timeChecks(machine)),
        section('Pins', pinChecks(machine, agent, holder)),
        section('Disk', diskChecks(machine, data ?? '.', megabytesMax)),
        section('Program', [
            configuration,
            ...ledgerChecks(machine, subject),
            ...serviceChecks(machine, subject),
        ]),
        section('Network', networkChecks(machine, subject, limits)),
    ];
}
//# sourceMappingURL=examination.js.map