/**
 * The keys of a paid topic: how a seller seals readings, and hands the keys to who has paid, on a broker that keeps nothing from anybody.
 *
 * Each sensor and epoch has a key of its own, derived from the seller's secret: nothing is stored, and a key says nothing about the
 * next one. A reading is signed before it is sealed, since everybody who has paid could seal one. Source: docs/PROTOCOL.md section 8.
 */
import type { Network } from '../ledger/network.ts'
import { decode, encode } from '../schemas/codec.ts'
import { type Account, fromHex, toHex } from '../schemas/hex.ts'
import { accept, invariant, type Result, refuse } from '../schemas/result.ts'
import {
  EPOCH_KEYS_MAX,
  EPOCH_MS,
  type EpochKeys,
  epochAt,
  epochKeys,
  KEY_MESSAGE_BYTES_MAX,
  type KeyMessage,
  keyMessage,
  PAID_MESSAGE_BYTES_MAX,
  paidMessage,
  soldReading,
} from '../schemas/sealed.ts'
import { type Sample, SIGNATURE_BYTES } from '../schemas/transaction.ts'
import { type KeyPair, openBox, sealFor } from './key-agreement.ts'
import { accountSecret, deriveKey, open, type RandomBytes, seal } from './sealed.ts'
import { hashing, type Signer, signatures } from './signing.ts'

/** What is wrong with a message on `paid/` or `key/`: it is ignored, whoever sent it. */
export interface SealedFault {
  readonly code: 'bad-encoding' | 'no-key' | 'not-opened' | 'bad-signature' | 'not-for-us'
  readonly message: string
}

const fault = (code: SealedFault['code'], message: string) => refuse({ code, message })
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

type Unsigned = KeyMessage extends infer M ? (M extends unknown ? Omit<M, 'signature'> : never) : never

/** A seller's side: its secret stays inside. */
export class TopicSeller {
  readonly #network: Network
  readonly #signer: Signer
  readonly #secret: Uint8Array
  readonly #random: RandomBytes | undefined
  /** The last key of each sensor. */
  readonly #keys = new Map<string, { readonly epoch: number; readonly key: Uint8Array }>()

  constructor(network: Network, signer: Signer, random?: RandomBytes) {
    this.#network = network
    this.#signer = signer
    this.#secret = accountSecret(signer, 'topic')
    this.#random = random
  }

