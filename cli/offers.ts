/**
 * The offers on a broker: what is signed by its seller for this network and still good, and what was left out and why.
 *
 * A genesis counts only if its bytes hash to the network's name; offers are checked against it. Who is online and how
 * plausible readings are is what others say, and nothing rests on it.
 */
import { createNetwork, type Network } from '../ledger/network.ts'
import { checkOffer, type OfferFault } from '../ledger/offer.ts'
import type { Log } from '../node/log.ts'
import { hashing, signatures } from '../node/signing.ts'
import { decode } from '../schemas/codec.ts'
import { GENESIS_BYTES_MAX, genesis as genesisCodec } from '../schemas/genesis.ts'
import type { Account, Network as NetworkId } from '../schemas/hex.ts'
import { quality } from '../schemas/quality.ts'
import { type Result, refuse } from '../schemas/result.ts'
import { ROOT } from '../schemas/topic.ts'
import { type Listing, type LookupFault, median, pick, type Score, type Wanted } from './listings.ts'
import { parseJson, readTopics, type TopicMessage } from './reader.ts'
import type { Where } from './sender.ts'

/** Sellers that are looked at: on a broker without access rules anybody may be any number of them. */
const SELLERS_MAX = 2_000
const NETWORKS_MAX = 16
/** Validators that are asked for their opinion of one device. */
const OPINIONS_MAX = 16

export interface LeftOut {
  readonly network: NetworkId
  readonly publisher: Account
  /** `unknown-network`: nobody tells of its genesis. `too-many`: others were first. */
  readonly code: OfferFault['code'] | 'unknown-network' | 'too-many'
  readonly message: string
}

export interface Market {
  readonly listings: readonly Listing[]
  readonly leftOut: readonly LeftOut[]
}

/**
 * Reads every offer that the broker keeps. `network`: genesis hash, or its first 8 digits, of the only network that counts.
 * Rejects with WorldError `broker-unreachable`.
 */
export async function readMarket(
  where: Where,
  network: string | undefined,
  log: Log,
  now: () => number = Date.now,
): Promise<Market> {
  const heard = new Heard(network)
  const below = `${ROOT}/${network?.slice(0, 8) ?? '+'}`
  const filters = [
    `${below}/genesis/+`,
    `${below}/offer/+`,
    `${below}/status/+/json`,
    `${below}/quality/+/+/json`,
  ]
  await readTopics(where, filters, log, (message) => heard.take(message))
  return heard.market(now())
}

/** The one item that is meant: for commands that buy. The fault says what there is instead. */
export async function findOffer(
  where: Where,
  wanted: Wanted,
  network: string | undefined,
  log: Log,
): Promise<Result<Listing, LookupFault>> {
  const { listings, leftOut } = await readMarket(where, network, log)
  const found = pick(listings, wanted)
  if (found.ok || leftOut.length === 0) return found
  const why = [...new Set(leftOut.map(({ code }) => code))].join(', ')
  return refuse({
    ...found.fault,
    message: `${found.fault.message} (offers left out: ${leftOut.length}, ${why}; see pinledger market -v)`,
  })
}

/** What a broker keeps, as it comes. */
export class Heard {
  readonly #wanted: string | undefined
  readonly #networks = new Map<NetworkId, Network>()
  readonly #offers = new Map<
    string,
    { readonly network: NetworkId; readonly publisher: Account; readonly bytes: Uint8Array }
  >()
  readonly #online = new Map<string, boolean>()
  readonly #scores = new Map<string, Score[]>()
  readonly #tooMany = new Map<string, LeftOut>()

  constructor(wanted?: string) {
    this.#wanted = wanted
  }

  take({ topic: { kind, network, publisher, rest, json }, payload }: TopicMessage): void {
    const key = `${network} ${publisher}`
    if (kind === 'genesis' && !json) this.#genesis(network, payload)
    else if (kind === 'offer' && !json) this.#offer(key, network, publisher, payload)
    else if (kind === 'status' && json && (this.#online.has(key) || this.#online.size < SELLERS_MAX))
      this.#online.set(key, isOnline(parseJson(payload)))
    else if (kind === 'quality' && json) this.#quality(network, rest[0] ?? '', parseJson(payload))
  }

  market(nowMs: number): Market {
    const listings: Listing[] = []
    const leftOut: LeftOut[] = [...this.#tooMany.values()]
    for (const [key, { network: id, publisher, bytes }] of this.#offers) {
      const network = this.#networks.get(id)
      if (network === undefined) {
        const message = `nobody on this broker tells of the genesis of network ${this.#wanted ?? id}`
        leftOut.push({ network: id, publisher, code: 'unknown-network', message })
        continue
      }
      const checked = checkOffer(network, bytes, publisher, nowMs)
      if (!checked.ok) {
        leftOut.push({ network: id, publisher, ...checked.fault })
        continue
      }
      const { name, time, until, items } = checked.value
      for (const item of items) {
        const measured = item.type === 'readings' || item.type === 'topic'
        listings.push({
          network,
          seller: publisher,
          name,
          time,
          until,
          online: this.#online.get(key),
          item,
          score: measured ? median(this.#scores.get(`${key} ${item.name}`) ?? []) : undefined,
        })
      }
    }
    return { listings, leftOut }
  }

  #genesis(id: NetworkId, payload: Uint8Array): void {
    if (this.#networks.has(id) || this.#networks.size >= NETWORKS_MAX) return
    const decoded = decode(genesisCodec, payload, GENESIS_BYTES_MAX)
    const network = decoded.ok ? createNetwork(decoded.value, { hashing, signatures }) : undefined
    if (network?.ok !== true || network.value.id !== id) return
    if (this.#wanted === undefined || network.value.genesisHash.startsWith(this.#wanted))
      this.#networks.set(id, network.value)
  }

  #offer(key: string, network: NetworkId, publisher: Account, bytes: Uint8Array): void {
    // Empty: it was taken back while we listened.
    if (bytes.length === 0) this.#offers.delete(key)
    else if (this.#offers.has(key) || this.#offers.size < SELLERS_MAX)
      this.#offers.set(key, { network, publisher, bytes })
    else if (this.#tooMany.size < SELLERS_MAX) {
      const message = `only the first ${SELLERS_MAX} sellers are looked at`
      this.#tooMany.set(key, { network, publisher, code: 'too-many', message })
    }
  }

  #quality(network: NetworkId, device: string, value: unknown): void {
    const parsed = quality.safeParse(value)
    if (!parsed.success || parsed.data.device !== device) return
    for (const { sensor, score, neighbours, past } of parsed.data.sensors) {
      const key = `${network} ${device} ${sensor}`
      const scores = this.#scores.get(key) ?? []
      if (score === null || scores.length >= OPINIONS_MAX || this.#scores.size >= 64 * SELLERS_MAX) continue
      this.#scores.set(key, [...scores, { score, neighbours, past }])
    }
  }
}

const isOnline = (status: unknown): boolean =>
  typeof status === 'object' && status !== null && 'state' in status && status.state === 'online'
