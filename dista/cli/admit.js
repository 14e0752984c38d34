/** `pinledger admit`, `revoke` and `members`: who may mine on an enrolled network. */
import { isAuthority, isEnrolled } from '../ledger/membership.js';
import { short } from '../schemas/hex.js';
import { membersMirror } from '../schemas/members.js';
import { EXIT } from './exit.js';
import { readRetained } from './reader.js';
import { sendCommand } from './send.js';
/** Sends the transaction and prints what became of it; exit codes of `sendCommand`. */
export function changeCommand(where, signer, { type, member, ...rest }, json, log) {
    const doing = `${type === 'admission' ? 'admitting' : 'revoking'} ${member}`;
    const obstacle = (network) => {
        if (!isEnrolled(network))
            return `network ${network.id} is open: everybody may mine, nobody is admitted`;
        if (isAuthority(network, signer.account))
            return undefined;
        const names = network.genesis.authorities.map(short).join(', ');
        return `${short(signer.account)} is no authority of network ${network.id}: these are ${names}`;
    };
    return sendCommand(where, signer, { draft: { type, member }, doing, obstacle, ...rest }, json, log);
}
/** Prints what each validator says; 1 when none tells of an enrolled network. Throws WorldError `broker-unreachable`. */
export async function membersCommand(where, json, log) {
    const answers = await askMembers(where, log);
    if (json)
        process.stdout.write(`${JSON.stringify({ views: answers })}\n`);
    else if (answers.length === 0)
        process.stdout.write(`no validator at ${where.url} tells of an enrolled network: everybody may mine\n`);
    else
        for (const answer of answers)
            process.stdout.write(describe(answer));
    return answers.length === 0 ? EXIT.no : EXIT.ok;
}
async function askMembers(where, log) {
    const answers = new Map();
    await readRetained(where, ['members', 'tip'], log, ({ kind, publisher, network, value }) => {
        if (kind !== 'members')
            return;
        const parsed = membersMirror.safeParse(value);
        if (parsed.success)
            answers.set(`${network} ${publisher}`, { network, validator: publisher, ...parsed.data });
    });
    return [...answers.values()];
}
function describe({ network, validator, height, authorities, count, members }) {
    const more = count > members.length ? [`  and ${count - members.length} more`] : [];
    return `network ${network}, validator ${short(validator)}, height ${height}: ${authorities.length} ${authorities.length === 1 ? 'authority' : 'authorities'}, ${count} ${count === 1 ? 'member' : 'members'}
${[
        ...authorities.map((account) => `  ${account}  authority`),
        ...members.map(({ account, since }) => `  ${account}  member since block ${since}`),
        ...more,
    ].join('\n')}
`;
}
//# sourceMappingURL=admit.js.map