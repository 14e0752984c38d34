/** `pinledger channel list`: one's own channels, what the log knows of them beside what a validator says of the ledger. */
import { formatCoins } from '../ledger/amount.js';
import { channelEntry, KIND } from '../ledger/state.js';
import { short } from '../schemas/hex.js';
import { EXIT } from './exit.js';
import { Sender } from './sender.js';
import { askEntry } from './state-entry.js';
const NEVER = 0xffffffff;
/** Every channel of the books that has an id. */
export function rowsOf(books) {
    const bought = [...books.purchases.values()].flatMap((each) => each.channel === undefined
        ? []
        : [{ side: 'buys', ...each, channel: each.channel, with: each.seller }]);
    const sold = [...books.sales.values()].map((each) => ({
        side: 'sells',
        ...each,
        with: each.buyer,
    }));
    return [...bought, ...sold].map(({ side, channel, with: other, sensor, index, price, stopped }) => {
        return { side, channel, with: other, sensor, readings: index, promised: index * price, stopped };
    });
}
export async function listChannels(where, signer, books, network, json, log) {
    const rows = rowsOf(books);
    if (rows.length === 0) {
        process.stdout.write(json ? '' : 'no channels\n');
        return EXIT.ok;
    }
    const sender = new Sender(where, signer, network, log);
    try {
        const place = await sender.start();
        for (const row of rows) {
            const question = { kind: KIND.channel, key: row.channel, codec: channelEntry };
            const { value: entry, height } = await askEntry(sender, place, question);
            process.stdout.write(`${json ? toJson({ ...row, entry }, height) : describe({ ...row, entry }, height)}\n`);
        }
        return EXIT.ok;
    }
    finally {
        await sender.stop();
    }
}
const toJson = ({ entry, ...row }, height) => {
    if (entry === undefined)
        return JSON.stringify({ ...row, height, open: false });
    const { amount, paid, closing, delay } = entry;
    const ends = closing === NEVER ? null : closing;
    return JSON.stringify({
        ...row,
        height,
        open: true,
        deposit: amount,
        claimed: paid,
        left: amount - paid,
        delay,
        closing: ends,
    });
};
/** One line for people; amounts in coins. */
export function describe(row, height) {
    const { side, channel, entry, stopped } = row;
    const whom = `${side} ${row.sensor} ${side === 'buys' ? 'from' : 'to'} ${short(row.with)}`;
    const readings = `${row.readings} readings for ${formatCoins(row.promised)}`;
    const why = stopped === undefined ? '' : `, ended: ${stopped}`;
    if (entry === undefined)
        return `${channel} ${whom}: ${readings}${why}; not on the ledger`;
    const { amount, paid, closing } = entry;
    const left = `deposit ${formatCoins(amount)}, claimed ${formatCoins(paid)}, left ${formatCoins(amount - paid)}`;
    const end = closing === NEVER ? 'open' : closing > height ? `closes at #${closing} (now #${height})` : 'can be closed';
    return `${channel} ${whom}: ${readings}${why}; ${left}; ${end}`;
}
//# sourceMappingURL=channel-list.js.map