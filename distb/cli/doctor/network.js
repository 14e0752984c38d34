/**
 * The broker and what it has of the network: reachable, logged in to, the right network, its time, the right to mine.
 *
 * It logs in beside a running program, under a client id of its own, and publishes nothing.
 */
import { FUTURE_INTERVALS_MAX } from '../../ledger/header.js';
import { isAuthority, isEnrolled } from '../../ledger/membership.js';
import { SESSION_DEFAULTS } from '../../node/session.js';
import { decode } from '../../schemas/codec.js';
import { GENESIS_BYTES_MAX, genesis as genesisCodec } from '../../schemas/genesis.js';
import { membersMirror } from '../../schemas/members.js';
import { tip as tipCodec } from '../../schemas/message.js';
import { parseTopic, ROOT } from '../../schemas/topic.js';
import { CONNECT_MS_MAX, logIn, reach } from './broker.js';
import { absent, fails, warns, works } from './finding.js';
import { networkOf, signerOf } from './ledger.js';
import { quoted } from './machine.js';
import { span } from './time.js';
const PORTS = { 'mqtt:': 1883, 'mqtts:': 8883, 'ws:': 80, 'wss:': 443 };
const RETAINED_MS_MAX = 3_000;
export const NETWORK_LIMITS = {
    /** What is retained comes at once; this long after the last of it there is no more. */
    quietMs: 400,
    /** How long a new block is waited for. */
    blockMsMax: 10_000,
};
/** What a broker may make us remember. */
const NETWORKS_MAX = 16;
const TIP_BYTES_MAX = 1024;
/** A block's time is up to a second older than the block, and the way of it takes some. */
const DIFFERENCE_MS = 2_000;
/** Above this something is wrong with a clock. */
const DIFFERENCE_MS_MAX = 5_000;
const SET_CLOCK = 'timedatectl; sudo timedatectl set-ntp true   (here, and where the other clock is)';
export const networkChecks = (machine, subject, limits) => [
    {
        part: 'broker',
        msMax: CONNECT_MS_MAX + SESSION_DEFAULTS.connectTimeoutMs + RETAINED_MS_MAX + limits.blockMsMax + 3_000,
        run: (say, signal) => network(machine, subject, limits, say, signal),
    },
];
async function network(machine, subject, { quietMs, blockMsMax }, say, signal) {
    const { connection: where } = subject;
    const { hostname, port, protocol } = new URL(where.url);
    const host = hostname.replace(/^\[|\]$/g, '');
    const refused = await reach(host, Number(port) || (PORTS[protocol] ?? 1883), signal);
    if (refused !== undefined) {
        say(subject.expectsBroker
            ? fails('broker', `${where.url}: ${refused.reason}`, refused.remedy)
            : absent('broker', `none on this machine; pinledger doctor --broker mqtt://ADDRESS tries another`));
        return;
    }
    say(works('broker', `${where.url} answers`));
    const signer = subject.kind === 'broker' ? undefined : signerOf(subject);
    const heard = new Map();
    let heardMs = machine.nowMs();
    const opened = await logIn(subject, signer, signal, (topic, payload, retain) => {
        heardMs = machine.nowMs();
        take(heard, topic, payload, retain, machine.now());
    });
    if (typeof opened === 'string') {
        say(fails('login', opened, subject.file === undefined ? undefined : `\${EDITOR:-nano} ${quoted(subject.file)}`));
        return;
    }
    try {
        say(works('login', signer === undefined ? 'as a guest, who may only read' : `as ${signer.account}`));
        const kinds = ['tip/+', 'genesis/+', 'members/+/json'];
        await opened.subscribe(kinds.map((kind) => `${ROOT}/+/${kind}`), 0);
        const startedMs = machine.nowMs();
        const quiet = () => machine.nowMs() - heardMs > quietMs || machine.nowMs() - startedMs > RETAINED_MS_MAX;
        heardMs = machine.nowMs();
        await until(quiet, machine, signal);
        const chosen = choose(heard, subject, say);
        if (chosen === undefined)
            return;
        const [id, facts] = chosen;
        await until(() => facts.aheadMs !== undefined || machine.nowMs() - startedMs > blockMsMax, machine, signal);
        say(difference(facts, machine.now(), blockMsMax));
        if (subject.kind === 'agent' || subject.kind === undefined)
            say(admission(id, facts, subject, signer));
    }
    finally {
        await opened.end();
    }
}
function take(heard, topic, payload, retain, nowMs) {
    const parsed = parseTopic(topic);
    if (parsed === undefined || (!heard.has(parsed.network) && heard.size >= NETWORKS_MAX))
        return;
    const facts = heard.get(parsed.network) ?? { validators: new Set() };
    heard.set(parsed.network, facts);
    if (parsed.kind === 'tip') {
        const tip = decode(tipCodec, payload, TIP_BYTES_MAX);
        if (!tip.ok)
            return;
        facts.validators.add(parsed.publisher);
        if (!retain)
            facts.aheadMs ??= nowMs - tip.value.time;
        if (tip.value.height >= (facts.tip?.height ?? 0))
            facts.tip = tip.value;
    }
    else if (parsed.kind === 'genesis') {
        const genesis = decode(genesisCodec, payload, GENESIS_BYTES_MAX);
        if (genesis.ok)
            facts.genesis = genesis.value;
    }
    else {
        const members = membersMirror.safeParse(jsonOf(payload));
        if (members.success && members.data.height >= (facts.members?.height ?? 0))
            facts.members = members.data;
    }
}
function jsonOf(payload) {
    try {
        return JSON.parse(new TextDecoder().decode(payload));
    }
    catch {
        // Anybody may publish on a foreign broker.
        return undefined;
    }
}
/** The network that this machine belongs to, or the only one there. */
function choose(heard, { data, genesis, connection }, say) {
    const there = [...heard].filter(([, { tip }]) => tip !== undefined);
    const ids = there.map(([id]) => id).join(', ');
    const own = networkOf(data, genesis);
    if (there.length === 0) {
        const remedy = `pinledger validator --data validator --genesis genesis.json --broker ${quoted(connection.url)}`;
        say(warns('network', 'no validator has said anything at this broker', remedy));
        return undefined;
    }
    const found = own === undefined ? there[0] : there.find(([id]) => id === own.id);
    if (found === undefined) {
        const remedy = "copy genesis.json from the network's other machines, and name another data directory";
        say(fails('network', `this machine is of network ${own?.id}, at the broker is ${ids}`, remedy));
        return undefined;
    }
    const [id, { tip, validators }] = found;
    const count = validators.size === 1 ? '1 validator' : `${validators.size} validators`;
    const others = there.length > 1 && own === undefined ? `; others there: ${ids}` : '';
    say(works('network', `${id}, ${count}, newest block #${tip?.height}${others}`));
    return found;
}
function difference({ tip, genesis, aheadMs }, nowMs, waitedMs) {
    const part = 'time difference';
    const intervalMs = genesis?.interval ?? 10_000;
    if (aheadMs !== undefined) {
        if (aheadMs > -DIFFERENCE_MS && aheadMs < DIFFERENCE_MS_MAX)
            return works(part, `a block that just came is ${span(aheadMs)} old: small, as far as blocks tell (2 s)`);
        const detail = `this clock is ${span(aheadMs)} ${aheadMs < 0 ? 'behind' : 'ahead of'} that of who made the newest block (known to 2 s)`;
        return Math.abs(aheadMs) > FUTURE_INTERVALS_MAX * intervalMs
            ? fails(part, `${detail}; blocks are not accepted across that`, SET_CLOCK)
            : warns(part, detail, SET_CLOCK);
    }
    const ageMs = nowMs - (tip?.time ?? nowMs);
    if (ageMs < -DIFFERENCE_MS)
        return fails(part, `this clock is at least ${span(ageMs)} behind the newest block`, SET_CLOCK);
    const detail = `no block came within ${waitedMs / 1_000} s, and the newest is ${span(ageMs)} old by this clock`;
    return ageMs < FUTURE_INTERVALS_MAX * intervalMs
        ? works(part, `${detail}: it is ahead by less than that, and not behind`)
        : warns(part, `${detail}: nobody mines, or this clock is ahead`, 'pinledger watch   (says whether blocks come)');
}
function admission(id, facts, subject, signer) {
    const part = 'admission';
    const genesis = networkOf(subject.data, subject.genesis)?.genesis ?? facts.genesis;
    if (genesis === undefined)
        return absent(part, `the rules of network ${id} are not known here`);
    if (!isEnrolled({ genesis }))
        return works(part, 'an open network: everybody may mine');
    if (signer === undefined)
        return absent(part, 'admitted miners only; whether this one is, its key would tell');
    if (isAuthority({ genesis }, signer.account))
        return works(part, 'this account is an authority');
    const member = facts.members?.members.find(({ account }) => account === signer.account);
    if (member !== undefined)
        return works(part, `admitted since block ${member.since}`);
    const remedy = `pinledger admit ${signer.account} --key authority.json --broker ${quoted(subject.connection.url)}`;
    if (facts.members === undefined)
        return warns(part, 'no validator tells who is admitted', remedy);
    const { count, members, height } = facts.members;
    if (count > members.length)
        return warns(part, `not among the first ${members.length} of ${count} members that a validator lists`, remedy);
    const mines = subject.agent === undefined || subject.agent.mine.duty > 0;
    return (mines ? fails : warns)(part, `this account may not mine (as of block ${height}); its readings count all the same`, remedy);
}
/** Until `condition` holds or the signal is aborted. */
async function until(condition, { sleep }, signal) {
    while (!condition() && !signal.aborted)
        await sleep(50, signal);
}
//# sourceMappingURL=network.js.map