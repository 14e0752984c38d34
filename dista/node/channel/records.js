import { list, struct, union } from '../../schemas/compound.js';
import { account, freeText, hash, name, u32, u64 } from '../../schemas/field.js';
import { invariant } from '../../schemas/result.js';
import { channelProof, sample } from '../../schemas/transaction.js';
export const RECORD_BYTES_MAX = 512;
const reason = freeText(40);
export const channelRecord = union({
    /** A sale begins. */
    agreed: { number: 1, codec: struct({ channel: hash, buyer: account, sensor: name, price: u64 }) },
    /** This is reading number `index`, whatever happens: it may be on its way. */
    delivered: { number: 2, codec: struct({ channel: hash, index: u32, sample }) },
    /** Readings up to `index` are paid. */
    proven: { number: 3, codec: struct({ channel: hash, index: u32, proof: channelProof }) },
    /** Nothing more is delivered in this sale. */
    saleStopped: { number: 4, codec: struct({ channel: hash, reason }) },
    /** The channel is gone for good. */
    saleEnded: { number: 5, codec: struct({ channel: hash }) },
    /** A channel is about to be opened; `steps` of its hash chain, 0: paid by signatures. `height`: of our chain. */
    planned: {
        number: 6,
        codec: struct({
            number: u64,
            seller: account,
            sensor: name,
            price: u64,
            deposit: u64,
            delay: u32,
            until: u32,
            steps: u32,
            height: u32,
        }),
    },
    /** It is on the ledger. */
    opened: { number: 7, codec: struct({ number: u64, channel: hash }) },
    /** Reading number `index` is ours, and its payment may be on its way. No sample: the payee knew of a payment that we had forgotten. */
    paid: { number: 8, codec: struct({ number: u64, index: u32, sample: list(sample, 1) }) },
    /** Nothing more is paid; the coins that are left are wanted back. */
    purchaseStopped: { number: 9, codec: struct({ number: u64, reason }) },
    purchaseEnded: { number: 10, codec: struct({ number: u64 }) },
    /** The last reading that was delivered had this sequence number. Only in a log that was rewritten. */
    sequence: { number: 11, codec: struct({ channel: hash, sequence: u64 }) },
});
/** Memo of a purchase's opening: what is bought, and by which of the buyer's purchases. */
export const openMemo = (sensor, number) => `readings ${sensor} ${number.toString(16)}`;
export class Books {
    #sales = new Map();
    #purchases = new Map();
    get sales() {
        return this.#sales;
    }
    get purchases() {
        return this.#purchases;
    }
    /** The purchase whose channel this is. */
    purchaseOf(channel) {
        for (const purchase of this.#purchases.values())
            if (purchase.channel === channel)
                return purchase;
        return undefined;
    }
    take(record) {
        switch (record.type) {
            case 'agreed': {
                const { type: _, ...terms } = record;
                invariant(!this.#sales.has(record.channel), 'a sale begins once');
                const none = { proof: undefined, pending: undefined, sequence: undefined, stopped: undefined };
                this.#sales.set(record.channel, { ...terms, index: 0, ...none });
                return;
            }
            case 'delivered': {
                const sale = this.#sale(record.channel);
                // The payee's loss bound: at most one reading is out that is not paid.
                invariant(sale.pending === undefined && record.index === sale.index + 1, 'one reading at a time');
                this.#sales.set(sale.channel, { ...sale, pending: record.sample, sequence: record.sample.sequence });
                return;
            }
            case 'proven': {
                const sale = this.#sale(record.channel);
                invariant(record.index > sale.index, 'what is paid only grows');
                const { index, proof } = record;
                this.#sales.set(sale.channel, { ...sale, index, proof, pending: undefined });
                return;
            }
            case 'sequence':
                this.#sales.set(record.channel, { ...this.#sale(record.channel), sequence: record.sequence });
                return;
            case 'saleStopped':
                this.#sales.set(record.channel, { ...this.#sale(record.channel), stopped: record.reason });
                return;
            case 'saleEnded':
                this.#sales.delete(record.channel);
                return;
            case 'planned': {
                const { type: _, ...plan } = record;
                invariant(!this.#purchases.has(record.number), 'a number is used once');
                const nothing = { channel: undefined, index: 0, last: undefined, stopped: undefined };
                this.#purchases.set(record.number, { ...plan, ...nothing });
                return;
            }
            case 'opened':
                this.#purchases.set(record.number, { ...this.#purchase(record.number), channel: record.channel });
                return;
            case 'paid': {
                const purchase = this.#purchase(record.number);
                const { index } = record;
                invariant(index > purchase.index, 'each reading is paid once');
                // The payer's loss bound: a price is paid for a reading that is here, never in advance.
                invariant(record.sample.length === 0 || index === purchase.index + 1, 'one reading at a time');
                invariant(index * purchase.price <= purchase.deposit, 'no more is paid than was put in');
                const last = record.sample[0] ?? purchase.last;
                this.#purchases.set(purchase.number, { ...purchase, index, last });
                return;
            }
            case 'purchaseStopped':
                this.#purchases.set(record.number, { ...this.#purchase(record.number), stopped: record.reason });
                return;
            case 'purchaseEnded':
                this.#purchases.delete(record.number);
        }
    }
    /** Records that come to the same, and no more than that. */
    *records() {
        for (const sale of this.#sales.values()) {
            const { channel, buyer, sensor, price, index, proof, pending, sequence, stopped } = sale;
            yield { type: 'agreed', channel, buyer, sensor, price };
            if (proof !== undefined)
                yield { type: 'proven', channel, index, proof };
            if (pending !== undefined)
                yield { type: 'delivered', channel, index: index + 1, sample: pending };
            else if (sequence !== undefined)
                yield { type: 'sequence', channel, sequence };
            if (stopped !== undefined)
                yield { type: 'saleStopped', channel, reason: stopped };
        }
        for (const { channel, index, last, stopped, ...plan } of this.#purchases.values()) {
            const { number } = plan;
            yield { type: 'planned', ...plan };
            if (channel !== undefined)
                yield { type: 'opened', number, channel };
            // In two, since the count may have jumped to where the last reading is.
            if (last === undefined) {
                if (index > 0)
                    yield { type: 'paid', number, index, sample: [] };
            }
            else {
                if (index > 1)
                    yield { type: 'paid', number, index: index - 1, sample: [] };
                yield { type: 'paid', number, index, sample: [last] };
            }
            if (stopped !== undefined)
                yield { type: 'purchaseStopped', number, reason: stopped };
        }
    }
    #sale(channel) {
        const sale = this.#sales.get(channel);
        invariant(sale !== undefined, `channel ${channel} is sold on`);
        return sale;
    }
    #purchase(number) {
        const purchase = this.#purchases.get(number);
        invariant(purchase !== undefined, `purchase ${number} is known`);
        return purchase;
    }
}
//# sourceMappingURL=records.js.map