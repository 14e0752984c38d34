/**
 * The ledger as a reader of docs/PROTOCOL.md sections 3 to 5 would first write it down: plain maps and BigInt sums.
 *
 * It shares no rule with our code, so that the properties of the state can compare the two. The supply law is not
 * built in either: `coins` adds up what all entries hold.
 */
import { createHash } from 'node:crypto'
import { type Transaction, TYPE_NUMBERS } from '../../schemas/transaction.ts'

export const LARGEST = 2 ** 53 - 1
const STEPS_MAX = 1024

/** What a network's genesis decides, amounts in smallest units. */
export interface NaiveRules {
  /** Hex. */
  readonly genesisHash: string
  readonly feeFloor: number
  readonly maturity: number
  readonly subsidy: number
  readonly halvingInterval: number
  readonly authorities: readonly string[]
  /** By type number, the first height of a block that may contain it. */
  readonly activations: ReadonlyMap<number, number>
}

interface NaiveChannel {
  readonly from: string
  readonly to: string
  readonly amount: bigint
  readonly delay: number
  readonly step: bigint
  paid: bigint
  closing: number
  word: string
  steps: number
}

interface NaiveLock {
  readonly from: string
  readonly to: string
  readonly amount: bigint
  readonly lock: string
  readonly height: number
  readonly time: number
}

type Shares = readonly { readonly account: string; readonly parts: number }[]
type Of<K extends Transaction['type']> = Extract<Transaction, { type: K }>

export interface NaiveEntry {
  readonly kind: number
  readonly key: string
  readonly value: Uint8Array
}

export class NaiveLedger {
  readonly rules: NaiveRules
  accounts = new Map<string, { nonce: bigint; balance: bigint }>()
  rewards = new Map<number, { account: string; amount: bigint }>()
  /** Height of the admission. */
  members = new Map<string, number>()
  channels = new Map<string, NaiveChannel>()
  locks = new Map<string, NaiveLock>()
  splits = new Map<string, Shares>()
  /** Names of channels and locks that were there once. */
  gone: string[] = []
  supply = 0n
  transactions = 0n
  readings = 0n
  height = 0
  /** Of the chain below the block that is being made, milliseconds. */
  medianTime = 0

  constructor(rules: NaiveRules) {
    this.rules = rules
  }

  copy(): NaiveLedger {
    return Object.assign(new NaiveLedger(this.rules), structuredClone({ ...this, rules: undefined }), {
      rules: this.rules,
    })
  }

  at(account: string): { nonce: bigint; balance: bigint } {
    let entry = this.accounts.get(account)
    if (entry === undefined) {
      entry = { nonce: 0n, balance: 0n }
      this.accounts.set(account, entry)
    }
    return entry
  }

  /** Section 5, execution, step 2. */
  begin(): void {
    this.height++
    const ripe = this.height - this.rules.maturity
    const reward = this.rewards.get(ripe)
    if (reward === undefined) return
    this.at(reward.account).balance += reward.amount
    this.rewards.delete(ripe)
  }

  /** Section 3, without state: step 5, or 'ok'. */
  unfit(tx: Transaction): string {
    if (tx.type === 'channelOpen') {
      const isPlain = BigInt(`0x${tx.anchor}`) === 0n
      return tx.amount < 1 || tx.delay < 1 || isPlain !== (tx.step === 0) ? 'bad-channel' : 'ok'
    }
    if (tx.type === 'hashlock') return tx.amount < 1 ? 'bad-hashlock' : 'ok'
    if (tx.type !== 'split') return 'ok'
    const accounts = new Set<string>([tx.from, ...tx.shares.map(({ account }) => account)])
    const distinct = accounts.size === tx.shares.length + 1
    const sum = tx.shares.reduce((all, { parts }) => all + parts, 0)
    return distinct && tx.shares.every(({ parts }) => parts > 0) && sum <= 10_000 ? 'ok' : 'bad-split'
  }

  /** Section 3, "in a block of height h by miner m": the first rule that is broken, or 'ok' and it took effect. */
  pay(tx: Transaction, bytes: Uint8Array, miner: string): string {
    const { rules, height } = this
    const activation = rules.activations.get(TYPE_NUMBERS[tx.type])
    if (activation === undefined || height < activation) return 'type-not-active'
    if (tx.expiry < height) return 'expired'
    if (tx.from !== miner && tx.fee < rules.feeFloor * Math.ceil(bytes.length / 1000)) return 'fee-too-low'
    const sender = this.at(tx.from)
    if (BigInt(tx.nonce) < sender.nonce) return 'nonce-too-low'
    if (BigInt(tx.nonce) > sender.nonce) return 'nonce-gap'
    const spend = BigInt(tx.fee) + ('amount' in tx ? BigInt(tx.amount) : 0n)
    if (spend > BigInt(LARGEST)) return 'amount-overflow'
    if (spend > sender.balance) return 'insufficient-balance'
    const broken = this.impossible(tx)
    if (broken !== undefined) return broken
    sender.nonce += 1n
    sender.balance -= spend
    this.transactions += 1n
    this.readings += tx.type === 'reading' ? 1n : tx.type === 'batch' ? BigInt(tx.count) : 0n
    this.take(tx, bytes)
    return 'ok'
  }

