/** `pinledger pay`: signs a transfer, sends it and waits until a validator has it in a block. */
import { formatCoins } from '../ledger/amount.ts'
import { Hashing } from '../ledger/hashing.ts'
import { createNetwork, type Network } from '../ledger/network.ts'
import { feeFloorFor, signTransaction } from '../ledger/transaction.ts'
import { WorldError } from '../node/error.ts'
import type { Log } from '../node/log.ts'
import { createSession, type SessionOptions } from '../node/session.ts'
import { type Signer, signatures } from '../node/signing.ts'
import { decode } from '../schemas/codec.ts'
import { GENESIS_BYTES_MAX, genesis as genesisCodec } from '../schemas/genesis.ts'
import { type Account, short } from '../schemas/hex.ts'
import { accountView, type Receipt, receipt, tip } from '../schemas/message.ts'
import { parseTopic, topic } from '../schemas/topic.ts'
import { TRANSACTION_BYTES_MAX, type Transaction, transaction } from '../schemas/transaction.ts'
import { EXIT } from './exit.ts'

export interface Order {
  readonly to: Account
  /** Smallest units. */
  readonly amount: number
  readonly memo: string
  /** Smallest units; the network's floor when undefined. */
  readonly fee: number | undefined
  /** Genesis hash (or its first 8 hex digits) that the network must have; undefined: whatever the broker has, if it is only one. */
  readonly network: string | undefined
  readonly waitSeconds: number
}

/** Blocks that the transfer may wait. */
const LIFETIME_BLOCKS = 1_000

/** What to do about the refusals that a payer can do something about. */
const IN_USE =
  '; another program, such as a running agent, sends with this key: pay from an account of your own'
const REMEDIES: Readonly<Record<string, string>> = {
  replaced: IN_USE,
  'fee-too-low-to-replace': IN_USE,
  'nonce-too-low': IN_USE,
  'nonce-gap': IN_USE,
}

interface Known {
  network?: Network
  height?: number
  view?: { nonce: number; balance: number }
}

/** Prints what became of the payment; 0 confirmed, 1 refused or not confirmed in time. */
export async function payCommand(
  where: Pick<SessionOptions, 'url' | 'ca' | 'username' | 'password'>,
  signer: Signer,
  order: Order,
  json: boolean,
  log: Log,
): Promise<number> {
  const known: Known = {}
  const receipts: ((value: Receipt) => void)[] = []
  let reason = 'no answer'
  const session = createSession(
    { ...where, signer, clientIdSuffix: `pay-${process.pid}` },
    {
      log,
      random: Math.random,
      now: () => performance.now(),
      onMessage: ({ topic: name, payload }) =>
        learn(known, order, signer.account, name, payload, (value) => {
          for (const receive of receipts) receive(value)
        }),
      onConnected: () => {},
      onDisconnected: (why) => {
        reason = why
      },
      onDropped: () => {},
      onFault(error) {
        throw error
      },
    },
  )
  session.subscribe([
    `pinledger/${order.network?.slice(0, 8) ?? '+'}/genesis/+`,
    `pinledger/${order.network?.slice(0, 8) ?? '+'}/tip/+`,
    `pinledger/${order.network?.slice(0, 8) ?? '+'}/account/+/${signer.account}`,
    `pinledger/${order.network?.slice(0, 8) ?? '+'}/receipt/+/${signer.account}`,
  ])
  session.start()
  try {
    await until(
      () => session.connected,
      10_000,
      () => new WorldError('broker-unreachable', `cannot reach the broker at ${where.url}: ${reason}`),
    )
    await until(
      () => known.network !== undefined && known.height !== undefined,
      5_000,
      () =>
        new WorldError(
          'broker-unreachable',
          `no validator at ${where.url} tells of a network${order.network === undefined ? '' : ` ${order.network}`}`,
        ),
    )
    // The account's own view may be missing: nobody has sent it a coin.
    await until(
      () => known.view !== undefined,
      1_000,
      () => undefined,
    )
    const { network, height = 0, view = { nonce: 0, balance: 0 } } = known
    if (network === undefined) return EXIT.no
    const sealed = draft(network, signer, order, height, view.nonce)
    const { fee } = sealed.transaction
    if (order.amount + fee > view.balance) {
      return tell(json, EXIT.no, {
        status: 'refused',
        reason: `the account has ${formatCoins(view.balance)} coins and needs ${formatCoins(order.amount + fee)}`,
      })
    }
    let accepted = false
    const settled = new Promise<Receipt>((resolve) => {
      receipts.push((value) => {
        if (value.transaction !== sealed.id) return
        if (value.status === 'accepted' && !json && !accepted)
          process.stdout.write('accepted, waiting for a block\n')
        accepted ||= value.status === 'accepted'
        if (value.status === 'confirmed' || value.status === 'refused') resolve(value)
      })
    })
    if (!json)
      process.stdout.write(
        `paying ${formatCoins(order.amount)} to ${short(order.to)} on network ${network.id}, transaction ${sealed.id}\n`,
      )
    const sent = await session.publish(topic(network.id, 'tx', signer.account), sealed.bytes, {
      qos: 1,
      retain: false,
    })
    if (!sent)
      throw new WorldError(
        'broker-unreachable',
        `the broker at ${where.url} did not take the transaction; nothing was paid`,
      )
    const late = new Promise<undefined>((resolve) =>
      setTimeout(() => resolve(undefined), order.waitSeconds * 1000).unref(),
    )
    const outcome = await Promise.race([settled, late])
    if (outcome === undefined)
      return tell(json, EXIT.no, {
        status: 'unconfirmed',
        transaction: sealed.id,
        reason: `not in a block after ${order.waitSeconds} s; it may still be confirmed until block ${sealed.transaction.expiry}`,
      })
    const { status, code, message } = outcome
    if (status === 'refused')
      return tell(json, EXIT.no, {
        status,
        transaction: sealed.id,
        reason: `${code}: ${message}${REMEDIES[code] ?? ''}`,
      })
    return tell(json, EXIT.ok, { status, transaction: sealed.id, height: outcome.height, fee })
  } finally {
    await session.stop()
  }
}

