import { formatCoins } from '../ledger/amount.js';
import { signTransaction } from '../ledger/transaction.js';
import { WorldError } from '../node/error.js';
import { topic } from '../schemas/topic.js';
import { SIGNATURE_BYTES, transaction } from '../schemas/transaction.js';
import { EXIT } from './exit.js';
import { feeFor } from './pay-fee.js';
import { Sender } from './sender.js';
/** Blocks that the transaction may wait. */
const LIFETIME_BLOCKS = 1_000;
/** What to do about the refusals that a sender can do something about. */
const IN_USE = '; another program, such as a running agent, sends with this key: send from an account of your own';
const REMEDIES = {
    replaced: IN_USE,
    'fee-too-low-to-replace': IN_USE,
    'nonce-too-low': IN_USE,
    'nonce-gap': IN_USE,
};
/** Prints what became of it; 0 confirmed, 1 refused or not confirmed in time. Throws WorldError `broker-unreachable`. */
export async function sendCommand(where, signer, sending, json, log) {
    const sender = new Sender(where, signer, sending.network, log);
    try {
        const place = await sender.start();
        const { network, balance } = place;
        const obstacle = sending.obstacle?.(network);
        if (obstacle !== undefined)
            return tell(json, EXIT.no, { status: 'refused', reason: obstacle });
        const sealed = await seal(sender, place, signer, sending);
        const { fee } = sealed.transaction;
        const needs = amountOf(sending.draft) + fee;
        if (needs > balance) {
            const reason = `the account has ${formatCoins(balance)} coins and needs ${formatCoins(needs)}`;
            return tell(json, EXIT.no, { status: 'refused', reason });
        }
        sending.onSealed?.(sealed, place);
        const settled = settlement(sender, sealed, json);
        if (!json)
            process.stdout.write(`${sending.doing} on network ${network.id}, transaction ${sealed.id}\n`);
        const name = topic(network.id, 'tx', signer.account);
        const sent = await sender.session.publish(name, sealed.bytes, { qos: 1, retain: false });
        if (!sent) {
            const what = 'did not take the transaction; nothing was sent';
            throw new WorldError('broker-unreachable', `the broker at ${where.url} ${what}`);
        }
        return report(await settled(sending.waitSeconds), sealed, sending, json);
    }
    finally {
        await sender.stop();
    }
}
const amountOf = (draft) => draft.type === 'transfer' || draft.type === 'channelOpen' ? draft.amount : 0;
async function seal(sender, place, signer, { draft, fee }) {
    const { network, validator, nonce, height } = place;
    const head = { network: network.id, from: signer.account, nonce, expiry: height + LIFETIME_BLOCKS };
    const unsigned = { ...draft, ...head, fee: fee ?? 0 };
    if (fee !== undefined)
        return signTransaction(network, unsigned, signer.sign);
    const signature = new Uint8Array(SIGNATURE_BYTES);
    const bytes = transaction.size({ ...unsigned, signature });
    const offer = { bytes, amount: amountOf(draft) };
    const offered = await feeFor(network, offer, sender.requests(place), validator);
    return signTransaction(network, { ...unsigned, fee: offered }, signer.sign);
}
/** Listens for the transaction's receipts, from before it is sent; undefined when none settles it in time. */
function settlement(sender, sealed, json) {
    let accepted = false;
    const settled = new Promise((resolve) => {
        sender.onReceipt((value) => {
            if (value.transaction !== sealed.id)
                return;
            if (value.status === 'accepted' && !json && !accepted)
                process.stdout.write('accepted, waiting for a block\n');
            accepted ||= value.status === 'accepted';
            if (value.status === 'confirmed' || value.status === 'refused')
                resolve(value);
        });
    });
    return (seconds) => {
        const late = new Promise((resolve) => setTimeout(() => resolve(undefined), seconds * 1000).unref());
        return Promise.race([settled, late]);
    };
}
function report(outcome, sealed, sending, json) {
    const { fee, expiry } = sealed.transaction;
    if (outcome === undefined)
        return tell(json, EXIT.no, {
            status: 'unconfirmed',
            transaction: sealed.id,
            reason: `not in a block after ${sending.waitSeconds} s; it may still be confirmed until block ${expiry}`,
        });
    const { status, code, message, height } = outcome;
    if (status === 'refused')
        return tell(json, EXIT.no, {
            status,
            transaction: sealed.id,
            reason: `${code}: ${message}${REMEDIES[code] ?? ''}`,
        });
    return tell(json, EXIT.ok, { status, transaction: sealed.id, height, fee });
}
function tell(json, code, outcome) {
    if (json)
        process.stdout.write(`${JSON.stringify(outcome)}\n`);
    else
        process.stdout.write(`${Object.entries(outcome)
            .map(([key, value]) => `${key === 'status' || key === 'reason' ? '' : `${key} `}${value}`)
            .join(', ')}\n`);
    return code;
}
//# sourceMappingURL=send.js.map