/**
 * What a purchase hears and says: the broker, its validators and one seller, as seen from a buyer's session.
 */
import type { Network } from '../../ledger/network.ts'
import type { Log } from '../../node/log.ts'
import type { Question, ReplyTo } from '../../node/requests.ts'
import type { Signer } from '../../node/signing.ts'
import { decode } from '../../schemas/codec.ts'
import type { Account } from '../../schemas/hex.ts'
import type { Receipt, Tip } from '../../schemas/message.ts'
import { topic } from '../../schemas/topic.ts'
import { TRANSACTION_BYTES_MAX, type Transaction, transaction } from '../../schemas/transaction.ts'
import { feeFor } from '../pay-fee.ts'
import { Sender, type Where } from '../sender.ts'
import type { AskValidators } from './ledger-scan.ts'

export interface Line {
  readonly network: Network
  readonly signer: Signer
  /** What validators say of their tips. */
  tips(): Iterable<Tip>
  /** And of the buyer's account. */
  view(): { readonly nonce: number; readonly balance: number }
  readonly ask: AskValidators
  /** Smallest units, for a transaction of so many bytes. */
  fee(offer: { readonly bytes: number; readonly amount: number }): Promise<number>
  /** False when it did not go out. */
  sendTransaction(bytes: Uint8Array): Promise<boolean>
  sendToSeller(message: Uint8Array): Promise<boolean>
  /** From now on goes here what the seller sends the buyer, and what it sends to the ledger. */
  listen(listener: LineListener): void
}

export interface LineListener {
  readonly onMessage: (payload: Uint8Array) => void
  readonly onTransaction: (transaction: Transaction) => void
  /** What became of a transaction of the buyer's. */
  readonly onReceipt: (receipt: Receipt) => void
}

/** Validators asked at most for one answer. */
const VALIDATORS_ASKED_MAX = 5

const NOBODY: LineListener = { onMessage: () => {}, onTransaction: () => {}, onReceipt: () => {} }

/** Connects, and finds the network. Throws WorldError `broker-unreachable`. */
export async function openLine(
  where: Where,
  signer: Signer,
  seller: Account,
  wanted: string | undefined,
  log: Log,
): Promise<Line & { stop(): Promise<void> }> {
  const sender = new Sender(where, signer, wanted, log)
  try {
    const place = await sender.start()
    const { network, validator } = place
    const { id } = network
    let listener = NOBODY
    const requests = sender.requests(place)
    sender.onReceipt((receipt) => listener.onReceipt(receipt))
    sender.session.subscribe([topic(id, 'file', seller, signer.account), topic(id, 'tx', seller)])
    sender.onMessage(({ kind, publisher, network: on, rest, json }, payload) => {
      if (json || publisher !== seller || on !== id) return
      if (kind === 'file' && rest[0] === signer.account) listener.onMessage(payload)
      if (kind !== 'tx') return
      // Its signature does not matter: what a claim tells proves itself.
      const decoded = decode(transaction, payload, TRANSACTION_BYTES_MAX)
      if (decoded.ok) listener.onTransaction(decoded.value)
    })
    const say = (name: string, payload: Uint8Array) =>
      sender.session.publish(name, payload, { qos: 1, retain: false })
    return {
      network,
      signer,
      tips: () => sender.tips.values(),
      view: () => sender.view,
      async ask<const Q extends Question>(
        question: Q,
        isUseful: (reply: ReplyTo<Q>) => boolean = () => true,
      ) {
        const peers = [...sender.tips].sort(([, a], [, b]) => b.height - a.height).map(([peer]) => peer)
        for (const peer of peers.slice(0, VALIDATORS_ASKED_MAX)) {
          const reply = await requests.ask(peer, question)
          if (reply.ok && isUseful(reply.value)) return reply.value
        }
        return undefined
      },
      fee: (offer) => feeFor(network, offer, requests, validator),
      sendTransaction: (bytes) => say(topic(id, 'tx', signer.account), bytes),
      sendToSeller: (message) => say(topic(id, 'file', signer.account, seller), message),
      listen(next) {
        listener = next
      },
      stop: () => sender.stop(),
    }
  } catch (error) {
    await sender.stop()
    throw error
  }
}
