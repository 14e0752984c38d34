/**
 * One line per event of a running network: blocks, readings, payments, balances, who comes and goes.
 *
 * Fed with JSON mirrors from validators; an event that two validators report is shown once.
 */
import { z } from 'zod'
import { formatCoins } from '../ledger/amount.ts'
import { hexDigits } from '../ledger/difficulty.ts'
import { type FaultCode, VERDICTS } from '../ledger/fault.ts'
import { harmless } from '../node/log.ts'
import { u256 } from '../schemas/field.ts'
import { type Account, short } from '../schemas/hex.ts'
import { accountView, handTip } from '../schemas/message.ts'
import { type Transaction, transaction } from '../schemas/transaction.ts'
import { formatDecimal } from '../schemas/units.ts'
import { ContractLines, contractWords, type TradeStep } from './contract-lines.ts'
import type { Mirror } from './reader.ts'
import { type TradeEvent, TradeLines, tradeWords } from './trade-lines.ts'

const confirmedBlock = z.object({
  height: z.int(),
  hash: z.string(),
  miner: z.string(),
  time: z.int(),
  reward: z.int(),
  target: u256.json,
  transactions: z.array(z.looseObject({ id: z.string(), type: z.string() })),
})
type ConfirmedBlock = z.infer<typeof confirmedBlock>
const presence = z.object({ state: z.enum(['online', 'offline']), role: z.string(), name: z.string() })
const refusal = z.object({ kind: z.string(), from: z.string(), code: z.string(), message: z.string() })

/** Blocks whose hashes are remembered, to show each once. */
const SHOWN_MAX = 1_000
/** Accounts remembered: on a broker without access rules anybody may be any number of them. */
const ACCOUNTS_MAX = 10_000
/** Accounts in a line of balances. */
const BALANCES_MAX = 12
/** How long the views of the accounts that a block changed take to come. */
const BALANCES_DELAY_MS = 100

export type Event =
  | {
      readonly event: 'block'
      readonly height: number
      readonly hash: string
      readonly miner: string
      readonly transactions: number
      readonly seconds: number | undefined
      readonly reward: number
      /** Leading zero hex digits that the hash had to have, with a fraction. */
      readonly difficulty: number
    }
  | {
      readonly event: 'tick'
      readonly height: number
      readonly hash: string
      readonly seconds: number | undefined
      readonly difficulty: number
    }
  | {
      readonly event: 'reading'
      readonly device: string
      readonly sensor: string
      readonly value: string
      readonly unit: string
      readonly count: number
      readonly height: number
    }
  | {
      readonly event: 'payment'
      readonly from: string
      readonly to: string
      readonly amount: number
      readonly memo: string
      readonly height: number
    }
  | TradeStep
  | {
      readonly event: 'admission' | 'revocation'
      readonly authority: string
      /** In full: whoever was admitted had no name here before. */
      readonly member: string
      readonly height: number
    }
  | { readonly event: 'balances'; readonly balances: Readonly<Record<string, number>> }
  | { readonly event: 'presence'; readonly name: string; readonly role: string; readonly state: string }
  | TradeEvent
  | {
      readonly event: 'refused'
      readonly what: string
      readonly from: string
      readonly code: string
      readonly reason: string
    }

export class Live {
  readonly #emit: (event: Event) => void
  readonly #names = new Map<string, string>()
  readonly #states = new Map<string, string>()
  readonly #shown = new Set<string>()
  readonly #balances = new Map<string, number>()
  readonly #trade: TradeLines
  readonly #contracts: ContractLines
  #lastTime: number | undefined
  /** The newest tick of each slow hand that a validator spoke of. */
  readonly #ticks = new Map<string, { readonly height: number; readonly time: number }>()
  #balancesDue = false
  #balancesTimer: NodeJS.Timeout | undefined

  /** `names`: accounts whose names are known beforehand. */
  constructor(emit: (event: Event) => void, names: ReadonlyMap<string, string> = new Map()) {
    this.#emit = emit
    for (const [account, name] of names) this.#names.set(account, name)
    this.#trade = new TradeLines(emit, (account) => this.nameOf(account))
    this.#contracts = new ContractLines((account) => this.nameOf(account))
  }