  /** Steps 7 to 9. */
  impossible(tx: Transaction): string | undefined {
    switch (tx.type) {
      case 'admission':
        return this.rules.authorities.includes(tx.member) || this.members.has(tx.member)
          ? 'already-member'
          : undefined
      case 'revocation':
        return this.members.has(tx.member) ? undefined : 'not-member'
      case 'channelClaim':
        return this.badClaim(tx)
      case 'channelClose': {
        const channel = this.channels.get(tx.channel)
        if (channel === undefined) return 'unknown-channel'
        return this.closes(channel, tx.from) === undefined ? 'not-closable' : undefined
      }
      case 'hashlockClaim': {
        const lock = this.locks.get(tx.hashlock)
        if (lock === undefined) return 'unknown-hashlock'
        if (this.hasPassed(lock)) return 'deadline-passed'
        return sha256(Buffer.from(tx.preimage, 'hex')).toString('hex') === lock.lock
          ? undefined
          : 'bad-preimage'
      }
      case 'hashlockRefund': {
        const lock = this.locks.get(tx.hashlock)
        if (lock === undefined) return 'unknown-hashlock'
        return this.hasPassed(lock) ? undefined : 'deadline-not-passed'
      }
      default:
        return undefined
    }
  }

  /** "Channels", claim. */
  private badClaim({ channel: id, proof }: Of<'channelClaim'>): string | undefined {
    const channel = this.channels.get(id)
    if (channel === undefined) return 'unknown-channel'
    const inAll = totalOf(channel, proof)
    if (inAll > channel.amount) return 'bad-claim'
    if (inAll <= channel.paid) return 'claim-not-higher'
    if (proof.type === 'signed') return proof.payer === channel.from ? undefined : 'bad-claim'
    const above = proof.steps - channel.steps
    if (above <= 0) return 'claim-not-higher'
    if (above > STEPS_MAX) return 'too-many-steps'
    let word: Uint8Array = hex(proof.word)
    for (let step = 0; step < above; step++) word = tagged('pinledger/word', word)
    return hex(channel.word).equals(word) ? undefined : 'bad-claim'
  }

  /** "Channels", close: whether it ends now, or later than so far; undefined where it is refused. */
  closes({ from, to, closing, delay }: NaiveChannel, by: string): 'now' | 'later' | undefined {
    if (by === to || this.height >= closing) return 'now'
    return by === from && this.height + delay < closing ? 'later' : undefined
  }

  /** "Hashlocks", the deadline. */
  hasPassed({ height, time }: NaiveLock): boolean {
    return this.height >= height && this.medianTime >= time
  }

  /** What a transaction does besides using up its sender's nonce, fee and amount. */
  private take(tx: Transaction, bytes: Uint8Array): void {
    if (tx.type === 'transfer') this.earn(tx.to, BigInt(tx.amount))
    if (tx.type === 'admission') this.members.set(tx.member, this.height)
    if (tx.type === 'revocation') this.members.delete(tx.member)
    if (tx.type === 'channelOpen') {
      const { from, to, delay, until: closing, anchor: word } = tx
      const [amount, step] = [BigInt(tx.amount), BigInt(tx.step)]
      this.channels.set(this.idOf(bytes), {
        from,
        to,
        amount,
        delay,
        step,
        closing,
        word,
        paid: 0n,
        steps: 0,
      })
    }
    if (tx.type === 'channelClaim') this.takeClaim(tx)
    if (tx.type === 'channelClose') this.takeClose(tx)
    if (tx.type === 'hashlock') {
      const { from, to, lock, height, time } = tx
      this.locks.set(this.idOf(bytes), { from, to, amount: BigInt(tx.amount), lock, height, time })
    }
    if (tx.type === 'hashlockClaim' || tx.type === 'hashlockRefund') this.takeLock(tx)
    if (tx.type === 'split') {
      if (tx.shares.length === 0) this.splits.delete(tx.from)
      else this.splits.set(tx.from, tx.shares)
    }
  }

  private takeClaim({ channel: id, proof }: Of<'channelClaim'>): void {
    const channel = this.channels.get(id) as NaiveChannel
    const inAll = totalOf(channel, proof)
    this.earn(channel.to, inAll - channel.paid)
    channel.paid = inAll
    if (proof.type === 'word') Object.assign(channel, { word: proof.word, steps: proof.steps })
  }

  private takeClose({ channel: id, from }: Of<'channelClose'>): void {
    const channel = this.channels.get(id) as NaiveChannel
    if (this.closes(channel, from) === 'later') {
      channel.closing = this.height + channel.delay
      return
    }
    this.at(channel.from).balance += channel.amount - channel.paid
    this.channels.delete(id)
    this.gone.push(id)
  }

