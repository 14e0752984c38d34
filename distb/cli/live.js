/**
 * One line per event of a running network: blocks, readings, payments, balances, who comes and goes.
 *
 * Fed with JSON mirrors from validators; an event that two validators report is shown once.
 */
import { z } from 'zod';
import { formatCoins } from '../ledger/amount.js';
import { hexDigits } from '../ledger/difficulty.js';
import { VERDICTS } from '../ledger/fault.js';
import { harmless } from '../node/log.js';
import { u256 } from '../schemas/field.js';
import { short } from '../schemas/hex.js';
import { accountView } from '../schemas/message.js';
import { transaction } from '../schemas/transaction.js';
import { formatDecimal } from '../schemas/units.js';
import { ContractLines, contractWords } from './contract-lines.js';
import { TradeLines, tradeWords } from './trade-lines.js';
const confirmedBlock = z.object({
    height: z.int(),
    hash: z.string(),
    miner: z.string(),
    time: z.int(),
    reward: z.int(),
    target: u256.json,
    transactions: z.array(z.looseObject({ id: z.string(), type: z.string() })),
});
const presence = z.object({ state: z.enum(['online', 'offline']), role: z.string(), name: z.string() });
const refusal = z.object({ kind: z.string(), from: z.string(), code: z.string(), message: z.string() });
/** Blocks whose hashes are remembered, to show each once. */
const SHOWN_MAX = 1_000;
/** Accounts remembered: on a broker without access rules anybody may be any number of them. */
const ACCOUNTS_MAX = 10_000;
/** Accounts in a line of balances. */
const BALANCES_MAX = 12;
/** How long the views of the accounts that a block changed take to come. */
const BALANCES_DELAY_MS = 100;
export class Live {
    #emit;
    #names = new Map();
    #states = new Map();
    #shown = new Set();
    #balances = new Map();
    #trade;
    #contracts;
    #lastTime;
    #balancesDue = false;
    #balancesTimer;
    /** `names`: accounts whose names are known beforehand. */
    constructor(emit, names = new Map()) {
        this.#emit = emit;
        for (const [account, name] of names)
            this.#names.set(account, name);
        this.#trade = new TradeLines(emit, (account) => this.nameOf(account));
        this.#contracts = new ContractLines((account) => this.nameOf(account));
    }
    /** A device's name, or the start of its account. */
    nameOf(account) {
        return this.#names.get(account) ?? short(account);
    }
    receive(mirror) {
        const { kind, publisher, retain, value } = mirror;
        if (kind === 'status')
            this.#presence(publisher, value);
        else if (kind === 'confirmed' && !retain)
            this.#confirmed(value);
        else if (kind === 'account')
            this.#account(value, retain);
        else if (kind === 'refused')
            this.#refused(value);
        else
            this.#trade.receive(mirror);
    }
    #presence(account, value) {
        const parsed = presence.safeParse(value);
        if (!parsed.success)
            return;
        const { name, state, role } = parsed.data;
        if (this.#states.size >= ACCOUNTS_MAX && !this.#states.has(account))
            return;
        this.#names.set(account, name);
        if (this.#states.get(account) === state)
            return;
        this.#states.set(account, state);
        this.#emit({ event: 'presence', name, role, state });
    }
    #confirmed(value) {
        const parsed = confirmedBlock.safeParse(value);
        if (!parsed.success || this.#shown.has(parsed.data.hash))
            return;
        const block = parsed.data;
        if (this.#shown.size >= SHOWN_MAX)
            this.#shown.clear();
        this.#shown.add(block.hash);
        const seconds = this.#lastTime === undefined ? undefined : (block.time - this.#lastTime) / 1000;
        this.#lastTime = block.time;
        const { height, hash, reward } = block;
        this.#emit({
            event: 'block',
            height,
            hash,
            miner: this.nameOf(block.miner),
            transactions: block.transactions.length,
            seconds,
            reward,
            difficulty: hexDigits(block.target),
        });
        this.#transactions(block);
        this.#balancesDue = true;
    }
    #transactions({ transactions, height }) {
        for (const { id, ...json } of transactions) {
            const parsed = transaction.json.safeParse(json);
            if (parsed.success)
                this.#emit(this.#describe(id, parsed.data, height));
        }
    }
    #describe(id, tx, height) {
        const device = this.nameOf(tx.from);
        if (tx.type === 'transfer') {
            return {
                event: 'payment',
                from: device,
                to: this.nameOf(tx.to),
                amount: tx.amount,
                memo: tx.memo,
                height,
            };
        }
        if (tx.type === 'admission' || tx.type === 'revocation')
            return { event: tx.type, authority: device, member: tx.member, height };
        if (tx.type === 'batch') {
            return {
                event: 'reading',
                device,
                sensor: tx.sensor,
                value: `${tx.count} readings in`,
                unit: tx.unit,
                count: tx.count,
                height,
            };
        }
        if (tx.type !== 'reading')
            return this.#contracts.describe(id, tx, height);
        const { sensor, value, unit } = tx.sample;
        return { event: 'reading', device, sensor, value: formatDecimal(value), unit, count: 1, height };
    }
    /** Balances follow the block that changed them; they are shown together, once all have come. */
    #account(value, retain) {
        const parsed = accountView.json.safeParse(value);
        if (!parsed.success)
            return;
        if (this.#balances.size >= ACCOUNTS_MAX && !this.#balances.has(parsed.data.account))
            return;
        this.#balances.set(parsed.data.account, parsed.data.balance);
        if (retain || !this.#balancesDue || this.#balancesTimer !== undefined)
            return;
        this.#balancesTimer = setTimeout(() => this.#emitBalances(), BALANCES_DELAY_MS).unref();
    }
    #emitBalances() {
        this.#balancesTimer = undefined;
        this.#balancesDue = false;
        const named = [...this.#balances]
            .slice(0, BALANCES_MAX)
            .map(([account, balance]) => [this.nameOf(account), balance]);
        const sorted = named.sort(([a], [b]) => a.localeCompare(b));
        this.#emit({ event: 'balances', balances: Object.fromEntries(sorted) });
    }
    #refused(value) {
        const parsed = refusal.safeParse(value);
        if (!parsed.success)
            return;
        const { kind, from, code, message } = parsed.data;
        // Late, early or repeated: it settles itself, and would look like a failure.
        if (isFaultCode(code) && VERDICTS[code] === 'ignore')
            return;
        this.#emit({ event: 'refused', what: kind, from: this.nameOf(from), code, reason: message });
    }
}
const isFaultCode = (code) => Object.hasOwn(VERDICTS, code);
const PAINT = {
    block: '\x1b[1;33m',
    reading: '\x1b[36m',
    payment: '\x1b[32m',
    trade: '\x1b[32m',
    admission: '\x1b[32m',
    revocation: '\x1b[31m',
    output: '\x1b[34m',
    topic: '\x1b[34m',
    channel: '\x1b[32m',
    balances: '\x1b[90m',
    presence: '\x1b[35m',
    refused: '\x1b[31m',
};
/** An event as a line for people. */
export function describeEvent(event, atMs, colour) {
    const label = event.event.padEnd(8);
    // A name or memo from the network must not move the cursor.
    const text = harmless(words(event));
    return `${new Date(atMs).toISOString().slice(11, 19)} ${colour ? `${PAINT[event.event]}${label}\x1b[0m` : label} ${text}`;
}
function words(event) {
    switch (event.event) {
        case 'block': {
            const after = event.seconds === undefined ? '' : `, ${event.seconds.toFixed(1)} s after the last`;
            return `#${event.height} found by ${event.miner}: ${event.transactions} transactions, reward ${formatCoins(event.reward)}, difficulty ${event.difficulty.toFixed(2)}${after} (${event.hash.slice(0, 12)})`;
        }
        case 'reading':
            return `${event.device} ${event.sensor} ${event.value} ${event.unit}, confirmed in #${event.height}`;
        case 'payment':
            return `${event.from} -> ${event.to} ${formatCoins(event.amount)}${event.memo && ` for ${event.memo}`}, confirmed in #${event.height}`;
        case 'admission':
            return `${event.authority} admitted miner ${event.member}, confirmed in #${event.height}`;
        case 'revocation':
            return `${event.authority} revoked miner ${event.member}, confirmed in #${event.height}`;
        case 'trade':
            return `${contractWords(event)}, confirmed in #${event.height}`;
        case 'output':
        case 'topic':
        case 'channel':
            return tradeWords(event);
        case 'balances':
            return Object.entries(event.balances)
                .map(([name, amount]) => `${name} ${formatCoins(amount)}`)
                .join('  ');
        case 'presence':
            return `${event.role} ${event.name} is ${event.state}`;
        case 'refused':
            return `a ${event.what} from ${event.from}: ${event.code}, ${event.reason}`;
    }
}
//# sourceMappingURL=live.js.map