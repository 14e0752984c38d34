export const ROOT = 'pinledger';
/**
 * Kinds of topic. `publisher`: any device under its own account, or validators only. `readers`: whom a pinledger broker
 * forwards it to, everybody where nothing is said; `addressee`: the account in the last level, `payers`: who has paid the publisher for it.
 */
export const KINDS = {
    /** Signed transactions of one account. */
    tx: { publisher: 'device', retained: false, levels: 0 },
    /** Blocks by one miner. */
    block: { publisher: 'device', retained: false, levels: 0 },
    /** Presence: birth and last will. */
    status: { publisher: 'device', retained: true, levels: 0 },
    /** `sensor/<account>/<sensor>`: what a sensor measures, retained. */
    sensor: { publisher: 'device', retained: true, levels: 1 },
    /** `reading/<account>/<sensor>`: live SenML for people; `sample` the batched samples with proofs. */
    reading: { publisher: 'device', retained: false, levels: 1 },
    sample: { publisher: 'device', retained: false, levels: 1 },
    /** `output/<account>/<output>`: whether a relay or an LED is on, since when and why; JSON only. */
    output: { publisher: 'device', retained: true, levels: 1 },
    /** `request/<from>/<to>` and `reply/<from>/<to>`. */
    request: { publisher: 'device', retained: false, levels: 1 },
    reply: { publisher: 'device', retained: false, levels: 1 },
    /** `offer/<account>`: what an account sells, signed. */
    offer: { publisher: 'device', retained: true, levels: 0 },
    /** `paid/<account>/<sensor>`: the full rate of a sensor that is sold by time. */
    paid: { publisher: 'device', retained: false, levels: 1, readers: 'payers' },
    /** `channel/<from>/<to>`: readings and payments one for one; `key` keys of paid topics; `file` larger goods. */
    channel: { publisher: 'device', retained: false, levels: 1, readers: 'addressee' },
    key: { publisher: 'device', retained: false, levels: 1, readers: 'addressee' },
    file: { publisher: 'device', retained: false, levels: 1, readers: 'addressee' },
    /** `claim/<payee>/<channel>`: the best proof that a payee has, so that anybody can claim for it. */
    claim: { publisher: 'device', retained: true, levels: 1 },
    /** `wires/<account>`: what an agent's wires have earned and spent; JSON only. */
    wires: { publisher: 'device', retained: true, levels: 0 },
    /** `wiring/<owner>/<agent>`: new wires for an agent, signed by its owner. */
    wiring: { publisher: 'device', retained: false, levels: 1 },
    /** Where a validator's chain ends. */
    tip: { publisher: 'validator', retained: true, levels: 0 },
    /** A signer's latest vote for a checkpoint. */
    vote: { publisher: 'device', retained: true, levels: 0 },
    /** Certificates of the highest justified and final checkpoints that a validator knows. */
    checkpoint: { publisher: 'validator', retained: true, levels: 0 },
    /** `account/<validator>/<account>`: balance and nonce. */
    account: { publisher: 'validator', retained: true, levels: 1 },
    /** `receipt/<validator>/<account>`: what became of an account's transactions. */
    receipt: { publisher: 'validator', retained: false, levels: 1 },
    /** `confirmed/<validator>`: blocks and their transactions once connected; JSON only. */
    confirmed: { publisher: 'validator', retained: false, levels: 0 },
    /** `refused/<validator>`: what was refused and why; JSON only. */
    refused: { publisher: 'validator', retained: false, levels: 0 },
    /** `members/<validator>`: who may mine on an enrolled network; JSON only. */
    members: { publisher: 'validator', retained: true, levels: 0 },
    /** `grant/<validator>/<seller>/<buyer>`: until when a buyer may read what of a seller, by the ledger. */
    grant: { publisher: 'validator', retained: true, levels: 2 },
    /** `quality/<validator>/<device>`: how plausible a device's readings are; JSON only, and advice. */
    quality: { publisher: 'validator', retained: true, levels: 1 },
    /** The genesis, retained by validators, so that a newcomer who knows its hash needs no file. */
    genesis: { publisher: 'validator', retained: true, levels: 0 },
};
/** The broker's own retained topic: 32 random bytes (hex) that a login has to sign; renewed every minute. */
export const CHALLENGE_TOPIC = `${ROOT}/challenge`;
export const topic = (network, kind, ...levels) => [ROOT, network, kind, ...levels].join('/');
export const mirror = (binary) => `${binary}/json`;
/** Filter for a kind from every publisher, binary messages only. */
export const everyone = (network, kind) => topic(network, kind, '+', ...Array(KINDS[kind].levels).fill('+'));
const HEX8 = /^[0-9a-f]{8}$/;
const HEX64 = /^[0-9a-f]{64}$/;
const LEVEL = /^[a-z0-9][a-z0-9._-]{0,63}$/;
/** Takes a topic of the tree apart; undefined for everything that is not one. */
export function parseTopic(name) {
    const [root, network = '', kind = '', publisher = '', ...tail] = name.split('/');
    if (root !== ROOT || !HEX8.test(network) || !HEX64.test(publisher) || !Object.hasOwn(KINDS, kind))
        return undefined;
    const levels = KINDS[kind].levels;
    const json = tail.length === levels + 1 && tail.at(-1) === 'json';
    const rest = json ? tail.slice(0, -1) : tail;
    if (rest.length !== levels || rest.some((level) => !LEVEL.test(level)))
        return undefined;
    return { network: network, kind: kind, publisher: publisher, rest, json };
}
//# sourceMappingURL=topic.js.map