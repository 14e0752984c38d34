/** Reads what a machine of the simulation says on its channels under seal, by the secrets that the machine drew for its keys. */
import type { Network } from '../ledger/network.ts'
import { conversationKeys, type KeyPair, keyPairOf } from '../node/key-agreement.ts'
import { KEY_BYTES, open } from '../node/sealed.ts'
import {
  CHANNEL_MESSAGE_BYTES_MAX,
  type ChannelTalk,
  CONVERSATION_BYTES,
  channelMessage,
  channelTalk,
} from '../schemas/channel-message.ts'
import { decode } from '../schemas/codec.ts'
import { fromHex, toHex } from '../schemas/hex.ts'

export class Wiretap {
  readonly #network: Network
  /** By public key, until they are agreed on. */
  readonly #pairs = new Map<string, KeyPair>()
  /** By the name of the conversation. */
  readonly #keys = new Map<string, Uint8Array>()

  constructor(network: Network) {
    this.#network = network
  }

  /** The machine drew random bytes. */
  drew(bytes: Uint8Array): void {
    if (bytes.length !== KEY_BYTES) return
    const pair = keyPairOf(bytes)
    this.#pairs.set(toHex(pair.publicKey), pair)
  }

  /** What a message that the machine sends as a seller says; undefined for what is not sealed. */
  talkIn(payload: Uint8Array): ChannelTalk | undefined {
    const decoded = decode(channelMessage, payload, CHANNEL_MESSAGE_BYTES_MAX)
    if (!decoded.ok) return undefined
    const message = decoded.value
    if (message.type === 'welcome') {
      const pair = this.#pairs.get(toHex(message.publicKey))
      const { genesisHash, hashing } = this.#network
      const context = Buffer.concat([fromHex(genesisHash), fromHex(message.channel)])
      const keys = pair && conversationKeys(pair, message.hello, context)
      const id = hashing.plain(Buffer.concat([message.hello, message.publicKey]))
      if (keys !== undefined) this.#keys.set(toHex(id.subarray(0, CONVERSATION_BYTES)), keys.send)
      this.#pairs.delete(toHex(message.publicKey))
    }
    if (message.type !== 'sealed') return undefined
    const key = this.#keys.get(toHex(message.conversation))
    const text = key && open(key, message.box)
    const talk = text && decode(channelTalk, text, CHANNEL_MESSAGE_BYTES_MAX)
    return talk?.ok ? talk.value : undefined
  }
}
