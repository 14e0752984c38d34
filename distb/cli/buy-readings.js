/**
 * `pinledger buy readings`: a channel from the command line. Readings are paid as they come, and noted before they are paid, so that a
 * buyer that is killed goes on where it was.
 */
import { BuyerEnd } from '../node/channel/conversation.js';
import { onDelivery, onStanding, readingsIn, resume, } from '../node/channel/payer.js';
import { signedProof, wordProof } from '../node/channel/proof.js';
import { opensslAccept } from '../node/signing.js';
import { CHANNEL_MESSAGE_BYTES_MAX, channelMessage } from '../schemas/channel-message.js';
import { decode } from '../schemas/codec.js';
import { topic } from '../schemas/topic.js';
import { chainOf } from './channel-open.js';
import { EXIT } from './exit.js';
import { Sender } from './sender.js';
/** A hello is repeated until it is answered. */
const HELLO_MS = 3_000;
const LOOK_MS = 100;
/** The purchase to go on with: open, of this sensor, and with readings left. */
export const usable = (log, seller, sensor) => [...log.books.purchases.values()].find((each) => each.seller === seller &&
    each.sensor === sensor &&
    each.channel !== undefined &&
    each.stopped === undefined &&
    each.index < readingsIn(each));
/** 0 when all were bought, 1 when not. Throws WorldError `broker-unreachable`. */
export async function buyReadings(where, signer, purchase, order, modules) {
    const sender = new Sender(where, signer, order.network, modules.warnings);
    try {
        const place = await sender.start();
        const buyer = new ReadingsBuyer(sender, place, signer, purchase, order, modules);
        return await buyer.run();
    }
    finally {
        await sender.stop();
    }
}
class ReadingsBuyer {
    #sender;
    #place;
    #number;
    #account;
    #seller;
    #order;
    #modules;
    #end;
    #world;
    #goal;
    #heardMs = performance.now();
    #isOver = false;
    constructor(sender, place, signer, purchase, order, modules) {
        const { network } = place;
        const accepts = opensslAccept();
        const chain = chainOf(network, signer, purchase);
        this.#sender = sender;
        this.#place = place;
        this.#number = purchase.number;
        this.#account = signer.account;
        this.#seller = purchase.seller;
        this.#order = order;
        this.#modules = modules;
        this.#goal = Math.min(purchase.index + order.count, readingsIn(purchase));
        this.#end = new BuyerEnd({ network, signer, accepts }, purchase.channel, purchase.seller);
        this.#world = {
            network,
            accepts,
            prove: (index) => chain === undefined
                ? signedProof(network, signer, purchase.channel, index * purchase.price)
                : wordProof(chain, index),
            last: this.#goal,
            every: 0,
        };
        sender.onMessage((parsed, payload) => this.#take(parsed, payload));
        sender.session.subscribe([topic(network.id, 'channel', '+', signer.account)]);
    }
    get #purchase() {
        return this.#modules.log.books.purchases.get(this.#number);
    }
    async run() {
        const { signal } = this.#modules;
        let helloMs = Number.NEGATIVE_INFINITY;
        while (!this.#isOver && this.#purchase.index < this.#goal && !signal.aborted) {
            const nowMs = performance.now();
            if (nowMs - this.#heardMs > this.#order.waitSeconds * 1000) {
                this.#modules.onStop('the seller is silent');
                break;
            }
            if (nowMs - Math.max(helloMs, this.#heardMs) > HELLO_MS) {
                helloMs = nowMs;
                await this.#publish(this.#end.hello());
            }
            await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
        }
        const done = this.#purchase.index >= this.#goal;
        if (this.#end.active !== undefined)
            await this.#say({ type: 'stop', code: 'done', message: `${this.#purchase.index} readings` });
        return done && this.#purchase.stopped === undefined ? EXIT.ok : EXIT.no;
    }
    #take({ kind, json }, payload) {
        const decoded = kind === 'channel' && !json ? decode(channelMessage, payload, CHANNEL_MESSAGE_BYTES_MAX) : undefined;
        if (decoded?.ok !== true || decoded.value.channel !== this.#purchase.channel)
            return;
        const message = decoded.value;
        if (message.type === 'welcome' && this.#end.welcome(message)) {
            this.#heardMs = performance.now();
            void this.#say(resume(this.#purchase, this.#world));
        }
        const talk = message.type === 'sealed' ? this.#end.open(message) : undefined;
        if (talk === undefined)
            return;
        this.#heardMs = performance.now();
        if (talk.type === 'delivery')
            this.#apply(onDelivery(this.#world, this.#purchase, talk));
        else if (talk.type === 'resume')
            this.#apply(onStanding(this.#world, this.#purchase, talk));
        else if (talk.type === 'stop' && talk.code !== 'not-confirmed' && talk.code !== 'not-current') {
            this.#modules.onStop(`${talk.code}: ${talk.message}`);
            this.#isOver = true;
        }
    }
    #apply({ records, talk, got, stopped }) {
        const { log, onReading, onStop } = this.#modules;
        log.write(records, () => {
            for (const each of talk)
                void this.#say(each);
            if (got !== undefined)
                onReading(got, this.#purchase);
            if (stopped === undefined)
                return;
            onStop(stopped);
            this.#isOver = true;
        });
        // One buyer, one channel: nothing else is waited for.
        log.flush();
    }
    async #say(talk) {
        const payload = this.#end.active?.seal(talk);
        if (payload !== undefined)
            await this.#publish(payload);
    }
    #publish(payload) {
        const { id } = this.#place.network;
        const name = topic(id, 'channel', this.#account, this.#seller);
        return this.#sender.session.publish(name, payload, { qos: 1, retain: false });
    }
}
//# sourceMappingURL=buy-readings.js.map