/**
 * An agent's channels: one log and one set of topics for what it sells and what it buys.
 *
 * Messages may be anybody's, under any name, on a broker of another make: nothing here looks at who published one.
 */
import type { FastAccept } from '../../ledger/signature.ts'
import { ChannelLog, type ReplaceableFile } from '../../node/channel/channel-log.ts'
import type { Purchase } from '../../node/channel/records.ts'
import type { RandomBytes } from '../../node/sealed.ts'
import { opensslAccept } from '../../node/signing.ts'
import type { Timers } from '../../node/timers.ts'
import { CHANNEL_MESSAGE_BYTES_MAX, channelMessage } from '../../schemas/channel-message.ts'
import { decode } from '../../schemas/codec.ts'
import { mirror, type ParsedTopic, ROOT, topic } from '../../schemas/topic.ts'
import type { Sample } from '../../schemas/transaction.ts'
import { Offers } from '../offers.ts'
import type { Desk, Trade } from '../trade.ts'
import { type Buy, Buying } from './buying.ts'
import { Openings } from './openings.ts'
import { Selling, type SellingTerms } from './selling.ts'

export interface ChannelOptions {
  /** By sensor. */
  readonly sells: ReadonlyMap<string, SellingTerms>
  readonly buys: readonly Buy[]
}

export interface ChannelModules {
  readonly files: ReplaceableFile
  readonly timers: Timers
  readonly accepts?: FastAccept
  readonly randomBytes?: RandomBytes
  readonly onReading?: (purchase: Purchase, sample: Sample) => void
}

/** For the agent's list of trades. */
export const channels =
  (options: ChannelOptions, modules: ChannelModules) =>
  (desk: Desk): Trade =>
    new Channels(options, modules, desk)

class Channels implements Trade {
  readonly filters: readonly string[]
  readonly #desk: Desk
  readonly #log: ChannelLog
  readonly #openings: Openings
  readonly #offers: Offers
  readonly #selling: Selling
  readonly #buying: Buying
  #failure: { readonly error: unknown } | undefined

  constructor({ sells, buys }: ChannelOptions, modules: ChannelModules, desk: Desk) {
    this.#desk = desk
    this.#offers = new Offers(desk, buys.length)
    const { network } = desk.chain
    const sellers = [...new Set(buys.map(({ from }) => from))]
    this.filters = [
      `${ROOT}/${network.id}/channel/+/${desk.signer.account}`,
      ...sellers.map((seller) => mirror(topic(network.id, 'status', seller))),
      ...this.#offers.want(sellers),
    ]
    const { timers, files, accepts = opensslAccept(), randomBytes, onReading } = modules
    const onFatal = (error: unknown): void => {
      this.#failure ??= { error }
    }
    this.#log = new ChannelLog(files, { timers, nowMs: desk.clock.monotonic, onFatal })
    const conversation = { network, signer: desk.signer, accepts, random: randomBytes }
    this.#openings = new Openings(desk.chain, desk.signer.account, Buying.from(this.#log.books.purchases))
    const shared = { desk, log: this.#log, openings: this.#openings, conversation }
    this.#selling = new Selling({ ...shared, terms: sells })
    this.#buying = new Buying({ ...shared, offers: this.#offers, timers, buys, onReading, onFatal })
  }

  onMessage(parsed: ParsedTopic, payload: Uint8Array): void {
    const { kind, publisher, json } = parsed
    this.#offers.take(parsed, payload)
    if (kind === 'status' && json) this.#buying.presence(publisher, isOnline(payload))
    if (kind !== 'channel' || json) return
    const decoded = decode(channelMessage, payload, CHANNEL_MESSAGE_BYTES_MAX)
    if (!decoded.ok) return
    const message = decoded.value
    if (message.type === 'hello') this.#selling.hello(message)
    else if (message.type === 'welcome') this.#buying.welcome(message)
    else if (message.type === 'knock') this.#buying.knock(message.channel)
    else if (this.#buying.isOurs(message.channel)) this.#buying.sealed(message)
    else this.#selling.sealed(message)
  }

  onUpdate(update: Parameters<NonNullable<Trade['onUpdate']>>[0]): void {
    // Its openings are the seller's, too.
    this.#buying.update(update)
    this.#selling.update()
  }

  onConnected(): void {
    this.#selling.connected()
  }

  onSample(sample: Sample): void {
    this.#selling.sample(sample)
  }

  /** The agent ends when this throws. */
  tick(): void {
    if (this.#failure !== undefined) throw this.#failure.error
    this.#selling.tick()
    this.#buying.tick()
  }

  stop(): void {
    this.#buying.stop()
    if (this.#desk.connected) this.#selling.stop()
    this.#log.close()
    if (this.#failure !== undefined) throw this.#failure.error
  }
}

function isOnline(payload: Uint8Array): boolean {
  try {
    const status: unknown = JSON.parse(new TextDecoder().decode(payload))
    return typeof status === 'object' && status !== null && 'state' in status && status.state === 'online'
  } catch {
    // Anybody may publish on a foreign broker; what is no JSON says nothing.
    return false
  }
}
