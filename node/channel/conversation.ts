/**
 * Keys for what buyer and seller say to each other: one `hello`, one `welcome`, both signed by the channel's accounts.
 *
 * Both sides use fresh X25519 keys, so old conversations stay closed when an account's key is lost. A seller goes over to new keys
 * only when a message under them comes: whoever repeats an old hello gets a welcome, and disturbs nothing. The same hello has
 * the same welcome. Source: docs/PROTOCOL.md section 15.
 */
import type { Network } from '../../ledger/network.ts'
import type { FastAccept } from '../../ledger/signature.ts'
import {
  CHANNEL_MESSAGE_BYTES_MAX,
  type ChannelMessage,
  type ChannelTalk,
  CONVERSATION_BYTES,
  channelMessage,
  channelTalk,
} from '../../schemas/channel-message.ts'
import { decode, encode } from '../../schemas/codec.ts'
import { type Account, fromHex, type Hash, toHex } from '../../schemas/hex.ts'
import { SIGNATURE_BYTES } from '../../schemas/transaction.ts'
import { conversationKeys, createKeyPair, type KeyPair } from '../key-agreement.ts'
import { open, type RandomBytes, seal } from '../sealed.ts'
import type { Signer } from '../signing.ts'

export type Hello = Extract<ChannelMessage, { type: 'hello' }>
export type Welcome = Extract<ChannelMessage, { type: 'welcome' }>
export type SealedMessage = Extract<ChannelMessage, { type: 'sealed' }>

/** What both sides need. */
export interface ConversationModules {
  readonly network: Pick<Network, 'genesisHash' | 'hashing'>
  readonly signer: Signer
  /** OpenSSL's verdict is enough: who signs by it can be understood. */
  readonly accepts: FastAccept
  readonly random?: RandomBytes | undefined
}

/** Welcomes of hellos whose keys were not used yet. */
const PENDING_MAX = 4
const NO_SIGNATURE = new Uint8Array(SIGNATURE_BYTES)

/** The 32 bytes that the author of a hello or welcome signs. */
const handshake = (
  { genesisHash, hashing }: ConversationModules['network'],
  message: Hello | Welcome,
): Uint8Array =>
  hashing.tagged('key', fromHex(genesisHash), encode(channelMessage, message).subarray(0, -SIGNATURE_BYTES))

/** Whether a hello or welcome is this account's. */
export function isSigned(
  { network, accepts }: ConversationModules,
  message: Hello | Welcome,
  by: Account,
): boolean {
  try {
    return accepts(message.signature, handshake(network, message), by)
  } catch {
    // Not even a key.
    return false
  }
}

function signed<M extends Hello | Welcome>({ network, signer }: ConversationModules, message: M): M {
  return { ...message, signature: new Uint8Array(signer.sign(handshake(network, message))) }
}

/** One pair of keys, agreed. */
export class Conversation {
  readonly #channel: Hash
  readonly #id: Uint8Array
  readonly #keys: { readonly send: Uint8Array; readonly receive: Uint8Array }
  readonly #random: RandomBytes | undefined

  private constructor(
    channel: Hash,
    id: Uint8Array,
    keys: { readonly send: Uint8Array; readonly receive: Uint8Array },
    random: RandomBytes | undefined,
  ) {
    this.#channel = channel
    this.#id = id
    this.#keys = keys
    this.#random = random
  }

  /** Undefined when the other's key is none to agree with. */
  static agree(
    { network, random }: ConversationModules,
    channel: Hash,
    own: KeyPair,
    theirs: Uint8Array,
    side: 'buyer' | 'seller',
  ): Conversation | undefined {
    const both = side === 'buyer' ? [own.publicKey, theirs] : [theirs, own.publicKey]
    const context = Buffer.concat([fromHex(network.genesisHash), fromHex(channel)])
    const keys = conversationKeys(own, theirs, context)
    const id = network.hashing.plain(Buffer.concat(both)).slice(0, CONVERSATION_BYTES)
    return keys === undefined ? undefined : new Conversation(channel, id, keys, random)
  }