  /** The payload on `paid/` of a reading. */
  seal(sample: Sample, nowMs: number): Uint8Array {
    const epoch = epochAt(nowMs)
    const body = encode(soldReading, { sale: 1, sample, signature: new Uint8Array(SIGNATURE_BYTES) })
    body.set(this.#signer.sign(readingMessage(this.#network, body)), body.length - SIGNATURE_BYTES)
    const sealed = seal(this.#key(sample.sensor, epoch), body, undefined, this.#random)
    return encode(paidMessage, { epoch, sealed })
  }

  /**
   * Answers who asks and has paid until `untilMs`: the keys of this epoch and of those that follow, as far as they are paid
   * for, EPOCH_KEYS_MAX at most. Undefined when the public key is none.
   */
  answer(ask: Ask, nowMs: number, untilMs: number): Uint8Array | undefined {
    const epoch = epochAt(nowMs)
    const keys: { epoch: number; key: Uint8Array }[] = []
    for (let each = epoch; each * EPOCH_MS < untilMs && keys.length < EPOCH_KEYS_MAX; each++)
      keys.push({ epoch: each, key: this.#derive(ask.sensor, each) })
    const { seller, buyer, sensor, publicKey } = ask
    const text = encode(epochKeys, { keys })
    const box = sealFor(publicKey, text, boxContext(this.#network, seller, sensor), this.#random)
    if (box === undefined) return undefined
    const unsigned = { type: 'keys', seller, buyer, sensor, publicKey, box } as const
    return signKeyMessage(this.#network, this.#signer, unsigned)
  }

  #key(sensor: string, epoch: number): Uint8Array {
    const last = this.#keys.get(sensor)
    if (last?.epoch === epoch) return last.key
    const key = this.#derive(sensor, epoch)
    this.#keys.set(sensor, { epoch, key })
    return key
  }

  #derive(sensor: string, epoch: number): Uint8Array {
    const genesis = fromHex(this.#network.genesisHash)
    return deriveKey(this.#secret, genesis, 'epoch', utf8(`/${sensor}/${epoch}`))
  }
}

export type Ask = Extract<KeyMessage, { type: 'ask' }>

/** A buyer's question, for the pair whose public key it names. */
export function askForKeys(
  network: Network,
  signer: Signer,
  seller: Account,
  sensor: string,
  pair: KeyPair,
): Uint8Array {
  const { publicKey } = pair
  return signKeyMessage(network, signer, { type: 'ask', seller, buyer: signer.account, sensor, publicKey })
}

/** The keys in an answer that `readKeyMessage` took, if it is one to `pair`'s question. */
export function openKeys(
  network: Network,
  answer: Extract<KeyMessage, { type: 'keys' }>,
  pair: KeyPair,
): Result<EpochKeys['keys'], SealedFault> {
  if (toHex(answer.publicKey) !== toHex(pair.publicKey))
    return fault('not-for-us', 'publicKey: of another question')
  const text = openBox(pair, answer.box, boxContext(network, answer.seller, answer.sensor))
  if (text === undefined) return fault('not-opened', 'box: not made for our question')
  const decoded = decode(epochKeys, text, text.length)
  return decoded.ok ? accept(decoded.value.keys) : refuse(decoded.fault)
}

/** The reading in a payload on `paid/<seller>/<sensor>`; `keyOf` gives the key of an epoch, if we have it. */
export function openReading(
  network: Network,
  seller: Account,
  sensor: string,
  payload: Uint8Array,
  keyOf: (epoch: number) => Uint8Array | undefined,
): Result<Sample, SealedFault> {
  const message = decode(paidMessage, payload, PAID_MESSAGE_BYTES_MAX)
  if (!message.ok) return refuse(message.fault)
  const { epoch, sealed } = message.value
  const key = keyOf(epoch)
  if (key === undefined) return fault('no-key', `epoch: no key of ${epoch}`)
  const body = open(key, sealed)
  if (body === undefined) return fault('not-opened', `sealed: not under the key of epoch ${epoch}`)
  const decoded = decode(soldReading, body, body.length)
  if (!decoded.ok) return refuse(decoded.fault)
  const { sample, signature } = decoded.value
  if (sample.sensor !== sensor)
    return fault('not-for-us', `sensor: ${sample.sensor} on the topic of ${sensor}`)
  if (!signatures.verify(signature, readingMessage(network, body), seller))
    return fault('bad-signature', `signature: not ${seller}'s`)
  return accept(sample)
}

/** Signs a message for `key/`. */
export function signKeyMessage(network: Network, signer: Signer, unsigned: Unsigned): Uint8Array {
  const { account } = signer
  invariant(account === (unsigned.type === 'ask' ? unsigned.buyer : unsigned.seller), 'we sign what is ours')
  const bytes = encode(keyMessage, { ...unsigned, signature: new Uint8Array(SIGNATURE_BYTES) })
  bytes.set(signer.sign(keyDigest(network, bytes)), bytes.length - SIGNATURE_BYTES)
  return bytes
}

/** A message from `key/<from>/<to>`, if it is signed by the one and meant for the other. */
export function readKeyMessage(
  network: Network,
  from: Account,
  to: Account,
  bytes: Uint8Array,
): Result<KeyMessage, SealedFault> {
  const decoded = decode(keyMessage, bytes, KEY_MESSAGE_BYTES_MAX)
  if (!decoded.ok) return refuse(decoded.fault)
  const message = decoded.value
  const [sender, addressee] =
    message.type === 'ask' ? [message.buyer, message.seller] : [message.seller, message.buyer]
  if (sender !== from || addressee !== to)
    return fault(
      'not-for-us',
      `${message.type}: from ${sender} for ${addressee}, on the topic of ${from} for ${to}`,
    )
  if (!signatures.isAccount(from) || !signatures.verify(message.signature, keyDigest(network, bytes), from))
    return fault('bad-signature', `signature: not ${from}'s`)
  return accept(message)
}

const keyDigest = (network: Network, bytes: Uint8Array): Uint8Array =>
  hashing.tagged('key', fromHex(network.genesisHash), bytes.subarray(0, -SIGNATURE_BYTES))

const readingMessage = (network: Network, body: Uint8Array): Uint8Array =>
  hashing.tagged('delivery', fromHex(network.genesisHash), body.subarray(0, -SIGNATURE_BYTES))

const boxContext = (network: Network, seller: Account, sensor: string): Uint8Array =>
  Buffer.concat([fromHex(network.genesisHash), fromHex(seller), utf8(sensor)])
