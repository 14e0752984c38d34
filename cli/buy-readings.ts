/**
 * `pinledger buy readings`: a channel from the command line. Readings are paid as they come, and noted before they are paid, so that a
 * buyer that is killed goes on where it was.
 */

import type { ChannelLog } from '../node/channel/channel-log.ts'
import { BuyerEnd } from '../node/channel/conversation.ts'
import {
  type Bought,
  type OpenPurchase,
  onDelivery,
  onStanding,
  type PayerWorld,
  readingsIn,
  resume,
} from '../node/channel/payer.ts'
import { signedProof, wordProof } from '../node/channel/proof.ts'
import type { Log } from '../node/log.ts'
import { opensslAccept, type Signer } from '../node/signing.ts'
import { CHANNEL_MESSAGE_BYTES_MAX, type ChannelTalk, channelMessage } from '../schemas/channel-message.ts'
import { decode } from '../schemas/codec.ts'
import type { Account } from '../schemas/hex.ts'
import { type ParsedTopic, topic } from '../schemas/topic.ts'
import type { Sample } from '../schemas/transaction.ts'
import { chainOf } from './channel-open.ts'
import { EXIT } from './exit.ts'
import { type Place, Sender, type Where } from './sender.ts'

/** A hello is repeated until it is answered. */
const HELLO_MS = 3_000
const LOOK_MS = 100

export interface ReadingsOrder {
  readonly seller: Account
  readonly sensor: string
  readonly count: number
  readonly network: string | undefined
  /** Seconds without a reading after which it gives up. */
  readonly waitSeconds: number
}

export interface ReadingsModules {
  readonly log: ChannelLog
  readonly warnings: Log
  readonly signal: AbortSignal
  readonly onReading: (sample: Sample, purchase: OpenPurchase) => void
  readonly onStop: (reason: string) => void
}

/** The purchase to go on with: open, of this sensor, and with readings left. */
export const usable = (log: ChannelLog, seller: Account, sensor: string): OpenPurchase | undefined =>
  [...log.books.purchases.values()].find(
    (each): each is OpenPurchase =>
      each.seller === seller &&
      each.sensor === sensor &&
      each.channel !== undefined &&
      each.stopped === undefined &&
      each.index < readingsIn(each),
  )

/** 0 when all were bought, 1 when not. Throws WorldError `broker-unreachable`. */
export async function buyReadings(
  where: Where,
  signer: Signer,
  purchase: OpenPurchase,
  order: ReadingsOrder,
  modules: ReadingsModules,
): Promise<number> {
  const sender = new Sender(where, signer, order.network, modules.warnings)
  try {
    const place = await sender.start()
    const buyer = new ReadingsBuyer(sender, place, signer, purchase, order, modules)
    return await buyer.run()
  } finally {
    await sender.stop()
  }
}

class ReadingsBuyer {
  readonly #sender: Sender
  readonly #place: Place
  readonly #number: number
  readonly #account: Account
  readonly #seller: Account
  readonly #order: ReadingsOrder
  readonly #modules: ReadingsModules
  readonly #end: BuyerEnd
  readonly #world: PayerWorld
  readonly #goal: number
  #heardMs = performance.now()
  #isOver = false

  constructor(
    sender: Sender,
    place: Place,
    signer: Signer,
    purchase: OpenPurchase,
    order: ReadingsOrder,
    modules: ReadingsModules,
  ) {
    const { network } = place
    const accepts = opensslAccept()
    const chain = chainOf(network, signer, purchase)
    this.#sender = sender
    this.#place = place
    this.#number = purchase.number
    this.#account = signer.account
    this.#seller = purchase.seller
    this.#order = order
    this.#modules = modules
    this.#goal = Math.min(purchase.index + order.count, readingsIn(purchase))
    this.#end = new BuyerEnd({ network, signer, accepts }, purchase.channel, purchase.seller)
    this.#world = {
      network,
      accepts,
      prove: (index) =>
        chain === undefined
          ? signedProof(network, signer, purchase.channel, index * purchase.price)
          : wordProof(chain, index),
      last: this.#goal,
      every: 0,
    }
    sender.onMessage((parsed, payload) => this.#take(parsed, payload))
    sender.session.subscribe([topic(network.id, 'channel', '+', signer.account)])
  }

  get #purchase(): OpenPurchase {
    return this.#modules.log.books.purchases.get(this.#number) as OpenPurchase
  }

  async run(): Promise<number> {
    const { signal } = this.#modules
    let helloMs = Number.NEGATIVE_INFINITY
    while (!this.#isOver && this.#purchase.index < this.#goal && !signal.aborted) {
      const nowMs = performance.now()
      if (nowMs - this.#heardMs > this.#order.waitSeconds * 1000) {
        this.#modules.onStop('the seller is silent')
        break
      }
      if (nowMs - Math.max(helloMs, this.#heardMs) > HELLO_MS) {
        helloMs = nowMs
        await this.#publish(this.#end.hello())
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
    const done = this.#purchase.index >= this.#goal
    if (this.#end.active !== undefined)
      await this.#say({ type: 'stop', code: 'done', message: `${this.#purchase.index} readings` })
    return done && this.#purchase.stopped === undefined ? EXIT.ok : EXIT.no
  }

  #take({ kind, json }: ParsedTopic, payload: Uint8Array): void {
    const decoded =
      kind === 'channel' && !json ? decode(channelMessage, payload, CHANNEL_MESSAGE_BYTES_MAX) : undefined
    if (decoded?.ok !== true || decoded.value.channel !== this.#purchase.channel) return
    const message = decoded.value
    if (message.type === 'welcome' && this.#end.welcome(message)) {
      this.#heardMs = performance.now()
      void this.#say(resume(this.#purchase, this.#world))
    }
    const talk = message.type === 'sealed' ? this.#end.open(message) : undefined
    if (talk === undefined) return
    this.#heardMs = performance.now()
    if (talk.type === 'delivery') this.#apply(onDelivery(this.#world, this.#purchase, talk))
    else if (talk.type === 'resume') this.#apply(onStanding(this.#world, this.#purchase, talk))
    else if (talk.type === 'stop' && talk.code !== 'not-confirmed' && talk.code !== 'not-current') {
      this.#modules.onStop(`${talk.code}: ${talk.message}`)
      this.#isOver = true
    }
  }

  #apply({ records, talk, got, stopped }: Bought): void {
    const { log, onReading, onStop } = this.#modules
    log.write(records, () => {
      for (const each of talk) void this.#say(each)
      if (got !== undefined) onReading(got, this.#purchase)
      if (stopped === undefined) return
      onStop(stopped)
      this.#isOver = true
    })
    // One buyer, one channel: nothing else is waited for.
    log.flush()
  }

  async #say(talk: ChannelTalk): Promise<void> {
    const payload = this.#end.active?.seal(talk)
    if (payload !== undefined) await this.#publish(payload)
  }

  #publish(payload: Uint8Array): Promise<boolean> {
    const { id } = this.#place.network
    const name = topic(id, 'channel', this.#account, this.#seller)
    return this.#sender.session.publish(name, payload, { qos: 1, retain: false })
  }
}
