/** The whole of `pinledger buy readings`: the channel that there is or a new one, the readings, and the wish to close it. */
import { formatCoins } from '../ledger/amount.js';
import { WorldError } from '../node/error.js';
import { short } from '../schemas/hex.js';
import { decimalNumber } from '../schemas/units.js';
import { buyReadings, usable } from './buy-readings.js';
import { openBooks } from './channel-books.js';
import { closeChannel, openChannel } from './channel-open.js';
import { EXIT } from './exit.js';
import { findOffer } from './offers.js';
export async function readingsCommand(where, signer, key, order, { json, log: warnings, signal }) {
    const out = (fields, text) => void process.stdout.write(`${json ? JSON.stringify(fields) : text}\n`);
    const { seller, sensor, count, network, waitSeconds } = order;
    const { log, close } = openBooks(key);
    try {
        if (usable(log, seller, sensor) === undefined) {
            const price = order.price ?? (await offeredPrice(where, order, warnings));
            const open = { seller, sensor, price, deposit: order.deposit ?? price * count, delay: order.delay };
            const rest = { mode: order.mode, fee: undefined, network, waitSeconds };
            const code = await openChannel(where, signer, log, { ...open, ...rest }, json, warnings);
            if (code !== EXIT.ok)
                return code;
        }
        const purchase = usable(log, seller, sensor);
        if (purchase === undefined)
            throw new WorldError('usage', 'the channel that was opened has no readings left');
        const code = await buyReadings(where, signer, purchase, order, {
            log,
            warnings,
            signal,
            onReading({ sequence, value, unit, time }, { index, price }) {
                const at = new Date(time).toISOString();
                const fields = {
                    step: 'reading',
                    sensor,
                    sequence,
                    value: decimalNumber(value),
                    unit,
                    time: at,
                    index,
                };
                out(fields, `${at.slice(11, 19)} ${sensor} ${fields.value} ${unit}, ${formatCoins(index * price)} paid in all`);
            },
            onStop: (reason) => out({ step: 'stopped', reason }, `${short(seller)} and this side stop: ${reason}`),
        });
        if (order.keep || signal.aborted)
            return code;
        log.write([{ type: 'purchaseStopped', number: purchase.number, reason: 'done' }]);
        log.flush();
        await closeChannel(where, signer, purchase.channel, { fee: undefined, network, waitSeconds }, json, warnings);
        return code;
    }
    finally {
        close();
    }
}
async function offeredPrice(where, { seller, sensor, network }, log) {
    const found = await findOffer(where, { of: seller, kind: 'readings', item: sensor }, network, log);
    if (!found.ok)
        throw new WorldError('usage', `${found.fault.message}; or say what you pay with --price`);
    return found.value.item.price;
}
//# sourceMappingURL=buy-readings-command.js.map