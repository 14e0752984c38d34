/** Opens and closes channels by hand: `pinledger channel open` and `close`, and what `buy readings` begins with. */
import { formatCoins } from '../ledger/amount.ts'
import type { ChannelLog } from '../node/channel/channel-log.ts'
import { chainSeed } from '../node/channel/proof.ts'
import { openMemo, type Purchase } from '../node/channel/records.ts'
import { CHAIN_STEPS_MAX, type WordChain, wordChain } from '../node/channel/words.ts'
import { WorldError } from '../node/error.ts'
import type { Log } from '../node/log.ts'
import type { Signer } from '../node/signing.ts'
import { type Account, type Hash, short, ZERO_HASH } from '../schemas/hex.ts'
import { EXIT } from './exit.ts'
import { findOffer } from './offers.ts'
import { type Sending, sendCommand } from './send.ts'
import { Sender, type Where } from './sender.ts'

const NEVER = 0xffffffff

export interface OpenOrder extends Pick<Sending, 'fee' | 'network' | 'waitSeconds'> {
  readonly seller: Account
  readonly sensor: string
  /** Smallest units. */
  readonly price: number
  readonly deposit: number
  readonly delay: number
  readonly mode: 'payword' | 'signed'
}

/** The hash chain of a purchase; undefined for one that is paid by signatures. */
export const chainOf = (
  network: Parameters<typeof chainSeed>[0],
  signer: Signer,
  { number, steps }: Pick<Purchase, 'number' | 'steps'>,
): WordChain | undefined => (steps === 0 ? undefined : wordChain(chainSeed(network, signer, number), steps))

/**
 * Refuses a price below what the seller asks for in its signed offer: it would serve no reading, and the coins would be locked up for
 * nothing. Without an offer nobody can say. Throws WorldError `usage`.
 */
export async function checkPrice(
  where: Where,
  { seller, sensor, price, network }: Pick<OpenOrder, 'seller' | 'sensor' | 'price' | 'network'>,
  log: Log,
): Promise<void> {
  const found = await findOffer(where, { of: seller, kind: 'readings', item: sensor }, network, log)
  if (!found.ok) {
    if (found.fault.code === 'ambiguous') throw new WorldError('usage', found.fault.message)
    return
  }
  const offered = found.value.item.price
  if (price >= offered) return
  const asks = `${short(seller)} asks for ${formatCoins(offered)} a reading of ${sensor}`
  throw new WorldError('usage', `--price: ${asks}, and serves none for ${formatCoins(price)}`)
}

/** Opens a channel and waits until it is on the ledger; exit codes of `sendCommand`. */
export async function openChannel(
  where: Where,
  signer: Signer,
  log: ChannelLog,
  order: OpenOrder,
  json: boolean,
  warnings: Log,
): Promise<number> {
  const { seller, sensor, price, deposit, delay, mode, network: wanted, ...rest } = order
  const steps = mode === 'payword' ? Math.floor(deposit / price) : 0
  if (deposit < price) throw new WorldError('usage', '--deposit: at least the price of a reading')
  if (steps > CHAIN_STEPS_MAX)
    throw new WorldError(
      'usage',
      `--deposit: coins for at most ${CHAIN_STEPS_MAX} readings with --mode payword`,
    )
  // The chain's words depend on the network, so that has to be known before anything is signed.
  const sender = new Sender(where, signer, wanted, warnings)
  const { network, height } = await sender.start().finally(() => sender.stop())
  let number = 0
  do number = Math.floor(Math.random() * 2 ** 48)
  while (log.books.purchases.has(number))
  const chain = chainOf(network, signer, { number, steps })
  const plan = { number, seller, sensor, price, deposit, delay, until: NEVER, steps, height }
  log.write([{ type: 'planned', ...plan }])
  log.flush()
  const memo = openMemo(sensor, number)
  const words = { anchor: chain?.anchor ?? ZERO_HASH, step: chain === undefined ? 0 : price }
  const draft = {
    type: 'channelOpen',
    to: seller,
    amount: deposit,
    delay,
    until: NEVER,
    ...words,
    memo,
  } as const
  const doing = `opening a channel with ${formatCoins(deposit)} to ${short(seller)} for ${sensor}`
  const onSealed: Sending['onSealed'] = ({ id }) => {
    log.write([{ type: 'opened', number, channel: id }])
    log.flush()
  }
  const sending = { draft, doing, onSealed, network: network.genesisHash, ...rest }
  return sendCommand(where, signer, sending, json, warnings)
}

/** Wishes to close a channel, or closes it; exit codes of `sendCommand`. */
export async function closeChannel(
  where: Where,
  signer: Signer,
  channel: Hash,
  order: Pick<Sending, 'fee' | 'network' | 'waitSeconds'>,
  json: boolean,
  log: Log,
): Promise<number> {
  const draft = { type: 'channelClose', channel } as const
  const code = await sendCommand(
    where,
    signer,
    { draft, doing: `closing channel ${channel}`, ...order },
    json,
    log,
  )
  if (code === EXIT.ok && !json)
    process.stdout.write(
      'its payee may claim until its delay is over, and can close it before; then close it once more\n',
    )
  return code
}
