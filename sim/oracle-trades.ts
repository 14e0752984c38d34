/**
 * Channels, hashlocks and splits of the naive ledger: a map of each, and what transactions may do with them.
 *
 * A fault by which coins would be had twice says so: "double spend".
 */
import { createHash } from 'node:crypto'
import type { Network } from '../ledger/network.ts'
import { KIND } from '../ledger/state.ts'
import { type Account, fromHex, type Hash } from '../schemas/hex.ts'
import type { Split, Transaction } from '../schemas/transaction.ts'
import { type Change, put } from './undo.ts'

interface Channel {
  readonly from: Account
  readonly to: Account
  readonly amount: bigint
  readonly paid: bigint
  readonly delay: number
  readonly closing: number
  readonly word: Hash
  readonly steps: number
  readonly step: bigint
}
interface Lock {
  readonly from: Account
  readonly to: Account
  readonly amount: bigint
  readonly lock: Hash
  readonly height: number
  readonly time: number
}
type Shares = Split['shares']
type Of<T extends Transaction['type']> = Extract<Transaction, { type: T }>

/** The block that has the transaction. */
export interface Place {
  readonly height: number
  /** Of the blocks below it. */
  readonly medianTime: () => number
  readonly change: Change
}

const NO_WORD = '0'.repeat(64)
/** Hashes from one claim to the next, at most. */
const STEPS_MAX = 1024

export class Trades {
  readonly #network: Network
  /** Adds to a balance. */
  readonly #add: (account: Account, amount: bigint, change: Change) => void
  readonly #channels = new Map<Hash, Channel>()
  readonly #locks = new Map<Hash, Lock>()
  readonly #splits = new Map<Account, Shares>()

  constructor(network: Network, add: (account: Account, amount: bigint, change: Change) => void) {
    this.#network = network
    this.#add = add
  }

  /** Coins that are in channels and hashlocks. */
  locked(): bigint {
    let sum = 0n
    for (const { amount, paid } of this.#channels.values()) sum += amount - paid
    for (const { amount } of this.#locks.values()) sum += amount
    return sum
  }

  /** An entry as the state has it, with plain numbers; undefined: none. */
  entry(kind: number, key: Hash): unknown {
    if (kind === KIND.channel) return plain(this.#channels.get(key))
    if (kind === KIND.hashlock) return plain(this.#locks.get(key))
    return this.#splits.get(key as string as Account) ?? []
  }

  /** What a transaction whose sender has paid for it does, or what is wrong with it. */
  run(tx: Transaction, id: Hash, place: Place): string | undefined {
    switch (tx.type) {
      case 'transfer':
        this.#earn(tx.to, BigInt(tx.amount), place.change)
        return undefined
      case 'channelOpen':
        return this.#open(tx, id, place)
      case 'channelClaim':
        return this.#claim(tx, place)
      case 'channelClose':
        return this.#close(tx, place)
      case 'hashlock':
        return this.#lock(tx, id, place)
      case 'hashlockClaim':
      case 'hashlockRefund':
        return this.#settle(tx, place)
      case 'split':
        return this.#share(tx, place)
      default:
        return undefined
    }
  }

  #earn(account: Account, amount: bigint, change: Change): void {
    const parts = (this.#splits.get(account) ?? []).map((share) => ({
      to: share.account,
      part: (amount * BigInt(share.parts)) / 10_000n,
    }))
    const given = parts.reduce((sum, { part }) => sum + part, 0n)
    for (const { to, part } of parts) this.#add(to, part, change)
    this.#add(account, amount - given, change)
  }

  #open(tx: Of<'channelOpen'>, id: Hash, { change }: Place): string | undefined {
    const { from, to, delay, until, anchor } = tx
    if (tx.amount < 1 || delay < 1) return 'opens a channel of nothing, or that closes at once'
    if ((anchor === NO_WORD) !== (tx.step === 0)) return 'has steps without words, or words without steps'
    const [amount, step] = [BigInt(tx.amount), BigInt(tx.step)]
    put(
      this.#channels,
      id,
      { from, to, amount, paid: 0n, delay, closing: until, word: anchor, steps: 0, step },
      change,
    )
    return undefined
  }

