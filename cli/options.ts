/** Options that commands share, and how their texts become values; a wrong one is refused with what was expected. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { parseCoins } from '../ledger/amount.ts'
import { createLog, formatFor, type Log } from '../node/log.ts'
import { type Account, accountText, type Hash, hashText } from '../schemas/hex.ts'
import { FAULT_KINDS, type FaultKind } from '../sim/faults.ts'
import { EXIT_HELP } from './exit.ts'

export const DATA_DEFAULT = '.pinledger'
export const BROKER_DEFAULT = 'mqtt://127.0.0.1:1883'

export const port = (text: string): number => {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value > 65_535)
    throw new InvalidArgumentError('expected a port from 0 (any free one) to 65535')
  return value
}
export const seconds = (text: string): number => {
  const value = Number(text)
  if (!(value > 0 && value <= 2_000_000)) throw new InvalidArgumentError('expected seconds, such as 60')
  return value
}
export const whole = (text: string): number => {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < 1 || value > 0xffffffff)
    throw new InvalidArgumentError('expected a whole number from 1 on, such as 12')
  return value
}
/**
 * Blocks per tick, a quarter of the blocks that a proof of when something happened can hold (schemas/moment.ts, which a test
 * compares): at this ratio 1.8 % of all events lie farther below the next tick than that. docs/CLOCKCHAIN.md, Limits.
 */
export const SLOW_RATIO_MAX = 1024
/** Why, for who asks for more. */
export const SLOW_RATIO_REASON =
  'a proof of when something happened holds at most 4096 blocks up to the next tick, and of slower ticks too many events would be farther away'
/** Blocks per tick of a slow hand; 0: none. */
export const slowRatio = (text: string): number => {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value === 1 || value > SLOW_RATIO_MAX)
    throw new InvalidArgumentError(
      `expected 2 to ${SLOW_RATIO_MAX} blocks per tick, such as 16, or 0 for no slow hand: ${SLOW_RATIO_REASON}`,
    )
  return value
}
/** Minutes as whole seconds. */
export const minutes = (text: string): number => {
  const value = Math.round(Number(text) * 60)
  if (!/^\d+(\.\d+)?$/.test(text) || value < 1 || value > 0xffffffff)
    throw new InvalidArgumentError('expected minutes, such as 2 or 0.5')
  return value
}
/** Machines of a simulation; more than so many would take hours before the first line. */
export const nodes = (text: string): number => {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < 2 || value > 200)
    throw new InvalidArgumentError('expected 2 to 200 machines, such as 20')
  return value
}
export const hours = (text: string): number => {
  const value = Number(text)
  if (!(value >= 0.05 && value <= 10_000))
    throw new InvalidArgumentError('expected hours from 0.05 to 10000, such as 0.5')
  return value
}
export const faultKinds = (text: string): readonly FaultKind[] => {
  if (text === 'all') return FAULT_KINDS
  const kinds = text === 'none' ? [] : text.split(',')
  const unknown = kinds.find((kind) => !FAULT_KINDS.some((known) => known === kind))
  if (unknown !== undefined)
    throw new InvalidArgumentError(`expected all, none, or some of ${FAULT_KINDS.join(',')}`)
  return FAULT_KINDS.filter((kind) => kinds.includes(kind))
}
export const numbers = (text: string): readonly number[] => {
  if (text === 'none') return []
  if (!/^\d+(,\d+)*$/.test(text)) throw new InvalidArgumentError('expected numbers, such as 3,7,12')
  return text.split(',').map(Number)
}
export const coins = (text: string): number => {
  const amount = parseCoins(text)
  if (amount === undefined) throw new InvalidArgumentError('expected coins, such as 0.25')
  return amount
}
export const account = (text: string): Account => {
  const parsed = accountText.safeParse(text)
  if (!parsed.success) throw new InvalidArgumentError('expected an account: 64 lowercase hex digits')
  return parsed.data
}
export const transactionId = (text: string): Hash => {
  const parsed = hashText.safeParse(text)
  if (!parsed.success) throw new InvalidArgumentError('expected a transaction id: 64 lowercase hex digits')
  return parsed.data
}
export const tickHash = (text: string): Hash => {
  const parsed = hashText.safeParse(text)
  if (!parsed.success) throw new InvalidArgumentError('expected the hash of a tick: 64 lowercase hex digits')
  return parsed.data
}
export const height = (text: string): number => {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < 1 || value > 0xffffffff)
    throw new InvalidArgumentError('expected a height, such as 12')
  return value
}

/** For an option that may stand several times, or once with several accounts. */
export const accounts = (text: string, before: readonly Account[] = []): readonly Account[] => [
  ...before,
  account(text),
]
export interface Allocation {
  readonly account: Account
  /** Smallest units. */
  readonly amount: number
}
export const allocations = (text: string, before: readonly Allocation[] = []): readonly Allocation[] => {
  const [owner = '', amount = '', ...rest] = text.split('=')
  if (rest.length > 0 || amount === '')
    throw new InvalidArgumentError('expected an account and its coins, such as 8a88...6f5c=100')
  return [...before, { account: account(owner), amount: coins(amount) }]
}

export const example = (...lines: readonly string[]): string =>
  `\nExample:\n${lines.map((line) => `  $ ${line}`).join('\n')}\n${EXIT_HELP}`
export const jsonOption = () =>
  new Option('--json', 'output for machines, one JSON object a line').default(false)
export const slowRatioOption = () =>
  new Option('--slow-ratio <blocks>', "blocks per tick of the slow hand of the network's clock; 0: none")
    .argParser(slowRatio)
    .default(16)
export const durationOption = () =>
  new Option('--duration <seconds>', 'stop by itself after this time').argParser(seconds)
export const brokerOption = () =>
  new Option('--broker <url>', 'address of the broker').default(BROKER_DEFAULT)
/** Adds what commands of one network take; `wait`: what they wait for, if they do. */
export function onNetwork(command: Command, wait?: string): Command {
  command.option('--network <hash>', 'genesis hash, or its first 8 digits, that the network must have')
  if (wait !== undefined) command.option('--wait <seconds>', wait, seconds, 120)
  return command.addOption(brokerOption()).addOption(jsonOption())
}
export const quiet = (json: boolean): Log =>
  createLog({
    name: 'pinledger',
    format: formatFor(process.stderr, json),
    level: 'warn',
    write: (line) => process.stderr.write(line),
    now: Date.now,
  })
