/** `files` of an agent's configuration: what of a directory is for sale, for how much, and on which terms. */
import { z } from 'zod';
import { freeText, name } from '../../schemas/field.js';
import { price } from '../coins.js';
/** Files that may be for sale at once. */
export const FILES_MAX = 1_000;
export const filesConfig = z
    .strictObject({
    directory: z.string().min(1).describe('whose regular files are for sale, those in directories below not'),
    price: price.optional().describe('coins for each file that prices does not name; none: those only'),
    perKilobyte: price.optional().describe('instead of price: coins for each 1000 bytes of such a file'),
    prices: z
        .record(name.json, price)
        .refine((prices) => Object.keys(prices).length <= FILES_MAX, `expected at most ${FILES_MAX} files`)
        .default({})
        .describe('coins for a file, by its name'),
    terms: freeText(80).json.optional().describe('what buyers should know; stands in the catalogue'),
    quietSeconds: z
        .number()
        .min(0)
        .max(86_400)
        .default(10)
        .describe('a file is for sale when it has not changed for so long'),
    confirmations: z
        .int()
        .min(1)
        .max(100)
        .default(3)
        .describe('blocks before the key is given, those of the payment counted'),
    deadlineBlocks: z.int().min(4).max(100_000).default(120).describe('how far ahead a deadline has to be'),
    deadlineMinutes: z.int().min(1).max(20_160).default(30).describe('and in time'),
    marginBlocks: z
        .int()
        .min(2)
        .optional()
        .describe('blocks that must be left when the key is given; half by default'),
    marginMinutes: z.number().min(0).optional().describe('minutes that must be left; half by default'),
    validMinutes: z.int().min(1).max(1_440).default(10).describe('how long a quote is good for'),
    kilobytesPerSecond: z.int().min(64).max(1_000_000).default(4_096).describe('to all buyers together'),
    kilobytesPerSecondPerBuyer: z.int().min(64).max(1_000_000).default(2_048),
})
    .refine(({ price: one, perKilobyte, prices }) => one !== undefined || perKilobyte !== undefined || Object.keys(prices).length > 0, { path: ['price'], message: 'expected price or perKilobyte for all files, or prices for some' })
    .refine(({ price: one, perKilobyte }) => one === undefined || perKilobyte === undefined, {
    path: ['perKilobyte'],
    message: 'expected price or perKilobyte, not both',
})
    .refine(({ deadlineBlocks, marginBlocks = 0 }) => marginBlocks < deadlineBlocks, {
    path: ['marginBlocks'],
    message: 'expected fewer than deadlineBlocks',
})
    .refine(({ deadlineMinutes, marginMinutes = 0 }) => marginMinutes < deadlineMinutes, {
    path: ['marginMinutes'],
    message: 'expected fewer than deadlineMinutes',
})
    .refine(({ deadlineBlocks, confirmations, marginBlocks }) => confirmations + (marginBlocks ?? Math.floor(deadlineBlocks / 2)) < deadlineBlocks, { path: ['deadlineBlocks'], message: 'expected more than confirmations and marginBlocks together' })
    .transform((config) => ({
    ...config,
    marginBlocks: config.marginBlocks ?? Math.floor(config.deadlineBlocks / 2),
    marginMinutes: config.marginMinutes ?? config.deadlineMinutes / 2,
}));
//# sourceMappingURL=config.js.map