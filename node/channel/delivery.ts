/**
 * A reading as it is delivered on a channel: signed by its seller together with channel, number and what is due, so that the
 * buyer can show it to others. Source: docs/PROTOCOL.md section 15.
 */
import type { Network } from '../../ledger/network.ts'
import type { FastAccept } from '../../ledger/signature.ts'
import { channelTalk, type Delivery } from '../../schemas/channel-message.ts'
import { encode } from '../../schemas/codec.ts'
import { type Account, fromHex } from '../../schemas/hex.ts'
import { SIGNATURE_BYTES } from '../../schemas/transaction.ts'
import type { Signer } from '../signing.ts'

type Rules = Pick<Network, 'genesisHash' | 'hashing'>
export type Delivered = Delivery

/** The 32 bytes that a seller signs. */
const deliveryMessage = ({ genesisHash, hashing }: Rules, delivery: Delivery): Uint8Array =>
  hashing.tagged(
    'delivery',
    fromHex(genesisHash),
    encode(channelTalk, delivery).subarray(0, -SIGNATURE_BYTES),
  )

export function signDelivery(
  network: Rules,
  signer: Signer,
  fields: Omit<Delivery, 'type' | 'signature'>,
): Delivery {
  const draft: Delivery = { type: 'delivery', ...fields, signature: new Uint8Array(SIGNATURE_BYTES) }
  return { ...draft, signature: new Uint8Array(signer.sign(deliveryMessage(network, draft))) }
}

export function isDelivery(
  network: Rules,
  accepts: FastAccept,
  delivery: Delivery,
  seller: Account,
): boolean {
  try {
    return accepts(delivery.signature, deliveryMessage(network, delivery), seller)
  } catch {
    // Not even a key.
    return false
  }
}
