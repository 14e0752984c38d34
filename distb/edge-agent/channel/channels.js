import { ChannelLog } from '../../node/channel/channel-log.js';
import { opensslAccept } from '../../node/signing.js';
import { CHANNEL_MESSAGE_BYTES_MAX, channelMessage } from '../../schemas/channel-message.js';
import { decode } from '../../schemas/codec.js';
import { mirror, ROOT, topic } from '../../schemas/topic.js';
import { Offers } from '../offers.js';
import { Buying } from './buying.js';
import { Openings } from './openings.js';
import { Selling } from './selling.js';
/** For the agent's list of trades. */
export const channels = (options, modules) => (desk) => new Channels(options, modules, desk);
class Channels {
    filters;
    #desk;
    #log;
    #openings;
    #offers;
    #selling;
    #buying;
    #failure;
    constructor({ sells, buys }, modules, desk) {
        this.#desk = desk;
        this.#offers = new Offers(desk, buys.length);
        const { network } = desk.chain;
        const sellers = [...new Set(buys.map(({ from }) => from))];
        this.filters = [
            `${ROOT}/${network.id}/channel/+/${desk.signer.account}`,
            ...sellers.map((seller) => mirror(topic(network.id, 'status', seller))),
            ...this.#offers.want(sellers),
        ];
        const { timers, files, accepts = opensslAccept(), randomBytes, onReading } = modules;
        const onFatal = (error) => {
            this.#failure ??= { error };
        };
        this.#log = new ChannelLog(files, { timers, nowMs: desk.clock.monotonic, onFatal });
        const conversation = { network, signer: desk.signer, accepts, random: randomBytes };
        this.#openings = new Openings(desk.chain, desk.signer.account, Buying.from(this.#log.books.purchases));
        const shared = { desk, log: this.#log, openings: this.#openings, conversation };
        this.#selling = new Selling({ ...shared, terms: sells });
        this.#buying = new Buying({ ...shared, offers: this.#offers, timers, buys, onReading, onFatal });
    }
    onMessage(parsed, payload) {
        const { kind, publisher, json } = parsed;
        this.#offers.take(parsed, payload);
        if (kind === 'status' && json)
            this.#buying.presence(publisher, isOnline(payload));
        if (kind !== 'channel' || json)
            return;
        const decoded = decode(channelMessage, payload, CHANNEL_MESSAGE_BYTES_MAX);
        if (!decoded.ok)
            return;
        const message = decoded.value;
        if (message.type === 'hello')
            this.#selling.hello(message);
        else if (message.type === 'welcome')
            this.#buying.welcome(message);
        else if (message.type === 'knock')
            this.#buying.knock(message.channel);
        else if (this.#buying.isOurs(message.channel))
            this.#buying.sealed(message);
        else
            this.#selling.sealed(message);
    }
    onUpdate(update) {
        // Its openings are the seller's, too.
        this.#buying.update(update);
        this.#selling.update();
    }
    onConnected() {
        this.#selling.connected();
    }
    onSample(sample) {
        this.#selling.sample(sample);
    }
    /** The agent ends when this throws. */
    tick() {
        if (this.#failure !== undefined)
            throw this.#failure.error;
        this.#selling.tick();
        this.#buying.tick();
    }
    stop() {
        this.#buying.stop();
        if (this.#desk.connected)
            this.#selling.stop();
        this.#log.close();
        if (this.#failure !== undefined)
            throw this.#failure.error;
    }
}
function isOnline(payload) {
    try {
        const status = JSON.parse(new TextDecoder().decode(payload));
        return typeof status === 'object' && status !== null && 'state' in status && status.state === 'online';
    }
    catch {
        // Anybody may publish on a foreign broker; what is no JSON says nothing.
        return false;
    }
}
//# sourceMappingURL=channels.js.map