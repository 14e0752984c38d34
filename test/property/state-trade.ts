/**
 * Channels, hashlocks and splits (types 6 to 12) on the state and on the naive reference, as in state.ts.
 *
 * What is tried is made from what the reference has when its turn comes, so that most claims, closes and settlements
 * mean something that is there, and are right or wrong by one: an amount, a step, a height, a millisecond.
 */
import fc from 'fast-check'
import type { Network } from '../../ledger/network.ts'
import { type Sealed, sealTransaction } from '../../ledger/transaction.ts'
import { type Account, type Hash, hashFromBytes, ZERO_HASH } from '../../schemas/hex.ts'
import type { ChannelProof, Transaction } from '../../schemas/transaction.ts'
import { testNetwork } from '../helpers/ledger.ts'
import { bytes32, NEVER, wordsFrom } from '../helpers/trade.ts'
import { LARGEST, type NaiveLedger } from './naive-ledger.ts'
import { accountAt, plays, rules } from './state.ts'

const TYPES = [1, 6, 7, 8, 9, 10, 11, 12]
/** Amounts up to the largest, so that shares of them leave the exact integers where they are multiplied first. */
const AMOUNTS = [7_000_000_000_000_019, 999_999_999_999_989, 10 ** 6, 9000, 500]
const network = testNetwork({
  ...rules,
  allocations: AMOUNTS.map((amount, index) => ({ account: accountAt(index), amount })),
  activations: TYPES.map((type) => ({ type, height: 0 })),
})

/** Hash chains, long enough for a claim that goes too far after one that goes far. */
const CHAINS = [bytes32(0xc1), bytes32(0xc2)].map((last) => wordsFrom(last, 2100))
const SECRETS = [1, 2, 3].map(bytes32)
const LOCKS = SECRETS.map((secret) => hashFromBytes(network.hashing.plain(Buffer.from(secret, 'hex'))))

const mostly = <T>(value: T, ...others: readonly T[]) =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: fc.constantFrom(...others) })
/** Smallest units, or thousandths of what the sender has besides the fee. */
const amount = fc.oneof(
  fc.nat(40),
  fc.nat(3000),
  fc.nat(1002).map((of) => ({ of })),
)

/** Of what is there the newest, the second newest and so on, the last that has gone, or none. */
const which = fc.oneof(
  { weight: 9, arbitrary: fc.nat(3) },
  { weight: 1, arbitrary: fc.constantFrom('gone' as const, 'none' as const) },
)
type Which = number | 'gone' | 'none'

const deed = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('pay' as const), to: fc.nat(7), amount }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('open' as const),
      to: fc.nat(5),
      amount,
      delay: fc.constantFrom(1, 2, 2, 3, 0),
      /** Height from which anybody may close it, less the block's. */
      lasts: fc.constantFrom(NEVER, NEVER, NEVER, 0, 1, 2, 4),
      chain: fc.constantFrom(undefined, 0, 1),
      step: mostly(1, 2, 7, 10 ** 12, LARGEST),
      /** Whether there is a step without a chain, or the other way round. */
      isHalf: mostly(false, true),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('claim' as const),
      which,
      /** What was paid, or all that is there, and so much more or less. */
      from: fc.constantFrom('paid', 'paid', 'all'),
      more: fc.oneof(fc.constantFrom(0, 0, 1, 1, -1), fc.nat(50), fc.nat(2000)),
      /** Steps above the last; 0: by signature. */
      steps: fc.constantFrom(0, 0, 1, 2, 3, 10, 1023, 1024, 1025, -1),
      isFrom: mostly(true, false),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('close' as const),
      which,
      by: fc.constantFrom('payer', 'payer', 'payee', 'anybody'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('lock' as const),
      to: fc.nat(5),
      amount,
      secret: fc.nat(2),
      /** Height and median time of the deadline, less those of the block. */
      height: fc.constantFrom(0, 1, 2, 4, 50),
      time: fc.constantFrom(0, 1, 2, 5, 1000),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('tell' as const),
      which,
      isRight: mostly(true, false),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('refund' as const), which }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('split' as const),
      shares: fc.array(
        fc.record({ to: fc.nat(9), parts: fc.constantFrom(1, 2500, 3333, 3333, 5000, 9999, 10_000, 0) }),
        { maxLength: 4 },
      ),
    }),
  },
)
type Deed = typeof deed extends fc.Arbitrary<infer T> ? T : never

const attempt = fc.record({
  from: fc.nat(4),
  /** What is wrong with the head, if anything. */
  flaw: fc.oneof(
    { weight: 14, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom('used', 'gap', 'expired', 'cheap') },
  ),
  fee: mostly(3, 9),
  deed,
})
type Attempt = typeof attempt extends fc.Arbitrary<infer T> ? T : never

function pick(there: Iterable<string>, gone: readonly string[], which: Which): Hash {
  const known = [...there]
  const found = typeof which === 'number' ? known.at(-1 - (which % known.length)) : undefined
  return (found ?? (which === 'gone' ? gone.at(-1) : undefined) ?? ZERO_HASH) as Hash
}

function sumOf(naive: NaiveLedger, from: Account, fee: number, wanted: number | { of: number }): number {
  if (typeof wanted === 'number') return wanted
  const rest = naive.at(from).balance - BigInt(fee)
  return rest < 0n ? 0 : Math.min(LARGEST, Number((rest * BigInt(wanted.of)) / 1000n))
}

