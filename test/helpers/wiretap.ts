/** Reads what two agents seal for each other on a channel: it deals out the randomness that their keys are made of. */
import { randomBytes } from 'node:crypto'
import type { Network } from '../../ledger/network.ts'
import { Conversation } from '../../node/channel/conversation.ts'
import { type KeyPair, keyPairOf } from '../../node/key-agreement.ts'
import { KEY_BYTES, type RandomBytes } from '../../node/sealed.ts'
import { opensslAccept } from '../../node/signing.ts'
import { CHANNEL_MESSAGE_BYTES_MAX, type ChannelTalk, channelMessage } from '../../schemas/channel-message.ts'
import { decode } from '../../schemas/codec.ts'
import { type Hash, toHex } from '../../schemas/hex.ts'
import { alice } from './ledger.ts'

export type Side = 'buyer' | 'seller'

export class Wiretap {
  readonly #network: Network
  readonly #pairs = new Map<string, KeyPair>()
  /** By their id, the ends that can open what the named side says. */
  readonly #ends = new Map<string, Record<Side, Conversation>>()

  constructor(network: Network) {
    this.#network = network
  }

  /** For an agent; what may become its key is kept. */
  readonly randomBytes: RandomBytes = (bytes) => {
    const random = new Uint8Array(randomBytes(bytes))
    if (bytes === KEY_BYTES) {
      const pair = keyPairOf(random)
      this.#pairs.set(toHex(pair.publicKey), pair)
    }
    return random
  }

  /** What this side says in a message on `channel/`; undefined for one that is not sealed. Every message has to come here, in order. */
  hear(by: Side, payload: Uint8Array): { readonly channel: Hash; readonly talk: ChannelTalk } | undefined {
    const decoded = decode(channelMessage, payload, CHANNEL_MESSAGE_BYTES_MAX)
    if (!decoded.ok) return undefined
    const message = decoded.value
    const { channel } = message
    if (message.type === 'welcome') this.#agreed(channel, message.hello, message.publicKey)
    if (message.type !== 'sealed') return undefined
    const talk = this.#ends.get(toHex(message.conversation))?.[by].open(message)
    if (talk === undefined) throw new Error(`what the ${by} says cannot be read`)
    return { channel, talk }
  }

  #agreed(channel: Hash, hello: Uint8Array, welcome: Uint8Array): void {
    const end = (side: Side, own: Uint8Array, theirs: Uint8Array): Conversation => {
      const pair = this.#pairs.get(toHex(own))
      const modules = { network: this.#network, signer: alice, accepts: opensslAccept() }
      const agreed = pair && Conversation.agree(modules, channel, pair, theirs, side)
      if (agreed === undefined) throw new Error(`the ${side} has a key that was not dealt to it`)
      return agreed
    }
    const buyer = end('seller', welcome, hello)
    this.#ends.set(buyer.id, { buyer, seller: end('buyer', hello, welcome) })
  }
}
