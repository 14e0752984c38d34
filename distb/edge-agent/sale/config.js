/** The parts `sell` of an agent's configuration: on which terms sensors and outputs are sold. */
import { z } from 'zod';
import { freeText } from '../../schemas/field.js';
import { itemNameBytesMax } from '../../schemas/receipt-memo.js';
import { channelSaleFields } from '../channel/config.js';
import { price } from '../coins.js';
/** Time that can be bought ahead. Whoever starts anew looks for what still runs in the blocks of so long. */
export const SECONDS_MAX = 86_400;
/** Settings of everything that is sold, beside its price. */
export const sellFields = {
    confirmations: z
        .int()
        .min(1)
        .max(100)
        .default(1)
        .describe("blocks before the agent acts on a payment, the payment's own counted"),
    place: freeText(48).json.optional().describe('where it is, in words: readings of one place are compared'),
    terms: freeText(80).json.optional().describe('what buyers should know'),
};
/** Settings of what is sold by time. */
const timeFields = {
    secondsMin: z.int().min(1).max(SECONDS_MAX).default(10).describe('least time that a payment buys'),
    secondsMax: z
        .int()
        .min(1)
        .max(SECONDS_MAX)
        .default(3_600)
        .describe('how far ahead time can be bought; more is given back'),
    lateSeconds: z
        .int()
        .min(1)
        .max(SECONDS_MAX)
        .default(120)
        .describe('a payment that the agent sees so long after it was confirmed is given back'),
};
const inOrder = ({ secondsMin, secondsMax }) => secondsMin <= secondsMax;
const order = { path: ['secondsMax'], message: "expected at least 'secondsMin'" };
/** `sell` of an output. */
export const outputSale = z
    .strictObject({
    perMinute: price.describe('coins for a minute on'),
    ...timeFields,
    ...sellFields,
})
    .refine(inOrder, order);
/** `sell` of a sensor: its full rate, by the minute or by the reading. */
export const sensorSale = z
    .strictObject({
    perMinute: price.optional().describe('coins for a minute of its paid topic'),
    perReading: price.optional().describe('coins for a reading through a channel'),
    freeEverySeconds: z
        .number()
        .min(0)
        .max(SECONDS_MAX)
        .default(60)
        .describe('everybody gets a reading this often, and the ledger has it; 0: none'),
    seal: z
        .enum(['auto', 'always'])
        .default('auto')
        .describe('auto: readable on a broker that keeps paid topics to those who paid'),
    ...channelSaleFields,
    ...timeFields,
    ...sellFields,
})
    .refine(inOrder, order)
    .refine(({ perMinute, perReading }) => (perMinute ?? perReading) !== undefined, {
    message: "expected 'perMinute' or 'perReading', or both: a price is what makes it for sale",
});
/** What is wrong with the name of what is sold by time: receipts have only so much room. */
export function nameFault(kind, name) {
    const max = itemNameBytesMax(kind);
    if (name.length <= max)
        return undefined;
    return `expected at most ${max} characters in the name of what is sold by time, got ${name.length}: a receipt has no room for more`;
}
//# sourceMappingURL=config.js.map