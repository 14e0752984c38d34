/**
 * A second, naive ledger: judges each block that any node connects, once, with maps and sums instead of a tree.
 *
 * It shares codecs and signature checks with the real one and nothing else. It walks along branches by undoing and redoing what
 * blocks changed.
 */
import { createHash } from 'node:crypto';
import { sealCoinbase, sealTransaction } from '../ledger/transaction.js';
import { header as headerCodec } from '../schemas/block.js';
import { encode } from '../schemas/codec.js';
import { Trades } from './oracle-trades.js';
import { put } from './undo.js';
/** All coins are added up every so many blocks. */
const SUM_EVERY = 50;
/** The middle one of the times of so many blocks is the time at which a deadline passes. */
const MEDIAN_BLOCKS = 11;
export class Oracle {
    #network;
    #known = new Map();
    #holders = new Map();
    #rewards = new Map();
    #miners = new Map();
    #trades;
    #supply = 0n;
    #at;
    constructor(network) {
        this.#network = network;
        this.#trades = new Trades(network, (account, amount, change) => this.#add(account, amount, change));
        for (const { account, amount } of network.genesis.allocations) {
            this.#holders.set(account, { nonce: 0, balance: BigInt(amount) });
            this.#supply += BigInt(amount);
        }
        this.#at = network.block0Hash;
        const { time } = network.genesis;
        this.#known.set(this.#at, {
            parent: network.genesisHash,
            height: 0,
            time,
            target: Number(network.genesis.target),
            solveMs: network.genesis.interval,
            redo: [],
            undo: [],
            supply: this.#supply,
            fault: undefined,
        });
    }
    has(hash) {
        return this.#known.has(hash);
    }
    /** What is wrong with a block whose parent was judged before; undefined when nothing is. Each block is judged once. */
    judge(hash, block) {
        const parent = this.#known.get(block.header.parent);
        if (parent === undefined)
            return `block ${hash} on a parent that nobody connected`;
        this.#moveTo(block.header.parent);
        const redo = [];
        const undo = [];
        const fault = this.#run(hash, block, parent, (change, back) => {
            change();
            redo.push(change);
            undo.unshift(back);
        });
        const { height, time } = block.header;
        this.#known.set(hash, {
            parent: block.header.parent,
            height,
            time,
            target: Number(block.header.target),
            solveMs: time - parent.time,
            redo,
            undo,
            supply: this.#supply,
            fault,
        });
        this.#at = hash;
        return fault;
    }
    /** Coins in existence after a judged block. */
    supplyAt(hash) {
        return this.#known.get(hash)?.supply;
    }
    /** What an account has after the block that was judged last. */
    holder(account) {
        return this.#holders.get(account) ?? { nonce: 0, balance: 0n };
    }
    /** A channel, hashlock or split after that block, in the form that the state has. */
    entry(kind, key) {
        return this.#trades.entry(kind, key);
    }
    #run(hash, { header, coinbase, transactions }, parent, change) {
        const { genesis, signatures } = this.#network;
        const { height } = header;
        const proof = sha256(sha256(encode(headerCodec, header))).toString('hex');
        if (proof !== hash)
            return 'another hash than the header has';
        if (BigInt(`0x${proof}`) > header.target)
            return 'no proof of work';
        if (height !== parent.height + 1 || header.time <= parent.time)
            return 'height or time out of order';
        const wanted = this.#targetAfter(parent);
        if (Math.abs(Number(header.target) / wanted - 1) > 1e-3)
            return `a target of ${Number(header.target)}, about ${wanted} follows`;
        if (coinbase.height !== height || coinbase.parent !== header.parent)
            return 'coinbase of another place';
        const sealed = sealCoinbase(this.#network, coinbase);
        if (sealed.content !== header.content)
            return 'a body that the header does not name';
        if (!signatures.verify(coinbase.signature, sealed.message, coinbase.from))
            return 'a coinbase that its miner did not sign';
        const { authorities } = genesis;
        if (authorities.length > 0 && !authorities.includes(coinbase.from) && !this.#miners.has(coinbase.from))
            return `a miner that nobody admitted, ${coinbase.from}`;
        const matured = this.#rewards.get(height - genesis.maturity);
        if (matured !== undefined) {
            this.#add(matured.account, matured.amount, change);
            put(this.#rewards, height - genesis.maturity, undefined, change);
        }
        let fees = 0n;
        const place = { height, medianTime: () => this.#medianTime(header.parent), change };
        for (const [index, tx] of transactions.entries()) {
            const seal = sealTransaction(this.#network, tx);
            if (!signatures.verify(tx.signature, seal.message, tx.from))
                return `transaction ${index} is not signed`;
            const sender = this.holder(tx.from);
            if (tx.nonce !== sender.nonce)
                return `transaction ${index} spends nonce ${tx.nonce} of ${sender.nonce}: a double spend`;
            if (tx.expiry < height)
                return `transaction ${index} is expired`;
            const spend = BigInt(tx.fee) + givenBy(tx);
            if (spend > sender.balance)
                return `transaction ${index} spends ${spend} of ${sender.balance}`;
            if (tx.fee < genesis.feeFloor * Math.ceil(seal.bytes.length / 1000) && tx.from !== coinbase.from)
                return `transaction ${index} pays too little`;
            this.#set(tx.from, { nonce: sender.nonce + 1, balance: sender.balance - spend }, change);
            if (tx.type === 'admission' || tx.type === 'revocation') {
                if (!authorities.includes(tx.from))
                    return `transaction ${index} is not an authority's`;
                put(this.#miners, tx.member, tx.type === 'admission' ? true : undefined, change);
            }
            const fault = this.#trades.run(tx, seal.id, place);
            if (fault !== undefined)
                return `transaction ${index} ${fault}`;
            fees += BigInt(tx.fee);
        }
        const halvings = Math.floor((height - 1) / genesis.halvingInterval);
        const subsidy = BigInt(genesis.subsidy) >> BigInt(halvings);
        const reward = BigInt(coinbase.reward);
        if (reward > subsidy + fees)
            return `a reward of ${reward}, subsidy and fees are ${subsidy + fees}`;
        if (reward > 0n)
            put(this.#rewards, height, { account: coinbase.from, amount: reward }, change);
        const minted = reward - fees;
        change(() => {
            this.#supply += minted;
        }, () => {
            this.#supply -= minted;
        });
        return height % SUM_EVERY === 0 ? this.#sum(height) : undefined;
    }
    /** The rule as a formula, without the integers that make it exact. */
    #targetAfter({ target, solveMs }) {
        const { interval, halfLife, targetMax } = this.#network.genesis;
        const deviation = Math.min(solveMs, 20 * interval) - interval;
        return Math.min(target * 2 ** (deviation / (halfLife * interval)), Number(targetMax));
    }
    #sum(height) {
        let sum = this.#trades.locked();
        for (const { balance } of this.#holders.values())
            sum += balance;
        for (const { amount } of this.#rewards.values())
            sum += amount;
        return sum === this.#supply
            ? undefined
            : `coins at height ${height} add up to ${sum}, the supply is ${this.#supply}`;
    }
    #add(account, amount, change) {
        const holder = this.holder(account);
        this.#set(account, { ...holder, balance: holder.balance + amount }, change);
    }
    #set(account, after, change) {
        put(this.#holders, account, after, change);
    }
    /** Of the last blocks up to this one. */
    #medianTime(hash) {
        const times = [];
        for (let at = this.#known.get(hash); at !== undefined && times.length < MEDIAN_BLOCKS; at = this.#known.get(at.parent))
            times.push(at.time);
        times.sort((a, b) => a - b);
        return times[Math.floor(times.length / 2)];
    }
    #moveTo(hash) {
        const up = [];
        let to = hash;
        let from = this.#at;
        while (to !== from) {
            const [a, b] = [this.#known.get(to), this.#known.get(from)];
            if (a.height >= b.height) {
                up.push(a);
                to = a.parent;
            }
            if (b.height >= a.height) {
                for (const back of b.undo)
                    back();
                from = b.parent;
            }
        }
        for (const known of up.reverse())
            for (const make of known.redo)
                make();
        this.#at = hash;
    }
}
/** What leaves a sender besides the fee. */
export const givenBy = (tx) => tx.type === 'transfer' || tx.type === 'channelOpen' || tx.type === 'hashlock' ? BigInt(tx.amount) : 0n;
const sha256 = (bytes) => createHash('sha256').update(bytes).digest();
//# sourceMappingURL=oracle.js.map