/** `pinledger wires try`: what wires would have cost in the last hours of a ledger. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { dryRun } from '../edge-agent/wires/dry-run.js';
import { timeText } from '../edge-agent/wires/state.js';
import { formatCoins } from '../ledger/amount.js';
import { WorldError } from '../node/error.js';
import { loadKey } from '../node/key-file.js';
import { EXIT } from './exit.js';
import { ledgerBlocks } from './ledger-blocks.js';
import { readWiresFile } from './wires-file.js';
const HOUR_MS = 3_600_000;
/** Throws WorldError `config` or `usage`. */
export function tryWires(trial, out) {
    const { file, data, hours, json } = trial;
    const { wires } = readWiresFile(file);
    const agent = trial.agent ?? accountOf(data);
    if (agent === undefined && wires.some(({ source }) => source.kind === 'own'))
        throw new WorldError('usage', `${file} looks at an agent's own sensors: say which with --agent`);
    const span = { from: 0, to: 0, blocks: 0 };
    const counted = function* () {
        for (const block of ledgerBlocks(data, hours * HOUR_MS)) {
            if (span.blocks++ === 0)
                span.from = block.time;
            span.to = block.time;
            yield block;
        }
    };
    const outcomes = dryRun(wires, agent, counted());
    const total = outcomes.reduce((sum, { amount }) => sum + amount, 0);
    const { blocks } = span;
    const [from, to] = [timeText(span.from), timeText(span.to)];
    if (json) {
        const shown = outcomes.map(({ amount, stopped, ...rest }) => ({
            ...rest,
            coins: formatCoins(amount),
            stopped: stopped.map(({ first, ...each }) => ({ ...each, first: timeText(first) })),
        }));
        out(`${JSON.stringify({ blocks, from, to, wires: shown, coins: formatCoins(total) })}\n`);
    }
    else {
        out(`${blocks} blocks${blocks === 0 ? '' : ` from ${from} to ${to}`}\n`);
        for (const outcome of outcomes)
            out(describe(outcome));
        out(`in all ${formatCoins(total)} coins and the fees; whether the account has them was not looked at\n`);
    }
    return EXIT.ok;
}
/** Of the program whose data directory it is. */
function accountOf(data) {
    const key = join(data, 'key.json');
    return existsSync(key) ? loadKey(key).account : undefined;
}
function describe({ words, seen, payments, amount, stopped }) {
    const lines = [
        `  ${words}`,
        `    looked ${seen} times, would have paid ${payments} times: ${formatCoins(amount)} coins`,
    ];
    for (const { why, times, first } of stopped)
        lines.push(`    kept from it ${times} times, first at ${timeText(first)}: ${why}`);
    return `${lines.join('\n')}\n`;
}
//# sourceMappingURL=wires-try.js.map