  /** A device's name, or the start of its account. */
  nameOf(account: string): string {
    return this.#names.get(account) ?? short(account)
  }

  receive(mirror: Mirror): void {
    const { kind, publisher, retain, value } = mirror
    if (kind === 'status') this.#presence(publisher, value)
    else if (kind === 'confirmed' && !retain) this.#confirmed(value)
    else if (kind === 'account') this.#account(value, retain)
    else if (kind === 'refused') this.#refused(value)
    else if (kind === 'hand') this.#hand(mirror.network, value, retain)
    else this.#trade.receive(mirror)
  }

  #presence(account: Account, value: unknown): void {
    const parsed = presence.safeParse(value)
    if (!parsed.success) return
    const { name, state, role } = parsed.data
    if (this.#states.size >= ACCOUNTS_MAX && !this.#states.has(account)) return
    this.#names.set(account, name)
    if (this.#states.get(account) === state) return
    this.#states.set(account, state)
    this.#emit({ event: 'presence', name, role, state })
  }

  #confirmed(value: unknown): void {
    const parsed = confirmedBlock.safeParse(value)
    if (!parsed.success || this.#shown.has(parsed.data.hash)) return
    const block = parsed.data
    if (this.#shown.size >= SHOWN_MAX) this.#shown.clear()
    this.#shown.add(block.hash)
    const seconds = this.#lastTime === undefined ? undefined : (block.time - this.#lastTime) / 1000
    this.#lastTime = block.time
    const { height, hash, reward } = block
    this.#emit({
      event: 'block',
      height,
      hash,
      miner: this.nameOf(block.miner),
      transactions: block.transactions.length,
      seconds,
      reward,
      difficulty: hexDigits(block.target),
    })
    this.#transactions(block)
    this.#balancesDue = true
  }

  #transactions({ transactions, height }: ConfirmedBlock): void {
    for (const { id, ...json } of transactions) {
      const parsed = transaction.json.safeParse(json)
      if (parsed.success) this.#emit(this.#describe(id, parsed.data, height))
    }
  }

  #describe(id: string, tx: Transaction, height: number): Event {
    const device = this.nameOf(tx.from)
    if (tx.type === 'transfer') {
      return {
        event: 'payment',
        from: device,
        to: this.nameOf(tx.to),
        amount: tx.amount,
        memo: tx.memo,
        height,
      }
    }
    if (tx.type === 'admission' || tx.type === 'revocation')
      return { event: tx.type, authority: device, member: tx.member, height }
    if (tx.type === 'batch') {
      return {
        event: 'reading',
        device,
        sensor: tx.sensor,
        value: `${tx.count} readings in`,
        unit: tx.unit,
        count: tx.count,
        height,
      }
    }
    if (tx.type !== 'reading') return this.#contracts.describe(id, tx, height)
    const { sensor, value, unit } = tx.sample
    return { event: 'reading', device, sensor, value: formatDecimal(value), unit, count: 1, height }
  }

  /** Balances follow the block that changed them; they are shown together, once all have come. */
  #account(value: unknown, retain: boolean): void {
    const parsed = accountView.json.safeParse(value)
    if (!parsed.success) return
    if (this.#balances.size >= ACCOUNTS_MAX && !this.#balances.has(parsed.data.account)) return
    this.#balances.set(parsed.data.account, parsed.data.balance)
    if (retain || !this.#balancesDue || this.#balancesTimer !== undefined) return
    this.#balancesTimer = setTimeout(() => this.#emitBalances(), BALANCES_DELAY_MS).unref()
  }

  #emitBalances(): void {
    this.#balancesTimer = undefined
    this.#balancesDue = false
    const named = [...this.#balances]
      .slice(0, BALANCES_MAX)
      .map(([account, balance]) => [this.nameOf(account), balance] as const)
    const sorted = named.sort(([a], [b]) => a.localeCompare(b))
    this.#emit({ event: 'balances', balances: Object.fromEntries(sorted) })
  }

  /** A validator speaks of its hand at each block, too. */
  #hand(hand: string, value: unknown, retain: boolean): void {
    const parsed = handTip.json.safeParse(value)
    if (!parsed.success || (this.#ticks.size >= ACCOUNTS_MAX && !this.#ticks.has(hand))) return
    const { height, hash, time, target } = parsed.data
    const last = this.#ticks.get(hand)
    if (last !== undefined && last.height >= height) return
    this.#ticks.set(hand, { height, time })
    if (retain || height === 0) return
    const seconds = last?.height === height - 1 ? (time - last.time) / 1000 : undefined
    this.#emit({ event: 'tick', height, hash, seconds, difficulty: hexDigits(target) })
  }

  #refused(value: unknown): void {
    const parsed = refusal.safeParse(value)
    if (!parsed.success) return
    const { kind, from, code, message } = parsed.data
    // Late, early or repeated: it settles itself, and would look like a failure.
    if (isFaultCode(code) && VERDICTS[code] === 'ignore') return
    this.#emit({ event: 'refused', what: kind, from: this.nameOf(from), code, reason: message })
  }
}

