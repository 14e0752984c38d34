/**
 * Durable batches a second of the append log (1 KB payload, one fdatasync each) beside plain write + fdatasync
 * of the same number of bytes, in turns in one run, so that the ratio holds on a disk whose speed wanders.
 *
 *     npm run build && node dist/bench/append-log.js [DIRECTORY]
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { openAppendLog } from '../node/append-log.js';
import { openLogFile } from '../node/disk.js';
const ROUNDS = 8;
const BATCHES_PER_ROUND = 250;
const payload = new Uint8Array(1024).fill(0xa5);
const framed = new Uint8Array(16 + payload.length + 8).fill(0xa5);
/** Seconds that `BATCHES_PER_ROUND` runs of `batch` take. */
function seconds(batch) {
    const start = process.hrtime.bigint();
    for (let count = 0; count < BATCHES_PER_ROUND; count++)
        batch();
    return Number(process.hrtime.bigint() - start) / 1e9;
}
const directory = mkdtempSync(join(process.argv[2] ?? '.', 'bench-append-log-'));
try {
    const log = openAppendLog(openLogFile(join(directory, 'log')));
    const plain = openSync(join(directory, 'plain'), 'w');
    const rates = [];
    for (let round = 0; round < ROUNDS; round++) {
        const logSeconds = seconds(() => log.append([{ kind: 1, bytes: payload }]));
        const plainSeconds = seconds(() => {
            writeSync(plain, framed);
            fdatasyncSync(plain);
        });
        // The first round pays for compiling and for the first blocks of both files.
        if (round > 0)
            rates.push({ log: BATCHES_PER_ROUND / logSeconds, plain: BATCHES_PER_ROUND / plainSeconds });
    }
    log.close();
    closeSync(plain);
    const median = (values) => values.sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
    const line = (name, value) => process.stdout.write(`${name.padEnd(28)} ${value}\n`);
    line('append log', `${median(rates.map((rate) => rate.log)).toFixed(0)} batches/s`);
    line('plain write + fdatasync', `${median(rates.map((rate) => rate.plain)).toFixed(0)} batches/s`);
    line('ratio, median of rounds', median(rates.map((rate) => rate.log / rate.plain)).toFixed(3));
    let records = 0;
    const start = process.hrtime.bigint();
    openAppendLog(openLogFile(join(directory, 'log')), { onRecord: () => records++ }).close();
    const scanSeconds = Number(process.hrtime.bigint() - start) / 1e9;
    line('opening checks', `${(records / scanSeconds).toFixed(0)} records/s`);
}
finally {
    rmSync(directory, { recursive: true });
}
//# sourceMappingURL=append-log.js.map