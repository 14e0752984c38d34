/** Opens and closes channels by hand: `pinledger channel open` and `close`, and what `buy readings` begins with. */
import { formatCoins } from '../ledger/amount.js';
import { chainSeed } from '../node/channel/proof.js';
import { openMemo } from '../node/channel/records.js';
import { CHAIN_STEPS_MAX, wordChain } from '../node/channel/words.js';
import { WorldError } from '../node/error.js';
import { short, ZERO_HASH } from '../schemas/hex.js';
import { EXIT } from './exit.js';
import { sendCommand } from './send.js';
import { Sender } from './sender.js';
const NEVER = 0xffffffff;
/** The hash chain of a purchase; undefined for one that is paid by signatures. */
export const chainOf = (network, signer, { number, steps }) => (steps === 0 ? undefined : wordChain(chainSeed(network, signer, number), steps));
/** Opens a channel and waits until it is on the ledger; exit codes of `sendCommand`. */
export async function openChannel(where, signer, log, order, json, warnings) {
    const { seller, sensor, price, deposit, delay, mode, network: wanted, ...rest } = order;
    const steps = mode === 'payword' ? Math.floor(deposit / price) : 0;
    if (deposit < price)
        throw new WorldError('usage', '--deposit: at least the price of a reading');
    if (steps > CHAIN_STEPS_MAX)
        throw new WorldError('usage', `--deposit: coins for at most ${CHAIN_STEPS_MAX} readings with --mode payword`);
    // The chain's words depend on the network, so that has to be known before anything is signed.
    const sender = new Sender(where, signer, wanted, warnings);
    const { network, height } = await sender.start().finally(() => sender.stop());
    let number = 0;
    do
        number = Math.floor(Math.random() * 2 ** 48);
    while (log.books.purchases.has(number));
    const chain = chainOf(network, signer, { number, steps });
    const plan = { number, seller, sensor, price, deposit, delay, until: NEVER, steps, height };
    log.write([{ type: 'planned', ...plan }]);
    log.flush();
    const memo = openMemo(sensor, number);
    const words = { anchor: chain?.anchor ?? ZERO_HASH, step: chain === undefined ? 0 : price };
    const draft = {
        type: 'channelOpen',
        to: seller,
        amount: deposit,
        delay,
        until: NEVER,
        ...words,
        memo,
    };
    const doing = `opening a channel with ${formatCoins(deposit)} to ${short(seller)} for ${sensor}`;
    const onSealed = ({ id }) => {
        log.write([{ type: 'opened', number, channel: id }]);
        log.flush();
    };
    const sending = { draft, doing, onSealed, network: network.genesisHash, ...rest };
    return sendCommand(where, signer, sending, json, warnings);
}
/** Wishes to close a channel, or closes it; exit codes of `sendCommand`. */
export async function closeChannel(where, signer, channel, order, json, log) {
    const draft = { type: 'channelClose', channel };
    const code = await sendCommand(where, signer, { draft, doing: `closing channel ${channel}`, ...order }, json, log);
    if (code === EXIT.ok && !json)
        process.stdout.write('its payee may claim until its delay is over, and can close it before; then close it once more\n');
    return code;
}
//# sourceMappingURL=channel-open.js.map