/**
 * Splits: an account shares what it earns with up to four others, by ten thousandths.
 *
 * Earnings are transfers, claims of channels and of hashlocks; rewards and what comes back are not. Shares are rounded down
 * and the account keeps the rest, so nothing is lost. What a share brings is not split again, whatever its receiver has set.
 * Source: docs/PROTOCOL.md section 3.
 */
import { type Account, short } from '../schemas/hex.ts'
import type { Split } from '../schemas/transaction.ts'
import type { Fault } from './fault.ts'
import type { Network } from './network.ts'
import type { Shares, StateView } from './state.ts'

/** The whole, of which a share has `parts`. */
export const PARTS = 10_000

export function checkSplit(network: Pick<Network, 'signatures'>, { from, shares }: Split): Fault | undefined {
  let sum = 0
  for (const [index, { account, parts }] of shares.entries()) {
    const bad = (message: string): Fault => ({ code: 'bad-split', message: `shares.${index}.${message}` })
    if (!network.signatures.isAccount(account))
      return { code: 'bad-account', message: `shares.${index}: ${short(account)} is no Ed25519 account key` }
    if (account === from) return bad('account: not the sender, which keeps what is left')
    if (shares.findIndex((share) => share.account === account) !== index) return bad('account: each once')
    if (parts < 1) return bad('parts: at least 1')
    sum += parts
  }
  return sum > PARTS
    ? { code: 'bad-split', message: `shares: ${PARTS} parts at most, got ${sum}` }
    : undefined
}

/** floor(amount * parts / PARTS), without leaving the exact integers. */
export const shareOf = (amount: number, parts: number): number =>
  Math.floor(amount / PARTS) * parts + Math.floor(((amount % PARTS) * parts) / PARTS)

export const sameShares = (a: Shares, b: Shares): boolean =>
  a.length === b.length &&
  a.every(({ account, parts }, at) => account === b[at]?.account && parts === b[at]?.parts)

/** What of an amount stays with an account that shares it so. */
export const keptOf = (amount: number, shares: Shares): number =>
  shares.reduce((rest, { parts }) => rest - shareOf(amount, parts), amount)

/** Gives an account what it has earned, and others their shares of it. */
export function earn(view: StateView, account: Account, amount: number): void {
  const shares = view.split(account)
  for (const share of shares) add(view, share.account, shareOf(amount, share.parts))
  add(view, account, keptOf(amount, shares))
}

/** Adds to a balance. Cannot leave the exact range: all coins together are the supply, which the genesis keeps below 2^53. */
export function add(view: StateView, account: Account, amount: number): void {
  if (amount === 0) return
  const entry = view.account(account)
  view.setAccount(account, { ...entry, balance: entry.balance + amount })
}
