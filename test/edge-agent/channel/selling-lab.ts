/** A seller of readings on a chain in memory, message by message: carol sells, alice buys. */
import { Openings } from '../../../edge-agent/channel/openings.ts'
import { Selling } from '../../../edge-agent/channel/selling.ts'
import type { Draft } from '../../../edge-agent/outbox.ts'
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
import type { Hash } from '../../../schemas/hex.ts'
import { invariant } from '../../../schemas/result.ts'
import { alice, carol, TestChain, testNetwork } from '../../helpers/ledger.ts'
import { MemoryDisk } from '../../helpers/memory-disk.ts'
import { recordingLog } from '../../helpers/rig.ts'
import { open as openChannel } from '../../helpers/trade.ts'

export const PRICE = 10
export const AMOUNT = 1_000

export function parse(bytes: Uint8Array) {
  const decoded = decode(channelMessage, bytes, CHANNEL_MESSAGE_BYTES_MAX)
  invariant(decoded.ok, 'a message of a channel')
  return decoded.value
}

/** Carol sells soil on a channel of alice's, who says what the test wants. */
export function lab({ claimAbove = AMOUNT, payee = carol, accepts = opensslAccept() } = {}) {
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
  const talking = (signer: Signer) => ({ network, signer, accepts })
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

/** So many more channels of alice's that pay carol; nothing of them is on the ledger. */
export function others(the: ReturnType<typeof lab>, count: number): readonly Hash[] {
  const ids = Array.from({ length: count }, (_, at) => (at + 1).toString(16).padStart(64, '0') as Hash)
  const { state } = the.test.chain
  const [known, entry, real] = [new Set(ids), state.channel(the.channel), state.channel.bind(state)]
  state.channel = (id) => (known.has(id) ? entry : real(id))
  return ids
}
