/**
 * Block rules: the body that a header commits to, and what it does to the state.
 *
 * `checkBody` needs no state and costs the signatures; `connectBlock` runs the transactions. A body that does not
 * match its header says nothing about the header: only a fault behind a matching content is the block's own.
 * Source: docs/PROTOCOL.md section 5.
 */

import { type Block, block as blockCodec } from '../schemas/block.ts'
import { decode, encode } from '../schemas/codec.ts'
import { type Account, hashFromBytes, short, ZERO_HASH } from '../schemas/hex.ts'
import { accept, type Result, refuse } from '../schemas/result.ts'
import { transaction } from '../schemas/transaction.ts'
import { addAmounts } from './amount.ts'
import { applyTransaction, readingsOf, signaturesOf } from './apply.ts'
import { type Fault, faulty, fromDecode } from './fault.ts'
import type { Moment } from './hashlock.ts'
import { checkMiner } from './membership.ts'
import { merkleRoot } from './merkle.ts'
import type { Network } from './network.ts'
import { type Change, type State, StateView } from './state.ts'
import { subsidyAt } from './subsidy.ts'
import {
  checkTransaction,
  type Sealed,
  type SignatureCache,
  sealCoinbase,
  sealTransaction,
} from './transaction.ts'

/** A decoded block whose body matches its header. */
export interface SealedBlock {
  readonly block: Block
  readonly bytes: Uint8Array
  readonly transactions: readonly Sealed[]
}

/** Decodes a block and checks that its body is the one that its header commits to. */
export function parseBlock(network: Network, bytes: Uint8Array): Result<SealedBlock, Fault> {
  const { blockBytesMax } = network.genesis
  if (bytes.length > blockBytesMax)
    return faulty('block-too-large', `block: ${bytes.length} bytes, limit is ${blockBytesMax}`)
  const decoded = decode(blockCodec, bytes, blockBytesMax)
  if (!decoded.ok) return refuse(fromDecode(decoded.fault))
  return sealBlock(network, decoded.value, bytes)
}

export function sealBlock(
  network: Network,
  block: Block,
  bytes = encode(blockCodec, block),
): Result<SealedBlock, Fault> {
  const { header, coinbase } = block
  const { content } = sealCoinbase(network, coinbase)
  if (header.content !== content)
    return faulty(
      'bad-content',
      `content: the coinbase's leaf is ${content}, the header says ${header.content}`,
    )
  const transactions = block.transactions.map((tx) => sealTransaction(network, tx, encode(transaction, tx)))
  const root = transactionsRoot(network, transactions)
  if (coinbase.transactionsRoot !== root) {
    return faulty(
      'bad-transactions-root',
      `transactionsRoot: the transactions give ${root}, the coinbase says ${coinbase.transactionsRoot}`,
    )
  }
  return accept({ block, bytes, transactions })
}

export const transactionsRoot = (network: Network, transactions: readonly Sealed[]) =>
  hashFromBytes(
    merkleRoot(
      network.hashing,
      transactions.map(({ leaf }) => leaf),
    ),
  )

/** Every rule of a body that needs no state. */
export function checkBody(
  network: Network,
  { block, transactions }: SealedBlock,
  verified: SignatureCache,
): Result<true, Fault> {
  const { header, coinbase } = block
  if (coinbase.network !== network.id)
    return faulty('wrong-network', `network: this is ${network.id}, got ${coinbase.network}`)
  if (coinbase.height !== header.height)
    return faulty('bad-coinbase', `height: header ${header.height}, coinbase ${coinbase.height}`)
  if (coinbase.parent !== header.parent) return faulty('bad-coinbase', 'parent: header and coinbase differ')
  // With a slow hand it is evidence, and not for the ledger to judge: a hand that stops must not stop the other.
  if (network.hand === undefined && coinbase.tick !== ZERO_HASH)
    return faulty('bad-tick', 'tick: all zero on a network without a slow hand')
  let count = 1
  for (const { transaction: tx } of transactions) count += signaturesOf(tx)
  const { blockSignaturesMax } = network.genesis
  if (count > blockSignaturesMax)
    return faulty('too-many-signatures', `signatures: ${count}, limit is ${blockSignaturesMax}`)
  if (!network.signatures.isAccount(coinbase.from))
    return faulty('bad-account', `coinbase: ${short(coinbase.from)} is no Ed25519 account key`)
  const { message } = sealCoinbase(network, coinbase)
  if (!network.signatures.verify(coinbase.signature, message, coinbase.from)) {
    return faulty('bad-signature', `coinbase: not signed by ${short(coinbase.from)}`)
  }
  for (const [index, sealed] of transactions.entries()) {
    const checked = checkTransaction(network, sealed, verified)
    if (!checked.ok)
      return refuse({ ...checked.fault, message: `transaction ${index}: ${checked.fault.message}` })
  }
  return accept(true)
}

