/** One purchase from where it stands to its end, or to where the person has had enough. */
import { sealTransaction } from '../../ledger/transaction.js';
import { decode } from '../../schemas/codec.js';
import { invariant } from '../../schemas/result.js';
import { TRANSACTION_BYTES_MAX, transaction } from '../../schemas/transaction.js';
import { acquire, preparePayment, quoteIn } from './purchase.js';
import { openPurchase, Settling } from './settling.js';
/** Whether coins may be under way for it: then it is gone on with, and never begun again. */
export const isPaid = ({ record }) => record?.state === 'open' && record.payment !== undefined;
/** Buys a file that is not paid yet. */
export async function buy(surroundings, files, what, wish) {
    invariant(!isPaid(files), 'nothing is paid twice');
    const acquired = await acquire(surroundings, files, what, wish);
    if (!acquired.ready)
        return acquired.outcome;
    const { record, quote } = acquired;
    // Bought before: the key is the same.
    if (record.key !== undefined)
        return openPurchase(files, quote, record.key);
    const obstacle = await preparePayment(surroundings, files, record, quote);
    if (obstacle !== undefined)
        return { status: 'not-bought', reason: obstacle.reason };
    return goOn(surroundings, files, true);
}
/** Goes on with what is paid; without patience only as far as it can be done now. */
export async function goOn(surroundings, files, isPatient) {
    const { record } = files;
    invariant(record?.payment !== undefined, 'the purchase has a payment');
    const { line, show } = surroundings;
    const { transaction: bytes } = record.payment;
    const decoded = decode(transaction, bytes, TRANSACTION_BYTES_MAX);
    invariant(decoded.ok, 'what was recorded as a payment is one');
    const { id } = sealTransaction(line.network, decoded.value, bytes);
    show({ event: 'paying', transaction: id, price: quoteIn(record).price });
    return new Settling(surroundings, files).run(isPatient);
}
//# sourceMappingURL=run.js.map