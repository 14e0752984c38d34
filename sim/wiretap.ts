/** Reads what two say on a channel under seal, by the secrets that the seller drew for its keys. */
import type { Network } from '../ledger/network.ts'
import { type ConversationKeys, conversationKeys, type KeyPair, keyPairOf } from '../node/key-agreement.ts'
import { KEY_BYTES, open } from '../node/sealed.ts'
import {
  CHANNEL_MESSAGE_BYTES_MAX,
  type ChannelTalk,
  CONVERSATION_BYTES,
  channelMessage,
  channelTalk,
} from '../schemas/channel-message.ts'
import { decode } from '../schemas/codec.ts'
import { fromHex, type Hash, toHex } from '../schemas/hex.ts'

export type Side = 'buyer' | 'seller'

export class Wiretap {
  readonly #network: Network
  /** By public key, until they are agreed on. */
  readonly #pairs = new Map<string, KeyPair>()
  /** The seller's, by the name of the conversation. */
  readonly #keys = new Map<string, ConversationKeys>()

  constructor(network: Network) {
    this.#network = network
  }

  /** The seller drew random bytes. */
  drew(bytes: Uint8Array): void {
    if (bytes.length !== KEY_BYTES) return
    const pair = keyPairOf(bytes)
    this.#pairs.set(toHex(pair.publicKey), pair)
  }

  /** What a message on `channel/` says; undefined for what is not sealed. All of the seller's have to come here, in order. */
  hear(by: Side, payload: Uint8Array): { readonly channel: Hash; readonly talk: ChannelTalk } | undefined {
    const decoded = decode(channelMessage, payload, CHANNEL_MESSAGE_BYTES_MAX)
    if (!decoded.ok) return undefined
    const message = decoded.value
    if (message.type === 'welcome') {
      const pair = this.#pairs.get(toHex(message.publicKey))
      const { genesisHash, hashing } = this.#network
      const context = Buffer.concat([fromHex(genesisHash), fromHex(message.channel)])
      const keys = pair && conversationKeys(pair, message.hello, context)
      const id = hashing.plain(Buffer.concat([message.hello, message.publicKey]))
      if (keys !== undefined) this.#keys.set(toHex(id.subarray(0, CONVERSATION_BYTES)), keys)
      this.#pairs.delete(toHex(message.publicKey))
    }
    if (message.type !== 'sealed') return undefined
    const keys = this.#keys.get(toHex(message.conversation))
    const text = keys && open(by === 'seller' ? keys.send : keys.receive, message.box)
    const talk = text && decode(channelTalk, text, CHANNEL_MESSAGE_BYTES_MAX)
    if (talk?.ok !== true) throw new Error(`what the ${by} says cannot be read`)
    return { channel: message.channel, talk: talk.value }
  }
}
