/**
 * What a stretch of time costs, by the seller's signed offer: for `pinledger buy output` and `pinledger buy topic`.
 *
 * The offer may be half an hour old: what the payment buys is decided by the seller when it comes.
 */
import { priceOf } from '../edge-agent/sale/settlement.ts'
import { formatCoins } from '../ledger/amount.ts'
import { WorldError } from '../node/error.ts'
import { harmless, type Log } from '../node/log.ts'
import type { Account, Hash } from '../schemas/hex.ts'
import type { OfferKind } from '../schemas/offer.ts'
import type { ItemKind } from '../schemas/receipt-memo.ts'
import { accept, type Result, refuse } from '../schemas/result.ts'
import type { Listing } from './listings.ts'
import { findOffer } from './offers.ts'
import type { Where } from './sender.ts'

export interface TimeWish {
  /** Whole seconds, 1 or more. */
  readonly seconds: number
  /** Smallest units that it may cost, without the fee; undefined: whatever is offered. */
  readonly coinsMax: number | undefined
}

export interface TimedPrice {
  readonly seller: Account
  /** The seller in its own words. */
  readonly name: string
  /** Genesis hash of the network that the offer is for. */
  readonly network: Hash
  readonly seconds: number
  /** Smallest units. */
  readonly perMinute: number
  readonly amount: number
}

export interface TimedFault {
  /** `not-timed`: it is not sold by time. */
  readonly code: 'offline' | 'not-timed' | 'too-short' | 'too-long' | 'too-dear'
  readonly message: string
}

const OFFERED: Readonly<Record<ItemKind, OfferKind>> = { on: 'output', topic: 'topic' }

export function priceTime(
  { seller, name, network, item, online }: Pick<Listing, 'seller' | 'name' | 'network' | 'item' | 'online'>,
  { seconds, coinsMax }: TimeWish,
): Result<TimedPrice, TimedFault> {
  const who = harmless(name)
  const no = (code: TimedFault['code'], message: string) => refuse({ code, message })
  if (online === false)
    return no('offline', `${who} is offline and would answer once it is back: --coins pays it nevertheless`)
  if (!('secondsMin' in item)) return no('not-timed', `${who} does not sell ${item.name} by time`)
  const { price: perMinute, secondsMin, secondsMax } = item
  if (seconds < secondsMin)
    return no('too-short', `${who} sells ${secondsMin} s of ${item.name} at least, not ${seconds} s`)
  if (seconds > secondsMax)
    return no('too-long', `${who} sells ${secondsMax} s of ${item.name} at most, not ${seconds} s`)
  const amount = priceOf(seconds, perMinute)
  // A seller may ask for more than there can be.
  const most = Math.min(coinsMax ?? Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
  if (amount > most)
    return no('too-dear', `${seconds} s cost ${formatCoins(amount)} coins, more than ${formatCoins(most)}`)
  return accept({ seller, name, network: network.genesisHash, seconds, perMinute, amount })
}

/** What is wanted, of the one seller that is meant. Throws WorldError `usage` when there is no such offer, or not for so long. */
export async function findTimedPrice(
  where: Where,
  { of, kind, name }: { readonly of: string; readonly kind: ItemKind; readonly name: string },
  wish: TimeWish,
  network: string | undefined,
  log: Log,
): Promise<Result<TimedPrice, TimedFault>> {
  const found = await findOffer(where, { of, kind: OFFERED[kind], item: name }, network, log)
  if (!found.ok) {
    const hint = found.fault.code === 'ambiguous' ? '' : '; or say what you pay with --coins'
    throw new WorldError('usage', found.fault.message + hint)
  }
  const priced = priceTime(found.value, wish)
  if (!priced.ok && priced.fault.code !== 'too-dear') throw new WorldError('usage', priced.fault.message)
  return priced
}
