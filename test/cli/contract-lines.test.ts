/** What a person reads of channels, hashlocks and splits in blocks. */
import t from 'tap'
import { ContractLines, type ContractTx, contractWords } from '../../cli/contract-lines.ts'
import { COIN } from '../../ledger/amount.ts'
import type { Sealed } from '../../ledger/transaction.ts'
import type { Account } from '../../schemas/hex.ts'
import { alice, bob, carol, START_MS, TestChain } from '../helpers/ledger.ts'
import {
  bytes32,
  claim,
  close,
  lock,
  open,
  refund,
  share,
  signedFor,
  tell,
  wordOf,
  wordsFrom,
} from '../helpers/trade.ts'

const chain = new TestChain()
const NAMES = new Map<Account, string>([
  [alice.account, 'pump'],
  [bob.account, 'probe'],
  [carol.account, 'watcher'],
])

function watch() {
  const lines = new ContractLines((account) => NAMES.get(account as Account) ?? account.slice(0, 8))
  const at = (height: number, { id, transaction: tx }: Sealed) => lines.describe(id, tx as ContractTx, height)
  /** Its words, without the id at their end. */
  const say = (height: number, sealed: Sealed) =>
    contractWords(at(height, sealed)).replace(/ \([0-9a-f]{12}\)$/, '')
  return { at, say }
}

t.test('a channel by words: who puts in how much, who gets it, what is left', async (t) => {
  const { at, say } = watch()
  const words = wordsFrom(bytes32(7), 100)
  const terms = { anchor: words[0] as never, step: COIN / 100, memo: 'soil 12', delay: 20 }
  const opened = open(chain, alice, bob, COIN, terms)
  t.strictSame(at(5, opened), {
    ...{ event: 'trade', what: 'channelOpen', device: 'pump', height: 5, id: opened.id },
    ...{ from: 'pump', to: 'probe', amount: COIN, price: COIN / 100, memo: 'soil 12' },
  })
  t.equal(say(5, opened), 'pump puts 1 into a channel to probe at 0.01 a reading')
  t.equal(
    say(7, claim(chain, bob, opened.id, wordOf(words, 10))),
    'probe gets 0.1 out of the channel of pump, 0.1 in all',
  )
  const second = claim(chain, carol, opened.id, wordOf(words, 25))
  t.match(at(8, second), {
    device: 'watcher',
    to: 'probe',
    amount: 0.15 * COIN,
    claimed: 0.25 * COIN,
    readings: 25,
  })
  t.equal(
    say(9, close(chain, alice, opened.id)),
    'pump wishes to close its channel to probe: 0.75 come back from #29 on',
  )
  t.match(at(28, close(chain, alice, opened.id)), { what: 'channelWish', until: 29 })
  t.equal(
    say(29, close(chain, alice, opened.id)),
    'pump closes the channel of pump to probe: 0.25 were paid, 0.75 go back',
  )
})

t.test(
  'a channel by signatures: its payee closes at once, and so does anybody when its time is over',
  async (t) => {
    const { say } = watch()
    const opened = open(chain, alice, bob, COIN)
    t.equal(say(5, opened), 'pump puts 1 into a channel to probe')
    t.equal(
      say(6, claim(chain, bob, opened.id, signedFor(chain.network, alice, opened.id, COIN / 4))),
      'probe gets 0.25 out of the channel of pump, 0.25 in all',
    )
    t.equal(
      say(7, close(chain, bob, opened.id)),
      'probe closes the channel of pump to probe: 0.25 were paid, 0.75 go back',
    )
    const short = open(chain, alice, bob, COIN, { until: 9 })
    say(5, short)
    t.match(say(9, close(chain, carol, short.id)), /^watcher closes the channel of pump to probe/)
  },
)

t.test('of what was opened before somebody watched, what is known is told', async (t) => {
  const { say, at } = watch()
  const id = bytes32(9)
  t.equal(
    say(6, claim(chain, bob, id, wordOf([bytes32(1)], 0))),
    'probe claims 0 readings in all of a channel opened before',
  )
  const signed = claim(chain, bob, id, signedFor(chain.network, alice, id, COIN))
  t.equal(say(6, signed), 'probe claims 1 in all of a channel of pump')
  t.match(at(6, signed), { from: 'pump', claimed: COIN, amount: undefined })
  t.equal(say(6, close(chain, bob, id)), 'probe closes, or wishes to close, a channel opened before')
  t.equal(say(6, tell(chain, bob, id, bytes32(2))), 'probe tells the secret of a lock opened before')
  t.equal(
    say(6, refund(chain, alice, id)),
    'the coins of a lock opened before go back, no secret was told in time',
  )
})

t.test('a hashlock: locked, opened by its secret, or given back', async (t) => {
  const { say, at } = watch()
  const terms = { height: 300, time: START_MS }
  const locked = lock(chain, alice, bob, COIN / 2, bytes32(3), terms, { memo: 'day.bin' })
  t.equal(say(5, locked), 'pump locks 0.5 for probe for day.bin, to be opened by a secret before #300')
  t.match(at(5, locked), { from: 'pump', to: 'probe', amount: COIN / 2, until: 300, memo: 'day.bin' })
  const told = tell(chain, carol, locked.id, bytes32(3))
  t.equal(say(6, told), 'probe gets the 0.5 that pump had locked: the secret is told')
  say(7, locked)
  t.match(at(8, refund(chain, alice, locked.id)), { what: 'hashlockRefund', amount: COIN / 2, to: 'probe' })
  say(7, locked)
  t.equal(
    say(8, refund(chain, alice, locked.id)),
    'the 0.5 that pump had locked for probe go back: no secret was told in time',
  )
})

t.test('a split: who gets which share', async (t) => {
  const { say, at } = watch()
  const both = share(chain, bob, [
    [alice.account, 3_000],
    [carol.account, 1_250],
  ])
  t.equal(say(5, both), 'probe shares what it earns: 30% to pump, 12.5% to watcher')
  t.strictSame(at(5, both).shares, [
    { to: 'pump', percent: 30 },
    { to: 'watcher', percent: 12.5 },
  ])
  t.equal(say(6, share(chain, bob, [])), 'probe shares what it earns with nobody')
})
