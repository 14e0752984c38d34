/**
 * A hundred devices that pay at the same time, a broker and one validator as real processes on loopback: how long from a payment's
 * publication until the payer has the validator's word that it is taken, and that it is in a block.
 *
 * First each device pays every two seconds, at moments of its own: four fifths of what a bench network's blocks have room for. Then all pay
 * in the same moment, again and again. Another agent mines. Processor time is the validator's own (/proc/<pid>/stat, so Linux only).
 * Run after `npm run build`: `node dist/bench/devices.js [seconds]`; `--json` for machines.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { measureHashRate } from '../edge-agent/mining/hash-rate.js';
import { COIN } from '../ledger/amount.js';
import { createNetwork } from '../ledger/network.js';
import { genesisFrom, PRESETS } from '../ledger/preset.js';
import { signTransaction } from '../ledger/transaction.js';
import { writeGenesis } from '../node/genesis-file.js';
import { createKey } from '../node/key-file.js';
import { createSession } from '../node/session.js';
import { createSigner, hashing, signatures } from '../node/signing.js';
import { decode } from '../schemas/codec.js';
import { receipt } from '../schemas/message.js';
import { invariant } from '../schemas/result.js';
import { topic } from '../schemas/topic.js';
const DEVICES = 100;
const EVERY_MS = 2_000;
/** Times that all pay in one moment. */
const SALVOS = 10;
const DUTY = 0.1;
const RECEIPT_BYTES_MAX = 512;
/** How long a payment may be on its way to a block after the last was sent: some blocks. */
const PATIENCE_MS = 60_000;
const MAIN = join(import.meta.dirname, '../cli/main.js');
const seconds = Number(process.argv.find((argument) => /^\d+$/.test(argument)) ?? 60);
const data = mkdtempSync(join(tmpdir(), 'pinledger-bench-'));
const children = [];
const silent = () => { };
const quiet = { debug: silent, info: silent, warn: silent, error: silent };
/** Starts a part of the network; resolves with the first line that has `event`. */
async function start(event, ...args) {
    const child = spawn(process.execPath, [MAIN, ...args, '--json'], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    const line = await new Promise((resolve, reject) => {
        createInterface({ input: child.stdout }).on('line', (text) => {
            const parsed = text.startsWith('{') ? JSON.parse(text) : {};
            if (parsed.event === event)
                resolve(parsed);
        });
        child.once('close', (code) => reject(new Error(`pinledger ${args[0]} ended with ${code}`)));
    });
    return [child, line];
}
/** Milliseconds of processor time that a process has had: fields 14 and 15 of proc(5), in hundredths of a second. */
function processorMs({ pid }) {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
        .replace(/^.*\) /, '')
        .split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
}
class Device {
    payments = [];
    session;
    refused = 0;
    #network;
    #signer;
    #byId = new Map();
    constructor(network, signer, url, validator, onConnected) {
        this.#network = network;
        this.#signer = signer;
        this.session = createSession({ url, signer }, {
            ...{ log: quiet, random: Math.random, now: () => performance.now(), onConnected },
            ...{ onDisconnected: silent, onDropped: silent, onFault: (error) => console.error(error) },
            onMessage: ({ payload }) => this.#receive(payload),
        });
        this.session.subscribe([topic(network.id, 'receipt', validator, signer.account)]);
        this.session.start();
    }
    pay(to) {
        const { account: from, sign } = this.#signer;
        const nonce = this.payments.length;
        const head = { network: this.#network.id, from, nonce, fee: 0, expiry: 10_000 };
        const body = { type: 'transfer', to, amount: 1, memo: 'soil moisture' };
        const { id, bytes } = signTransaction(this.#network, { ...head, ...body }, sign);
        const payment = { sentMs: performance.now() };
        this.payments.push(payment);
        this.#byId.set(id, payment);
        void this.session.publish(topic(this.#network.id, 'tx', from), bytes, { qos: 1, retain: false });
    }
    #receive(payload) {
        const decoded = decode(receipt, payload, RECEIPT_BYTES_MAX);
        const payment = decoded.ok ? this.#byId.get(decoded.value.transaction) : undefined;
        if (!decoded.ok || payment === undefined)
            return;
        const { status } = decoded.value;
        if (status === 'refused')
            this.refused++;
        if (status === 'accepted')
            payment.acceptedMs ??= performance.now();
        if (status === 'confirmed')
            payment.confirmedMs ??= performance.now();
    }
}
const percentile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
function spread(name, payments, at) {
    const delays = payments
        .flatMap(({ sentMs, [at]: endMs }) => (endMs === undefined ? [] : [endMs - sentMs]))
        .sort((a, b) => a - b);
    return {
        [`${name}, of ${payments.length}`]: delays.length,
        [`${name}, p50 ms`]: percentile(delays, 0.5),
        [`${name}, p95 ms`]: percentile(delays, 0.95),
        [`${name}, p99 ms`]: percentile(delays, 0.99),
    };
}
async function until(done, patienceMs = PATIENCE_MS) {
    for (const endMs = performance.now() + patienceMs; !done() && performance.now() < endMs;)
        await sleep(5);
}
const all = (devices) => devices.flatMap(({ payments }) => payments);
const taken = (payments) => payments.every(({ acceptedMs, confirmedMs }) => acceptedMs !== undefined || confirmedMs !== undefined);
/** Each on its own, for `seconds`. */
async function paced(devices, to) {
    const endMs = performance.now() + seconds * 1_000;
    await Promise.all(devices.map(async (device, index) => {
        await sleep((index * EVERY_MS) / DEVICES);
        for (let nextMs = performance.now(); nextMs < endMs; nextMs += EVERY_MS) {
            device.pay(to);
            await sleep(Math.max(0, nextMs + EVERY_MS - performance.now()));
        }
    }));
}
async function measure() {
    const signers = Array.from({ length: DEVICES }, (_, index) => createSigner(new Uint8Array(32).fill(index + 1)));
    for (const name of ['validator', 'miner'])
        mkdirSync(join(data, name), { mode: 0o700 });
    const [judge, miner] = [
        createKey(join(data, 'validator', 'key.json')),
        createKey(join(data, 'miner', 'key.json')),
    ];
    const { interval } = PRESETS.bench;
    const firstWork = (Math.max(...[1, 2, 3].map(() => measureHashRate(120))) * DUTY * interval) / 1_000;
    const allocations = signers.map(({ account }) => ({ account, amount: COIN }));
    const genesis = genesisFrom('bench', { name: 'bench', time: Date.now(), firstWork, allocations });
    const made = createNetwork(genesis, { hashing, signatures });
    invariant(made.ok, 'the genesis is valid');
    const network = made.value;
    const genesisFile = join(data, 'genesis.json');
    writeGenesis(genesisFile, genesis);
    const ports = ['--mqtt-port', '0', '--ws-port', '0', '--http-port', '0'];
    const [, { mqtt }] = await start('listening', ...['broker', '--host', '127.0.0.1', ...ports, '--validator', judge.account]);
    const url = `mqtt://127.0.0.1:${mqtt}`;
    const [validator] = await start('connected', ...['validator', '--name', 'validator', '--data', join(data, 'validator')], ...['--genesis', genesisFile, '--broker', url]);
    const config = { name: 'miner', broker: { url }, data: join(data, 'miner'), genesis: genesisFile };
    const file = join(data, 'miner.yaml');
    writeFileSync(file, JSON.stringify({ ...config, mine: { threads: 1, duty: DUTY } }));
    await start('connected', 'agent', '--config', file);
    let connected = 0;
    const devices = signers.map((signer) => new Device(network, signer, url, judge.account, () => connected++));
    try {
        await until(() => connected >= DEVICES);
        invariant(connected >= DEVICES, 'all devices are connected');
        const beforeMs = processorMs(validator);
        await paced(devices, miner.account);
        const own = all(devices);
        await until(() => own.every(({ confirmedMs }) => confirmedMs !== undefined));
        const usedMs = processorMs(validator) - beforeMs;
        const salvos = [];
        const startMs = performance.now();
        for (let salvo = 0; salvo < SALVOS; salvo++) {
            for (const device of devices)
                device.pay(miner.account);
            const fresh = devices.map(({ payments }) => payments.at(-1));
            await until(() => taken(fresh));
            salvos.push(...fresh);
        }
        const salvoSeconds = (performance.now() - startMs) / 1_000;
        return {
            devices: DEVICES,
            ...spread('each every 2 s: taken', own, 'acceptedMs'),
            ...spread('each every 2 s: in a block', own, 'confirmedMs'),
            "validator's processor time for one, blocks and all, ms": usedMs / own.length,
            ...spread('all at once: taken', salvos, 'acceptedMs'),
            'all at once: taken in a second': salvos.length / salvoSeconds,
            refused: devices.reduce((sum, { refused }) => sum + refused, 0),
        };
    }
    finally {
        await Promise.all(devices.map(({ session }) => session.stop()));
    }
}
try {
    const results = await measure();
    process.stdout.write(process.argv.includes('--json')
        ? `${JSON.stringify(results)}\n`
        : `${Object.entries(results)
            .map(([what, value]) => `${what.padEnd(56)} ${Math.round(value * 100) / 100}`)
            .join('\n')}\n`);
}
finally {
    await Promise.all(children.map(async (child) => {
        child.kill('SIGINT');
        if (child.exitCode === null && child.signalCode === null)
            await once(child, 'close');
    }));
    rmSync(data, { recursive: true, force: true });
}
//# sourceMappingURL=devices.js.map