/** `pinledger account`: what each validator on a broker says of an account. */
import { formatCoins } from '../ledger/amount.js';
import { short } from '../schemas/hex.js';
import { accountView } from '../schemas/message.js';
import { EXIT } from './exit.js';
import { readRetained } from './reader.js';
/** Each validator's view of `account`; empty when none knows it. Throws WorldError `broker-unreachable`. */
export async function askAccount(where, account, log) {
    const answers = new Map();
    await readRetained(where, ['account', 'tip'], log, ({ kind, publisher, network, rest, value }) => {
        if (kind !== 'account' || rest[0] !== account)
            return;
        const parsed = accountView.json.safeParse(value);
        if (parsed.success)
            answers.set(`${network} ${publisher}`, { network, validator: publisher, view: parsed.data });
    });
    return [...answers.values()];
}
/** Prints the views; 1 when no validator knows the account. */
export async function accountCommand(where, account, json, log) {
    const answers = await askAccount(where, account, log);
    if (json)
        process.stdout.write(`${JSON.stringify({ account, views: answers.map(({ view, ...from }) => ({ ...from, ...view })) })}\n`);
    else if (answers.length === 0)
        process.stdout.write(`no validator at ${where.url} has seen account ${account}: it has no coins and has sent nothing\n`);
    else {
        for (const { network, validator, view } of answers) {
            process.stdout.write(`network ${network}, validator ${short(validator)}, height ${view.height}: ${formatCoins(view.balance)} coins, ${formatCoins(view.maturing)} maturing, ${view.nonce} transactions sent\n`);
        }
    }
    return answers.length === 0 ? EXIT.no : EXIT.ok;
}
//# sourceMappingURL=account.js.map