  private takeLock({ type, hashlock: id }: Of<'hashlockClaim' | 'hashlockRefund'>): void {
    const { from, to, amount } = this.locks.get(id) as NaiveLock
    if (type === 'hashlockClaim') this.earn(to, amount)
    else this.at(from).balance += amount
    this.locks.delete(id)
    this.gone.push(id)
  }

  /** "Splits". */
  earn(account: string, amount: bigint): void {
    let rest = amount
    for (const { account: other, parts } of this.splits.get(account) ?? []) {
      const part = (amount * BigInt(parts)) / 10_000n
      this.at(other).balance += part
      rest -= part
    }
    this.at(account).balance += rest
  }

  idOf(bytes: Uint8Array): string {
    const body = bytes.subarray(0, bytes.length - 64)
    return tagged('pinledger/transaction', Buffer.from(this.rules.genesisHash, 'hex'), body).toString('hex')
  }

  /** What the miner may take, section 4: halved by repeated halving. */
  most(fees: bigint): bigint {
    const { halvingInterval } = this.rules
    let subsidy = BigInt(this.rules.subsidy)
    for (let era = halvingInterval; era < this.height; era += halvingInterval) subsidy /= 2n
    return subsidy + fees
  }

  end(miner: string, fees: bigint, reward: bigint): void {
    if (reward > 0n) this.rewards.set(this.height, { account: miner, amount: reward })
    this.supply += reward - fees
  }

  /** All there are: the supply. */
  coins(): bigint {
    let coins = 0n
    for (const { balance } of this.accounts.values()) coins += balance
    for (const { amount } of this.rewards.values()) coins += amount
    for (const { amount, paid } of this.channels.values()) coins += amount - paid
    for (const { amount } of this.locks.values()) coins += amount
    return coins
  }

  /** Section 5, state. */
  entries(): NaiveEntry[] {
    const list: NaiveEntry[] = []
    const put = (kind: number, key: string, ...value: readonly Uint8Array[]): void => {
      list.push({ kind, key, value: Buffer.concat(value) })
    }
    for (const [key, { nonce, balance }] of this.accounts)
      if (nonce > 0n || balance > 0n) put(0, key, u64(nonce), u64(balance))
    for (const [height, { account, amount }] of this.rewards)
      put(1, height.toString(16).padStart(64, '0'), hex(account), u64(amount))
    put(2, '0'.repeat(64), u64(this.supply), u64(this.transactions), u64(this.readings))
    for (const [key, since] of this.members) put(3, key, hex(key), number(4, since))
    for (const [key, { from, to, amount, paid, delay, closing, word, steps, step }] of this.channels) {
      const sums = [u64(amount), u64(paid), number(4, delay), number(4, closing)]
      put(4, key, hex(from), hex(to), ...sums, hex(word), number(4, steps), u64(step))
    }
    for (const [key, { from, to, amount, lock, height, time }] of this.locks)
      put(5, key, hex(from), hex(to), u64(amount), hex(lock), number(4, height), number(6, time))
    for (const [key, shares] of this.splits) {
      const items = shares.flatMap(({ account, parts }) => [hex(account), number(2, parts)])
      put(6, key, number(2, shares.length), ...items)
    }
    return list
  }
}

/** What a proof says the payee may have in all. */
function totalOf({ step }: NaiveChannel, proof: Of<'channelClaim'>['proof']): bigint {
  return proof.type === 'signed' ? BigInt(proof.amount) : BigInt(proof.steps) * step
}

const hex = (text: string): Buffer => Buffer.from(text, 'hex')

function number(width: number, value: number): Buffer {
  const bytes = Buffer.alloc(width)
  bytes.writeUIntBE(value, 0, width)
  return bytes
}

function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(value)
  return bytes
}

const sha256 = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

const prefixes = new Map<string, Buffer>()

/** Section 2. */
export function tagged(tag: string, ...parts: readonly Uint8Array[]): Buffer {
  const prefix = prefixes.get(tag) ?? sha256(Buffer.from(tag, 'ascii'))
  prefixes.set(tag, prefix)
  return sha256(prefix, prefix, ...parts)
}

/** Section 5, the root as it is defined: by the set of entries, no tree. */
export function rootOf(entries: readonly { path: Buffer; value: Uint8Array }[], depth = 0): Buffer {
  const [first, ...others] = entries
  if (first === undefined) return Buffer.alloc(32)
  if (others.length === 0) return tagged('pinledger/state-leaf', first.path, first.value)
  const side = (wanted: number) =>
    rootOf(
      entries.filter(({ path }) => (((path[depth >> 3] as number) >> (7 - (depth & 7))) & 1) === wanted),
      depth + 1,
    )
  return tagged('pinledger/state-node', side(0), side(1))
}
