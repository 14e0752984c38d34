/**
 * Messages that a broker forwards to 50 subscribers in a second of its own processor time: ours on an open, a private and a paid topic, ours without the question who
 * may read, plain Aedes, and mosquitto where it is installed; `--json` for machines.
 *
 * Each broker is a process of its own; the subscribers count bytes, so that they cost little. The publisher sends a window of messages and
 * waits until all have it. Rounds of the brokers take turns; ratios are medians over the rounds, to plain Aedes in the same round. Processor time
 * (/proc/<pid>/stat, so Linux only) because it says the same on a machine that does other things, too.
 * Run after `npm run build`: `node dist/bench/broker.js [rounds]`.
 */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Aedes } from 'aedes';
import { generate, parser } from 'mqtt-packet';
import { createBroker } from '../broker/broker.js';
import { createSigner, hashing } from '../node/signing.js';
import { encode } from '../schemas/codec.js';
import { grant } from '../schemas/grant.js';
import { toHex } from '../schemas/hex.js';
import { loginMessage } from '../schemas/login.js';
import { CHALLENGE_TOPIC, topic } from '../schemas/topic.js';
const SUBSCRIBERS = 50;
const WINDOW = 200;
const ROUND_MS = 2_000;
/** Other grants that the broker has beside the one that counts. */
const GRANTS = 10_000;
const HOST = '127.0.0.1';
const NETWORK = '0badcafe';
const signerOf = (seed) => createSigner(new Uint8Array(32).fill(seed));
const [judge, seller, buyer] = [signerOf(1), signerOf(2), signerOf(3)];
const payload = Buffer.from(JSON.stringify([{ bn: `urn:dev:mac:0024befffe804ff1/`, n: 'soil', u: '%RH', v: 21.5, t: 1_764_446_490 }]));
const CASES = [
    { name: 'plain Aedes', make: 'aedes', kind: 'reading' },
    { name: 'ours, without the question', make: 'unchecked', kind: 'reading' },
    { name: 'ours, open topic', make: 'ours', kind: 'reading' },
    { name: 'ours, private topic', make: 'ours', kind: 'channel' },
    { name: 'ours, paid topic', make: 'ours', kind: 'paid' },
    { name: 'mosquitto', make: 'mosquitto', kind: 'reading' },
];
async function serve(make) {
    if (make === 'aedes') {
        const aedes = new Aedes({ concurrency: 0 });
        await aedes.listen();
        const server = createServer({ noDelay: true }, (socket) => void aedes.handle(socket));
        server.listen(0, HOST, () => process.send?.(server.address().port));
        return;
    }
    // Aedes sets its hooks in its constructor: this one cannot be set, and asks nobody.
    if (make === 'unchecked') {
        const ask = (_client, packet) => packet;
        Object.defineProperty(Aedes.prototype, 'authorizeForward', { get: () => ask, set() { } });
    }
    const silent = () => { };
    const broker = createBroker({ host: HOST, mqttPort: 0, wsPort: 0, validators: [judge.account] }, { log: { debug: silent, info: silent, warn: silent, error: silent } });
    const { mqttPort } = await broker.start();
    process.send?.(mqttPort);
}
async function start(make, folder) {
    if (make !== 'mosquitto') {
        const child = fork(import.meta.filename, ['--serve', make]);
        const [port] = (await once(child, 'message'));
        return { port, process: child };
    }
    const program = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/usr/bin/mosquitto'].find(existsSync);
    if (program === undefined)
        return undefined;
    const port = 20_000 + (process.pid % 10_000);
    const file = join(folder, 'mosquitto.conf');
    writeFileSync(file, `listener ${port} ${HOST}\nallow_anonymous true\nset_tcp_nodelay true\nmax_queued_messages 0\nuser root\n`);
    const child = spawn(program, ['-c', file], { stdio: 'ignore' });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    return { port, process: child };
}
/** A connection that speaks packets until it is told to count bytes only. */
class Client {
    socket;
    #packets = [];
    #waiting;
    #counts = false;
    bytes = 0;
    onBytes = () => { };
    constructor(port) {
        this.socket = connect({ port, host: HOST, noDelay: true });
        const parse = parser();
        parse.on('packet', (packet) => {
            this.#packets.push(packet);
            this.#waiting?.();
        });
        this.socket.on('data', (chunk) => {
            if (!this.#counts)
                parse.parse(chunk);
            else {
                this.bytes += chunk.length;
                this.onBytes();
            }
        });
    }
    async next(cmd) {
        for (;;) {
            const at = this.#packets.findIndex((packet) => packet.cmd === cmd);
            if (at >= 0)
                return this.#packets.splice(at, 1)[0];
            await new Promise((resolve) => {
                this.#waiting = resolve;
            });
        }
    }
    count() {
        this.#counts = true;
    }
}
async function connectAs(port, clientId, login = {}) {
    const client = new Client(port);
    const head = {
        cmd: 'connect',
        protocolId: 'MQTT',
        protocolVersion: 4,
        clean: true,
        keepalive: 600,
    };
    client.socket.write(generate({ ...head, clientId, ...login }));
    const answer = await client.next('connack');
    if (answer.cmd !== 'connack' || answer.returnCode !== 0)
        throw new Error(`refused: ${JSON.stringify(answer)}`);
    return client;
}
async function subscribe(client, filter) {
    client.socket.write(generate({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: filter, qos: 0 }] }));
    await client.next('suback');
}
/** Logs in where the broker has a challenge. */
async function enter({ port }, make, signer, suffix) {
    const clientId = `${signer.account}-${suffix}`;
    if (make === 'aedes' || make === 'mosquitto')
        return connectAs(port, clientId);
    const guest = await connectAs(port, `guest-${suffix}`);
    await subscribe(guest, CHALLENGE_TOPIC);
    const message = await guest.next('publish');
    guest.socket.destroy();
    const challenge = message.cmd === 'publish' ? String(message.payload) : '';
    const signature = signer.sign(hashing.tagged('login', loginMessage(challenge, clientId)));
    return connectAs(port, clientId, { username: signer.account, password: Buffer.from(toHex(signature)) });
}
/** Says that the buyer may read, and ten thousand others, who are not there. */
async function grantAll(running) {
    const client = await enter(running, 'ours', judge, 'grants');
    const until = Date.now() + 86_400_000;
    for (let index = 0; index <= GRANTS; index++) {
        const to = index === GRANTS ? buyer.account : index.toString(16).padStart(64, '0');
        const value = { seller: seller.account, buyer: to, height: 1 };
        const bytes = encode(grant, { ...value, sensors: [{ sensor: 'soil', until }] });
        const name = topic(NETWORK, 'grant', judge.account, seller.account, to);
        const last = index === GRANTS;
        const packet = {
            cmd: 'publish',
            topic: name,
            payload: Buffer.from(bytes),
            dup: false,
            retain: true,
        };
        client.socket.write(generate(last ? { ...packet, qos: 1, messageId: 1 } : { ...packet, qos: 0 }));
        if (last)
            await client.next('puback');
    }
    client.socket.destroy();
}
async function scene({ name, make, kind }, running) {
    const level = kind === 'channel' ? buyer.account : 'soil';
    const on = topic(NETWORK, kind, seller.account, level);
    const subscribers = [];
    for (let index = 0; index < SUBSCRIBERS; index++) {
        const client = await enter(running, make, buyer, `${kind}-${index}`);
        await subscribe(client, on);
        client.count();
        subscribers.push(client);
    }
    const publisher = await enter(running, make, seller, kind);
    const frame = generate({ cmd: 'publish', topic: on, payload, qos: 0, dup: false, retain: false });
    return { name, running, subscribers, publisher, frame };
}
/** Seconds of processor time that a process has had: fields 14 and 15 of proc(5), in hundredths. */
function processorSeconds({ process: { pid } }) {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
        .replace(/^.*\) /, '')
        .split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
}
/** Messages forwarded in a second of the broker's processor time. */
async function round({ running, subscribers, publisher, frame }) {
    const before = processorSeconds(running);
    const batch = Buffer.concat(Array.from({ length: WINDOW }, () => frame));
    const startMs = performance.now();
    let windows = 0;
    while (performance.now() - startMs < ROUND_MS) {
        for (const client of subscribers)
            client.bytes = 0;
        let missing = subscribers.length;
        const all = new Promise((resolve) => {
            for (const client of subscribers)
                client.onBytes = () => {
                    if (client.bytes < batch.length)
                        return;
                    client.onBytes = () => { };
                    missing--;
                    if (missing === 0)
                        resolve();
                };
        });
        publisher.socket.write(batch);
        await all;
        windows++;
    }
    return (windows * WINDOW * subscribers.length) / (processorSeconds(running) - before);
}
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
async function measure() {
    const rounds = Number(process.argv.find((argument) => /^\d+$/.test(argument)) ?? 5);
    const folder = mkdtempSync(join(tmpdir(), 'pinledger-bench-'));
    const brokers = new Map();
    const scenes = [];
    try {
        for (const each of CASES) {
            const running = brokers.has(each.make) ? brokers.get(each.make) : await start(each.make, folder);
            if (!brokers.has(each.make))
                brokers.set(each.make, running);
            if (running === undefined)
                continue;
            if (each.kind === 'paid')
                await grantAll(running);
            scenes.push(await scene(each, running));
        }
        const rates = new Map(scenes.map(({ name }) => [name, []]));
        for (let count = 0; count <= rounds; count++)
            for (const each of scenes) {
                const rate = await round(each);
                if (count > 0)
                    rates.get(each.name)?.push(rate); // the first warms up
            }
        const plain = rates.get('plain Aedes') ?? [];
        const results = [...rates].map(([name, values]) => ({
            name,
            perSecond: Math.round(median(values)),
            ratio: Math.round(100 * median(values.map((value, index) => value / (plain[index] ?? Number.NaN)))) / 100,
        }));
        process.stdout.write(process.argv.includes('--json')
            ? `${JSON.stringify({ subscribers: SUBSCRIBERS, grants: GRANTS, rounds, results })}\n`
            : `to ${SUBSCRIBERS} subscribers, messages forwarded in a second of processor time, and the ratio to plain Aedes\n${results
                .map(({ name, perSecond, ratio }) => `${name.padEnd(30)} ${String(perSecond).padStart(8)}  ${ratio}\n`)
                .join('')}`);
    }
    finally {
        for (const each of scenes)
            for (const client of [...each.subscribers, each.publisher])
                client.socket.destroy();
        for (const running of brokers.values())
            running?.process.kill();
        rmSync(folder, { recursive: true, force: true });
    }
}
if (process.argv[2] === '--serve')
    await serve(process.argv[3]);
else
    await measure();
//# sourceMappingURL=broker.js.map