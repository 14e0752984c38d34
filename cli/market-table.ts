/** Offers as text and as JSON. */
import { formatCoins } from '../ledger/amount.ts'
import { harmless } from '../node/log.ts'
import { short } from '../schemas/hex.ts'
import { type OfferItem, offerItem } from '../schemas/offer.ts'
import type { QualityPast } from '../schemas/quality.ts'
import { type Listing, perKilobyte, unitOf } from './listings.ts'
import type { LeftOut } from './offers.ts'

const COLUMNS = [
  'seller',
  'account',
  'kind',
  'item',
  'unit',
  'every',
  'price',
  'score',
  'past',
  'online',
  'place',
  'terms',
] as const
/** A line per item, under a line with the names of the columns. */
export function table(listings: readonly Listing[]): string {
  const rows = [[...COLUMNS], ...listings.map(row)]
  const widths = COLUMNS.map((_, at) => Math.max(...rows.map((cells) => [...(cells[at] ?? '')].length)))
  const line = (cells: readonly string[]): string =>
    cells.map((cell, at) => cell + ' '.repeat((widths[at] ?? 0) - [...cell].length)).join('  ')
  return rows.map((cells) => `${line(cells).trimEnd()}\n`).join('')
}

function row({ name, seller, item, online, score }: Listing): string[] {
  return [
    name,
    short(seller),
    item.type,
    item.name,
    unitOf(item) || '-',
    'everyMs' in item ? every(item.everyMs) : '-',
    `${formatCoins(item.price)} ${FOR[item.type](item)}`,
    score === undefined ? '-' : `${score.score} (${score.neighbours})`,
    past(score?.past ?? null),
    online === undefined ? '?' : online ? 'yes' : 'no',
    item.place || '-',
    terms(item),
  ].map(harmless)
}

const FOR: { readonly [K in OfferItem['type']]: (item: OfferItem) => string } = {
  readings: () => 'a reading',
  topic: () => 'a minute',
  output: () => 'a minute',
  file: (item) => {
    const each = perKilobyte(item)
    const bytes = `for ${'bytes' in item ? item.bytes : 0} bytes`
    return each === undefined ? bytes : `${bytes}, ${formatCoins(each)} a kB`
  },
}

/** The lowest score of the days that had readings, and how many those are. */
function past(days: QualityPast | null): string {
  if (days === null) return '-'
  const scores = days.scores.filter((score) => score !== null)
  return `${scores.length === 0 ? '-' : Math.min(...scores)} in ${days.readings.filter((count) => count > 0).length} d`
}

const every = (ms: number): string => (ms === 0 ? 'change' : duration(ms / 1000))

const duration = (seconds: number): string =>
  seconds < 120
    ? `${seconds} s`
    : seconds < 7200
      ? `${round(seconds / 60)} min`
      : `${round(seconds / 3600)} h`
const round = (value: number): number => Math.round(value * 10) / 10

/** What the seller says, and the limits that hold for a purchase. */
function terms(item: OfferItem): string {
  const limits = []
  if ('secondsMin' in item) limits.push(`${duration(item.secondsMin)} to ${duration(item.secondsMax)}`)
  limits.push(`${item.confirmations} confirmation${item.confirmations === 1 ? '' : 's'}`)
  if (item.type === 'topic' && item.freeEveryMs > 0)
    limits.push(`free every ${duration(item.freeEveryMs / 1000)}`)
  return [...limits, ...(item.terms === '' ? [] : [item.terms])].join(', ')
}

/** One object for machines; prices are smallest units. */
export const asJson = (listings: readonly Listing[], leftOut: readonly LeftOut[]) => ({
  offers: listings.map(({ network, seller, name, item, online, score, time, until }) => ({
    network: network.id,
    seller: { account: seller, name },
    item: offerItem.toJson(item),
    online: online ?? null,
    score: score?.score ?? null,
    neighbours: score?.neighbours ?? null,
    past: score?.past ?? null,
    perKilobyte: perKilobyte(item) ?? null,
    time,
    until,
  })),
  leftOut,
})

/** How many were left out for which reason, and with `all` each of them. */
export function describeLeftOut(leftOut: readonly LeftOut[], all: boolean): string {
  if (leftOut.length === 0) return ''
  const counts = new Map<string, number>()
  for (const { code } of leftOut) counts.set(code, (counts.get(code) ?? 0) + 1)
  const why = [...counts].map(([code, count]) => `${count} ${code}`).join(', ')
  const head = `left out: ${why}`
  if (!all) return `${head} (-v says more)\n`
  const lines = leftOut.map(
    ({ publisher, code, message }) => `  ${short(publisher)}: ${code}, ${harmless(message)}\n`,
  )
  return `${head}\n${lines.join('')}`
}
