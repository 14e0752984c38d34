/**
 * Hashlocks: coins that go to whoever is named once a secret is told, or back after a deadline.
 *
 * The deadline is a height and a time, and has passed when both are reached: a fast chain does not cut the time short, and a
 * stopped one does not cut the blocks short. Before it only the claim is valid, after it only the refund, so the two never
 * race. Time is the *median time* of the chain before the block, which one miner cannot move.
 * Source: docs/PROTOCOL.md section 3; BIP 113, BIP 199.
 */
import { type Account, fromHex, hashFromBytes, short } from '../schemas/hex.ts'
import type { Hashlock, HashlockClaim, HashlockRefund } from '../schemas/transaction.ts'
import type { Fault } from './fault.ts'
import type { Network } from './network.ts'
import type { HashlockEntry, StateReader, StateView } from './state.ts'

/** Where a block stands in the chain, and in time. */
export interface Moment {
  readonly height: number
  /** Of the blocks below it: see `medianHeight`. Milliseconds. */
  readonly medianTime: number
}

/** Blocks of whose times the median is taken: a miner who has not half of them cannot choose it. */
export const MEDIAN_BLOCKS = 11

/**
 * Height of the block whose time is the median of the 11 blocks below `height`, or of all if there are fewer. Times grow from
 * block to block, so the block in the middle has the time in the middle.
 */
export function medianHeight(height: number): number {
  const blocks = Math.min(MEDIAN_BLOCKS, height)
  return height - blocks + Math.floor(blocks / 2)
}

const isPast = ({ height, time }: HashlockEntry, at: Moment): boolean =>
  at.height >= height && at.medianTime >= time

export function checkHashlock(network: Pick<Network, 'signatures'>, tx: Hashlock): Fault | undefined {
  if (!network.signatures.isAccount(tx.to))
    return { code: 'bad-account', message: `to: ${short(tx.to)} is no Ed25519 account key` }
  return tx.amount < 1 ? { code: 'bad-hashlock', message: 'amount: at least 1' } : undefined
}

export function checkHashlockClaim(
  { hashing }: Pick<Network, 'hashing'>,
  state: StateReader,
  tx: HashlockClaim,
  at: Moment,
): Fault | undefined {
  const entry = state.hashlock(tx.hashlock)
  if (entry === undefined) return unknownHashlock(tx)
  if (isPast(entry, at))
    return { code: 'deadline-passed', message: `hashlock: its deadline was height ${entry.height}` }
  if (hashFromBytes(hashing.plain(fromHex(tx.preimage))) === entry.lock) return undefined
  return { code: 'bad-preimage', message: `preimage: its SHA-256 is not ${entry.lock}` }
}

export function checkHashlockRefund(state: StateReader, tx: HashlockRefund, at: Moment): Fault | undefined {
  const entry = state.hashlock(tx.hashlock)
  if (entry === undefined) return unknownHashlock(tx)
  if (isPast(entry, at)) return undefined
  const message = `hashlock: not before height ${entry.height} and median time ${entry.time}, this is ${at.height} and ${at.medianTime}`
  return { code: 'deadline-not-passed', message }
}

const unknownHashlock = ({ hashlock }: HashlockClaim | HashlockRefund): Fault => ({
  code: 'unknown-hashlock',
  message: `hashlock: ${hashlock} is not there`,
})

/** Takes a lock away; who gets its coins by claim, and by refund. */
export function takeHashlock(
  view: StateView,
  { hashlock }: HashlockClaim | HashlockRefund,
): { readonly to: Account; readonly from: Account; readonly amount: number } {
  const entry = view.hashlock(hashlock) as HashlockEntry
  view.setHashlock(hashlock, undefined)
  return entry
}
