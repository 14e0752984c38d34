/**
 * `pinledger account --proven`: an account's balance, proven by headers and a Merkle path instead of believed.
 *
 * What is trusted, and nothing else: the genesis, that most work is honest, and that one of the validators that are asked has
 * the best chain. Source: docs/PROTOCOL.md sections 5 and 8.
 */
import { formatCoins } from '../ledger/amount.js';
import { readGenesis } from '../node/genesis-file.js';
import { transaction } from '../schemas/transaction.js';
import { EXIT } from './exit.js';
import { LightSession } from './light-session.js';
/** If the newest header is older than so many intervals, it may not be the newest. */
const QUIET_INTERVALS = 20;
/** Prints what was proven; 1 when not all of it was. Throws WorldError `broker-unreachable`, `config` or `usage`. */
export async function provenCommand(where, wish, json, { log, now, out, err, limits }) {
    const { account, transaction: asked } = wish;
    const genesis = wish.genesis === undefined ? undefined : readGenesis(wish.genesis);
    const onProgress = (height, claimed) => {
        if (err.tty)
            err.write(`\rheaders ${height} of ${Math.max(height, claimed)}`);
    };
    const session = new LightSession(where, genesis, { log, now, onProgress }, limits);
    try {
        const client = await session.start(asked?.height);
        await session.sync(client);
        err.write(`${err.tty ? '\r' : ''}headers ${client.tip.height}, all checked\n`);
        const balance = await session.prove(client, { type: 'getBalance', account }, ({ proof }) => client.checkBalance(proof, account, now()));
        const inclusion = asked &&
            (await session.prove(client, { type: 'getInclusion', height: asked.height, transaction: asked.id }, ({ proof }) => client.checkInclusion(proof, asked.id, now())));
        out(json ? jsonOf(client, wish, balance, inclusion) : wordsOf(client, wish, balance, inclusion));
        const { genesis: facts, genesisHash } = client.network;
        if (genesis === undefined)
            err.write(`the genesis ${genesisHash} is what the broker said: compare it, or give --genesis\n`);
        const quietMs = now() - client.tip.time;
        if (quietMs > QUIET_INTERVALS * facts.interval)
            err.write(`the newest header is ${Math.round(quietMs / 1000)} s old: blocks stopped, or are kept from us\n`);
        return balance === undefined || (asked !== undefined && inclusion === undefined) ? EXIT.no : EXIT.ok;
    }
    finally {
        await session.stop();
    }
}
function wordsOf({ tip, network }, { account, transaction: asked }, balance, inclusion) {
    const under = `proved under ${tip.height} headers of work ${tip.work}`;
    const lines = [
        balance === undefined
            ? `nobody could prove what account ${account} has`
            : `network ${network.id}, height ${balance.height}: ${formatCoins(balance.balance)} coins, ${balance.nonce} transactions sent, ${under}`,
    ];
    if (inclusion !== undefined) {
        const { transaction: tx, height, confirmations, work } = inclusion;
        lines.push(`transaction ${asked?.id}, a ${tx.type}, is in block ${height}: ${confirmations} confirmations of work ${work}`);
    }
    else if (asked !== undefined)
        lines.push(`nobody could prove that transaction ${asked.id} is in block ${asked.height}`);
    return `${lines.join('\n')}\n`;
}
/** Work as text, since it may exceed what a JSON number holds. */
function jsonOf({ tip, network }, { account, transaction: asked }, balance, inclusion) {
    const shown = balance && { ...balance, work: String(balance.work) };
    const included = inclusion && {
        ...inclusion,
        id: asked?.id,
        work: String(inclusion.work),
        transaction: transaction.toJson(inclusion.transaction),
    };
    const facts = { network: network.id, genesis: network.genesisHash, account };
    const chain = { headers: tip.height, tip: tip.hash, work: String(tip.work) };
    return `${JSON.stringify({ ...facts, ...chain, balance: shown, inclusion: included })}\n`;
}
//# sourceMappingURL=proven.js.map