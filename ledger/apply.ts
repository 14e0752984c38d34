/**
 * What a transaction does to the state, type by type: the registry of effects.
 *
 * A transaction is applied whole or not at all: every check comes before the first write.
 * Source: docs/PROTOCOL.md section 3.
 */
import { short } from '../schemas/hex.ts'
import { accept, type Result } from '../schemas/result.ts'
import { type Transaction, type TransactionType, TYPE_NUMBERS } from '../schemas/transaction.ts'
import { addAmounts } from './amount.ts'
import { type Fault, faulty } from './fault.ts'
import { checkMembership, type Members } from './membership.ts'
import type { Network } from './network.ts'
import type { StateView } from './state.ts'
import { feeFloorFor, type Sealed } from './transaction.ts'

interface Effect<T extends Transaction> {
  /** Smallest units that leave the sender besides the fee. */
  spends(tx: T): number
  /** Signatures that a block's limit counts. */
  readonly signatures: number
  /** Readings that it puts on the ledger. */
  readings(tx: T): number
  /** Rules of the type that depend on the state, beyond the sender's account. */
  check?(network: Network, state: Members, tx: T): Fault | undefined
  apply(view: StateView, tx: T, context: BlockContext): void
}

type Effects = { readonly [K in TransactionType]: Effect<Extract<Transaction, { type: K }>> }

const EFFECTS: Effects = {
  transfer: {
    signatures: 1,
    spends: (tx) => tx.amount,
    readings: () => 0,
    apply(view, tx) {
      const receiver = view.account(tx.to)
      // Cannot leave the exact range: all balances together are the supply, which the genesis keeps below 2^53.
      view.setAccount(tx.to, { ...receiver, balance: receiver.balance + tx.amount })
    },
  },
  reading: { signatures: 1, spends: () => 0, readings: () => 1, apply: () => {} },
  batch: { signatures: 1, spends: () => 0, readings: (tx) => tx.count, apply: () => {} },
  admission: {
    signatures: 1,
    spends: () => 0,
    readings: () => 0,
    check: checkMembership,
    apply: (view, tx, { height }) => view.setMember(tx.member, height),
  },
  revocation: {
    signatures: 1,
    spends: () => 0,
    readings: () => 0,
    check: checkMembership,
    apply: (view, tx) => view.setMember(tx.member, undefined),
  },
}

const effectOf = (tx: Transaction): Effect<Transaction> => EFFECTS[tx.type] as Effect<Transaction>

export const spendOf = (tx: Transaction): number | undefined => addAmounts(effectOf(tx).spends(tx), tx.fee)
export const signaturesOf = (tx: Transaction): number => effectOf(tx).signatures
export const readingsOf = (tx: Transaction): number => effectOf(tx).readings(tx)

export interface BlockContext {
  readonly height: number
  /** Whose block it is: the fee floor is waived for the miner's own transactions, so that a device without a coin is heard. */
  readonly miner: string
}

/** Rules that depend on the height and the miner but not on the sender's account. */
export function checkInContext(
  network: Network,
  { transaction: tx, bytes }: Sealed,
  context: BlockContext,
): Fault | undefined {
  const number = TYPE_NUMBERS[tx.type]
  const activation = network.genesis.activations.find(({ type }) => type === number)
  if (activation === undefined || context.height < activation.height) {
    return { code: 'type-not-active', message: `type: ${tx.type} is not active at height ${context.height}` }
  }
  if (tx.expiry < context.height) {
    return { code: 'expired', message: `expiry: height ${tx.expiry} is past, the block is ${context.height}` }
  }
  const floor = feeFloorFor(network, bytes.length)
  if (tx.fee < floor && tx.from !== context.miner) {
    return { code: 'fee-too-low', message: `fee: at least ${floor} for ${bytes.length} bytes, got ${tx.fee}` }
  }
  return undefined
}

/** Rules of a transaction's type that depend on the state; whoever lets transactions wait has to ask, or one that can never be mined keeps the later ones waiting. */
export const checkOnState = (network: Network, state: Members, tx: Transaction): Fault | undefined =>
  effectOf(tx).check?.(network, state, tx)

/** Applies a transaction to the view, or says why it cannot be and leaves the view as it was. */
export function applyTransaction(
  network: Network,
  view: StateView,
  sealed: Sealed,
  context: BlockContext,
): Result<{ readonly fee: number }, Fault> {
  const { transaction: tx } = sealed
  const misplaced = checkInContext(network, sealed, context)
  if (misplaced !== undefined) return { ok: false, fault: misplaced }
  const sender = view.account(tx.from)
  if (tx.nonce < sender.nonce)
    return faulty('nonce-too-low', `nonce: ${short(tx.from)} is at ${sender.nonce}, got ${tx.nonce}`)
  if (tx.nonce > sender.nonce)
    return faulty('nonce-gap', `nonce: ${short(tx.from)} is at ${sender.nonce}, got ${tx.nonce}`)
  const spend = spendOf(tx)
  if (spend === undefined) return faulty('amount-overflow', 'amount: amount and fee together exceed 2^53 - 1')
  if (spend > sender.balance) {
    return faulty('insufficient-balance', `amount: ${short(tx.from)} has ${sender.balance}, needs ${spend}`)
  }
  const impossible = checkOnState(network, view, tx)
  if (impossible !== undefined) return { ok: false, fault: impossible }
  view.setAccount(tx.from, { nonce: sender.nonce + 1, balance: sender.balance - spend })
  effectOf(tx).apply(view, tx, context)
  return accept({ fee: tx.fee })
}
