/**
 * Catching up over a real broker on this machine: blocks a second and bytes, from one, two and four peers, and from four of
 * which one never sends a block.
 *
 * Run after `npm run build`: `node dist/bench/sync.js [blocks]`; `--json` for machines. Broker and peers share one process,
 * the node that catches up has its own, as its chain log has, on the disk of the directory for temporary files.
 */
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBroker } from '../broker/broker.js';
import { Validator } from '../broker/validator.js';
import { genesisFrom } from '../ledger/preset.js';
import { buildTemplate } from '../ledger/template.js';
import { answer } from '../node/answers.js';
import { ChainStore } from '../node/chain-store.js';
import { systemClock } from '../node/clock.js';
import { openDisk } from '../node/disk.js';
import { LedgerNode } from '../node/ledger-node.js';
import { createSession } from '../node/session.js';
import { createSigner, hashing } from '../node/signing.js';
import { block as blockCodec, HEADER_NONCE_OFFSET, header as headerCodec, } from '../schemas/block.js';
import { encode } from '../schemas/codec.js';
import { toHex } from '../schemas/hex.js';
import { invariant } from '../schemas/result.js';
const HOST = '127.0.0.1';
const PEERS_MAX = 4;
const TIMEOUT_MS = 120_000;
const miner = createSigner(new Uint8Array(32).fill(7));
const learner = createSigner(new Uint8Array(32).fill(8));
const peers = Array.from({ length: PEERS_MAX }, (_, index) => createSigner(new Uint8Array(32).fill(100 + index)));
const genesis = {
    ...genesisFrom('bench', { name: 'bench', time: 1_767_225_600_000, firstWork: 256, allocations: [] }),
    // Found by the first few nonces: only the way of the blocks is measured.
    target: (1n << 254n) - 1n,
    targetMax: (1n << 254n) - 1n,
};
const quiet = () => { };
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const onFatal = (error) => {
    throw error;
};
function mined(block) {
    const bytes = encode(blockCodec, block);
    const header = encode(headerCodec, block.header);
    const view = new DataView(header.buffer);
    for (let nonce = 0; BigInt(`0x${toHex(hashing.double(header))}`) > block.header.target; nonce++)
        view.setUint32(HEADER_NONCE_OFFSET + 4, nonce);
    bytes.set(header);
    return bytes;
}
function makeChain(path, blocks) {
    const store = new ChainStore(openDisk(path), genesis);
    const { chain } = store;
    for (let height = 1; height <= blocks; height++) {
        const nowMs = chain.tip.time + genesis.interval;
        const block = buildTemplate(chain.network, chain, [], miner, nowMs);
        const outcome = chain.accept(mined(block), nowMs);
        invariant(outcome.ok, 'a block of ours is valid');
        store.save(outcome.value);
    }
    store.close();
}
/** The other process: a broker and `count` validators with the chain, the last of which sends no blocks if one stalls. */
async function serve(directory, count, stalls) {
    const broker = createBroker({ host: HOST, mqttPort: 0, wsPort: 0, validators: peers.map(({ account }) => account) }, { log });
    const { mqttPort } = await broker.start();
    for (const [index, signer] of peers.slice(0, count).entries()) {
        const path = join(directory, `peer-${index}`);
        cpSync(join(directory, 'chain'), path, { recursive: true });
        const store = new ChainStore(openDisk(path), undefined);
        const validator = new Validator({ session: { url: `mqtt://${HOST}:${mqttPort}` }, name: `peer ${index}`, software: 'bench', signer }, {
            store,
            clock: systemClock(),
            random: Math.random,
            log,
            events: { connected: quiet, disconnected: quiet, refused: quiet },
            onFatal,
        });
        if (stalls && index === count - 1) {
            validator.node.requests.serve((question) => question.type === 'getBlocks' ? undefined : answer(store.chain, question));
        }
        validator.start();
    }
    process.stdout.write(`${mqttPort}\n`);
    // The parent ends us by closing our input.
    process.stdin.on('end', () => process.exit(0)).resume();
}
async function measure(directory, blocks, count, stalls) {
    const child = spawn(process.execPath, [...process.execArgv, import.meta.filename, 'serve', directory, String(count), String(stalls)], { stdio: ['pipe', 'pipe', 'inherit'] });
    const port = await new Promise((resolve, reject) => {
        child.once('error', reject);
        child.once('close', () => reject(new Error('the serving process ended')));
        child.stdout.once('data', (bytes) => resolve(String(bytes).trim()));
    });
    const path = join(directory, 'learner');
    const store = new ChainStore(openDisk(path), genesis);
    let bytes = 0;
    let startMs = 0;
    let node;
    try {
        await new Promise((resolve, reject) => {
            const timer = setTimeout(() => reject(new Error(`at height ${store.chain.tip.height}`)), TIMEOUT_MS);
            node = new LedgerNode({
                session: { url: `mqtt://${HOST}:${port}` },
                role: 'agent',
                name: 'learner',
                software: 'bench',
                signer: learner,
            }, {
                store,
                clock: systemClock(),
                random: Math.random,
                log,
                openSession: (options, modules) => createSession(options, {
                    ...modules,
                    onMessage: (message) => {
                        bytes += message.payload.length;
                        return modules.onMessage(message);
                    },
                }),
                onUpdate: ({ tip }) => {
                    if (tip.height < blocks)
                        return;
                    clearTimeout(timer);
                    resolve();
                },
                onTransaction: quiet,
                onRefused: quiet,
                onConnected: () => {
                    startMs = performance.now();
                },
                onDisconnected: quiet,
                onFatal: reject,
            });
            node.start();
        });
        const seconds = (performance.now() - startMs) / 1000;
        return { 'blocks/s': blocks / seconds, seconds, 'bytes per block': bytes / blocks };
    }
    finally {
        await node?.stop();
        store.close();
        rmSync(path, { recursive: true, force: true });
        child.removeAllListeners('close');
        child.stdin.end();
    }
}
async function main() {
    const blocks = Number(process.argv.find((argument) => /^\d+$/.test(argument)) ?? 10_000);
    const directory = mkdtempSync(join(tmpdir(), 'pinledger-bench-'));
    const json = process.argv.includes('--json');
    const results = {};
    try {
        makeChain(join(directory, 'chain'), blocks);
        for (const [name, count, stalls] of [
            ['1 peer', 1, false],
            ['2 peers', 2, false],
            ['4 peers', 4, false],
            ['4 peers, 1 stalls', 4, true],
        ]) {
            const outcome = await measure(directory, blocks, count, stalls);
            results[name] = outcome;
            if (json)
                continue;
            const facts = Object.entries(outcome).map(([what, value]) => `${value.toFixed(1).padStart(8)} ${what}`);
            process.stdout.write(`${name.padEnd(20)}${facts.join('  ')}\n`);
        }
        if (json)
            process.stdout.write(`${JSON.stringify({ blocks, ...results })}\n`);
    }
    finally {
        rmSync(directory, { recursive: true, force: true });
    }
}
const [, , command, directory, count, stalls] = process.argv;
if (command === 'serve')
    await serve(directory ?? '', Number(count), stalls === 'true');
else
    await main();
//# sourceMappingURL=sync.js.map