/** `pinledger wires show`: what agents say of their wires, and what the ledger says that was earned by them. */
import { paidFor } from '../edge-agent/wires/book.js';
import { wiresState } from '../edge-agent/wires/state.js';
import { formatCoins } from '../ledger/amount.js';
import { short } from '../schemas/hex.js';
import { EXIT } from './exit.js';
import { ledgerBlocks } from './ledger-blocks.js';
import { readRetained } from './reader.js';
/** Prints a table; 1 when no agent tells of wires. Throws WorldError `broker-unreachable`. */
export async function showWires(where, { agent, data, json }, log, out) {
    const states = new Map();
    await readRetained(where, ['wires'], log, ({ publisher, value }) => {
        const parsed = wiresState.safeParse(value);
        // Anybody may publish under another's name on a foreign broker, but not say so.
        if (parsed.success && parsed.data.agent === publisher)
            states.set(publisher, parsed.data);
    });
    const shown = [...states.values()].filter((state) => agent === undefined || state.agent === agent);
    const earned = data === undefined ? undefined : earnings(data, shown);
    if (json)
        out(`${JSON.stringify({ agents: shown, earned: earned?.map(inCoins) })}\n`);
    else {
        if (shown.length === 0)
            out('no agent here tells of wires\n');
        for (const state of shown)
            out(describe(state));
        if (earned !== undefined)
            out(describeEarned(earned));
    }
    return shown.length === 0 ? EXIT.no : EXIT.ok;
}
/** What receivers of wires have got by them, as far back as the ledger's blocks are kept. */
function earnings(data, states) {
    const purchases = new Map();
    const agents = new Set(states.map(({ agent }) => agent));
    for (const { wires } of states)
        for (const { to, memo } of wires)
            purchases.set(`${to} ${memo}`, { device: to, what: memo, payments: 0, amount: 0 });
    for (const { transactions } of ledgerBlocks(data)) {
        for (const { transaction: tx } of transactions) {
            const paid = agents.has(tx.from) ? paidFor(tx.from, tx) : undefined;
            const page = paid === undefined ? undefined : purchases.get(paid.purchase);
            if (paid === undefined || page === undefined)
                continue;
            page.payments++;
            page.amount += paid.amount;
        }
    }
    return [...purchases.values()];
}
const inCoins = ({ amount, ...rest }) => ({ ...rest, coins: formatCoins(amount) });
function describe({ agent, owner, from, sequence, wires, refused }) {
    const whose = from === 'owner' ? `set by its owner (sequence ${sequence})` : 'of its configuration';
    const lines = [
        `agent ${short(agent)}: ${wires.length} wires ${whose}, owner ${owner === null ? 'none' : short(owner)}`,
    ];
    for (const wire of wires) {
        const { words, all, day, waiting, lastPaid, why, answer, offer } = wire;
        lines.push(`  ${words}`);
        const waits = waiting.payments === 0 ? '' : `, ${waiting.coins} waiting`;
        const last = lastPaid === null ? '' : `, last ${lastPaid}`;
        lines.push(`    paid ${day.coins} in 24 hours (${day.payments}), ${all.coins} in all (${all.payments})${waits}${last}`);
        if (why !== null)
            lines.push(`    does not pay: ${why}`);
        if (offer !== null)
            lines.push(`    beware: ${offer}`);
        if (answer !== null)
            lines.push(`    the seller said: ${answer}`);
    }
    if (refused !== null)
        lines.push(`  refused at ${refused.at}: ${refused.reason}`);
    return `${lines.map(printable).join('\n')}\n`;
}
/** What others publish must not steer the terminal. */
const printable = (text) => text.replace(/[\p{Cc}\p{Cf}]/gu, '\uFFFD');
const describeEarned = (earned) => `earned by these wires:\n${earned.map(({ device, what, payments, amount }) => `  ${short(device)} ${printable(what)}: ${formatCoins(amount)} (${payments})\n`).join('')}`;
//# sourceMappingURL=wires-show.js.map