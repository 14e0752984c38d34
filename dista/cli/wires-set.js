/** `pinledger wires set` and `reset`: other wires for an agent that runs, by its owner's signature; and back. */
import { setTimeout as sleep } from 'node:timers/promises';
import { wiresState } from '../edge-agent/wires/state.js';
import { WiresLog } from '../edge-agent/wires/wires-log.js';
import { WIRES_FILE } from '../node/backup.js';
import { openDataDir } from '../node/data-dir.js';
import { WorldError } from '../node/error.js';
import { replaceableLog } from '../node/replaceable-log.js';
import { hashing } from '../node/signing.js';
import { encode } from '../schemas/codec.js';
import { fromHex, short, toHex } from '../schemas/hex.js';
import { topic } from '../schemas/topic.js';
import { WIRING_TEXT_BYTES_MAX, wiring, wiringParts } from '../schemas/wiring.js';
import { EXIT } from './exit.js';
import { openReader } from './reader.js';
import { Sender } from './sender.js';
import { readWiresFile } from './wires-file.js';
const LOOK_MS = 50;
/** Prints the agent's answer; 0 taken, 1 refused or no answer. Throws WorldError `config`, `broker-unreachable`. */
export async function setWires(where, owner, { file, agent, sequence = Date.now(), wait, json }, log, out) {
    const { written } = readWiresFile(file);
    const text = new TextEncoder().encode(JSON.stringify(written));
    if (text.length > WIRING_TEXT_BYTES_MAX)
        throw new WorldError('config', `${file}: expected at most ${WIRING_TEXT_BYTES_MAX} bytes as JSON, got ${text.length}`);
    let state;
    const reader = openReader(where, ['wires'], log, ({ publisher, value }) => {
        const parsed = publisher === agent ? wiresState.safeParse(value) : undefined;
        if (parsed?.success)
            state = parsed.data;
    });
    const sender = new Sender(where, owner, undefined, log);
    try {
        await reader.connected(5_000);
        const { network } = await sender.start();
        const genesis = fromHex(network.genesisHash);
        const signed = hashing.tagged('wiring', genesis, ...wiringParts(agent, { sequence, text }));
        const bytes = encode(wiring, { sequence, text, signature: owner.sign(signed) });
        const sent = { sequence, message: digestOf(bytes), text: digestOf(text), agent, owner: owner.account };
        await sender.session.publish(topic(network.id, 'wiring', owner.account, agent), bytes, {
            qos: 1,
            retain: false,
        });
        const answered = () => isTaken(state, sent) || state?.refused?.message === sent.message;
        const endMs = performance.now() + wait * 1000;
        while (!answered() && performance.now() < endMs)
            await sleep(LOOK_MS);
        return report(state, sent, json, out);
    }
    finally {
        await Promise.all([reader.stop(), sender.stop()]);
    }
}
const digestOf = (bytes) => toHex(hashing.plain(bytes)).slice(0, 16);
const isTaken = (state, { sequence, text }) => state?.sequence === sequence && state.text === text;
function report(state, sent, json, out) {
    const taken = isTaken(state, sent);
    const refusal = state?.refused?.message === sent.message ? state.refused.reason : undefined;
    const status = taken ? 'set' : refusal === undefined ? 'unanswered' : 'refused';
    const silent = state === undefined || state.owner === sent.owner
        ? `no answer from agent ${short(sent.agent)}: is it running, and is this account its owner?`
        : `no answer from agent ${short(sent.agent)}: its owner is ${state.owner ?? 'nobody (owner: in its configuration)'}`;
    const reason = taken ? undefined : (refusal ?? silent);
    if (json)
        out(`${JSON.stringify({ status, sequence: sent.sequence, reason, wires: state?.wires.length })}\n`);
    else if (taken && state !== undefined)
        out(`set, ${state.wires.length} wires:\n${state.wires.map(({ words }) => `  ${words}\n`).join('')}`);
    else
        out(`${status}: ${reason}\n`);
    return taken ? EXIT.ok : EXIT.no;
}
/** Makes a stopped agent use its configuration's wires again; messages that it has taken stay taken. */
export function resetWires({ data, json }, out) {
    const directory = openDataDir(data);
    try {
        const log = new WiresLog(replaceableLog(directory.file(WIRES_FILE)));
        const { wiring: last } = log;
        if (last?.active === true)
            log.setWiring({ ...last, active: false });
        log.close();
        const status = last?.active === true ? 'reset' : 'unchanged';
        const words = status === 'reset'
            ? "the configuration's wires count again from the next start"
            : "the configuration's wires count already";
        out(json ? `${JSON.stringify({ status })}\n` : `${words}\n`);
        return EXIT.ok;
    }
    finally {
        directory.close();
    }
}
//# sourceMappingURL=wires-set.js.map