/** What is offered, searched and sorted: pure, for `pinledger market` and for who buys. */
import type { Network } from '../ledger/network.ts'
import { type Account, accountText, short } from '../schemas/hex.ts'
import type { OfferItem, OfferKind } from '../schemas/offer.ts'
import type { QualityPast } from '../schemas/quality.ts'
import { accept, type Result, refuse } from '../schemas/result.ts'

/** A validator's opinion of a sensor. */
export interface Score {
  /** 0 to 100. */
  readonly score: number
  /** Devices that it was compared with. */
  readonly neighbours: number
  /** What it was on earlier days; null: that validator remembers none. */
  readonly past: QualityPast | null
}

/** One item of one seller's offer, which was checked. */
export interface Listing {
  readonly network: Network
  readonly seller: Account
  /** The seller in its own words: not unique, and not proof of anything. */
  readonly name: string
  readonly item: OfferItem
  /** By its status on the broker; undefined: nobody says. */
  readonly online: boolean | undefined
  /** The middle of what validators say; undefined: nothing. */
  readonly score: Score | undefined
  /** When the offer was made, and from when on it is stale: Unix milliseconds. */
  readonly time: number
  readonly until: number
}

/** What somebody wants to buy. */
export interface Wanted {
  /** The seller's account, its first 8 or more digits, or the name that it gives itself. */
  readonly of: string
  readonly kind: OfferKind
  /** Of the sensor, output or file. */
  readonly item: string
}

export interface LookupFault {
  readonly code: 'no-such-seller' | 'no-such-item' | 'ambiguous'
  /** With what there is instead. */
  readonly message: string
}

const LISTED_MAX = 8
const some = (texts: readonly string[]): string =>
  texts.slice(0, LISTED_MAX).join(', ') + (texts.length > LISTED_MAX ? ', ...' : '')

const ACCOUNT_START = /^[0-9a-f]{8,64}$/

/** Whether a seller is meant by its account, the start of it, or its name. Nobody can go by the name of a whole account. */
export const isMeant = ({ seller, name }: Pick<Listing, 'seller' | 'name'>, of: string): boolean =>
  accountText.safeParse(of).success
    ? seller === of
    : name === of || (ACCOUNT_START.test(of) && seller.startsWith(of))

/** The one listing that is wanted. Two sellers that fit are a fault: a name is nobody's own. */
export function pick(listings: readonly Listing[], { of, kind, item }: Wanted): Result<Listing, LookupFault> {
  const no = (code: LookupFault['code'], message: string) => refuse({ code, message })
  const meant = listings.filter((listing) => isMeant(listing, of))
  if (meant.length === 0) {
    const sellers = [...new Set(listings.map(({ name, seller }) => `${name} (${short(seller)})`))]
    const there = sellers.length === 0 ? 'nobody offers anything' : `there are ${some(sellers)}`
    return no('no-such-seller', `no good offer of ${of}: ${there}`)
  }
  const sellers = [...new Set(meant.map(({ seller }) => seller))]
  if (sellers.length > 1) return no('ambiguous', `${of} may be any of ${some(sellers)}: say which by account`)
  const found = meant.filter((listing) => listing.item.type === kind && listing.item.name === item)
  const [first] = found
  if (first === undefined) {
    const items = [...new Set(meant.map(({ item: { type, name } }) => `${type} ${name}`))]
    return no('no-such-item', `${of} does not offer ${kind} ${item}: it offers ${some(items)}`)
  }
  const networks = [...new Set(found.map(({ network }) => network.id))]
  return networks.length > 1
    ? no('ambiguous', `${of} offers it on networks ${some(networks)}: say which by --network`)
    : accept(first)
}

export interface Search {
  /** Each has to be in the seller's name or account, or the item's name, kind, unit, place or terms; case does not count. */
  readonly words?: readonly string[]
  readonly unit?: string | undefined
  readonly kind?: OfferKind | undefined
  readonly of?: string | undefined
  /** Smallest units. */
  readonly maxPrice?: number | undefined
}

export const SORTS = ['name', 'price', 'score'] as const
export type Sort = (typeof SORTS)[number]

export function search(listings: readonly Listing[], query: Search, sort: Sort = 'name'): Listing[] {
  const { words = [], unit, kind, of, maxPrice } = query
  const found = listings.filter((listing) => {
    const { item } = listing
    if (unit !== undefined && unitOf(item) !== unit) return false
    if (kind !== undefined && item.type !== kind) return false
    if (of !== undefined && !isMeant(listing, of)) return false
    if (maxPrice !== undefined && item.price > maxPrice) return false
    const text = [listing.name, listing.seller, item.type, item.name, unitOf(item), item.place, item.terms]
      .join('\n')
      .toLowerCase()
    return words.every((word) => text.includes(word.toLowerCase()))
  })
  return found.sort((a, b) => ORDER[sort](a, b) || ORDER.name(a, b))
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const ORDER: Readonly<Record<Sort, (a: Listing, b: Listing) => number>> = {
  name: (a, b) =>
    compare(a.name, b.name) ||
    compare(a.seller, b.seller) ||
    compare(a.item.name, b.item.name) ||
    compare(a.item.type, b.item.type),
  /** A price for a reading and one for a minute cannot be compared, so kinds stay together. */
  price: (a, b) => compare(a.item.type, b.item.type) || a.item.price - b.item.price,
  /** The best first, then those that were compared with the most others; those without one last. */
  score: (a, b) =>
    (b.score?.score ?? -1) - (a.score?.score ?? -1) ||
    (b.score?.neighbours ?? 0) - (a.score?.neighbours ?? 0),
}

/** Smallest units for 1000 bytes of a file, rounded up; undefined for what is no file or is empty. */
export const perKilobyte = (item: OfferItem): number | undefined =>
  item.type === 'file' && item.bytes > 0 ? Math.ceil((item.price * 1_000) / item.bytes) : undefined

export const unitOf = (item: OfferItem): string => ('unit' in item ? item.unit : '')

/** The middle opinion, of two the lower: one validator alone cannot praise. */
export function median(scores: readonly Score[]): Score | undefined {
  const sorted = [...scores].sort((a, b) => a.score - b.score)
  return sorted[Math.floor((sorted.length - 1) / 2)]
}
