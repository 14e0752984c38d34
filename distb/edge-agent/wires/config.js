/** The part `wires` of an agent's configuration, which its owner may also send while it runs. Amounts are coins as text. */
import { z } from 'zod';
import { parseCoins } from '../../ledger/amount.js';
import { freeText, name } from '../../schemas/field.js';
import { accountText } from '../../schemas/hex.js';
import { itemNameBytesMax } from '../../schemas/receipt-memo.js';
import { MEMO_BYTES_MAX } from '../../schemas/transaction.js';
import { scaledNumber } from './exact.js';
import { purchaseOf } from './wire.js';
import { WIRES_MAX } from './wires-log.js';
const COINS = 'expected coins in quotes, such as "0.01"';
const coins = z.string({ error: COINS }).transform((text, context) => {
    const amount = parseCoins(text);
    if (amount !== undefined)
        return amount;
    context.addIssue({
        code: 'custom',
        message: 'expected coins such as "0.01", at most 8 digits after the point',
    });
    return z.NEVER;
});
/** The memo is this, a space and what tells the event: 16 digits at most, or a time. */
const PURPOSE_BYTES_MAX = MEMO_BYTES_MAX - 17;
/** Words by which sellers know what is bought, and answer. */
const RESERVED = /^(on|topic|sold|refund)( |$)/;
const freeWords = freeText(PURPOSE_BYTES_MAX).json.refine((text) => text !== '', 'expected some text');
const number = z.number().refine((value) => scaledNumber(value) !== undefined, {
    message: 'expected at most 12 digits after the point, and no more than 1e15',
});
const distance = number.refine((value) => value >= 0, 'expected 0 or more');
const CONDITIONS = ['above', 'below', 'rises', 'falls', 'changesBy'];
const when = z.strictObject({
    device: accountText
        .optional()
        .describe('account whose readings on the ledger count; else a sensor of this agent'),
    sensor: name.json.optional(),
    above: number.optional().describe('for each reading above it'),
    below: number.optional(),
    rises: number.optional().describe('once it is above, having been at or below'),
    falls: number.optional(),
    hysteresis: distance.optional().describe('how far back beyond it before it can rise or fall again'),
    changesBy: distance.refine((value) => value > 0, 'expected more than 0').optional(),
    every: z
        .strictObject({ minutes: z.int().min(1).max(44_640).describe('a slot; counted in UTC') })
        .optional(),
});
const pay = z.union([coins, z.strictObject({ perUnit: coins, most: coins.describe('for one payment') })], {
    error: `${COINS}, or { perUnit: "0.01", most: "1" }`,
});
const to = z.union([
    accountText,
    z.strictObject({
        device: accountText,
        output: name.json.optional().describe('an output that it sells'),
        topic: name.json.optional().describe('a sensor whose topic it sells'),
        minutes: z.number().min(0.05).max(44_640).describe('what the payment is to cover'),
    }),
]);
const fields = z.strictObject({
    when,
    pay,
    to: to.optional().describe('who is paid; the device by default'),
    for: freeWords.optional().describe('what is bought; stands in the memo'),
    confirmations: z.int().min(1).max(100).optional().describe("blocks, the reading's own counted; 1"),
    perHourMax: z.int().min(1).max(100_000).default(1_000),
    perDayMax: z.int().min(1).max(1_000_000).optional(),
    coinsPerDayMax: coins.optional(),
    balanceMin: coins.optional().describe('what the account has to keep'),
});
const isProblem = (value) => 'message' in value;
/** One wire, checked as a whole. */
export const wireConfig = fields.transform((given, context) => {
    const [source, condition, goal] = [sourceOf(given), conditionOf(given.when), goalOf(given)];
    const problems = [source, condition, goal].filter(isProblem);
    const every = given.when.every !== undefined;
    if (every && typeof given.pay === 'object')
        problems.push({ path: ['pay'], message: "expected coins: with 'every' there is no value to pay for" });
    if (given.confirmations !== undefined && given.when.device === undefined)
        problems.push({
            path: ['confirmations'],
            message: "expected it only with 'when.device': what is not on the ledger is not confirmed",
        });
    for (const { path, message } of problems)
        context.addIssue({ code: 'custom', path: [...path], message });
    if (isProblem(source) || isProblem(condition) || isProblem(goal) || problems.length > 0)
        return z.NEVER;
    const { perHourMax, perDayMax, coinsPerDayMax, balanceMin = 0 } = given;
    return {
        source,
        condition,
        pay: typeof given.pay === 'number'
            ? { kind: 'amount', amount: given.pay }
            : { kind: 'perUnit', amount: given.pay.perUnit, most: given.pay.most },
        to: goal,
        label: given.for ?? '',
        limits: { perHourMax, perDayMax, coinsPerDayMax, balanceMin },
    };
});
function sourceOf({ when: { device, sensor, every }, confirmations = 1 }) {
    if (every !== undefined) {
        if (device === undefined && sensor === undefined)
            return { kind: 'every', minutes: every.minutes };
        return { path: ['when', 'every'], message: "expected 'every' alone: a schedule needs no sensor" };
    }
    if (sensor === undefined)
        return { path: ['when'], message: "expected 'sensor' (with or without 'device'), or 'every'" };
    return device === undefined ? { kind: 'own', sensor } : { kind: 'ledger', device, sensor, confirmations };
}
function conditionOf(given) {
    const { above, below, rises, falls, changesBy, hysteresis, every } = given;
    const several = CONDITIONS.filter((key) => given[key] !== undefined);
    if (several.length > 1)
        return { path: ['when', several[1] ?? ''], message: `expected one of ${CONDITIONS.join(', ')}` };
    if (every !== undefined && several.length > 0)
        return { path: ['when', several[0] ?? ''], message: "expected no comparison beside 'every'" };
    if (hysteresis !== undefined && rises === undefined && falls === undefined)
        return { path: ['when', 'hysteresis'], message: "expected it only with 'rises' or 'falls'" };
    if (above !== undefined)
        return { kind: 'above', threshold: above };
    if (below !== undefined)
        return { kind: 'below', threshold: below };
    if (rises !== undefined)
        return { kind: 'rises', threshold: rises, hysteresis: hysteresis ?? 0 };
    if (falls !== undefined)
        return { kind: 'falls', threshold: falls, hysteresis: hysteresis ?? 0 };
    return changesBy === undefined ? { kind: 'each' } : { kind: 'changes', by: changesBy };
}
function goalOf({ when: { device }, to, for: purpose }) {
    if (typeof to === 'object')
        return itemOf(to);
    const account = to ?? device;
    if (account === undefined)
        return { path: ['to'], message: "expected 'to': without a device in 'when' nobody is there to be paid" };
    if (purpose === undefined)
        return { path: ['for'], message: "expected 'for': what is bought, for the memo" };
    if (RESERVED.test(purpose))
        return {
            path: ['for'],
            message: `expected other first words: a memo that begins with 'on', 'topic', 'sold' or 'refund' is for what sellers sell by time, as in 'to: { device: ..., output: lamp, minutes: 1 }'`,
        };
    return { kind: 'account', account, purpose };
}
function itemOf(to) {
    const { device, output, topic, minutes } = to;
    const named = output ?? topic;
    if (named === undefined || (output !== undefined && topic !== undefined))
        return { path: ['to'], message: "expected one of 'output' and 'topic'" };
    const item = { kind: output === undefined ? 'topic' : 'on', name: named };
    const max = itemNameBytesMax(item.kind);
    if (named.length > max)
        return {
            path: ['to', output === undefined ? 'topic' : 'output'],
            message: `expected at most ${max} characters, as sellers can sell`,
        };
    return { kind: 'item', device, item, minutes };
}
const TWICE = "expected each pair of 'to' and 'for' (or output, or topic) once: a payment's memo has to tell the wires apart";
export const wiresConfig = z
    .array(wireConfig)
    .max(WIRES_MAX)
    .superRefine((wires, context) => {
    // What is wrong in itself is not compared.
    if (context.issues.length > 0)
        return;
    const seen = new Set();
    for (const [index, wire] of wires.entries()) {
        const purchase = purchaseOf(wire);
        if (seen.has(purchase))
            context.addIssue({ code: 'custom', path: [index], message: TWICE });
        seen.add(purchase);
    }
});
/** What is wrong between wires and the sensors of their agent. */
export function wireMisfits(wires, sensors) {
    return wires.flatMap(({ source }, index) => {
        if (source.kind !== 'own' || sensors.includes(source.sensor))
            return [];
        const message = "expected a sensor of this agent, or beside it the 'device' whose sensor it is";
        return [{ path: [index, 'when', 'sensor'], message }];
    });
}
//# sourceMappingURL=config.js.map