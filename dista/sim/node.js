/**
 * A machine of the simulation: its disk and clock stay, its process comes and goes.
 *
 * The process is the real one without sockets: chain store, ledger node with its mempool and sync, a miner, and what an agent
 * does with its outbox: each transaction is sent again until the own chain has it.
 */
import { checkOnState } from '../ledger/apply.js';
import { signTransaction } from '../ledger/transaction.js';
import { ChainStore } from '../node/chain-store.js';
import { WorldError } from '../node/error.js';
import { LedgerNode } from '../node/ledger-node.js';
import { every } from '../node/timers.js';
import { block as blockCodec } from '../schemas/block.js';
import { certificates as certificatesCodec } from '../schemas/checkpoint.js';
import { encode } from '../schemas/codec.js';
import { short } from '../schemas/hex.js';
import { tip as tipCodec } from '../schemas/message.js';
import { topic } from '../schemas/topic.js';
import { SimClock } from './clock.js';
import { PowerCut, SimDisk } from './disk.js';
import { SimMiner } from './miner.js';
import { Mischief } from './mischief.js';
import { START_MS } from './rules.js';
import { Trader } from './trader.js';
/** Transactions that are not yet in the chain are sent again this often. */
const RESEND_MS = 15_000;
/** Blocks for which a transaction is valid. */
const EXPIRY_BLOCKS = 60;
/** How long a program that died stays down, milliseconds. */
const DOWN_MS = [2_000, 30_000];
/** Share of its trades that break a rule. */
const MISCHIEF = 0.3;
/** Small, so that segments begin, settle and are deleted within hours. */
const STORE = { windowBlocks: 512, windowBlocksMin: 256, segmentBlocks: 256 };
export class SimNode {
    options;
    disk;
    clock;
    random;
    /** Factor on the miner's rate. */
    power = 1;
    /** Mines without being admitted. */
    intrudes = false;
    #modules;
    #trader;
    mischief;
    #tradeTimes;
    #pending = new Map();
    #process;
    constructor(options, modules) {
        this.options = options;
        this.#modules = modules;
        this.random = modules.random;
        this.disk = new SimDisk(modules.random.fork('disk'));
        this.clock = new SimClock(modules.scheduler, START_MS);
        this.clock.set(this.random.between(-500, 500), this.random.between(-2e-5, 2e-5));
        const { deals, others } = modules;
        this.#tradeTimes = modules.random.fork('trade times');
        this.#trader = new Trader(options.signer, modules.random.fork('trader'), deals, others);
        this.mischief = new Mischief(options.signer, modules.random.fork('mischief'), deals, others);
    }
    get name() {
        return this.options.name;
    }
    /** The running process, if there is one. */
    get ledger() {
        return this.#process?.ledger;
    }
    /** Opens the store and begins, or dies again if the disk says so. */
    start() {
        if (this.#process !== undefined)
            return;
        const { scheduler, broker, log, random } = this.#modules;
        const alive = { process: undefined };
        const isAlive = () => alive.process?.alive === true;
        const timers = {
            after: (delayMs, run) => scheduler.after(delayMs, () => {
                if (!isAlive())
                    return;
                scheduler.settle();
                this.#guard(run);
            }),
            turn: () => new Promise((resolve) => timers.after(0, resolve)),
        };
        try {
            const store = this.openStore();
            const { signer, role, name } = this.options;
            const ledger = new LedgerNode({ session: { url: 'mqtt://sim' }, role, name, software: 'sim', signer }, {
                store,
                clock: this.clock,
                random: () => random.next(),
                timers,
                openSession: (options, modules) => broker.open(name, options, modules, isAlive),
                log,
                onUpdate: (update) => this.#onUpdate(update),
                onFinal: (entry) => this.#modules.onFinal(this, entry.height, entry.hash),
                onCheckpoint: () => this.#publishCertificates(),
                onTransaction: () => { },
                onRefused: () => { },
                onConnected: () => {
                    this.#publishTip();
                    this.#publishCertificates();
                },
                onDisconnected: () => { },
                onFatal: (error) => this.#fatal(error),
            });
            const miner = new SimMiner({
                node: ledger,
                signer,
                clock: this.clock,
                timers,
                random: random.fork('miner'),
                rate: () => this.options.rate * this.power,
                intrudes: () => this.intrudes,
                onFound: (block) => this.#found(block),
            });
            this.#process = alive.process = { alive: true, store, ledger, miner, timers };
            ledger.start();
            this.#modules.onStarted(this);
            miner.refresh();
            every(timers, RESEND_MS, () => this.#resend());
            this.#admitAll();
            this.#sendLater();
            this.#tradeLater();
        }
        catch (error) {
            this.#fatal(error);
        }
    }
    openStore() {
        return new ChainStore(this.disk, this.options.genesis, {
            ...STORE,
            signatures: this.#modules.signatures,
            bytesMax: this.options.bytesMax,
        });
    }
    /** The process dies on the spot; a supervisor starts it again. */
    kill(downMs = this.random.between(...DOWN_MS)) {
        const process = this.#process;
        this.#process = undefined;
        if (process !== undefined) {
            process.alive = false;
            this.#modules.broker.lose(process.ledger.session);
        }
        this.disk.restart();
        this.#modules.scheduler.after(downMs, () => this.start());
    }
    /** Publishes a block, or whatever bytes, under the node's own name. */
    send(kind, bytes) {
        const { ledger } = this;
        if (ledger === undefined)
            return;
        void ledger.session.publish(topic(ledger.chain.network.id, kind, this.options.signer.account), bytes, {
            qos: 1,
            retain: false,
        });
    }
    /** Checks, stores and publishes a block of the own miner. */
    #found(block) {
        const { onFound } = this.#modules;
        if (onFound === undefined)
            this.announce(block);
        else
            onFound(this, block);
        this.#process?.miner.refresh();
    }
    announce(block) {
        const bytes = encode(blockCodec, block);
        if (this.ledger?.accept(bytes).ok === true)
            this.send('block', bytes);
    }
    #onUpdate(update) {
        this.#modules.onUpdate(this, update);
        if (update.connected.length === 0)
            return;
        this.#publishTip();
        this.#process?.miner.refresh();
    }
    #publishTip() {
        const { ledger } = this;
        if (this.options.role !== 'validator' || ledger === undefined)
            return;
        const name = topic(ledger.chain.network.id, 'tip', this.options.signer.account);
        void ledger.session.publish(name, encode(tipCodec, ledger.tipMessage()), { qos: 1, retain: true });
    }
    #publishCertificates() {
        const { ledger } = this;
        if (this.options.role !== 'validator' || ledger === undefined)
            return;
        const certificates = ledger.checkpoints.certificates();
        if (certificates.certificates.length === 0)
            return;
        const name = topic(ledger.chain.network.id, 'checkpoint', this.options.signer.account);
        void ledger.session.publish(name, encode(certificatesCodec, certificates), { qos: 1, retain: true });
    }
    #sendLater() {
        if (this.options.sendsMs === Number.POSITIVE_INFINITY)
            return;
        this.#process?.timers.after(this.random.exponential(this.options.sendsMs), () => {
            this.#pay();
            this.#sendLater();
        });
    }
    #tradeLater() {
        if (this.options.tradesMs === Number.POSITIVE_INFINITY)
            return;
        const random = this.#tradeTimes;
        this.#process?.timers.after(random.exponential(this.options.tradesMs), () => {
            if (random.chance(MISCHIEF))
                this.#abuse();
            else
                this.#trade();
            this.#tradeLater();
        });
    }
    #trade() {
        const { ledger } = this;
        if (ledger === undefined || this.#pending.size > 8)
            return;
        const wish = this.#trader.wish(ledger.chain);
        if (wish === undefined)
            return;
        const sealed = this.#sign(wish.fill);
        if (sealed !== undefined)
            wish.made?.(sealed.id);
    }
    /** Sends once what nobody may take: the next lawful one has its nonce. */
    #abuse() {
        const wish = this.ledger && this.mischief.wish(this.ledger.chain);
        const sealed = wish && this.#seal(wish.fill);
        if (sealed !== undefined)
            this.send('tx', sealed.bytes);
    }
    #admitAll() {
        const { ledger } = this;
        for (const member of this.options.admits)
            if (ledger?.chain.state.member(member) === undefined)
                this.#sign((head) => ({ ...head, type: 'admission', member }));
    }
    #pay() {
        const { ledger, random } = this;
        if (ledger === undefined)
            return;
        const { balance } = ledger.chain.state.account(this.options.signer.account);
        const amount = random.whole(0, Math.floor(balance / 50));
        if (this.#pending.size > 8)
            return;
        this.#sign((head) => ({
            ...head,
            type: 'transfer',
            to: random.pick(this.#modules.others()),
            amount,
            memo: '',
        }));
    }
    /** Signs a transaction that its own chain allows, and keeps it until it stands in that chain. */
    #sign(fill) {
        const sealed = this.#seal(fill);
        if (sealed === undefined)
            return undefined;
        this.#pending.set(sealed.transaction.nonce, sealed);
        this.send('tx', sealed.bytes);
        return sealed;
    }
    #seal(fill) {
        const { ledger, random } = this;
        if (ledger === undefined)
            return undefined;
        const { network, tip, state } = ledger.chain;
        const { account: from, sign } = this.options.signer;
        const waiting = [...this.#pending.keys()].map((nonce) => nonce + 1);
        const nonce = Math.max(ledger.mempool.nextNonce(state, from), ...waiting);
        const fee = network.genesis.feeFloor * random.whole(1, 5);
        const head = { network: network.id, from, nonce, fee, expiry: tip.height + EXPIRY_BLOCKS };
        return signTransaction(network, fill(head), sign);
    }
    #resend() {
        const { ledger } = this;
        if (ledger === undefined)
            return;
        const { network, state, tip, next } = ledger.chain;
        const { nonce } = state.account(this.options.signer.account);
        for (const [at, { transaction: tx }] of this.#pending) {
            if (at < nonce)
                this.#pending.delete(at);
            // What expired never counts any more; what follows it has to be signed anew.
            else if (tx.expiry <= tip.height)
                for (const later of this.#pending.keys())
                    if (later >= at)
                        this.#pending.delete(later);
            if (at === nonce && checkOnState(network, state, tx, next) !== undefined)
                this.#cancel(tx);
            const waiting = this.#pending.get(at);
            if (waiting !== undefined)
                this.send('tx', waiting.bytes);
        }
    }
    /** Others have claimed or closed what it was about: a transfer of nothing has its nonce, or all later ones would wait for it. */
    #cancel({ network: id, from, nonce, fee, expiry }) {
        const { ledger } = this;
        if (ledger === undefined || !this.#pending.has(nonce))
            return;
        const { network } = ledger.chain;
        const head = { network: id, from, nonce, fee: fee + network.genesis.feeFloor, expiry };
        const { sign } = this.options.signer;
        const nothing = { ...head, type: 'transfer', to: from, amount: 0, memo: '' };
        this.#pending.set(nonce, signTransaction(network, nothing, sign));
    }
    #guard(run) {
        try {
            run();
        }
        catch (error) {
            this.#fatal(error);
        }
    }
    #fatal(error) {
        const { log } = this.#modules;
        const isCut = error instanceof PowerCut || (error instanceof WorldError && error.cause instanceof PowerCut);
        if (isCut)
            log.info('the power fails');
        else if (error instanceof WorldError && error.code === 'store-write')
            log.info('the disk takes no more');
        else
            this.#modules.onBug(this, error);
        this.kill();
    }
    /** For messages. */
    describe() {
        const { ledger } = this;
        if (ledger === undefined)
            return `${this.name} down`;
        const { tip } = ledger.chain;
        return `${this.name} ${tip.height} ${short(tip.hash)}`;
    }
}
//# sourceMappingURL=node.js.map