function proofOf(naive: NaiveLedger, id: Hash, wanted: Extract<Deed, { do: 'claim' }>): ChannelProof {
  const channel = naive.channels.get(id)
  const { isFrom, more } = wanted
  if (wanted.steps !== 0) {
    const steps = Math.max(0, (channel?.steps ?? 0) + wanted.steps)
    const word = CHAINS.find((words) => words[channel?.steps ?? 0] === channel?.word)?.[steps]
    return { type: 'word', steps, word: isFrom && word !== undefined ? word : bytes32(0xee) }
  }
  const known = Number((wanted.from === 'all' ? channel?.amount : channel?.paid) ?? 0n)
  const claimed = Math.min(LARGEST, Math.max(0, known + more))
  const payer = (isFrom && channel !== undefined ? channel.from : accountAt(7)) as Account
  return { type: 'signed', payer, amount: claimed, authorisation: new Uint8Array(64) }
}

/** The own fields of what is wanted. */
function fieldsOf(naive: NaiveLedger, { from, fee, deed }: Attempt): object {
  const { height, medianTime } = naive
  const own = (wanted: number | { of: number }) => sumOf(naive, accountAt(from), fee, wanted)
  switch (deed.do) {
    case 'pay':
      return { type: 'transfer', to: accountAt(deed.to), amount: own(deed.amount), memo: '' }
    case 'open': {
      const { to, delay, lasts, chain, isHalf } = deed
      const anchor = chain === undefined ? ZERO_HASH : (CHAINS[chain]?.[0] as Hash)
      const step = (chain === undefined) === isHalf ? deed.step : 0
      const until = Math.min(NEVER, height + lasts)
      const sum = own(deed.amount)
      return { type: 'channelOpen', to: accountAt(to), amount: sum, delay, until, anchor, step, memo: '' }
    }
    case 'claim': {
      const channel = pick(naive.channels.keys(), naive.gone, deed.which)
      return { type: 'channelClaim', channel, proof: proofOf(naive, channel, deed) }
    }
    case 'close':
      return { type: 'channelClose', channel: pick(naive.channels.keys(), naive.gone, deed.which) }
    case 'lock': {
      const deadline = { height: height + deed.height, time: medianTime + deed.time }
      const to = accountAt(deed.to)
      return {
        type: 'hashlock',
        to,
        amount: own(deed.amount),
        lock: LOCKS[deed.secret],
        ...deadline,
        memo: '',
      }
    }
    case 'tell': {
      const hashlock = pick(naive.locks.keys(), naive.gone, deed.which)
      const right = SECRETS[LOCKS.indexOf(naive.locks.get(hashlock)?.lock as Hash)]
      return {
        type: 'hashlockClaim',
        hashlock,
        preimage: deed.isRight && right !== undefined ? right : bytes32(9),
      }
    }
    case 'refund':
      return { type: 'hashlockRefund', hashlock: pick(naive.locks.keys(), naive.gone, deed.which) }
    case 'split':
      return {
        type: 'split',
        shares: deed.shares.map(({ to, parts }) => ({ account: accountAt(to), parts })),
      }
  }
}

/** Who signs: of a close who is meant to, of others whoever has the number. */
function senderOf(naive: NaiveLedger, { from, deed }: Attempt): Account {
  if (deed.do !== 'close' || deed.by === 'anybody') return accountAt(from)
  const channel = naive.channels.get(pick(naive.channels.keys(), naive.gone, deed.which))
  const side = deed.by === 'payer' ? channel?.from : channel?.to
  return (side ?? accountAt(from)) as Account
}

function compose(network: Network, naive: NaiveLedger, wanted: Attempt): Sealed {
  const { flaw, fee } = wanted
  const from = senderOf(naive, wanted)
  const nonce = Number(naive.at(from).nonce)
  return sealTransaction(network, {
    network: network.id,
    from,
    nonce: Math.max(0, nonce + (flaw === 'used' ? -1 : flaw === 'gap' ? 1 : 0)),
    fee: flaw === 'cheap' ? 2 : fee,
    expiry: naive.height - (flaw === 'expired' ? 1 : 0),
    ...fieldsOf(naive, wanted),
    signature: new Uint8Array(64),
  } as Transaction)
}

const fine = { flaw: undefined, fee: 3 }
const opens = {
  do: 'open',
  to: 1,
  amount: 3000,
  delay: 2,
  lasts: NEVER,
  chain: 0,
  step: 1,
  isHalf: false,
} as const
const locks = { do: 'lock', to: 2, amount: 700, secret: 0, height: 4, time: 1000 } as const
/** In the first block: something to claim, to settle and to share, and a share that is not to be shared again. */
const BEGINNING: readonly Attempt[] = [
  { ...fine, from: 0, deed: opens },
  { ...fine, from: 0, deed: { ...opens, to: 2, chain: undefined, lasts: 4 } },
  { ...fine, from: 1, deed: locks },
  { ...fine, from: 1, deed: { do: 'split', shares: [{ to: 2, parts: 3333 }] } },
  { ...fine, from: 2, deed: { do: 'split', shares: [{ to: 3, parts: 5000 }] } },
]

export const tradeProperties = [
  plays(
    'state-trade',
    'channels, hashlocks and splits, with undo and redo, agree with plain maps',
    32,
    [network],
    attempt,
    compose,
    BEGINNING,
  ),
]