function draft(
  network: Network,
  signer: Signer,
  { to, amount, memo, fee }: Order,
  height: number,
  nonce: number,
) {
  const unsigned = {
    type: 'transfer',
    network: network.id,
    from: signer.account,
    nonce,
    expiry: height + LIFETIME_BLOCKS,
    to,
    amount,
    memo,
  } as const
  const size = transaction.size({ ...unsigned, fee: 0, signature: new Uint8Array(64) } as Transaction)
  return signTransaction(network, { ...unsigned, fee: fee ?? feeFloorFor(network, size) }, signer.sign)
}

/** Takes in what validators say; a genesis counts only if its bytes hash to the network's name. */
function learn(
  known: Known,
  order: Order,
  account: Account,
  name: string,
  payload: Uint8Array,
  onReceipt: (value: Receipt) => void,
): void {
  const parsed = parseTopic(name)
  if (parsed === undefined || parsed.json) return
  if (parsed.kind === 'genesis' && known.network === undefined) {
    const decoded = decode(genesisCodec, payload, GENESIS_BYTES_MAX)
    const network = decoded.ok
      ? createNetwork(decoded.value, { hashing: new Hashing(), signatures })
      : undefined
    if (network?.ok !== true || network.value.id !== parsed.network) return
    if (order.network !== undefined && !network.value.genesisHash.startsWith(order.network)) return
    known.network = network.value
  }
  if (parsed.kind === 'tip') {
    const decoded = decode(tip, payload, TRANSACTION_BYTES_MAX)
    if (decoded.ok) known.height = Math.max(known.height ?? 0, decoded.value.height)
  }
  if (parsed.kind === 'account' && parsed.rest[0] === account) {
    const decoded = decode(accountView, payload, TRANSACTION_BYTES_MAX)
    if (decoded.ok && decoded.value.nonce >= (known.view?.nonce ?? 0)) known.view = decoded.value
  }
  if (parsed.kind === 'receipt' && parsed.rest[0] === account) {
    const decoded = decode(receipt, payload, TRANSACTION_BYTES_MAX)
    if (decoded.ok) onReceipt(decoded.value)
  }
}

async function until(
  condition: () => boolean,
  timeoutMs: number,
  error: () => Error | undefined,
): Promise<void> {
  const endMs = performance.now() + timeoutMs
  while (!condition()) {
    if (performance.now() > endMs) {
      const failed = error()
      if (failed !== undefined) throw failed
      return
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
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