/** The state after a block and the changes that lead there and back. */
export interface Connection {
  readonly state: State
  readonly changes: readonly Change[]
  readonly fees: number
}

/** What a block's transactions and reward do to `before`, the state roots not yet compared. */
export function executeBlock(
  network: Network,
  before: State,
  { height, medianTime, miner, reward }: Moment & { miner: Account; reward: number | 'all' },
  transactions: readonly Sealed[],
): Result<Connection & { readonly reward: number }, Fault> {
  const uninvited = checkMiner(network, before, miner)
  if (uninvited !== undefined) return refuse(uninvited)
  const view = new StateView(before)
  matureReward(network, view, height)
  let fees = 0
  let readings = 0
  for (const [index, sealed] of transactions.entries()) {
    const applied = applyTransaction(network, view, sealed, { height, medianTime, miner })
    if (!applied.ok)
      return refuse({ ...applied.fault, message: `transaction ${index}: ${applied.fault.message}` })
    const sum = addAmounts(fees, applied.value.fee)
    if (sum === undefined) return faulty('amount-overflow', `transaction ${index}: fees exceed 2^53 - 1`)
    fees = sum
    readings += readingsOf(sealed.transaction)
  }
  const most = addAmounts(subsidyAt(network.genesis, height), fees)
  if (most === undefined) return faulty('amount-overflow', 'reward: subsidy and fees exceed 2^53 - 1')
  const paid = reward === 'all' ? most : reward
  if (paid > most) return faulty('bad-reward', `reward: at most ${most} (subsidy and fees), got ${paid}`)
  if (paid > 0) view.setReward(height, { account: miner, amount: paid })
  const totals = view.totals()
  const confirmed = addAmounts(totals.transactions, transactions.length)
  const read = addAmounts(totals.readings, readings)
  if (confirmed === undefined || read === undefined)
    return faulty('amount-overflow', 'totals: a count exceeds 2^53 - 1')
  view.setTotals({ supply: totals.supply - fees + paid, transactions: confirmed, readings: read })
  const changes = view.changes()
  return accept({ state: before.with(changes, 'after'), changes, fees, reward: paid })
}

/** Runs a checked block on the state of its parent; `medianTime` is that of the chain below it. */
export function connectBlock(
  network: Network,
  before: State,
  { block, transactions }: SealedBlock,
  medianTime: number,
): Result<Connection, Fault> {
  const { coinbase } = block
  const outcome = executeBlock(
    network,
    before,
    { height: coinbase.height, medianTime, miner: coinbase.from, reward: coinbase.reward },
    transactions,
  )
  if (!outcome.ok) return outcome
  const root = outcome.value.state.root()
  if (coinbase.stateRoot !== root) {
    return faulty(
      'bad-state-root',
      `stateRoot: the block leads to ${root}, the coinbase says ${coinbase.stateRoot}`,
    )
  }
  return outcome
}

/** A reward becomes balance `maturity` blocks after its own, before that block's transactions. */
function matureReward(network: Network, view: StateView, height: number): void {
  const from = height - network.genesis.maturity
  const reward = from < 1 ? undefined : view.reward(from)
  if (reward === undefined) return
  const entry = view.account(reward.account)
  view.setAccount(reward.account, { ...entry, balance: entry.balance + reward.amount })
  view.setReward(from, undefined)
}
