/**
 * What a transaction does to the state, type by type: the registry of effects.
 *
 * A transaction is applied whole or not at all: every check comes before the first write.
 * Source: docs/PROTOCOL.md section 3.
 */
import { short } from '../schemas/hex.js';
import { accept } from '../schemas/result.js';
import { TYPE_NUMBERS } from '../schemas/transaction.js';
import { addAmounts } from './amount.js';
import { applyClaim, applyClose, applyOpen, checkClaim, checkClose, WORD_SIGNATURES } from './channel.js';
import { faulty } from './fault.js';
import { checkHashlockClaim, checkHashlockRefund, takeHashlock } from './hashlock.js';
import { checkMembership } from './membership.js';
import { add, earn } from './split.js';
import { KIND } from './state.js';
import { feeFloorFor } from './transaction.js';
/** What most types do: one signature, nothing spent, no readings. */
const plain = { signatures: () => 1, spends: () => 0, readings: () => 0, apply: () => { } };
const EFFECTS = {
    transfer: { ...plain, spends: (tx) => tx.amount, apply: (view, tx) => earn(view, tx.to, tx.amount) },
    reading: { ...plain, readings: () => 1 },
    batch: { ...plain, readings: (tx) => tx.count },
    admission: {
        ...plain,
        needs: (tx) => ({ kind: KIND.member, key: tx.member }),
        check: checkMembership,
        apply: (view, tx, { height }) => view.setMember(tx.member, height),
    },
    revocation: {
        ...plain,
        needs: (tx) => ({ kind: KIND.member, key: tx.member }),
        check: checkMembership,
        apply: (view, tx) => view.setMember(tx.member, undefined),
    },
    channelOpen: { ...plain, spends: (tx) => tx.amount, apply: (view, tx, _, id) => applyOpen(view, id, tx) },
    channelClaim: {
        ...plain,
        signatures: ({ proof }) => 1 + (proof.type === 'signed' ? 1 : WORD_SIGNATURES),
        needs: (tx) => ({ kind: KIND.channel, key: tx.channel }),
        check: checkClaim,
        apply(view, tx) {
            const { to, earns } = applyClaim(view, tx);
            earn(view, to, earns);
        },
    },
    channelClose: {
        ...plain,
        timed: true,
        needs: (tx) => ({ kind: KIND.channel, key: tx.channel }),
        check: (_, state, tx, { height }) => checkClose(state, tx, height),
        apply(view, tx, { height }) {
            const closed = applyClose(view, tx, height);
            if (closed !== undefined)
                add(view, closed.to, closed.returns);
        },
    },
    hashlock: {
        ...plain,
        spends: (tx) => tx.amount,
        apply(view, { from, to, amount, lock, height, time }, _, id) {
            view.setHashlock(id, { from, to, amount, lock, height, time });
        },
    },
    hashlockClaim: {
        ...plain,
        timed: true,
        needs: (tx) => ({ kind: KIND.hashlock, key: tx.hashlock }),
        check: checkHashlockClaim,
        apply(view, tx) {
            const { to, amount } = takeHashlock(view, tx);
            earn(view, to, amount);
        },
    },
    hashlockRefund: {
        ...plain,
        timed: true,
        needs: (tx) => ({ kind: KIND.hashlock, key: tx.hashlock }),
        check: (_, state, tx, at) => checkHashlockRefund(state, tx, at),
        apply(view, tx) {
            const { from, amount } = takeHashlock(view, tx);
            add(view, from, amount);
        },
    },
    split: {
        ...plain,
        // Each key that it names costs a part of a signature to check.
        signatures: ({ shares }) => (shares.length === 0 ? 1 : 2),
        apply: (view, tx) => view.setSplit(tx.from, tx.shares),
    },
};
const effectOf = (tx) => EFFECTS[tx.type];
/** Smallest units that leave the sender, fee included; undefined above 2^53 - 1. */
export const spendOf = (tx) => addAmounts(effectOf(tx).spends(tx), tx.fee);
export const signaturesOf = (tx) => effectOf(tx).signatures(tx);
export const readingsOf = (tx) => effectOf(tx).readings(tx);
/** The entry whose change can make it impossible while it waits; undefined: only its sender's account. */
export const neededBy = (tx) => effectOf(tx).needs?.(tx);
/** Whether height or time alone can make it impossible, or possible, while it waits. */
export const isTimed = (tx) => effectOf(tx).timed === true;
/** Rules that depend on the height and the miner but not on the sender's account. */
export function checkInContext(network, { transaction: tx, bytes }, context) {
    const number = TYPE_NUMBERS[tx.type];
    const activation = network.genesis.activations.find(({ type }) => type === number);
    if (activation === undefined || context.height < activation.height) {
        return { code: 'type-not-active', message: `type: ${tx.type} is not active at height ${context.height}` };
    }
    if (tx.expiry < context.height) {
        return { code: 'expired', message: `expiry: height ${tx.expiry} is past, the block is ${context.height}` };
    }
    const floor = feeFloorFor(network, bytes.length);
    if (tx.fee < floor && tx.from !== context.miner) {
        return { code: 'fee-too-low', message: `fee: at least ${floor} for ${bytes.length} bytes, got ${tx.fee}` };
    }
    return undefined;
}
/** Rules of a transaction's type that depend on the state; whoever lets transactions wait has to ask, or one that can never be mined keeps the later ones waiting. */
export const checkOnState = (network, state, tx, at) => effectOf(tx).check?.(network, state, tx, at);
/** Applies a transaction to the view, or says why it cannot be and leaves the view as it was. */
export function applyTransaction(network, view, sealed, context) {
    const { transaction: tx } = sealed;
    const misplaced = checkInContext(network, sealed, context);
    if (misplaced !== undefined)
        return { ok: false, fault: misplaced };
    const sender = view.account(tx.from);
    if (tx.nonce < sender.nonce)
        return faulty('nonce-too-low', `nonce: ${short(tx.from)} is at ${sender.nonce}, got ${tx.nonce}`);
    if (tx.nonce > sender.nonce)
        return faulty('nonce-gap', `nonce: ${short(tx.from)} is at ${sender.nonce}, got ${tx.nonce}`);
    const spend = spendOf(tx);
    if (spend === undefined)
        return faulty('amount-overflow', 'amount: amount and fee together exceed 2^53 - 1');
    if (spend > sender.balance) {
        return faulty('insufficient-balance', `amount: ${short(tx.from)} has ${sender.balance}, needs ${spend}`);
    }
    const impossible = checkOnState(network, view, tx, context);
    if (impossible !== undefined)
        return { ok: false, fault: impossible };
    view.setAccount(tx.from, { nonce: sender.nonce + 1, balance: sender.balance - spend });
    effectOf(tx).apply(view, tx, context, sealed.id);
    return accept({ fee: tx.fee });
}
//# sourceMappingURL=apply.js.map