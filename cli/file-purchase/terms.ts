/**
 * What a buyer agrees to: pure rules about the quote and the chain's height.
 *
 * The height comes from validators that may be anybody. One that is too low makes a deadline that the seller refuses, and the coins
 * come back soon; one that is too high would lock them for long. So of the tips that are fresh the lowest counts, and none that is
 * far above what the network's age allows.
 */
import { formatCoins } from '../../ledger/amount.ts'
import type { Network } from '../../ledger/network.ts'
import type { Quote } from '../../schemas/file-message.ts'
import type { Tip } from '../../schemas/message.ts'
import { accept, type Result, refuse } from '../../schemas/result.ts'

/** A tip of so many intervals ago is not fresh: its validator is behind, or gone. */
const FRESH_INTERVALS = 60
/** A validator's clock may be ahead. */
const AHEAD_MS_MAX = 300_000
/** Blocks that a network may have above what its interval makes of its age: the first ones can be quick. */
const HEIGHT_SLACK = 1_000
/** So much may be left of a quote's time, at least, when it is paid. */
const QUOTE_LEFT_MS = 10_000

export interface Wish {
  /** Smallest units; undefined: only to see what it costs. */
  readonly coinsMax: number | undefined
  /** The longest that coins may be locked. */
  readonly hoursMax: number
}

export interface TermsFault {
  readonly code: 'too-dear' | 'too-long' | 'stale-quote' | 'no-tip'
  readonly message: string
}

const no = (code: TermsFault['code'], message: string) => refuse({ code, message })

/** Why a quote is not taken. */
export function checkQuote(
  { genesis }: Pick<Network, 'genesis'>,
  { price, blocks, minutes, until }: Quote,
  { coinsMax, hoursMax }: Wish,
  nowMs: number,
): Result<true, TermsFault> {
  if (coinsMax === undefined)
    return no(
      'too-dear',
      `it costs ${formatCoins(price)} coins: to buy it, add  --max-coins ${formatCoins(price)}`,
    )
  if (price > coinsMax)
    return no('too-dear', `it costs ${formatCoins(price)} coins, more than ${formatCoins(coinsMax)}`)
  const hours = Math.max((blocks * genesis.interval) / 3_600_000, minutes / 60)
  if (hours > hoursMax)
    return no(
      'too-long',
      `coins would be locked for ${hours.toFixed(1)} hours, more than ${hoursMax}: see --hours-max`,
    )
  if (until - nowMs >= QUOTE_LEFT_MS) return accept(true)
  return no('stale-quote', 'the quote is good for no longer; if it is new, compare the clocks')
}

/** The tip to count from. */
export function trustedTip(
  { genesis }: Pick<Network, 'genesis'>,
  tips: Iterable<Tip>,
  nowMs: number,
): Result<Tip, TermsFault> {
  const { interval, time } = genesis
  const heightMax = (2 * Math.max(0, nowMs - time)) / interval + HEIGHT_SLACK
  let lowest: Tip | undefined
  for (const tip of tips) {
    const ageMs = nowMs - tip.time
    if (ageMs > FRESH_INTERVALS * interval || ageMs < -AHEAD_MS_MAX || tip.height > heightMax) continue
    if (lowest === undefined || tip.height < lowest.height) lowest = tip
  }
  if (lowest !== undefined) return accept(lowest)
  const minutes = Math.ceil((FRESH_INTERVALS * interval) / 60_000)
  return no(
    'no-tip',
    `no validator tells of a block of the last ${minutes} minutes: nothing would be confirmed`,
  )
}
