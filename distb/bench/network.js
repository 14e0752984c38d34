/**
 * A whole network on this machine for a while: how long a block takes from its miner to a validator's disk, what share
 * of the block interval that is.
 *
 * Run after `npm run build`: `node dist/bench/network.js [seconds]`; `--json` for machines. Uses a directory of its own.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PRESETS } from '../ledger/preset.js';
const seconds = Number(process.argv.find((argument) => /^\d+$/.test(argument)) ?? 60);
const data = mkdtempSync(join(tmpdir(), 'pinledger-bench-'));
const program = join(import.meta.dirname, '../cli/main.js');
function lines(name) {
    const text = readFileSync(join(data, 'logs', name), 'utf8');
    return text.split('\n').flatMap((line) => {
        if (!line.startsWith('{'))
            return [];
        const { at, event, hash } = JSON.parse(line);
        return hash === undefined ? [] : [{ atMs: Date.parse(at), event, hash }];
    });
}
const percentile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
try {
    await new Promise((resolve, reject) => {
        const child = spawn(process.execPath, [program, 'up', '--data', data, '--mqtt-port', '0', '--duration', String(seconds)], { stdio: ['ignore', 'ignore', 'inherit'] });
        child.once('error', reject);
        child.once('close', (code) => code === 0 ? resolve() : reject(new Error(`pinledger up ended with ${code}`)));
    });
    const logs = readdirSync(join(data, 'logs'));
    const found = new Map(logs
        .flatMap(lines)
        .filter(({ event }) => event === 'found a block')
        .map(({ hash, atMs }) => [hash, atMs]));
    const delays = logs
        .filter((name) => name.startsWith('validator'))
        .flatMap(lines)
        .flatMap(({ event, hash, atMs }) => {
        const foundMs = found.get(hash);
        return event === 'block' && foundMs !== undefined ? [atMs - foundMs] : [];
    })
        .sort((a, b) => a - b);
    const { interval } = PRESETS.bench;
    const results = {
        seconds,
        blocks: found.size,
        'validated by': delays.length,
        'mined to validated, p50 ms': percentile(delays, 0.5),
        'mined to validated, p95 ms': percentile(delays, 0.95),
        'mined to validated, most ms': delays.at(-1) ?? Number.NaN,
        'block interval / p95 (20 or more wanted)': interval / Math.max(1, percentile(delays, 0.95)),
    };
    process.stdout.write(process.argv.includes('--json')
        ? `${JSON.stringify(results)}\n`
        : `${Object.entries(results)
            .map(([what, value]) => `${what.padEnd(42)} ${Math.round(value * 100) / 100}`)
            .join('\n')}\n`);
}
finally {
    rmSync(data, { recursive: true, force: true });
}
//# sourceMappingURL=network.js.map