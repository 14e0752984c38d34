import { hashing } from '../../node/signing.js';
import { toHex } from '../../schemas/hex.js';
import { topic } from '../../schemas/topic.js';
import { Offers } from '../offers.js';
import { SETTLED_DEPTH } from '../outbox.js';
import { LedgerWires } from './ledger-wires.js';
import { DAY_MS, NO_COINS } from './limits.js';
import { mismatch, OFFERED_AS, underpayment } from './offered.js';
import { OwnWires } from './own-wires.js';
import { Payments } from './payments.js';
import { timeText, wireStates } from './state.js';
import { describeWire, purchaseOf } from './wire.js';
import { checkWiring, readWires } from './wiring.js';
/** Of an agent's configuration. */
export const wiresOptions = ({ wires, owner, sensors, }) => ({ wires, owner, sensors: sensors.map(({ name }) => name) });
/** Blocks between two records of what the wires know of the ledger. */
const RECORD_BLOCKS = 64;
/** Time spent on old blocks in one go: a long way back must not stop everything else. */
const WALK_MS = 100;
/** Sellers whose offers are heard. With the 32 that readings are bought from it stays below what a broker takes of a client. */
const OFFERS_MAX = 24;
/** Seconds between two messages of how the wires stand. */
const TELL_MS = 2_000;
export class WiresTrade {
    filters;
    #desk;
    #options;
    #log;
    #wires;
    #from = 'configuration';
    #ledger;
    #own;
    /** Made once there are wires: it reads blocks. */
    #payments;
    #lately = new Map();
    #offers;
    /** By purchase: how a wire does not fit its seller's offer. */
    #offered = new Map();
    #refused = null;
    #told = '';
    #toldMs = Number.NEGATIVE_INFINITY;
    constructor(desk, options, log) {
        this.#desk = desk;
        this.#options = options;
        this.#log = log;
        const { account } = desk.signer;
        const { owner } = options;
        this.#wires = this.#stored() ?? options.wires;
        this.#offers = new Offers(desk, OFFERS_MAX);
        this.filters = [
            ...(owner === undefined ? [] : [topic(desk.chain.network.id, 'wiring', owner, account)]),
            ...this.#offers.want(sellersIn(this.#wires)),
        ];
        const since = this.#from === 'owner' ? (log.wiring?.height ?? 0) : 0;
        this.#ledger = new LedgerWires(desk.chain, this.#wires, since, log.ledger);
        this.#own = new OwnWires(this.#wires, (wire) => log.own(wire));
        if (this.#wires.length > 0)
            this.#payments = this.#openPayments();
    }
    onMessage(parsed, payload) {
        this.#offers.take(parsed, payload);
        const { kind, publisher, rest, json } = parsed;
        const { owner, sensors } = this.#options;
        const { chain, signer, clock, log } = this.#desk;
        if (kind !== 'wiring' || json || publisher !== owner || rest[0] !== signer.account)
            return;
        const sequence = this.#log.wiring?.sequence ?? 0;
        const checked = checkWiring(chain.network, { agent: signer.account, owner, sequence, sensors }, payload);
        if (checked.ok) {
            const { sequence, text, wires } = checked.value;
            this.#log.setWiring({ owner, sequence, active: true, text, height: chain.tip.height });
            this.#set(wires);
            this.#from = 'owner';
            log.info('the owner has set the wires', { wires: wires.length, sequence });
        }
        else {
            const { sequence = null, reason } = checked.fault;
            const message = digestOf(payload);
            this.#refused = { at: timeText(clock.now()), sequence, message, reason };
            log.warn('new wires refused', { reason });
        }
        this.#tell(true);
    }
    onUpdate(update) {
        this.#ledger.update(update);
        this.#payments?.update(update);
        this.#run();
    }
    onSample(sample) {
        if (this.#desk.inSync)
            this.#own.take(sample);
    }
    onConnected() {
        this.#told = '';
        this.#tell(true);
    }
    tick() {
        for (const wire of this.#wires)
            this.#compare(wire);
        this.#run();
        this.#tell(false);
    }
    stop() {
        this.#log.close();
    }
    /** Wires that the owner has set and that count still. */
    #stored() {
        const { owner, sensors } = this.#options;
        const { log } = this.#desk;
        const { wiring } = this.#log;
        if (wiring?.active !== true)
            return undefined;
        const remedy = 'pinledger wires reset makes this the rule';
        if (wiring.owner !== owner) {
            log.warn('wires of the configuration are used: those set were of another owner', { remedy });
            return undefined;
        }
        const wires = readWires(wiring.text, sensors);
        if (!wires.ok) {
            log.warn('wires of the configuration are used: those that the owner has set do not fit it', {
                reason: wires.fault,
            });
            return undefined;
        }
        this.#from = 'owner';
        log.info("the owner's wires are used, not those of the configuration", {
            sequence: wiring.sequence,
            remedy: 'pinledger wires reset goes back',
        });
        return wires.value;
    }
    #openPayments() {
        const { chain, outbox, signer } = this.#desk;
        return new Payments({ chain, outbox, account: signer.account }, this.#log.ledger);
    }
    #set(wires) {
        this.#wires = wires;
        this.#ledger.set(wires, this.#desk.chain.tip.height);
        this.#own.set(wires, (wire) => this.#log.own(wire));
        this.#log.keepOwn(this.#own.names);
        this.#payments ??= this.#openPayments();
        this.#desk.listen(this.#offers.want(sellersIn(wires)));
        const purchases = new Set(wires.map(purchaseOf));
        for (const known of [this.#lately, this.#offered])
            for (const purchase of [...known.keys()])
                if (!purchases.has(purchase))
                    known.delete(purchase);
    }
    /** What the seller offers of a wire's item; undefined when nobody can say. */
    #offerFor({ to }) {
        if (to.kind !== 'item')
            return undefined;
        return this.#offers.find(to.device, OFFERED_AS[to.item.kind], to.item.name);
    }
    /** Says once that a wire pays for another time than it says. */
    #compare(wire) {
        const item = this.#offerFor(wire);
        const reason = item === undefined ? undefined : mismatch(wire, item);
        const purchase = purchaseOf(wire);
        if (reason !== undefined && reason !== this.#offered.get(purchase))
            this.#desk.log.warn('a wire pays for another time than it says', { wire: describeWire(wire), reason });
        if (reason === undefined)
            this.#offered.delete(purchase);
        else
            this.#offered.set(purchase, reason);
    }
    #underpayment(wire, amount) {
        const item = this.#offerFor(wire);
        return item === undefined ? undefined : underpayment(amount, item);
    }
    /** Pays what is due. */
    #run() {
        const { inSync, clock } = this.#desk;
        if (!inSync || this.#payments === undefined)
            return;
        const startedMs = clock.monotonic();
        do {
            const payments = this.#decide(this.#payments);
            if (payments.length > 0)
                this.#desk.act(payments);
        } while (this.#ledger.behind && clock.monotonic() - startedMs < WALK_MS);
        this.#log.setOwn(this.#own.changed());
        this.#record(this.#payments);
    }
    #decide(known) {
        let opened;
        const till = () => {
            opened ??= known.till();
            return opened;
        };
        const payments = new Map();
        const surroundings = (wire) => ({
            isPaid: (identity) => payments.has(identity.key) || known.isPaid(identity),
            obstacle: (amount) => this.#underpayment(wire, amount) ?? till().obstacle(wire, amount),
        });
        let unpaid = 0;
        const take = (deed) => {
            this.#note(deed);
            if (deed.why?.startsWith(NO_COINS))
                unpaid++;
            if (deed.payment === undefined)
                return;
            till().take(deed.wire, deed.payment.amount);
            payments.set(deed.payment.key, deed.payment);
        };
        for (const deed of this.#ledger.due(surroundings))
            take(deed);
        for (const deed of this.#own.due(surroundings, this.#nowMs))
            take(deed);
        if (unpaid > 0)
            this.#desk.log.warn('not enough coins for all wires', { unpaid });
        return [...payments.values()];
    }
    #note({ wire, payment, why }) {
        const purchase = purchaseOf(wire);
        const before = this.#lately.get(purchase);
        const now = {
            paidAt: payment === undefined ? before?.paidAt : this.#desk.chain.tip.time,
            why: payment === undefined ? (why ?? before?.why) : undefined,
        };
        this.#lately.set(purchase, now);
        if (now.why !== undefined && now.why !== before?.why)
            this.#desk.log.info('a wire does not pay', { wire: describeWire(wire), reason: now.why });
    }
    /** The ledger's time, or this machine's where that is later and known to be right. */
    get #nowMs() {
        const { chain, clock } = this.#desk;
        return clock.synchronised() ? Math.max(clock.now(), chain.tip.time) : chain.tip.time;
    }
    #record({ book }) {
        const settled = this.#ledger.settled(SETTLED_DEPTH);
        if (settled === undefined)
            return;
        const last = this.#log.ledger;
        const onChain = last !== undefined && this.#desk.chain.at(last.height)?.hash === last.block;
        if (onChain && settled.height - last.height < RECORD_BLOCKS)
            return;
        book.prune(this.#desk.chain.tip);
        this.#log.setLedger({ ...settled, pages: book.pages(settled.height) });
    }
    #tell(atOnce) {
        const { signer, chain, clock, connected } = this.#desk;
        const { owner = null } = this.#options;
        if (!connected || (this.#wires.length === 0 && owner === null))
            return;
        if (!atOnce && clock.monotonic() - this.#toldMs < TELL_MS)
            return;
        const payments = this.#payments;
        const state = {
            agent: signer.account,
            owner,
            sequence: this.#log.wiring?.sequence ?? 0,
            from: this.#from,
            text: this.#from === 'owner' ? digestOf(this.#log.wiring?.text) : null,
            wires: payments === undefined
                ? []
                : wireStates(this.#wires, payments, chain.tip.time - DAY_MS, (each) => this.#lately.get(each), (each) => this.#offered.get(each)),
            refused: this.#refused,
        };
        const text = JSON.stringify(state);
        if (text === this.#told)
            return;
        this.#told = text;
        this.#toldMs = clock.monotonic();
        const { agent, ...rest } = state;
        const told = { agent, at: timeText(clock.now()), ...rest };
        void this.#desk.tellPeople('wires', [], told, true);
    }
}
const sellersIn = (wires) => wires.flatMap(({ to }) => (to.kind === 'item' ? [to.device] : []));
/** How people tell messages apart. */
const digestOf = (bytes = new Uint8Array(0)) => toHex(hashing.plain(bytes)).slice(0, 16);
//# sourceMappingURL=trade.js.map