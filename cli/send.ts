/** Signs a transaction, sends it and waits until a validator has it in a block: what `pay`, `admit` and `revoke` share. */
import type { Draft } from '../edge-agent/outbox.ts'
import { formatCoins } from '../ledger/amount.ts'
import type { Network } from '../ledger/network.ts'
import { type Sealed, signTransaction } from '../ledger/transaction.ts'
import { WorldError } from '../node/error.ts'
import type { Log } from '../node/log.ts'
import type { Signer } from '../node/signing.ts'
import type { Receipt } from '../schemas/message.ts'
import { topic } from '../schemas/topic.ts'
import { SIGNATURE_BYTES, type Transaction, transaction, type Unsigned } from '../schemas/transaction.ts'
import { EXIT } from './exit.ts'
import { feeFor } from './pay-fee.ts'
import { type Place, Sender, type Where } from './sender.ts'

export interface Sending {
  /** The transaction's own fields. */
  readonly draft: Draft
  /** What is done, in words: `paying 1.5 to 8a88e3dd`. */
  readonly doing: string
  /** Why it cannot be done on this network; asked before anything is sent. */
  readonly obstacle?: (network: Network) => string | undefined
  /** Called with the transaction once it is signed and before it is sent: what has to be noted before anybody else knows. */
  readonly onSealed?: (sealed: Sealed, place: Place) => void
  /** Smallest units; what a validator thinks that it takes when undefined. */
  readonly fee: number | undefined
  /** Genesis hash (or its first 8 hex digits) that the network must have; undefined: whatever the broker has, if it is only one. */
  readonly network: string | undefined
  readonly waitSeconds: number
}

/** Blocks that the transaction may wait. */
const LIFETIME_BLOCKS = 1_000

/** What to do about the refusals that a sender can do something about. */
const IN_USE = ['replaced', 'fee-too-low-to-replace', 'nonce-too-low', 'nonce-gap']
const remedyFor = (code: string, { type }: Draft): string => {
  if (!IN_USE.includes(code)) return ''
  const own = "an agent sets its own split: write 'split:' into its configuration, or stop it meanwhile"
  return `; another program, such as a running agent, sends with this key: ${type === 'split' ? own : 'send from an account of your own'}`
}

/** Prints what became of it; 0 confirmed, 1 refused or not confirmed in time. Throws WorldError `broker-unreachable`. */
export async function sendCommand(
  where: Where,
  signer: Signer,
  sending: Sending,
  json: boolean,
  log: Log,
): Promise<number> {
  const sender = new Sender(where, signer, sending.network, log)
  try {
    const place = await sender.start()
    return await sendOn(sender, place, signer, sending, json)
  } finally {
    await sender.stop()
  }
}

/** The same on a session of the caller's, with the nonce and the coins that `place` has. */
export async function sendOn(
  sender: Sender,
  place: Place,
  signer: Signer,
  sending: Omit<Sending, 'network'>,
  json: boolean,
): Promise<number> {
  const { network, balance } = place
  const obstacle = sending.obstacle?.(network)
  if (obstacle !== undefined) return tell(json, EXIT.no, { status: 'refused', reason: obstacle })
  const sealed = await seal(sender, place, signer, sending)
  const { fee } = sealed.transaction
  const needs = amountOf(sending.draft) + fee
  if (needs > balance) {
    const reason = `the account has ${formatCoins(balance)} coins and needs ${formatCoins(needs)}`
    return tell(json, EXIT.no, { status: 'refused', reason })
  }
  sending.onSealed?.(sealed, place)
  const settled = settlement(sender, sealed, json)
  if (!json) process.stdout.write(`${sending.doing} on network ${network.id}, transaction ${sealed.id}\n`)
  const name = topic(network.id, 'tx', signer.account)
  const sent = await sender.session.publish(name, sealed.bytes, { qos: 1, retain: false })
  if (!sent) {
    const what = 'did not take the transaction; nothing was sent'
    throw new WorldError('broker-unreachable', `the broker at ${sender.url} ${what}`)
  }
  return report(await settled(sending.waitSeconds), sealed, sending, json)
}

const amountOf = (draft: Draft): number =>
  draft.type === 'transfer' || draft.type === 'channelOpen' ? draft.amount : 0

async function seal(
  sender: Sender,
  place: Place,
  signer: Signer,
  { draft, fee }: Pick<Sending, 'draft' | 'fee'>,
): Promise<Sealed> {
  const { network, validator, nonce, height } = place
  const head = { network: network.id, from: signer.account, nonce, expiry: height + LIFETIME_BLOCKS }
  const unsigned = { ...draft, ...head, fee: fee ?? 0 } as Unsigned<Transaction>
  if (fee !== undefined) return signTransaction(network, unsigned, signer.sign)
  const signature = new Uint8Array(SIGNATURE_BYTES)
  const bytes = transaction.size({ ...unsigned, signature } as Transaction)
  const offer = { bytes, amount: amountOf(draft) }
  const offered = await feeFor(network, offer, sender.requests(place), validator)
  return signTransaction(network, { ...unsigned, fee: offered }, signer.sign)
}

/** Listens for the transaction's receipts, from before it is sent; undefined when none settles it in time. */
function settlement(sender: Sender, sealed: Sealed, json: boolean) {
  let accepted = false
  const settled = new Promise<Receipt>((resolve) => {
    sender.onReceipt((value) => {
      if (value.transaction !== sealed.id) return
      if (value.status === 'accepted' && !json && !accepted)
        process.stdout.write('accepted, waiting for a block\n')
      accepted ||= value.status === 'accepted'
      if (value.status === 'confirmed' || value.status === 'refused') resolve(value)
    })
  })
  return (seconds: number): Promise<Receipt | undefined> => {
    const late = new Promise<undefined>((resolve) =>
      setTimeout(() => resolve(undefined), seconds * 1000).unref(),
    )
    return Promise.race([settled, late])
  }
}

function report(
  outcome: Receipt | undefined,
  sealed: Sealed,
  sending: Pick<Sending, 'draft' | 'waitSeconds'>,
  json: boolean,
): number {
  const { fee, expiry } = sealed.transaction
  if (outcome === undefined)
    return tell(json, EXIT.no, {
      status: 'unconfirmed',
      transaction: sealed.id,
      reason: `not in a block after ${sending.waitSeconds} s; it may still be confirmed until block ${expiry}`,
    })
  const { status, code, message, height } = outcome
  if (status === 'refused')
    return tell(json, EXIT.no, {
      status,
      transaction: sealed.id,
      reason: `${code}: ${message}${remedyFor(code, sending.draft)}`,
    })
  return tell(json, EXIT.ok, { status, transaction: sealed.id, height, fee })
}

function tell(json: boolean, code: number, outcome: Readonly<Record<string, string | number>>): number {
  if (json) process.stdout.write(`${JSON.stringify(outcome)}\n`)
  else
    process.stdout.write(
      `${Object.entries(outcome)
        .map(([key, value]) => `${key === 'status' || key === 'reason' ? '' : `${key} `}${value}`)
        .join(', ')}\n`,
    )
  return code
}
