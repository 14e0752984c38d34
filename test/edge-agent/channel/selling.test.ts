/** A seller's channels, message by message: who is answered, what is delivered when, and what is claimed. */
import t from 'tap'
import { SETTLED_DEPTH } from '../../../edge-agent/outbox.ts'
import type { Hello, SealedMessage } from '../../../node/channel/conversation.ts'
import type { Hash } from '../../../schemas/hex.ts'
import { alice, bob, carol, TestChain, testNetwork } from '../../helpers/ledger.ts'
import { close } from '../../helpers/trade.ts'
import { lab, others, PRICE, parse } from './selling-lab.ts'

t.test('a hello is answered on a channel that pays us, so often', async (t) => {
  const foreign = lab({ payee: bob })
  foreign.hello()
  t.strictSame(foreign.sent, [], "not on another's")
  const { hello, sent, state } = lab()
  for (let each = 0; each < 30; each++) hello()
  t.equal(sent.length, 20)
  state.ms += 1_000
  for (let each = 0; each < 30; each++) hello()
  t.equal(sent.length, 22)
})

t.test(
  'who talks under keys that are forgotten is asked for a hello, now and then, and nobody else is',
  async (t) => {
    const one = lab()
    one.hello()
    one.heard()
    const other = lab()
    const foreign = lab({ payee: bob })
    const sealed = parse(
      one.buyer.active?.seal({ type: 'stop', code: 'done', message: '' }) ?? new Uint8Array(0),
    )
    for (const the of [other, foreign])
      for (let each = 0; each < 5; each++)
        the.selling.sealed({ ...(sealed as SealedMessage), channel: the.channel })
    t.strictSame(
      other.sent.map(({ bytes }) => parse(bytes).type),
      ['knock', 'knock'],
    )
    t.strictSame(foreign.sent, [])
    other.state.ms += 2_000
    other.selling.sealed({ ...(sealed as SealedMessage), channel: other.channel })
    t.equal(other.sent.length, 3)
  },
)

t.test('how often hellos and knocks came is remembered of 1,024 channels', async (t) => {
  let isGenuine = true
  const the = lab({ accepts: () => isGenuine })
  const { channel, selling, sent, buyer } = the
  const all = others(the, 1_024)
  const hello = parse(buyer.hello()) as Hello
  const sealed = { type: 'sealed', conversation: new Uint8Array(32), box: new Uint8Array(40) } as const
  for (const [burst, come] of [
    [20, (id: Hash) => selling.hello({ ...hello, channel: id })],
    [2, (id: Hash) => selling.sealed({ ...sealed, channel: id })],
  ] as const) {
    const answers = (count: number): number => {
      sent.splice(0)
      isGenuine = true
      for (let each = 0; each < count; each++) come(channel)
      // Those of the others only count.
      isGenuine = false
      return sent.length
    }
    t.equal(answers(burst + 1), burst)
    for (const id of all.slice(1)) come(id)
    t.equal(answers(1), 0)
    for (const id of all) come(id)
    t.equal(answers(1), 1)
  }
})

t.test(
  'a reading is delivered when the one before is paid, of the sensor that is bought, once it is stored',
  async (t) => {
    const { begin, sample, pay, delivered, write } = lab()
    begin()
    delivered()
    sample('air')
    write()
    t.strictSame(delivered(), [])
    sample()
    t.strictSame(delivered(), [], 'the log does not have it')
    write()
    t.strictSame(delivered(), [1])
    sample()
    write()
    t.strictSame(delivered(), [])
    pay(1)
    sample()
    write()
    t.strictSame(delivered(), [2])
  },
)

t.test('as many as the buyer wants, as often as it wants, until it says stop', async (t) => {
  const { begin, resume, sample, pay, delivered, write, state, say, selling } = lab()
  begin({ last: 3, every: 10 })
  delivered()
  const next = (): number[] => {
    sample()
    write()
    return delivered()
  }
  t.strictSame(next(), [1])
  pay(1)
  state.ms += 9_999
  t.strictSame(next(), [])
  state.ms += 1
  t.strictSame(next(), [2])
  state.ms += 10_000
  t.strictSame(next(), [], 'it is not paid')
  pay(2)
  t.strictSame(next(), [3], 'the pace is counted from what was delivered')
  pay(3)
  state.ms += 10_000
  t.strictSame(next(), [], 'three were wanted')
  resume({ last: 9, every: 0, index: 3 })
  delivered()
  t.strictSame(next(), [4])
  say({ type: 'stop', code: 'done', message: '' })
  state.ms += 100_000
  selling.tick()
  t.strictSame(delivered(), [], 'nor is it said again')
  pay(4)
  t.strictSame(next(), [])
  resume({ index: 4 })
  delivered()
  t.strictSame(next(), [5])
})

