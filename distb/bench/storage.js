/**
 * What the ledger writes to its disk for each block, and what of that is for what.
 *
 * Counted over whole segments in the steady state of a node with the smallest disk budget: segments begin, headers move to
 * `headers.log`, old segments are deleted. What a file system and a card make of a write is not counted, but the pages that
 * it touches are.
 */
import { parseArgs } from 'node:util';
import { OUTBOX_ENTRIES_MAX, Outbox } from '../edge-agent/outbox.js';
import { segmentHeights } from '../node/segments.js';
import { invariant } from '../schemas/result.js';
import { accountNumber, Growth, OUTBOX, unsigned } from './growth.js';
const HELP = `What the ledger writes to its disk for each block. Everything takes some five minutes of one core.

  node dist/bench/storage.js [--segments N] [--scenario WORD] [--json]

  --segments N     whole segments that are counted, 1 to 100 (1)
  --scenario WORD  only those whose name has the word
  --json           for machines

Example: node dist/bench/storage.js --scenario empty --segments 2
Exit codes: 0 measured, 1 a fault of ours, 2 wrong options.
`;
const DEVICES = 20;
const T_SECONDS = 10;
const BLOCKS_A_YEAR = (365.25 * 86_400) / T_SECONDS;
const CARD_BYTES = 32e9;
/** In use for as long as the window is small; how much is written for a block does not depend on its length. */
const WINDOW_BLOCKS = 256;
const reading = (sequence) => ({
    type: 'reading',
    sample: {
        sensor: 'soil-moisture',
        sequence,
        value: { mantissa: 2153, exponent: -2 },
        unit: 'Cel',
        time: 1_767_225_600_000,
        synchronised: true,
    },
});
const transfer = (to) => ({ type: 'transfer', to, amount: 1, memo: 'soil moisture' });
const worded = (to) => ({ type: 'transfer', to, amount: 1, memo: 'x'.repeat(80) });
/** Transactions of one block: device `index % DEVICES` sends the body that `make` gives. */
const from = (count, make) => (growth) => Array.from({ length: count }, (_, index) => growth.next((index % DEVICES) + 1, make(index, growth.store.chain.tip.height)));
const someone = (index) => accountNumber(((index * 7) % DEVICES) + 1);
/** All that a block of the preset may have, with its coinbase. */
const FULL = 624;
const SCENARIOS = [
    { name: 'empty', accounts: DEVICES, transactions: () => [] },
    { name: 'empty, 10,000 accounts', accounts: 10_000, transactions: () => [] },
    { name: '20 readings', accounts: DEVICES, transactions: from(20, (_, height) => reading(height)) },
    { name: '20 transfers', accounts: DEVICES, transactions: from(20, (index) => transfer(someone(index))) },
    { name: 'full of readings', accounts: DEVICES, transactions: from(FULL, (_, height) => reading(height)) },
    {
        name: 'full of long transfers between 10,000 accounts',
        accounts: 10_000,
        transactions: (growth) => {
            const first = growth.store.chain.tip.height * FULL;
            return Array.from({ length: FULL }, (_, index) => growth.next(((first + index) % 10_000) + 1, worded(accountNumber(((first + index * 7) % 10_000) + 1))));
        },
    },
    { name: 'an agent, 1 reading of its own', accounts: DEVICES, transactions: () => [], outbox: true },
];
function measure({ name, accounts, transactions, outbox: withOutbox }, segments) {
    const growth = new Growth(accounts, {
        windowBlocks: WINDOW_BLOCKS,
        windowBlocksMin: WINDOW_BLOCKS,
        bytesMax: 1,
    });
    const { store, disk } = growth;
    const device = unsigned(1);
    const files = {
        open: () => disk.open(OUTBOX),
        fresh: () => {
            disk.remove(`${OUTBOX}.new`);
            return { file: disk.open(`${OUTBOX}.new`), commit: () => disk.rename(`${OUTBOX}.new`, OUTBOX) };
        },
    };
    const outbox = withOutbox === true ? new Outbox(files, store.chain, device) : undefined;
    const step = () => {
        outbox?.add([{ draft: reading(store.chain.tip.height), key: '' }]);
        const all = [...transactions(growth), ...(outbox?.pending(OUTBOX_ENTRIES_MAX) ?? [])];
        const { bytes, update } = growth.grow(all);
        outbox?.update(update);
        return bytes;
    };
    /** Grows until the next segment begins. */
    const segment = () => {
        const newest = () => segmentHeights(disk).at(-1);
        const before = newest();
        let [blocks, bytes] = [0, 0];
        for (; newest() === before; blocks++)
            bytes += step();
        return { blocks, bytes };
    };
    // By then the window's base has moved and a segment was deleted.
    for (let warm = 0; warm < 3; warm++)
        segment();
    disk.take();
    let [blocks, bytes] = [0, 0];
    for (let done = 0; done < segments; done++) {
        const more = segment();
        blocks += more.blocks;
        bytes += more.bytes;
    }
    const counts = disk.take();
    store.close();
    invariant(counts.removed >= segments && counts.headers > 0, 'all that happens in a steady state has happened');
    invariant(counts.block === bytes, 'every block was written once');
    return row(name, { blocks, bytes, segments }, counts);
}
function row(scenario, all, counts) {
    const { blocks, bytes, segments } = all;
    const { block, changes, tip, framing, segmentStart, headers, outbox, ...rest } = counts;
    const parts = { block, changes, tip, framing, segmentStart, headers, outbox };
    const sum = Object.values(parts).reduce((total, part) => total + part);
    invariant(sum === counts.written, `all of ${counts.written} bytes is for something, ${sum} are known`);
    const perBlock = (value) => value / blocks;
    const aYear = (value) => (perBlock(value) * BLOCKS_A_YEAR) / 1e9;
    return {
        scenario,
        blocks,
        segments,
        'bytes of a block': perBlock(bytes),
        'bytes written': perBlock(rest.written),
        amplification: rest.written / bytes,
        writes: perBlock(rest.writes),
        fdatasyncs: perBlock(rest.fdatasyncs),
        'directory syncs': perBlock(rest.directorySyncs),
        'bytes of pages': perBlock(rest.pages),
        parts: {
            block: perBlock(block),
            changes: perBlock(changes),
            tip: perBlock(tip),
            framing: perBlock(framing),
            segmentStart: perBlock(segmentStart),
            headers: perBlock(headers),
            outbox: perBlock(outbox),
        },
        'GB a year': aYear(rest.written),
        'GB of pages a year': aYear(rest.pages),
    };
}
const print = (text) => void process.stdout.write(text);
const number = (value) => value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(value < 10 ? 2 : 1);
function tell(rows) {
    for (const each of rows) {
        const { scenario, blocks, segments, parts } = each;
        const written = each['bytes written'];
        print(`\n${scenario}: ${blocks} blocks in ${segments} segments\n`);
        print(`  a block                  ${number(each['bytes of a block'])} bytes\n`);
        print(`  written for it           ${number(written)} bytes, ${each.amplification.toFixed(3)} times as many\n`);
        for (const [part, bytes] of Object.entries(parts))
            if (bytes > 0)
                print(`    ${part.padEnd(16)} ${number(bytes).padStart(12)} ${((bytes / written) * 100).toFixed(1).padStart(6)} %\n`);
        print(`  writes, fdatasyncs       ${each.writes.toFixed(4)}, ${each.fdatasyncs.toFixed(4)}\n`);
        print(`  fsyncs of the directory  ${each['directory syncs'].toFixed(4)}\n`);
        print(`  pages of 4096 bytes      ${number(each['bytes of pages'])} bytes\n`);
        const [gigabytes, pages] = [each['GB a year'], each['GB of pages a year']];
        print(`  a year of T = ${T_SECONDS} s        ${number(gigabytes)} GB, in whole pages ${number(pages)} GB: `);
        print(`a 32 GB card ${number((pages * 1e9) / CARD_BYTES)} times over\n`);
    }
}
function options() {
    const { values } = parseArgs({
        options: {
            segments: { type: 'string', default: '1' },
            scenario: { type: 'string', default: '' },
            json: { type: 'boolean', default: false },
            help: { type: 'boolean', default: false },
        },
    });
    if (values.help)
        return undefined;
    const segments = Number(values.segments);
    if (!Number.isInteger(segments) || segments < 1 || segments > 100)
        throw new TypeError(`--segments ${values.segments}: expected a number from 1 to 100`);
    const { scenario, json } = values;
    if (!SCENARIOS.some(({ name }) => name.includes(scenario)))
        throw new TypeError(`--scenario ${scenario}: expected a word of ${SCENARIOS.map(({ name }) => name).join('; ')}`);
    return { segments, scenario, json };
}
function main() {
    let chosen;
    try {
        chosen = options();
    }
    catch (error) {
        process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
        process.exitCode = 2;
        return;
    }
    if (chosen === undefined) {
        print(HELP);
        return;
    }
    const { segments, scenario, json } = chosen;
    const rows = SCENARIOS.filter(({ name }) => name.includes(scenario)).map((each) => measure(each, segments));
    if (json)
        print(`${JSON.stringify(rows)}\n`);
    else
        tell(rows);
}
main();
//# sourceMappingURL=storage.js.map