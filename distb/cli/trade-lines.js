/**
 * What is sold, as events: an output that is switched, a paid topic that opens and closes, a channel whose payee has more.
 *
 * Fed with the JSON mirrors `output`, `grant` and `claim`. What a broker had kept from before is taken note of and not told.
 */
import { z } from 'zod';
import { formatCoins } from '../ledger/amount.js';
import { accountText } from '../schemas/hex.js';
const output = z.object({ name: z.string(), on: z.boolean().nullable(), reason: z.string() });
const grant = z.object({
    seller: accountText,
    buyer: accountText,
    sensors: z.array(z.object({ sensor: z.string(), until: z.int() })),
});
const claim = z.object({
    channel: z.string(),
    proof: z.discriminatedUnion('type', [
        z.object({ type: z.literal('word'), steps: z.int() }),
        z.object({ type: z.literal('signed'), amount: z.int() }),
    ]),
});
/** Outputs, topics and channels remembered: on a broker without access rules anybody may make any number of them. */
const REMEMBERED_MAX = 10_000;
export class TradeLines {
    #emit;
    #nameOf;
    /** What was told last, by what it is about. */
    #told = new Map();
    constructor(emit, nameOf) {
        this.#emit = emit;
        this.#nameOf = nameOf;
    }
    receive({ kind, publisher, rest, retain, value }) {
        if (kind === 'output')
            this.#output(publisher, retain, value);
        else if (kind === 'grant')
            this.#grant(rest, retain, value);
        else if (kind === 'claim')
            this.#claim(publisher, retain, value);
    }
    #output(publisher, retain, value) {
        const parsed = output.safeParse(value);
        if (!parsed.success)
            return;
        const { name, on, reason } = parsed.data;
        if (!this.#isNews(`output ${publisher} ${name}`, String(on)) || retain)
            return;
        this.#emit({ event: 'output', device: this.#nameOf(publisher), output: name, on, reason });
    }
    /** Several validators say the same; an empty payload says that there is nothing any more. */
    #grant([seller = '', buyer = ''], retain, value) {
        const parsed = grant.safeParse(value);
        const sensors = parsed.success ? parsed.data.sensors : [];
        const names = { seller: this.#nameOf(seller), buyer: this.#nameOf(buyer) };
        const prefix = `topic ${seller} ${buyer} `;
        const open = new Map(sensors.map(({ sensor, until }) => [sensor, new Date(until).toISOString()]));
        for (const [sensor, until] of open)
            if (this.#isNews(prefix + sensor, until) && !retain)
                this.#emit({ event: 'topic', ...names, sensor, until });
        for (const key of this.#told.keys()) {
            const sensor = key.startsWith(prefix) ? key.slice(prefix.length) : undefined;
            if (sensor === undefined || open.has(sensor))
                continue;
            this.#told.delete(key);
            this.#emit({ event: 'topic', ...names, sensor, until: null });
        }
    }
    #claim(publisher, retain, value) {
        const parsed = claim.safeParse(value);
        if (!parsed.success)
            return;
        const { channel, proof } = parsed.data;
        const [readings, amount] = proof.type === 'word' ? [proof.steps, undefined] : [undefined, proof.amount];
        if (!this.#isNews(`channel ${channel}`, `${readings ?? amount}`) || retain)
            return;
        this.#emit({ event: 'channel', payee: this.#nameOf(publisher), channel, readings, amount });
    }
    #isNews(key, fact) {
        if (this.#told.get(key) === fact)
            return false;
        if (this.#told.size >= REMEMBERED_MAX && !this.#told.has(key))
            return false;
        this.#told.set(key, fact);
        return true;
    }
}
/** An event in words. */
export function tradeWords(event) {
    if (event.event === 'output') {
        const state = event.on === null ? 'not driven' : event.on ? 'on' : 'off';
        return `${event.device} ${event.output} is ${state}: ${event.reason}`;
    }
    if (event.event === 'topic') {
        const what = `${event.sensor} of ${event.seller}`;
        return event.until === null
            ? `${what} is closed to ${event.buyer}: its time is over`
            : `${what} is open to ${event.buyer} until ${event.until.slice(11, 19)}`;
    }
    const paid = event.readings === undefined ? `${formatCoins(event.amount ?? 0)} coins` : `${event.readings} readings`;
    return `${event.payee} has been paid ${paid} off the ledger (${event.channel.slice(0, 12)})`;
}
//# sourceMappingURL=trade-lines.js.map