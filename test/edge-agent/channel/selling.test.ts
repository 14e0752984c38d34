/** A seller's channels, message by message: who is answered, what is delivered when, and what is claimed. */
import t from 'tap'
import { Openings } from '../../../edge-agent/channel/openings.ts'
import { Selling } from '../../../edge-agent/channel/selling.ts'
import { type Draft, SETTLED_DEPTH } from '../../../edge-agent/outbox.ts'
import type { Desk } from '../../../edge-agent/trade.ts'
import { COIN } from '../../../ledger/amount.ts'
import { ChannelLog } from '../../../node/channel/channel-log.ts'
import { BuyerEnd, type Hello, type SealedMessage, type Welcome } from '../../../node/channel/conversation.ts'
import { signedProof } from '../../../node/channel/proof.ts'
import { opensslAccept, type Signer } from '../../../node/signing.ts'
import {
  CHANNEL_MESSAGE_BYTES_MAX,
  type ChannelTalk,
  channelMessage,
  type Resume,
} from '../../../schemas/channel-message.ts'
import { decode } from '../../../schemas/codec.ts'
import { invariant } from '../../../schemas/result.ts'
import { alice, bob, carol, TestChain, testNetwork } from '../../helpers/ledger.ts'
import { MemoryDisk } from '../../helpers/memory-disk.ts'
import { recordingLog } from '../../helpers/rig.ts'
import { close, open as openChannel } from '../../helpers/trade.ts'

const PRICE = 10
const AMOUNT = 1_000

function parse(bytes: Uint8Array) {
  const decoded = decode(channelMessage, bytes, CHANNEL_MESSAGE_BYTES_MAX)
  invariant(decoded.ok, 'a message of a channel')
  return decoded.value
}

/** Carol sells soil on a channel of alice's, who says what the test wants. */
function lab({ claimAbove = AMOUNT, payee = carol } = {}) {
  const allocations = [alice, carol].map(({ account }) => ({ account, amount: COIN }))
  const test = new TestChain(testNetwork({ allocations }))
  const { chain, network } = test
  const opening = openChannel(test, alice, payee, AMOUNT, { delay: 10 })
  const channel = opening.id
  test.grow(1, [opening])
  const { log, lines } = recordingLog()
  const state = { ms: 0, inSync: true, connected: true, behindMs: 0 }
  const due: (() => void)[] = []
  const sent: { to: string; bytes: Uint8Array }[] = []
  const notices: number[] = []
  const acts: { draft: Draft; key: string }[] = []
  const desk: Desk = {
    ...{ chain, signer: carol, log, random: () => 0, isGuarded: true, listen: () => {} },
    get outbox(): never {
      throw new Error('it acts by the desk')
    },
    clock: {
      now: () => chain.tip.time + state.behindMs,
      monotonic: () => state.ms,
      synchronised: () => true,
    },
    get inSync() {
      return state.inSync
    },
    get connected() {
      return state.connected
    },
    act(drafts) {
      acts.push(...drafts)
      return drafts.map(({ draft }) => test.sign(carol, draft))
    },
    async tell(kind, [to = ''], bytes) {
      if (kind === 'claim') notices.push(bytes.length)
      else sent.push({ to, bytes })
      return true
    },
    tellPeople: async () => true,
  }
  const disk = new MemoryDisk()
  const files = {
    open: () => disk.open('channels.log'),
    fresh: () => ({ file: disk.open('new'), commit: () => disk.rename('new', 'channels.log') }),
  }
  const after = (_: number, run: () => void) => {
    due.push(run)
    return () => {}
  }
  const books = new ChannelLog(files, {
    timers: { after, turn: async () => {} },
    nowMs: () => state.ms,
    onFatal: (error) => {
      throw error
    },
  })
  const talking = (signer: Signer) => ({ network, signer, accepts: opensslAccept() })
  const terms = { perReading: PRICE, confirmations: 1, delayMin: 5, claimAbove }
  const openings = new Openings(chain, carol.account, chain.tip.height)
  const conversation = talking(carol)
  const selling = new Selling({ desk, log: books, openings, conversation, terms: new Map([['soil', terms]]) })
  const buyer = new BuyerEnd(talking(alice), channel, carol.account)
  let sequence = 0
  /** What has come for alice since. */
  const heard = (): ChannelTalk[] =>
    sent.splice(0).flatMap(({ bytes }) => {
      const message = parse(bytes)
      if (message.type === 'welcome') buyer.welcome(message as Welcome)
      return message.type === 'sealed' ? (buyer.open(message) ?? []) : []
    })
  const write = (): void => {
    for (const run of due.splice(0)) run()
  }
  const say = (talk: ChannelTalk): void => {
    const sealed = buyer.active?.seal(talk)
    invariant(sealed !== undefined, 'keys are agreed')
    selling.sealed(parse(sealed) as SealedMessage)
    write()
  }
  const resume = (fields: Partial<Resume> = {}): void =>
    say({
      ...{ type: 'resume', sensor: 'soil', price: PRICE, every: 0, last: 1_000, index: 0, proof: [] },
      ...fields,
    })
  const hello = (): void => selling.hello(parse(buyer.hello()) as Hello)
  return {
    ...{
      test,
      channel,
      lines,
      state,
      sent,
      notices,
      acts,
      selling,
      books,
      heard,
      write,
      say,
      resume,
      hello,
      buyer,
    },
    /** Keys are agreed, and alice says what she wants. */
    begin(fields: Partial<Resume> = {}): void {
      hello()
      heard()
      resume(fields)
    },
    sample(sensor = 'soil'): void {
      const value = { mantissa: sequence, exponent: 0 }
      selling.sample({ sensor, sequence: sequence++, value, unit: '%', time: 1, synchronised: true })
    },
    pay(index: number): void {
      say({ type: 'payment', index, proof: signedProof(network, alice, channel, index * PRICE) })
    },
    /** Indices of what was delivered since. */
    delivered: (): number[] => heard().flatMap((talk) => (talk.type === 'delivery' ? [talk.index] : [])),
    stops: (): string[] => heard().flatMap((talk) => (talk.type === 'stop' ? [talk.code] : [])),
    mine(...transactions: Parameters<TestChain['grow']>[1] & object): void {
      const outcome = test.accept(test.block(transactions))
      invariant(outcome.ok, 'a good block')
      openings.update(outcome.value)
      selling.update()
    },
    /** Another chain's blocks, one by one, as from a peer. */
    follow(other: TestChain): void {
      for (let height = 1; height <= other.chain.tip.height; height++) {
        const hash = other.chain.at(height)?.hash ?? network.block0Hash
        if (chain.entry(hash) !== undefined) continue
        const outcome = test.acceptBytes(other.archive.block(hash), Number.MAX_SAFE_INTEGER)
        invariant(outcome.ok, 'a good block')
        openings.update(outcome.value)
        selling.update()
      }
    },
    /** Kinds of what it did on the ledger since. */
    did: (): string[] => acts.splice(0).map(({ draft }) => draft.type),
  }
}

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
  'the best proof is shown when it has changed: each minute, and when it connects or stops',
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
    state.ms = 60_000
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
