/** What an agent's configuration says of channels: on which terms it sells by the reading, and what it buys. */
import { z } from 'zod';
import { CHAIN_STEPS_MAX } from '../../node/channel/words.js';
import { name } from '../../schemas/field.js';
import { accountText } from '../../schemas/hex.js';
import { coins, price } from '../coins.js';
/** Blocks of a channel's delay, at most: years of the slowest network. */
const DELAY_MAX = 1_000_000;
/** Settings of `sell` that only channels have. */
export const channelSaleFields = {
    claimAboveCoins: coins
        .default(100_000_000)
        .describe('so much is left unclaimed at most; each claim costs a fee'),
    delayBlocksMin: z
        .int()
        .min(2)
        .max(DELAY_MAX)
        .default(60)
        .describe('how long a buyer has to wait for its coins at least, which is how long this agent may be away'),
};
export const buyConfig = z
    .strictObject({
    from: accountText.describe('account whose readings are bought'),
    sensor: name.json,
    perReadingMax: price.describe('coins that a reading may cost; what the seller offers is paid'),
    deposit: price.describe('coins that are put into each channel'),
    mode: z
        .enum(['payword', 'signed'])
        .default('payword')
        .describe('pays by words of a hash chain, or by signatures'),
    delayBlocks: z
        .int()
        .min(2)
        .max(DELAY_MAX)
        .default(120)
        .describe('blocks to wait for what is left, from the wish to close on'),
    lifetimeBlocks: z
        .int()
        .min(2)
        .max(0xffff_ffff)
        .optional()
        .describe('blocks after which anybody may close a channel'),
    everySeconds: z.int().min(0).max(86_400).default(0).describe('at most one reading in so many seconds'),
    silentHours: z
        .number()
        .min(0.001)
        .max(10_000)
        .default(24)
        .describe('a seller that says nothing for so long gets its channel closed'),
})
    .refine(({ deposit, perReadingMax }) => deposit >= perReadingMax, {
    path: ['deposit'],
    message: "expected at least 'perReadingMax': it pays for readings",
})
    .refine(({ deposit, perReadingMax, mode }) => mode === 'signed' || deposit / perReadingMax <= CHAIN_STEPS_MAX, {
    path: ['deposit'],
    message: `expected coins for at most ${CHAIN_STEPS_MAX} readings: a hash chain has no more words`,
})
    .refine(({ lifetimeBlocks, delayBlocks }) => lifetimeBlocks === undefined || lifetimeBlocks > 2 * delayBlocks, {
    path: ['lifetimeBlocks'],
    message: "expected more than twice 'delayBlocks': nothing is sold in the last of them",
});
export const buysConfig = z
    .array(buyConfig)
    .max(32)
    .refine((list) => new Set(list.map(({ from, sensor }) => `${from} ${sensor}`)).size === list.length, "expected each pair of 'from' and 'sensor' once")
    .default([]);
export function buyOf(config) {
    const { from, sensor, perReadingMax, deposit, mode, delayBlocks, lifetimeBlocks, everySeconds } = config;
    const terms = { from, sensor, priceMax: perReadingMax, deposit, mode, delay: delayBlocks };
    return { ...terms, lifetime: lifetimeBlocks, every: everySeconds, silentMs: config.silentHours * 3_600_000 };
}
/** Terms by sensor of what is sold by the reading. */
export function termsOf(sensors) {
    const terms = new Map();
    for (const { name: sensor, sell } of sensors) {
        if (sell?.perReading === undefined)
            continue;
        const { perReading, confirmations, claimAboveCoins: claimAbove, delayBlocksMin: delayMin } = sell;
        terms.set(sensor, { perReading, confirmations, claimAbove, delayMin });
    }
    return terms;
}
//# sourceMappingURL=config.js.map