const isFaultCode = (code: string): code is FaultCode => Object.hasOwn(VERDICTS, code)

const PAINT = {
  block: '\x1b[1;33m',
  tick: '\x1b[33m',
  reading: '\x1b[36m',
  payment: '\x1b[32m',
  trade: '\x1b[32m',
  admission: '\x1b[32m',
  revocation: '\x1b[31m',
  output: '\x1b[34m',
  topic: '\x1b[34m',
  channel: '\x1b[32m',
  balances: '\x1b[90m',
  presence: '\x1b[35m',
  refused: '\x1b[31m',
} as const

/** An event as a line for people. */
export function describeEvent(event: Event, atMs: number, colour: boolean): string {
  const label = event.event.padEnd(8)
  // A name or memo from the network must not move the cursor.
  const text = harmless(words(event))
  return `${new Date(atMs).toISOString().slice(11, 19)} ${colour ? `${PAINT[event.event]}${label}\x1b[0m` : label} ${text}`
}

function words(event: Event): string {
  switch (event.event) {
    case 'block': {
      const after = event.seconds === undefined ? '' : `, ${event.seconds.toFixed(1)} s after the last`
      return `#${event.height} found by ${event.miner}: ${event.transactions} transactions, reward ${formatCoins(event.reward)}, difficulty ${event.difficulty.toFixed(2)}${after} (${event.hash.slice(0, 12)})`
    }
    case 'tick': {
      const after = event.seconds === undefined ? '' : `, ${event.seconds.toFixed(1)} s after the last`
      return `${event.height} of the slow hand, difficulty ${event.difficulty.toFixed(2)}${after} (${event.hash.slice(0, 12)})`
    }
    case 'reading':
      return `${event.device} ${event.sensor} ${event.value} ${event.unit}, confirmed in #${event.height}`
    case 'payment':
      return `${event.from} -> ${event.to} ${formatCoins(event.amount)}${event.memo && ` for ${event.memo}`}, confirmed in #${event.height}`
    case 'admission':
      return `${event.authority} admitted miner ${event.member}, confirmed in #${event.height}`
    case 'revocation':
      return `${event.authority} revoked miner ${event.member}, confirmed in #${event.height}`
    case 'trade':
      return `${contractWords(event)}, confirmed in #${event.height}`
    case 'output':
    case 'topic':
    case 'channel':
      return tradeWords(event)
    case 'balances':
      return Object.entries(event.balances)
        .map(([name, amount]) => `${name} ${formatCoins(amount)}`)
        .join('  ')
    case 'presence':
      return `${event.role} ${event.name} is ${event.state}`
    case 'refused':
      return `a ${event.what} from ${event.from}: ${event.code}, ${event.reason}`
  }
}
