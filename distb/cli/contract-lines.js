/**
 * Channels, hashlocks and splits as they come in blocks, as events: who, to whom, how much.
 *
 * What a claim or a close is about stands only in the opening: openings are remembered as they come by. Of one that
 * was in a block before, only what the transaction itself says is told. What is told of a close follows the ledger's
 * rule: docs/PROTOCOL.md section 3.
 */
import { formatCoins } from '../ledger/amount.js';
import { PARTS } from '../ledger/split.js';
/** Openings remembered: on a network without fees anybody may make any number of them. */
const REMEMBERED_MAX = 10_000;
export class ContractLines {
    #nameOf;
    #channels = new Map();
    #locks = new Map();
    constructor(nameOf) {
        this.#nameOf = nameOf;
    }
    /** `id`: the transaction's. */
    describe(id, tx, height) {
        const device = this.#nameOf(tx.from);
        const head = { event: 'trade', what: tx.type, device, height };
        switch (tx.type) {
            case 'channelOpen': {
                remember(this.#channels, id, { open: tx, claimed: 0, closing: tx.until });
                const price = tx.step > 0 ? tx.step : undefined;
                return { ...head, id, from: device, to: this.#nameOf(tx.to), amount: tx.amount, price, memo: tx.memo };
            }
            case 'channelClaim':
                return { ...head, ...this.#claim(tx) };
            case 'channelClose':
                return { ...head, ...this.#close(tx, height) };
            case 'hashlock': {
                remember(this.#locks, id, tx);
                const { to, amount, memo, height: until } = tx;
                return { ...head, id, from: device, to: this.#nameOf(to), amount, until, memo };
            }
            case 'hashlockClaim':
            case 'hashlockRefund': {
                const lock = this.#locks.get(tx.hashlock);
                this.#locks.delete(tx.hashlock);
                const [from, to] = [lock && this.#nameOf(lock.from), lock && this.#nameOf(lock.to)];
                return { ...head, id: tx.hashlock, from, to, amount: lock?.amount };
            }
            case 'split':
                return { ...head, shares: this.#shares(tx) };
        }
    }
    #claim({ channel: id, proof }) {
        const channel = this.#channels.get(id);
        const readings = proof.type === 'word' ? proof.steps : undefined;
        const step = channel?.open.step;
        const claimed = proof.type === 'signed' ? proof.amount : step && proof.steps * step;
        const payer = channel?.open.from ?? (proof.type === 'signed' ? proof.payer : undefined);
        const amount = channel && claimed !== undefined ? Math.max(0, claimed - channel.claimed) : undefined;
        if (channel !== undefined && claimed !== undefined)
            channel.claimed = Math.max(channel.claimed, claimed);
        const [from, to] = [payer && this.#nameOf(payer), channel && this.#nameOf(channel.open.to)];
        return { id, from, to, amount, claimed, readings };
    }
    #close({ channel: id, from: sender }, height) {
        const channel = this.#channels.get(id);
        if (channel === undefined)
            return { id };
        const { open, claimed, closing } = channel;
        const facts = {
            id,
            from: this.#nameOf(open.from),
            to: this.#nameOf(open.to),
            amount: open.amount - claimed,
        };
        if (sender === open.to || height >= closing) {
            this.#channels.delete(id);
            return { ...facts, claimed };
        }
        channel.closing = Math.min(closing, height + open.delay);
        return { ...facts, what: 'channelWish', claimed, until: channel.closing };
    }
    #shares({ shares }) {
        return shares.map(({ account, parts }) => ({ to: this.#nameOf(account), percent: (100 * parts) / PARTS }));
    }
}
function remember(map, key, value) {
    map.delete(key);
    map.set(key, value);
    for (const oldest of map.keys()) {
        if (map.size <= REMEMBERED_MAX)
            break;
        map.delete(oldest);
    }
}
const BEFORE = 'opened before';
const coins = (amount) => formatCoins(amount ?? 0);
/** A step in words, without its block. */
export function contractWords(step) {
    const { what, device, id = '', from, to, amount, claimed, readings, until } = step;
    const name = `(${id.slice(0, 12)})`;
    switch (what) {
        case 'channelOpen': {
            const price = step.price === undefined ? '' : ` at ${coins(step.price)} a reading`;
            return `${device} puts ${coins(amount)} into a channel to ${to}${price} ${name}`;
        }
        case 'channelClaim': {
            if (amount !== undefined)
                return `${to} gets ${coins(amount)} out of the channel of ${from}, ${coins(claimed)} in all ${name}`;
            const much = readings === undefined ? coins(claimed) : `${readings} readings`;
            return `${device} claims ${much} in all of a channel ${from === undefined ? BEFORE : `of ${from}`} ${name}`;
        }
        case 'channelWish':
            return `${device} wishes to close its channel to ${to}: ${coins(amount)} come back from #${until} on ${name}`;
        case 'channelClose':
            if (amount === undefined)
                return `${device} closes, or wishes to close, a channel ${BEFORE} ${name}`;
            return `${device} closes the channel of ${from} to ${to}: ${coins(claimed)} were paid, ${coins(amount)} go back ${name}`;
        case 'hashlock':
            return `${device} locks ${coins(amount)} for ${to}${step.memo && ` for ${step.memo}`}, to be opened by a secret before #${until} ${name}`;
        case 'hashlockClaim':
            if (amount === undefined)
                return `${device} tells the secret of a lock ${BEFORE} ${name}`;
            return `${to} gets the ${coins(amount)} that ${from} had locked: the secret is told ${name}`;
        case 'hashlockRefund':
            if (amount === undefined)
                return `the coins of a lock ${BEFORE} go back, no secret was told in time ${name}`;
            return `the ${coins(amount)} that ${from} had locked for ${to} go back: no secret was told in time ${name}`;
        case 'split': {
            const shares = (step.shares ?? []).map(({ to: who, percent }) => `${percent}% to ${who}`);
            return shares.length === 0
                ? `${device} shares what it earns with nobody`
                : `${device} shares what it earns: ${shares.join(', ')}`;
        }
    }
}
//# sourceMappingURL=contract-lines.js.map