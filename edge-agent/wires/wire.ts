/**
 * A wire: when something happens, pay so much to somebody, for this, within limits.
 *
 * What it looks at is another device's sensor (by readings on the ledger), a sensor of this agent (by its live samples), or the time.
 * Receiver and purpose together are its *purchase*: a payment's receiver and memo tell on the ledger which wire paid, so each
 * purchase is one wire's alone.
 */
import { formatCoins } from '../../ledger/amount.ts'
import { type Account, short } from '../../schemas/hex.ts'
import { type Item, parsePurchase, writePurchase } from '../../schemas/receipt-memo.ts'

export type Source =
  /** Readings on the ledger, as deep as `confirmations`, their own block counted. */
  | {
      readonly kind: 'ledger'
      readonly device: Account
      readonly sensor: string
      readonly confirmations: number
    }
  /** Live samples of this agent. */
  | { readonly kind: 'own'; readonly sensor: string }
  /** Once in each slot of so many minutes, counted from 1970 in UTC. */
  | { readonly kind: 'every'; readonly minutes: number }

export type Condition =
  | { readonly kind: 'each' }
  | { readonly kind: 'above' | 'below'; readonly threshold: number }
  /** Through the threshold; again only after the value was back by so much beyond it. */
  | { readonly kind: 'rises' | 'falls'; readonly threshold: number; readonly hysteresis: number }
  /** By at least so much since the value that was last paid for. */
  | { readonly kind: 'changes'; readonly by: number }

export type Pay =
  | { readonly kind: 'amount'; readonly amount: number }
  /** `amount` for each unit of the reading's value, rounded down, at most `most`. */
  | { readonly kind: 'perUnit'; readonly amount: number; readonly most: number }

export type Goal =
  | { readonly kind: 'account'; readonly account: Account; readonly purpose: string }
  /** Time of an output or a paid topic, which the payment is to cover. */
  | { readonly kind: 'item'; readonly device: Account; readonly item: Item; readonly minutes: number }

export interface Limits {
  /** Payments, and smallest units, in any hour or day of the ledger's time. */
  readonly perHourMax: number
  readonly perDayMax: number | undefined
  readonly coinsPerDayMax: number | undefined
  /** What the account keeps, smallest units. */
  readonly balanceMin: number
}

export interface Wire {
  readonly source: Source
  readonly condition: Condition
  readonly pay: Pay
  readonly to: Goal
  /** What it is for, in words. */
  readonly label: string
  readonly limits: Limits
}

export const receiverOf = ({ to }: Wire): Account => (to.kind === 'account' ? to.account : to.device)

/** Receiver and purpose. */
export const purchaseOf = ({ to }: Wire): string =>
  to.kind === 'account' ? `${to.account} ${to.purpose}` : `${to.device} ${writePurchase(to.item)}`

/** What a wire's memo ends with: a reading on the ledger, a sample of this agent, or a slot. */
const EVENT_NAME = /^(.+) (?:[0-9a-f]{16}|[0-9]{1,16}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2})$/s

/** The purchase that a transfer was: its receiver, and its memo without the event. */
export function purchaseIn({ to, memo }: { readonly to: string; readonly memo: string }): string {
  if (parsePurchase(memo) !== undefined) return `${to} ${memo}`
  return `${to} ${EVENT_NAME.exec(memo)?.[1] ?? memo}`
}

const comparison = (condition: Condition): string => {
  switch (condition.kind) {
    case 'each':
      return 'says something'
    case 'above':
    case 'below':
      return `is ${condition.kind} ${condition.threshold}`
    case 'rises':
    case 'falls': {
      const way = condition.kind === 'rises' ? 'above' : 'below'
      const back = condition.hysteresis === 0 ? '' : ` (back by ${condition.hysteresis} in between)`
      return `${condition.kind} ${way} ${condition.threshold}${back}`
    }
    case 'changes':
      return `has changed by ${condition.by}`
  }
}

/** The wire in words: `when soil of 3ccd0ca6 falls below 20, pay 0.04 to 1f2e3d4c for on pump, 2 minutes`. */
export function describeWire({ source, condition, pay, to, label, limits }: Wire): string {
  const when =
    source.kind === 'every'
      ? `every ${source.minutes} minutes`
      : `when ${source.sensor}${source.kind === 'ledger' ? ` of ${short(source.device)}` : ''} ${comparison(condition)}`
  const coins =
    pay.kind === 'amount'
      ? formatCoins(pay.amount)
      : `${formatCoins(pay.amount)} a unit, at most ${formatCoins(pay.most)},`
  const what =
    to.kind === 'account'
      ? `to ${short(to.account)} for ${to.purpose}`
      : `to ${short(to.device)} for ${writePurchase(to.item)}, ${to.minutes} minutes`
  const more = to.kind === 'item' && label !== '' ? ` (${label})` : ''
  return `${when}, pay ${coins} ${what}${more}${limitsInWords(limits)}`
}

function limitsInWords({ perHourMax, perDayMax, coinsPerDayMax, balanceMin }: Limits): string {
  const words = [`${perHourMax} an hour`]
  if (perDayMax !== undefined) words.push(`${perDayMax} a day`)
  if (coinsPerDayMax !== undefined) words.push(`${formatCoins(coinsPerDayMax)} coins a day`)
  const keep = balanceMin === 0 ? '' : `, ${formatCoins(balanceMin)} stay`
  return `; at most ${words.join(', ')}${keep}`
}
