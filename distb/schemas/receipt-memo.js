/**
 * Memos by which things are bought for a time, and what their seller answers: one form for seller, buyer and validator.
 *
 *     on <output>                                                a transfer to the seller buys time of an output
 *     topic <sensor>                                             ... or of a paid topic
 *     sold <payment> on <output> until <time>                    a transfer of 0 to the payer: the receipt
 *     sold <payment> topic <sensor> until <time>
 *     refund <payment> <code>                                    a transfer that gives coins back, and why
 *
 * `<payment>` is the first 16 hex digits of the payment's id, `<time>` RFC 3339 in UTC and whole seconds. Single spaces, nothing
 * before or after: each receipt has exactly one text. Source: docs/PROTOCOL.md section 8.
 */
import { invariant } from './result.js';
import { MEMO_BYTES_MAX } from './transaction.js';
/** What can be bought for a time, by the word that names it in memos. */
export const ITEM_KINDS = ['on', 'topic'];
/** Why coins go back. `overpaid` stands beside a receipt, the others instead of one. */
export const REFUND_CODES = ['underpaid', 'overpaid', 'late', 'not-for-sale', 'unknown-item'];
/** Digits of a payment's id that a receipt repeats: enough to tell the payments of one payer apart. */
const PAYMENT_DIGITS = 16;
const TIME = '2026-11-29T20:01:30Z';
/** The last second that four digits of a year can say. */
const UNTIL_MAX_MS = Date.UTC(9999, 11, 31, 23, 59, 59);
/** Bytes of the longest name that a receipt has room for: what is sold by time cannot have a longer one. */
export const itemNameBytesMax = (kind) => MEMO_BYTES_MAX - `sold ${'0'.repeat(PAYMENT_DIGITS)} ${kind}  until ${TIME}`.length;
const PURCHASE = /^(on|topic) (.*)$/;
const SOLD = /^sold ([0-9a-f]{16}) (on|topic) ([a-z0-9][a-z0-9._-]*) until (\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z$/;
const REFUND = /^refund ([0-9a-f]{16}) ([a-z-]+)$/;
/** The name by which receipts and refunds speak of a payment. */
export const paymentName = (id) => id.slice(0, PAYMENT_DIGITS);
export const writePurchase = ({ kind, name }) => `${kind} ${name}`;
/** What a payment's memo asks for, whether or not there is such a thing; undefined: a gift. */
export function parsePurchase(memo) {
    const [, kind, name] = PURCHASE.exec(memo) ?? [];
    return kind === undefined || name === undefined ? undefined : { kind: kind, name };
}
/** The memo of a receipt or refund. Its parts are the seller's own: what does not fit is our bug. */
export function writeSellerMemo(memo) {
    const text = memo.type === 'refund'
        ? `refund ${memo.payment} ${memo.code}`
        : `sold ${memo.payment} ${memo.item.kind} ${memo.item.name} until ${writeTime(memo.until)}`;
    invariant(parseSellerMemo(text) !== undefined, `a receipt can be read again: ${text}`);
    return text;
}
/** What a seller says in a memo; undefined for every other text. */
export function parseSellerMemo(memo) {
    if (memo.length > MEMO_BYTES_MAX)
        return undefined;
    const sold = SOLD.exec(memo);
    if (sold !== null) {
        const [, payment = '', kind, name = '', ...digits] = sold;
        const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = digits.map(Number);
        const until = Date.UTC(year, month - 1, day, hour, minute, second);
        // The 30th of February, the 25th hour and years below 100 come out as another time.
        if (!(until >= 0) || writeTime(until) !== memo.slice(-TIME.length))
            return undefined;
        return { type: 'sold', payment, item: { kind: kind, name }, until };
    }
    const [, payment, code] = REFUND.exec(memo) ?? [];
    const known = REFUND_CODES.find((each) => each === code);
    return payment === undefined || known === undefined ? undefined : { type: 'refund', payment, code: known };
}
/** A time as receipts write it: RFC 3339 in UTC, whole seconds. */
export function writeTime(ms) {
    invariant(ms >= 0 && ms <= UNTIL_MAX_MS && ms % 1000 === 0, `a time in whole seconds, got ${ms} ms`);
    const seconds = ms / 1000;
    const digits = (value, width = 2) => String(value).padStart(width, '0');
    const clock = [seconds / 3600, seconds / 60, seconds].map((value, at) => digits(Math.floor(value) % (at === 0 ? 24 : 60)));
    const { year, month, day } = civil(Math.floor(seconds / 86_400));
    return `${digits(year, 4)}-${digits(month)}-${digits(day)}T${clock.join(':')}Z`;
}
/** The Gregorian date of a day, counted from 1970-01-01, by eras of 400 years that begin in March (H. Hinnant, civil_from_days). */
function civil(dayOfEpoch) {
    const days = dayOfEpoch + 719_468;
    const era = Math.floor(days / 146_097);
    const dayOfEra = days - era * 146_097;
    const yearOfEra = Math.floor((dayOfEra -
        Math.floor(dayOfEra / 1460) +
        Math.floor(dayOfEra / 36_524) -
        Math.floor(dayOfEra / 146_096)) /
        365);
    const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
    const fromMarch = Math.floor((5 * dayOfYear + 2) / 153);
    const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
    return {
        year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
        month,
        day: dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1,
    };
}
//# sourceMappingURL=receipt-memo.js.map