  /** Names it in messages. */
  get id(): string {
    return toHex(this.#id)
  }

  /** The whole message on the topic. */
  seal(talk: ChannelTalk): Uint8Array {
    const box = seal(this.#keys.send, encode(channelTalk, talk), undefined, this.#random)
    return encode(channelMessage, { type: 'sealed', channel: this.#channel, conversation: this.#id, box })
  }

  /** Undefined for what the other side did not seal under these keys. */
  open({ box }: SealedMessage): ChannelTalk | undefined {
    const text = open(this.#keys.receive, box)
    const talk = text === undefined ? undefined : decode(channelTalk, text, CHANNEL_MESSAGE_BYTES_MAX)
    return talk?.ok ? talk.value : undefined
  }
}

/** The seller's end of one channel. */
export class SellerEnd {
  readonly #modules: ConversationModules
  readonly #channel: Hash
  readonly #buyer: Account
  #active: Conversation | undefined
  /** By the hello's key, the oldest first. */
  readonly #pending = new Map<string, { readonly welcome: Uint8Array; readonly conversation: Conversation }>()

  constructor(modules: ConversationModules, channel: Hash, buyer: Account) {
    this.#modules = modules
    this.#channel = channel
    this.#buyer = buyer
  }

  get active(): Conversation | undefined {
    return this.#active
  }

  /** The answer to a hello; undefined when it is not the buyer's. */
  hello(hello: Hello): Uint8Array | undefined {
    const known = this.#pending.get(toHex(hello.publicKey))
    if (known !== undefined) return known.welcome
    if (!isSigned(this.#modules, hello, this.#buyer)) return undefined
    const pair = createKeyPair(this.#modules.random)
    const conversation = Conversation.agree(this.#modules, this.#channel, pair, hello.publicKey, 'seller')
    if (conversation === undefined) return undefined
    const fields = { channel: this.#channel, hello: hello.publicKey, publicKey: pair.publicKey }
    const draft: Welcome = { type: 'welcome', ...fields, signature: NO_SIGNATURE }
    const welcome = encode(channelMessage, signed(this.#modules, draft))
    this.#pending.set(toHex(hello.publicKey), { welcome, conversation })
    for (const oldest of this.#pending.keys()) {
      if (this.#pending.size <= PENDING_MAX) break
      this.#pending.delete(oldest)
    }
    return welcome
  }

  /** What the buyer says; the keys that it says it under are the ones that count from now on. */
  open(message: SealedMessage): ChannelTalk | undefined {
    const id = toHex(message.conversation)
    if (this.#active?.id === id) return this.#active.open(message)
    for (const [key, { conversation }] of this.#pending) {
      if (conversation.id !== id) continue
      const talk = conversation.open(message)
      if (talk === undefined) return undefined
      this.#pending.delete(key)
      this.#active = conversation
      return talk
    }
    return undefined
  }
}

/** The buyer's end of one channel. */
export class BuyerEnd {
  readonly #modules: ConversationModules
  readonly #channel: Hash
  readonly #seller: Account
  /** Of the last hello, until it is welcome. */
  #pair: KeyPair | undefined
  #active: Conversation | undefined

  constructor(modules: ConversationModules, channel: Hash, seller: Account) {
    this.#modules = modules
    this.#channel = channel
    this.#seller = seller
  }

  get active(): Conversation | undefined {
    return this.#active
  }

  /** A hello with a fresh key. What was agreed before goes on until it is welcome. */
  hello(): Uint8Array {
    this.#pair = createKeyPair(this.#modules.random)
    const fields = { channel: this.#channel, publicKey: this.#pair.publicKey }
    return encode(
      channelMessage,
      signed(this.#modules, { type: 'hello', ...fields, signature: NO_SIGNATURE }),
    )
  }

  /** True when new keys are agreed. */
  welcome(welcome: Welcome): boolean {
    const pair = this.#pair
    if (pair === undefined || toHex(pair.publicKey) !== toHex(welcome.hello)) return false
    if (!isSigned(this.#modules, welcome, this.#seller)) return false
    const conversation = Conversation.agree(this.#modules, this.#channel, pair, welcome.publicKey, 'buyer')
    if (conversation === undefined) return false
    this.#active = conversation
    this.#pair = undefined
    return true
  }

  open(message: SealedMessage): ChannelTalk | undefined {
    return this.#active?.id === toHex(message.conversation) ? this.#active.open(message) : undefined
  }
}