  #claim({ channel: id, proof }: Of<'channelClaim'>, { change }: Place): string | undefined {
    const channel = this.#channels.get(id)
    if (channel === undefined) return 'claims on a channel that is closed: a double spend'
    const total = proof.type === 'signed' ? BigInt(proof.amount) : BigInt(proof.steps) * channel.step
    if (total > channel.amount)
      return `claims ${total} of a channel into which ${channel.amount} was put: a double spend`
    if (total <= channel.paid) return `claims ${total} after ${channel.paid}: a double spend`
    if (proof.type === 'signed') {
      const { genesisHash, signatures } = this.#network
      const amount = Buffer.alloc(8)
      amount.writeBigUInt64BE(total)
      const message = tagged('pinledger/claim', fromHex(genesisHash), fromHex(id), amount)
      if (proof.payer !== channel.from || !signatures.verify(proof.authorisation, message, channel.from))
        return 'claims what the payer did not sign'
      put(this.#channels, id, { ...channel, paid: total }, change)
    } else {
      const { word, steps } = proof
      const more = steps - channel.steps
      if (more < 1 || more > STEPS_MAX) return `claims ${more} steps at once`
      let back: Uint8Array = fromHex(word)
      for (let step = 0; step < more; step++) back = tagged('pinledger/word', back)
      if (Buffer.from(back).toString('hex') !== channel.word) return 'claims by a word of no chain'
      put(this.#channels, id, { ...channel, paid: total, word, steps }, change)
    }
    this.#earn(channel.to, total - channel.paid, change)
    return undefined
  }

  #close({ channel: id, from }: Of<'channelClose'>, { height, change }: Place): string | undefined {
    const channel = this.#channels.get(id)
    if (channel === undefined) return 'closes a channel that is closed: a double spend'
    if (from === channel.to || height >= channel.closing) {
      put(this.#channels, id, undefined, change)
      this.#add(channel.from, channel.amount - channel.paid, change)
      return undefined
    }
    const closing = height + channel.delay
    if (from !== channel.from || closing >= channel.closing) return 'closes a channel before its time'
    put(this.#channels, id, { ...channel, closing }, change)
    return undefined
  }

  #lock(tx: Of<'hashlock'>, id: Hash, { change }: Place): string | undefined {
    const { from, to, lock, height, time } = tx
    if (tx.amount < 1) return 'locks nothing'
    put(this.#locks, id, { from, to, amount: BigInt(tx.amount), lock, height, time }, change)
    return undefined
  }

  #settle(tx: Of<'hashlockClaim' | 'hashlockRefund'>, place: Place): string | undefined {
    const { height, medianTime, change } = place
    const lock = this.#locks.get(tx.hashlock)
    if (lock === undefined) return 'settles a hashlock that is not there any more: a double spend'
    const isPast = height >= lock.height && medianTime() >= lock.time
    if (tx.type === 'hashlockRefund' && !isPast) return 'takes a hashlock back before its deadline'
    if (tx.type === 'hashlockClaim' && isPast) return 'opens a hashlock after its deadline'
    if (tx.type === 'hashlockClaim' && sha256(fromHex(tx.preimage)).toString('hex') !== lock.lock)
      return 'opens a hashlock with another secret'
    put(this.#locks, tx.hashlock, undefined, change)
    if (tx.type === 'hashlockClaim') this.#earn(lock.to, lock.amount, change)
    else this.#add(lock.from, lock.amount, change)
    return undefined
  }

  #share({ from, shares }: Of<'split'>, { change }: Place): string | undefined {
    const accounts = new Set([from, ...shares.map(({ account }) => account)])
    if (accounts.size !== shares.length + 1) return 'shares with one account twice'
    const parts = shares.reduce((sum, share) => sum + share.parts, 0)
    if (parts > 10_000 || shares.some((share) => share.parts < 1)) return `shares ${parts} parts`
    put(this.#splits, from, shares.length === 0 ? undefined : shares, change)
    return undefined
  }
}

const plain = (entry: Channel | Lock | undefined): unknown =>
  entry &&
  Object.fromEntries(
    Object.entries(entry).map(([name, value]) => [name, typeof value === 'bigint' ? Number(value) : value]),
  )

const sha256 = (...parts: readonly Uint8Array[]): Buffer => {
  const digest = createHash('sha256')
  for (const part of parts) digest.update(part)
  return digest.digest()
}

/** BIP 340. */
const tagged = (tag: string, ...parts: readonly Uint8Array[]): Buffer => {
  const prefix = sha256(Buffer.from(tag))
  return sha256(prefix, prefix, ...parts)
}
