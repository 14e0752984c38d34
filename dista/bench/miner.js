/**
 * Hashes a second of the miner's kernel beside OpenSSL (`node:crypto`) and noble doing the same double SHA-256, and the
 * time that an interrupted thread goes on hashing.
 *
 * The rivals take turns in one run, so that a busy machine slows all of them. Run it with `node dist/bench/miner.js`,
 * `--json` for machines.
 */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { sha256 } from '@noble/hashes/sha2.js';
import { MINER_DEFAULTS, Miner } from '../edge-agent/miner.js';
import { measureHashRate } from '../edge-agent/mining/hash-rate.js';
import { createKernel, withNonce } from '../edge-agent/mining/kernel.js';
import { createLog } from '../node/log.js';
import { HEADER_BYTES } from '../schemas/block.js';
const ROUNDS = 5;
const ROUND_MS = 600;
const INTERRUPTS = 200;
/** A kernel's interface around any double hash, without early exit or midstate: what a plain loop does. */
const plain = (double) => ({
    ...createKernel(),
    scan(_work, _target, nonceStart, count) {
        const header = withNonce(new Uint8Array(HEADER_BYTES), nonceStart);
        for (let done = 0; done < count; done++) {
            header[HEADER_BYTES - 1] = done;
            double(header);
        }
        return undefined;
    },
});
const openssl = (bytes) => createHash('sha256').update(bytes).digest();
const rivals = [
    ['pinledger', createKernel()],
    ['node:crypto', plain((header) => openssl(openssl(header)))],
    ['noble', plain((header) => sha256(sha256(header)))],
];
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
function hashRates() {
    const rates = new Map(rivals.map(([name]) => [name, []]));
    for (let round = 0; round < ROUNDS; round++) {
        for (const [name, kernel] of rivals)
            rates.get(name)?.push(measureHashRate(ROUND_MS, kernel));
    }
    return new Map([...rates].map(([name, values]) => [name, median(values)]));
}
async function interrupts() {
    const miner = new Miner({ ...MINER_DEFAULTS, duty: 1 }, {
        log: createLog({
            name: 'bench',
            format: 'text',
            level: 'warn',
            write: (line) => process.stderr.write(line),
            now: Date.now,
        }),
        onFound: () => undefined,
        nonceStart: () => 0n,
        random: Math.random,
    });
    miner.start();
    const header = new Uint8Array(HEADER_BYTES);
    miner.mine({ header, target: 0n });
    while (miner.stats().hashes === 0)
        await sleep(5);
    for (let i = 0; i < INTERRUPTS; i++) {
        await sleep(7 + (i % 5));
        miner.mine({ header, target: 0n });
    }
    await sleep(50);
    const stats = miner.stats();
    await miner.stop();
    return stats;
}
const rates = hashRates();
const own = rates.get('pinledger') ?? 0;
const { interruptMsP50 = 0, interruptMsP95 = 0, interruptMsMax = 0 } = await interrupts();
if (process.argv.includes('--json')) {
    const hashesPerSecond = Object.fromEntries([...rates].map(([name, rate]) => [name, Math.round(rate)]));
    const ratio = Object.fromEntries([...rates].map(([name, rate]) => [name, own / rate]));
    const result = {
        hashesPerSecond,
        ratio,
        interrupts: INTERRUPTS,
        interruptMsP50,
        interruptMsP95,
        interruptMsMax,
    };
    process.stdout.write(`${JSON.stringify(result)}\n`);
}
else {
    const ms = (value) => `${value.toFixed(2)} ms`;
    for (const [name, rate] of rates) {
        const ratio = name === 'pinledger' ? '' : `   pinledger is ${(own / rate).toFixed(1)} times as fast`;
        process.stdout.write(`${name.padEnd(12)} ${(rate / 1000).toFixed(0).padStart(6)} kH/s${ratio}\n`);
    }
    process.stdout.write(`interrupt    p50 ${ms(interruptMsP50)}, p95 ${ms(interruptMsP95)}, max ${ms(interruptMsMax)} of ${INTERRUPTS}\n`);
}
//# sourceMappingURL=miner.js.map