t.test(
  'what is not paid is said again, ever later, at least each minute; a payment begins anew',
  async (t) => {
    const { begin, sample, pay, delivered, write, state, selling } = lab()
    begin()
    delivered()
    /** Seconds after which it is said again. */
    const waits = (count: number): number[] => {
      sample()
      write()
      delivered()
      const found: number[] = []
      for (let seconds = 1; found.length < count; seconds++) {
        state.ms += 1_000
        selling.tick()
        if (delivered().length === 0) continue
        found.push(seconds)
        seconds = 0
      }
      return found
    }
    t.strictSame(waits(7), [2, 4, 8, 16, 32, 60, 60])
    pay(1)
    t.strictSame(waits(2), [2, 4])
  },
)

t.test(
  'nothing is delivered, and that said once, by who does not know where the ledger stands',
  async (t) => {
    for (const change of [{ inSync: false }, { behindMs: 5 * testNetwork().genesis.interval }]) {
      const { begin, sample, stops, state, delivered, write } = lab()
      begin()
      stops()
      Object.assign(state, change)
      for (let each = 0; each < 3; each++) {
        sample()
        write()
      }
      t.strictSame(stops(), ['not-current'])
      Object.assign(state, { inSync: true, behindMs: 5 * testNetwork().genesis.interval - 1 })
      sample()
      write()
      t.strictSame(delivered(), [1])
    }
  },
)

t.test('what much is unclaimed is claimed once, and again when that does not get into a block', async (t) => {
  const { begin, sample, pay, write, mine, did, acts, test, channel, state } = lab({ claimAbove: 20 })
  begin()
  const sell = (index: number): void => {
    sample()
    write()
    pay(index)
  }
  sell(1)
  mine()
  t.strictSame(did(), [])
  sell(2)
  state.inSync = false
  mine()
  t.strictSame(did(), [], 'not before the ledger is known')
  state.inSync = true
  mine()
  t.match(acts, [{ draft: { type: 'channelClaim', channel, proof: { amount: 20 } } }])
  did()
  sell(3)
  for (let block = 1; block < 10; block++) mine()
  t.strictSame(did(), [], 'one at a time')
  mine()
  t.match(acts, [{ draft: { proof: { amount: 30 } } }], 'the first has been away for long')
  did()
  sell(4)
  mine(close(test, alice, channel))
  t.match(acts, [{ draft: { proof: { amount: 40 } } }], 'nobody waits when it is closing')
})

t.test('a channel that is gone is forgotten once that is for good', async (t) => {
  const { begin, sample, pay, write, mine, books, channel, test, notices, lines, did, selling } = lab()
  begin()
  sample()
  write()
  pay(1)
  selling.tick()
  mine(close(test, alice, channel))
  did()
  for (let block = 0; block < 8; block++) mine()
  t.ok(test.chain.state.channel(channel), 'the wish was ten blocks ago')
  mine()
  mine(close(test, alice, channel))
  t.equal(test.chain.state.channel(channel), undefined)
  t.match(lines.at(-1), { event: 'a channel was closed before all was claimed', fields: { lost: PRICE } })
  for (let block = 1; block < SETTLED_DEPTH; block++) mine()
  write()
  t.ok(books.books.sales.has(channel), 'it might come back')
  notices.splice(0)
  mine()
  write()
  t.notOk(books.books.sales.has(channel))
  t.strictSame(notices, [0], 'and nobody needs its proof')
})

t.test('one that a reorganisation brings back is not gone', async (t) => {
  const { begin, sample, write, mine, books, channel, test, follow } = lab()
  begin()
  sample()
  write()
  const other = new TestChain(test.network)
  other.follow(test)
  mine(close(test, carol, channel))
  t.equal(test.chain.state.channel(channel), undefined)
  other.grow(SETTLED_DEPTH + 5, [], bob)
  follow(other)
  t.ok(test.chain.state.channel(channel))
  mine(close(test, carol, channel))
  write()
  t.ok(books.books.sales.has(channel), 'it was closed just now')
})

t.test(
  'the best proof is shown when it has changed: the first at once, then each minute, and when it connects or stops',
  async (t) => {
    const { begin, sample, pay, write, notices, state, selling } = lab()
    begin()
    const sell = (index: number): void => {
      sample()
      write()
      pay(index)
    }
    const shown = (): number => notices.splice(0).length
    selling.connected()
    t.equal(shown(), 0, 'nothing is paid')
    sell(1)
    selling.tick()
    t.equal(shown(), 1)
    sell(2)
    state.ms += 59_999
    selling.tick()
    t.equal(shown(), 0)
    state.ms += 1
    selling.tick()
    selling.connected()
    t.equal(shown(), 1)
    sell(3)
    state.connected = false
    selling.stop()
    t.equal(shown(), 0)
    state.connected = true
    selling.connected()
    t.equal(shown(), 1)
    sell(4)
    selling.stop()
    t.equal(shown(), 1)
  },
)
