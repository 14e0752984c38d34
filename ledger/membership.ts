/**
 * Who may mine: everybody on an open network; on an enrolled one its authorities, and the members that these admit.
 *
 * The genesis names the authorities. A block is judged by the state of its parent, so that the block that admits
 * an account cannot be mined by it, and the block that revokes a member can. Source: docs/PROTOCOL.md section 5.
 */
import type { Account } from '../schemas/hex.ts'
import type { Admission, Revocation } from '../schemas/transaction.ts'
import type { Fault } from './fault.ts'
import type { Network } from './network.ts'
import { type Change, KIND, type MemberEntry } from './state.ts'

/** A state, or a view of one, that says who is a member. */
export interface Members {
  member(account: Account): MemberEntry | undefined
}

export const isEnrolled = ({ genesis }: Pick<Network, 'genesis'>): boolean => genesis.authorities.length > 0

export const isAuthority = ({ genesis }: Pick<Network, 'genesis'>, account: Account): boolean =>
  genesis.authorities.includes(account)

/** Whether `account` may mine a block whose parent leads to `state`. */
export const mayMine = (network: Pick<Network, 'genesis'>, state: Members, account: Account): boolean =>
  !isEnrolled(network) || isAuthority(network, account) || state.member(account) !== undefined

/**
 * Whether `account` may mine a block whose parent is further down the best chain, without that parent's state: `tip` is the
 * state of the tip, `undone` the changes of the blocks above the parent, the tip's first. Who may mine on the tip is let
 * through, and `undone` not asked for; the execution of his block tells if he was no member yet. For all others exact.
 */
export function mayMineBelow(
  network: Pick<Network, 'genesis'>,
  tip: Members,
  account: Account,
  undone: Iterable<readonly Change[]>,
): boolean {
  if (mayMine(network, tip, account)) return true
  let member = false
  for (const changes of undone) {
    for (const { kind, key, before } of changes)
      if (kind === KIND.member && (key as string) === account) member = before.length > 0
  }
  return member
}

/** Refuses a block of who may not mine on the state of its parent. */
export function checkMiner(
  network: Pick<Network, 'genesis'>,
  before: Members,
  miner: Account,
): Fault | undefined {
  return mayMine(network, before, miner) ? undefined : notAdmitted(miner)
}

export const notAdmitted = (miner: Account): Fault => ({
  code: 'not-admitted',
  message: `coinbase: ${miner} is neither an authority nor a member of this enrolled network`,
})

/** Refuses an admission of who may mine already, and a revocation of who is no member. */
export function checkMembership(
  network: Pick<Network, 'genesis'>,
  members: Members,
  { type, member }: Pick<Admission | Revocation, 'type' | 'member'>,
): Fault | undefined {
  const entry = members.member(member)
  if (type === 'admission') {
    if (isAuthority(network, member))
      return { code: 'already-member', message: `member: ${member} is an authority, which may always mine` }
    if (entry === undefined) return undefined
    return { code: 'already-member', message: `member: ${member} is a member since block ${entry.since}` }
  }
  return entry === undefined ? { code: 'not-member', message: `member: ${member} is no member` } : undefined
}

/** What can be said of an admission or revocation without the state. */
export function checkAuthority(
  network: Pick<Network, 'genesis'>,
  { from }: Pick<Admission | Revocation, 'from'>,
): Fault | undefined {
  if (isAuthority(network, from)) return undefined
  const message = isEnrolled(network)
    ? `from: ${from} is none of the network's authorities`
    : `from: an open network has no authorities, everybody may mine`
  return { code: 'not-authority', message }
}
