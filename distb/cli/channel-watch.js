/**
 * `pinledger channel watch`: claims for payees that are away. Their best proofs are retained on `claim/`; when a channel is closing and
 * a proof is worth more than the ledger has paid, it is sent to the ledger. The payee is paid, the watcher pays the fee.
 *
 * What is on the topic may be anybody's: a proof counts only by the ledger's own rules, on the entry that a validator tells of.
 */
import { formatCoins } from '../ledger/amount.js';
import { checkAuthorisation, checkProof } from '../ledger/channel.js';
import { channelEntry, KIND } from '../ledger/state.js';
import { isClosing } from '../node/channel/payee.js';
import { nextClaim } from '../node/channel/proof.js';
import { CLAIM_NOTICE_BYTES_MAX, claimNotice } from '../schemas/channel-message.js';
import { decode } from '../schemas/codec.js';
import { short } from '../schemas/hex.js';
import { everyone } from '../schemas/topic.js';
import { EXIT } from './exit.js';
import { sendCommand } from './send.js';
import { Sender } from './sender.js';
import { askEntry } from './state-entry.js';
/** Channels that are watched at most: anybody may publish proofs of channels that are not there. */
const WATCHED_MAX = 10_000;
/** Channels that a validator is asked about in one round, and how often: it answers 10 questions a second. */
const ROUND_MAX = 40;
const ROUND_MS = 5_000;
/** What to claim for a payee that is away; undefined: nothing, or not yet. */
export function claimFor(network, channel, entry, proof, { height, patience }) {
    if (entry === undefined || !isClosing(entry, height))
        return undefined;
    // The payee first: it has the first part of the delay for itself.
    if (entry.closing - height > entry.delay * (1 - patience))
        return undefined;
    const next = nextClaim(entry, proof);
    if (next === undefined || checkProof(network.hashing, entry, next) !== undefined)
        return undefined;
    return checkAuthorisation(network, { channel, proof: next }) === undefined
        ? next
        : undefined;
}
/** Runs until the signal is aborted. `patience`: share of a delay that payees have for themselves. */
export async function watchChannels(where, signer, { network, patience, json, }, { signal, log, say }) {
    const proofs = new Map();
    while (!signal.aborted) {
        const claims = await look(where, signer, network, patience, proofs, log);
        for (const { id, channel, proof, entry } of claims) {
            say({ event: 'claims', channel, payee: entry.to }, `claims on ${channel} for ${short(entry.to)}`);
            const doing = `claiming for ${short(entry.to)}, which had ${formatCoins(entry.paid)} of ${formatCoins(entry.amount)},`;
            const sending = {
                draft: { type: 'channelClaim', channel, proof },
                doing,
                fee: undefined,
                network: id,
            };
            await sendCommand(where, signer, { ...sending, waitSeconds: 60 }, json, log);
        }
        if (claims.length === 0)
            await pause(ROUND_MS, signal);
    }
    return EXIT.ok;
}
/** One round: hears what is retained, asks about it, and finds what is to be claimed. */
async function look(where, signer, wanted, patience, proofs, log) {
    const sender = new Sender(where, signer, wanted, log);
    try {
        const place = await sender.start();
        const { network } = place;
        sender.onMessage(({ kind, rest, json }, payload) => {
            const channel = rest[0];
            if (kind !== 'claim' || json || channel === undefined)
                return;
            const decoded = decode(claimNotice, payload, CLAIM_NOTICE_BYTES_MAX);
            if (!decoded.ok || decoded.value.channel !== channel)
                proofs.delete(channel);
            else if (proofs.size < WATCHED_MAX || proofs.has(channel))
                proofs.set(channel, decoded.value.proof);
        });
        sender.session.subscribe([everyone(network.id, 'claim')]);
        await pause(500);
        const found = [];
        for (const [channel, proof] of [...proofs].slice(0, ROUND_MAX)) {
            // To the end of the queue, so that all have their turn.
            proofs.delete(channel);
            proofs.set(channel, proof);
            const question = { kind: KIND.channel, key: channel, codec: channelEntry };
            const { value: entry, height } = await askEntry(sender, place, question);
            const claim = claimFor(network, channel, entry, proof, { height: height + 1, patience });
            if (claim !== undefined && entry !== undefined)
                found.push({ id: network.genesisHash, channel, proof: claim, entry });
        }
        return found;
    }
    finally {
        await sender.stop();
    }
}
const pause = (ms, signal) => new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve();
    });
});
//# sourceMappingURL=channel-watch.js.map