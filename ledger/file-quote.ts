/**
 * What buyer and seller of a file sign, and how the other checks it. Source: docs/PROTOCOL.md section 8.
 *
 * A signature names both, since a topic's name proves nothing on a broker that lets everybody publish under every name.
 */
import { decode, encode } from '../schemas/codec.ts'
import {
  chunksOf,
  FILE_BYTES_MAX,
  FILE_MESSAGE_BYTES_MAX,
  type FileMessage,
  fileMessage,
  type SignedFileMessage,
} from '../schemas/file-message.ts'
import { type Account, fromHex, short } from '../schemas/hex.ts'
import { accept, type Result, refuse } from '../schemas/result.ts'
import { SIGNATURE_BYTES, TYPE_NUMBERS } from '../schemas/transaction.ts'
import type { Network } from './network.ts'

export interface FileFault {
  readonly code: 'bad-encoding' | 'foreign-name' | 'bad-quote' | 'bad-signature'
  readonly message: string
}

type Keys = Pick<Network, 'genesisHash' | 'hashing' | 'signatures'>
type Unsigned = SignedFileMessage extends infer M ? (M extends unknown ? Omit<M, 'signature'> : never) : never

/** A message's signed bytes. */
export function signFileMessage(
  network: Pick<Keys, 'genesisHash' | 'hashing'>,
  unsigned: Unsigned,
  sign: (message: Uint8Array) => Uint8Array,
): Uint8Array {
  const draft = { ...unsigned, signature: new Uint8Array(SIGNATURE_BYTES) } as SignedFileMessage
  const bytes = encode(fileMessage, draft)
  bytes.set(sign(digest(network, bytes)), bytes.length - SIGNATURE_BYTES)
  return bytes
}

/** A message that `from` published for `to`. What is signed must be theirs; what is sealed is for the receiver to open. */
export function checkFileMessage(
  network: Keys,
  bytes: Uint8Array,
  from: Account,
  to: Account,
): Result<FileMessage, FileFault> {
  const decoded = decode(fileMessage, bytes, FILE_MESSAGE_BYTES_MAX)
  if (!decoded.ok) {
    const { code, field, message } = decoded.fault
    return refuse({ code, message: field === '' ? message : `${field}: ${message}` })
  }
  const { value } = decoded
  if (value.type === 'chunk' || value.type === 'chunkRequest') return accept(value)
  const [sender, addressee] =
    value.type === 'quoteRequest' ? [value.buyer, value.seller] : [value.seller, value.buyer]
  if (sender !== from || addressee !== to) {
    const message = `${value.type}: of ${short(sender)} for ${short(addressee)}, came from ${short(from)} for ${short(to)}`
    return refuse({ code: 'foreign-name', message })
  }
  const misfit = value.type === 'quote' ? misfitOf(value) : undefined
  if (misfit !== undefined) return refuse({ code: 'bad-quote', message: misfit })
  const { signatures } = network
  if (!signatures.isAccount(from) || !signatures.verify(value.signature, digest(network, bytes), from))
    return refuse({ code: 'bad-signature', message: `signature: not ${short(from)}'s over this message` })
  return accept(value)
}

/** Whether files can be sold on a network from `height` on: it has hashlocks, their claims and their refunds. */
export const hasHashlocks = ({ genesis }: Pick<Network, 'genesis'>, height: number): boolean =>
  (['hashlock', 'hashlockClaim', 'hashlockRefund'] as const).every((type) =>
    genesis.activations.some((each) => each.type === TYPE_NUMBERS[type] && each.height <= height),
  )

/** What no honest seller says. */
function misfitOf(quote: Extract<FileMessage, { type: 'quote' }>): string | undefined {
  const { size, chunks, price, blocks, minutes, confirmations } = quote
  if (size > FILE_BYTES_MAX) return `size: at most ${FILE_BYTES_MAX}, got ${size}`
  if (chunks !== chunksOf(size)) return `chunks: ${chunksOf(size)} for ${size} bytes, got ${chunks}`
  if (price < 1) return 'price: at least 1'
  if (blocks < 1 || minutes < 1) return 'blocks, minutes: at least 1'
  return confirmations < 1 ? 'confirmations: at least 1' : undefined
}

const digest = ({ genesisHash, hashing }: Pick<Keys, 'genesisHash' | 'hashing'>, bytes: Uint8Array) =>
  hashing.tagged('file', fromHex(genesisHash), bytes.subarray(0, -SIGNATURE_BYTES))
