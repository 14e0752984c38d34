/** Transactions of types 6 to 12 for the properties of the mempool: what they mean of what was seen, and what they need. */
import fc from 'fast-check'
import type { Sealed } from '../../ledger/transaction.ts'
import { hashing } from '../../node/signing.ts'
import { type Account, fromHex, type Hash, hashFromBytes, ZERO_HASH } from '../../schemas/hex.ts'
import type { Transaction } from '../../schemas/transaction.ts'
import { bytes32, NEVER, wordsFrom } from '../helpers/trade.ts'

const WORDS = wordsFrom(bytes32(0xc1), 9)
const SECRET = bytes32(5)
const LOCK = hashFromBytes(hashing.plain(fromHex(SECRET)))
/** Milliseconds between the median times of two blocks. */
export const BLOCK_MS = 1000

/** Few, so that several mean the same channel or lock. */
const which = fc.constantFrom(0, 0, 0, 1, 1, 2, 3)
export const trade = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('open' as const),
      delay: fc.constantFrom(1, 2, 4),
      lasts: fc.constantFrom(NEVER, 1, 3),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('claim' as const),
      which,
      /** By signature for so much in all, or by a word of so many steps. */
      by: fc.constantFrom('signature', 'signature', 'word'),
      total: fc.integer({ min: 0, max: 10 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('close' as const),
      which,
      by: fc.constantFrom('payer', 'payer', 'payee', 'anybody'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('lock' as const),
      /** Blocks from the next one to the deadline. */
      height: fc.constantFrom(1, 2, 4, 50),
      time: fc.constantFrom(0, 2, 5),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('tell' as const),
      which,
      isRight: fc.constantFrom(true, true, false),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('refund' as const), which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('split' as const), shares: fc.nat(1) }) },
)
export type Trade = typeof trade extends fc.Arbitrary<infer T> ? T : never

/** What the fields are made from. */
export interface Place {
  /** Of the next block. */
  readonly height: number
  /** What was ever made here, waiting or not. */
  readonly seen: readonly Sealed[]
  /** Who is paid, or shares, and how much is put in. */
  readonly to: Account
  readonly amount: number
}

/** The newest first. */
function pick<K extends 'channelOpen' | 'hashlock'>(seen: readonly Sealed[], type: K, which: number) {
  const made = seen.filter(({ transaction }) => transaction.type === type)
  return made.at(-1 - (which % Math.max(1, made.length)))
}

const idOf = (sealed: Sealed | undefined): Hash => sealed?.id ?? ZERO_HASH

/** Own fields of a transaction; nothing verifies its proofs' signatures here. */
export function fieldsOf(wanted: Trade, { height, seen, to, amount }: Place): object {
  switch (wanted.do) {
    case 'open': {
      const until = Math.min(NEVER, height + wanted.lasts)
      const chain = { anchor: WORDS[0], step: 1 }
      return { type: 'channelOpen', to, amount, delay: wanted.delay, until, ...chain, memo: '' }
    }
    case 'claim': {
      const opened = pick(seen, 'channelOpen', wanted.which)
      const { total: steps } = wanted
      const signed = {
        payer: opened?.transaction.from ?? to,
        amount: steps,
        authorisation: new Uint8Array(64),
      }
      const proof =
        wanted.by === 'signature'
          ? { type: 'signed', ...signed }
          : { type: 'word', steps, word: WORDS[steps] ?? ZERO_HASH }
      return { type: 'channelClaim', channel: idOf(opened), proof }
    }
    case 'close':
      return { type: 'channelClose', channel: idOf(pick(seen, 'channelOpen', wanted.which)) }
    case 'lock': {
      const deadline = { height: height + wanted.height, time: BLOCK_MS * (height + wanted.time) }
      return { type: 'hashlock', to, amount, lock: LOCK, ...deadline, memo: '' }
    }
    case 'tell': {
      const preimage = wanted.isRight ? SECRET : bytes32(6)
      return { type: 'hashlockClaim', hashlock: idOf(pick(seen, 'hashlock', wanted.which)), preimage }
    }
    case 'refund':
      return { type: 'hashlockRefund', hashlock: idOf(pick(seen, 'hashlock', wanted.which)) }
    case 'split':
      return { type: 'split', shares: [{ account: to, parts: 5000 }].slice(wanted.shares) }
  }
}

/** Who sends it: of a close the side that is meant to; undefined: whoever. */
export function senderOf(wanted: Trade | undefined, seen: readonly Sealed[]): Account | undefined {
  if (wanted?.do !== 'close' || wanted.by === 'anybody') return undefined
  const opened = pick(seen, 'channelOpen', wanted.which)?.transaction
  if (opened?.type !== 'channelOpen') return undefined
  return wanted.by === 'payer' ? opened.from : opened.to
}

/** What leaves the sender besides the fee. */
export const reservedBy = (tx: Transaction): bigint =>
  tx.type === 'transfer' || tx.type === 'channelOpen' || tx.type === 'hashlock' ? BigInt(tx.amount) : 0n

/** The channel or lock that it settles, in part or wholly, as only one can. */
export function settledBy(tx: Transaction): Hash | undefined {
  if (tx.type === 'channelClaim' || tx.type === 'channelClose') return tx.channel
  return tx.type === 'hashlockClaim' || tx.type === 'hashlockRefund' ? tx.hashlock : undefined
}
