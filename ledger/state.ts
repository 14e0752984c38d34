/**
 * The ledger's state: accounts, rewards that are still maturing, and the totals.
 *
 * An entry has a kind (u8), a 32-byte key and canonical bytes. Its path in the tree is
 * `H(state-key, kind || key)`. Kinds: 0 account (key: the account), 1 reward (key: height, zero-padded on the
 * left), 2 totals (key: zero), 3 member (key: the account), 4 channel and 5 hashlock (key: id of the transaction that made
 * it), 6 split (key: the account). Number 7 is reserved for checkpoints.
 * Invariants: an account that has sent stays for ever (else its nonce would restart and old transactions replay);
 * an entry equal to the default is absent; balances, rewards, hashlocks and what is left in channels add up to
 * `totals.supply`.
 * Source: docs/PROTOCOL.md section 5.
 */
import { type Codec, decode, encode, type Infer, Reader } from '../schemas/codec.ts'
import { list, struct } from '../schemas/compound.ts'
import { account, blob, hash, time, u8, u16, u32, u64 } from '../schemas/field.ts'
import { type Account, fromHex, type Hash, hashFromBytes, ZERO_HASH } from '../schemas/hex.ts'
import { STATE_VALUE_BYTES_MAX, type StateProof } from '../schemas/proof.ts'
import { SHARES_MAX } from '../schemas/transaction.ts'
import type { Hashing } from './hashing.ts'
import {
  checkTreeProof,
  type Tree,
  treeEntries,
  treeGet,
  treeProof,
  treeRoot,
  treeSet,
} from './state-tree.ts'

const accountEntry = struct({
  /** Transactions sent so far. */
  nonce: u64,
  /** Spendable smallest units. */
  balance: u64,
})
export type AccountEntry = Infer<typeof accountEntry>

const rewardEntry = struct({ account, amount: u64 })
export type RewardEntry = Infer<typeof rewardEntry>

const totalsEntry = struct({
  /** Smallest units in existence. */
  supply: u64,
  /** Transactions since genesis, coinbases not counted. */
  transactions: u64,
  /** Readings among them, a batch counting as its samples. */
  readings: u64,
})
export type TotalsEntry = Infer<typeof totalsEntry>

/** Names its account although the key does: the tree keeps paths only, and people ask who the members are. */
const memberEntry = struct({
  account,
  /** Height of the block that admitted it. */
  since: u32,
})
export type MemberEntry = Infer<typeof memberEntry>

export const channelEntry = struct({
  /** The payer. */
  from: account,
  /** The payee. */
  to: account,
  /** What was put in, and how much of it the payee has had. */
  amount: u64,
  paid: u64,
  delay: u32,
  /** Height from which anybody may close it. */
  closing: u32,
  /** The last word of the payer's hash chain that was claimed, and how many steps it is from the anchor. */
  word: hash,
  steps: u32,
  step: u64,
})
export type ChannelEntry = Infer<typeof channelEntry>

export const hashlockEntry = struct({
  from: account,
  to: account,
  amount: u64,
  lock: hash,
  height: u32,
  time,
})
export type HashlockEntry = Infer<typeof hashlockEntry>

export const splitEntry = list(struct({ account, parts: u16 }), SHARES_MAX)
export type Shares = Infer<typeof splitEntry>

export const KIND = {
  account: 0,
  reward: 1,
  totals: 2,
  member: 3,
  channel: 4,
  hashlock: 5,
  split: 6,
} as const

/** What rules ask of a state, or of a view of one. */
export interface StateReader {
  account(account: Account): AccountEntry
  member(account: Account): MemberEntry | undefined
  channel(id: Hash): ChannelEntry | undefined
  hashlock(id: Hash): HashlockEntry | undefined
  /** With whom an account shares what it earns. */
  split(account: Account): Shares
}

/** One entry of the state before and after a block; empty bytes: no entry. */
export const change = struct({ kind: u8, key: hash, before: blob(1024), after: blob(1024) })
export type Change = Infer<typeof change>
/** The changes of one block, ordered by kind and key: what undoes it and what redoes it. */
export const changes = list(change, 0xffff)

const NO_ACCOUNT: AccountEntry = { nonce: 0, balance: 0 }
const NO_TOTALS: TotalsEntry = { supply: 0, transactions: 0, readings: 0 }
const ABSENT = new Uint8Array(0)
const MEMBER_BYTES = 36
const rewardKey = (height: number): Hash => height.toString(16).padStart(64, '0') as Hash

/** An immutable state. */
export class State implements StateReader {
  readonly #hashing: Hashing
  readonly #tree: Tree
  constructor(hashing: Hashing, tree?: Tree) {
    this.#hashing = hashing
    this.#tree = tree
  }

  /** Entry bytes, undefined when there is none. */
  get(kind: number, key: Hash): Uint8Array | undefined {
    return treeGet(this.#tree, this.#path(kind, key))
  }

  account(account: Account): AccountEntry {
    return read(accountEntry, this.get(KIND.account, account as string as Hash)) ?? NO_ACCOUNT
  }

  totals(): TotalsEntry {
    return read(totalsEntry, this.get(KIND.totals, ZERO_HASH)) ?? NO_TOTALS
  }

  member(account: Account): MemberEntry | undefined {
    return read(memberEntry, this.get(KIND.member, account as string as Hash))
  }

  channel(id: Hash): ChannelEntry | undefined {
    return read(channelEntry, this.get(KIND.channel, id))
  }

  hashlock(id: Hash): HashlockEntry | undefined {
    return read(hashlockEntry, this.get(KIND.hashlock, id))
  }

  split(account: Account): Shares {
    return read(splitEntry, this.get(KIND.split, account as string as Hash)) ?? []
  }

  /** Every member, in the tree's order. Looks at the whole state: for people who ask, not for every block. */
  *members(): Generator<MemberEntry> {
    for (const value of this.values()) {
      if (value.length !== MEMBER_BYTES) continue
      const entry = memberEntry.read(new Reader(value))
      // Another kind of entry may have as many bytes; only a member's are also found under its key.
      if (this.get(KIND.member, entry.account as string as Hash) === value) yield entry
    }
  }

  /** Sum of an account's rewards that mature after `height`. */
  maturing(account: Account, height: number, maturity: number): number {
    let sum = 0
    for (let at = Math.max(1, height - maturity + 1); at <= height; at++) {
      const reward = read(rewardEntry, this.get(KIND.reward, rewardKey(at)))
      if (reward?.account === account) sum += reward.amount
    }
    return sum
  }

  /** The state with a block's changes made (`after`) or taken back (`before`). */
  with(list: readonly Change[], side: 'before' | 'after'): State {
    let tree = this.#tree
    for (const entry of list) {
      const value = entry[side]
      tree = treeSet(tree, this.#path(entry.kind, entry.key), value.length === 0 ? undefined : value)
    }
    return new State(this.#hashing, tree)
  }

  root(): Hash {
    return hashFromBytes(treeRoot(this.#hashing, this.#tree))
  }

  /** Every entry by its path, in the tree's order. */
  *entries(): Generator<{ readonly path: Uint8Array; readonly value: Uint8Array }> {
    for (const { path, value } of treeEntries(this.#tree)) yield { path, value }
  }

  /** The state with entries put where they were in another, as its `entries` gave them. */
  withEntries(entries: Iterable<{ readonly path: Uint8Array; readonly value: Uint8Array }>): State {
    let tree = this.#tree
    for (const { path, value } of entries) tree = treeSet(tree, path, value)
    return new State(this.#hashing, tree)
  }

  /** Every entry's bytes in the tree's order. */
  *values(): Generator<Uint8Array> {
    for (const { value } of treeEntries(this.#tree)) yield value
  }

  /** Shows an account's entry, or that it has none, to who knows the root; undefined when the proof would be too large. */
  accountProof(account: Account): StateProof | undefined {
    return treeProof(this.#hashing, this.#tree, this.#path(KIND.account, account as string as Hash))
  }

  #path(kind: number, key: Hash): Uint8Array {
    return pathOf(this.#hashing, kind, key)
  }
}

/** The same few accounts come in block after block. */
const paths = new WeakMap<Hashing, Map<string, Uint8Array>>()
const PATHS_MAX = 8_192

function pathOf(hashing: Hashing, kind: number, key: Hash): Uint8Array {
  const known = paths.get(hashing) ?? new Map<string, Uint8Array>()
  paths.set(hashing, known)
  const name = `${kind}${key}`
  let path = known.get(name)
  if (path === undefined) {
    path = hashing.tagged('stateKey', Uint8Array.of(kind), fromHex(key))
    if (known.size >= PATHS_MAX) known.clear()
    known.set(name, path)
  }
  return path
}

/** What a proof shows of an account in the state with `root`; undefined when it shows nothing. */
export function provenAccount(
  hashing: Hashing,
  root: Hash,
  account: Account,
  proof: StateProof,
): AccountEntry | undefined {
  const path = pathOf(hashing, KIND.account, account as string as Hash)
  const proven = checkTreeProof(hashing, fromHex(root), path, proof)
  if (proven?.value === undefined) return proven && NO_ACCOUNT
  // Whoever executed the block had the tree right; whoever only sees its root cannot know.
  const entry = decode(accountEntry, proven.value, STATE_VALUE_BYTES_MAX)
  return entry.ok ? entry.value : undefined
}

/** A state under construction: one block's changes over the state before it. */
export class StateView implements StateReader {
  readonly #base: State
  readonly #changes = new Map<string, { kind: number; key: Hash; before: Uint8Array; after: Uint8Array }>()
  constructor(base: State) {
    this.#base = base
  }

  account(account: Account): AccountEntry {
    return read(accountEntry, this.#get(KIND.account, account as string as Hash)) ?? NO_ACCOUNT
  }

  setAccount(account: Account, entry: AccountEntry): void {
    const absent = entry.nonce === 0 && entry.balance === 0
    this.#set(KIND.account, account as string as Hash, absent ? ABSENT : encode(accountEntry, entry))
  }

  reward(height: number): RewardEntry | undefined {
    return read(rewardEntry, this.#get(KIND.reward, rewardKey(height)))
  }

  setReward(height: number, entry: RewardEntry | undefined): void {
    this.#set(KIND.reward, rewardKey(height), entry === undefined ? ABSENT : encode(rewardEntry, entry))
  }

  member(account: Account): MemberEntry | undefined {
    return read(memberEntry, this.#get(KIND.member, account as string as Hash))
  }

  /** `since`: height of the admitting block; undefined: no member. */
  setMember(account: Account, since: number | undefined): void {
    const after = since === undefined ? ABSENT : encode(memberEntry, { account, since })
    this.#set(KIND.member, account as string as Hash, after)
  }

  channel(id: Hash): ChannelEntry | undefined {
    return read(channelEntry, this.#get(KIND.channel, id))
  }

  setChannel(id: Hash, entry: ChannelEntry | undefined): void {
    this.#set(KIND.channel, id, entry === undefined ? ABSENT : encode(channelEntry, entry))
  }

  hashlock(id: Hash): HashlockEntry | undefined {
    return read(hashlockEntry, this.#get(KIND.hashlock, id))
  }

  setHashlock(id: Hash, entry: HashlockEntry | undefined): void {
    this.#set(KIND.hashlock, id, entry === undefined ? ABSENT : encode(hashlockEntry, entry))
  }

  split(account: Account): Shares {
    return read(splitEntry, this.#get(KIND.split, account as string as Hash)) ?? []
  }

  setSplit(account: Account, shares: Shares): void {
    this.#set(
      KIND.split,
      account as string as Hash,
      shares.length === 0 ? ABSENT : encode(splitEntry, shares),
    )
  }

  totals(): TotalsEntry {
    return read(totalsEntry, this.#get(KIND.totals, ZERO_HASH)) ?? NO_TOTALS
  }

  setTotals(entry: TotalsEntry): void {
    this.#set(KIND.totals, ZERO_HASH, encode(totalsEntry, entry))
  }

  /** What changed, in canonical order. */
  changes(): Change[] {
    return [...this.#changes.values()]
      .filter(
        ({ before, after }) =>
          before.length !== after.length || before.some((byte, at) => byte !== after[at]),
      )
      .sort((a, b) => a.kind - b.kind || (a.key < b.key ? -1 : 1))
  }

  #get(kind: number, key: Hash): Uint8Array | undefined {
    const changed = this.#changes.get(`${kind}${key}`)
    if (changed === undefined) return this.#base.get(kind, key)
    return changed.after.length === 0 ? undefined : changed.after
  }

  #set(kind: number, key: Hash, after: Uint8Array): void {
    const changed = this.#changes.get(`${kind}${key}`)
    if (changed === undefined)
      this.#changes.set(`${kind}${key}`, { kind, key, before: this.#base.get(kind, key) ?? ABSENT, after })
    else changed.after = after
  }
}

const read = <T>(codec: Codec<T>, bytes: Uint8Array | undefined): T | undefined =>
  bytes === undefined ? undefined : codec.read(new Reader(bytes))
