import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { PurchaseEvent } from '../../../cli/file-purchase/events.ts'
import { fetchChunks } from '../../../cli/file-purchase/fetching.ts'
import type { Line, LineListener } from '../../../cli/file-purchase/line.ts'
import { PartFile } from '../../../cli/file-purchase/part-file.ts'
import { askQuote, type Quoted, type Surroundings } from '../../../cli/file-purchase/quoting.ts'
import { checkFileMessage, signFileMessage } from '../../../ledger/file-quote.ts'
import { FileConversation } from '../../../node/file-conversation.ts'
import { createKeyPair } from '../../../node/key-agreement.ts'
import type { Signer } from '../../../node/signing.ts'
import {
  type ChunkRequest,
  chunksOf,
  type Quote,
  type QuoteRequest,
  type RefusalCode,
} from '../../../schemas/file-message.ts'
import { type Hash, hashFromBytes } from '../../../schemas/hex.ts'
import { alice, bob, carol, testNetwork } from '../../helpers/ledger.ts'
import { temporary } from '../../helpers/processes.ts'

const network = testNetwork()
const [buyer, seller] = [alice, bob]
const LOCK = '55'.repeat(32) as Hash
const SIZE = 65_536 + 10

/** A buyer's line to a seller that `hears` what it says; time passes when the buyer waits. */
function lab(hears: (message: QuoteRequest | ChunkRequest, ms: number) => void, atMs = (_ms: number) => {}) {
  let nowMs = 0
  let listener: LineListener | undefined
  const abort = new AbortController()
  const events: PurchaseEvent[] = []
  const asked: number[] = []
  const sellerPair = createKeyPair()
  const conversationWith = (publicKey: Uint8Array) =>
    FileConversation.between(sellerPair, publicKey, {
      ...{ genesis: network.genesisHash, seller: seller.account, buyer: buyer.account, lock: LOCK },
    })
  const tell = (payload: Uint8Array): void => listener?.onMessage(payload)
  const surroundings: Surroundings = {
    line: {
      ...{ network, signer: buyer },
      listen: (next) => {
        listener = next
      },
      sendToSeller: async (message) => {
        const checked = checkFileMessage(network, message, buyer.account, seller.account)
        if (!checked.ok) throw new Error(checked.fault.message)
        const { value } = checked
        asked.push(nowMs)
        if (value.type === 'quoteRequest' || value.type === 'chunkRequest') hears(value, nowMs)
        return true
      },
    } as Pick<Line, 'network' | 'signer' | 'listen' | 'sendToSeller'> as Line,
    show: (event) => void events.push(event),
    now: () => nowMs,
    monotonic: () => nowMs,
    sleep: async (ms) => {
      nowMs += ms
      atMs(nowMs)
    },
    signal: abort.signal,
  }
  return {
    ...{ surroundings, events, asked, abort, tell, sellerPair, conversationWith },
    ask: () => askQuote(surroundings, seller.account, 'day.bin'),
    refuse(about: Uint8Array | Hash, code: RefusalCode, by: Signer = seller) {
      const parties = { seller: seller.account, buyer: buyer.account }
      const to = typeof about === 'string' ? about : hashFromBytes(about)
      tell(signFileMessage(network, { type: 'refusal', ...parties, about: to, code, message: code }, by.sign))
    },
    quote({ publicKey }: QuoteRequest, change: Partial<Quote> = {}, by: Signer = seller) {
      const quote = {
        ...{ seller: seller.account, buyer: buyer.account, name: 'day.bin', publicKey },
        ...{ sellerKey: sellerPair.publicKey, file: LOCK, size: SIZE, chunks: chunksOf(SIZE) },
        ...{ ciphertext: LOCK, price: 5, lock: LOCK, blocks: 12, minutes: 1, confirmations: 2, until: 7 },
        ...change,
      }
      tell(signFileMessage(network, { type: 'quote', ...quote }, by.sign))
    },
  }
}
const codeOf = ({ ok, ...rest }: Awaited<ReturnType<typeof askQuote>>) =>
  ok ? 'ok' : (rest as { fault: { code: string } }).fault.code

t.test('the question is repeated, and a seller that says nothing is not waited for', async (t) => {
  const the = lab(() => {})
  t.equal(codeOf(await the.ask()), 'silent')
  t.strictSame(the.asked, [0, 3_000, 6_000, 9_000, 12_000, 15_000, 18_000])
})

t.test('the first quote for this question, of this seller, is taken; nothing else is', async (t) => {
  const the = lab((asked) => {
    if (asked.type !== 'quoteRequest') return
    the.tell(new Uint8Array(3))
    the.quote(asked, {}, carol)
    the.quote(asked, { name: 'night.bin' })
    the.quote(asked, { publicKey: new Uint8Array(32).fill(1) })
    the.refuse(new Uint8Array(32).fill(1), 'not-for-sale')
    the.refuse(asked.publicKey, 'not-for-sale', carol)
    the.quote(asked, { price: 6 })
    the.quote(asked, { price: 7 })
    the.refuse(asked.publicKey, 'not-for-sale')
  })
  t.match(await the.ask(), { ok: true, value: { quote: { price: 6 } } })
})

t.test('a quote whose key is none is not taken', async (t) => {
  const the = lab((asked) => {
    if (asked.type === 'quoteRequest') the.quote(asked, { sellerKey: new Uint8Array(32) })
  })
  t.equal(codeOf(await the.ask()), 'bad-key')
})

t.test('what is in the way for now is waited for, half a minute, and what is for good is not', async (t) => {
  for (const code of ['busy', 'changing'] as const) {
    const the = lab((asked) => asked.type === 'quoteRequest' && the.refuse(asked.publicKey, code))
    t.equal(codeOf(await the.ask()), code)
    t.equal(the.asked.at(-1), 33_000)
    t.match(the.events[0], { event: 'trouble', reason: code })
  }
  for (const code of ['not-for-sale', 'uncovered'] as const) {
    const the = lab((asked) => asked.type === 'quoteRequest' && the.refuse(asked.publicKey, code))
    t.equal(codeOf(await the.ask()), code)
    t.strictSame(the.asked, [0])
  }
})

t.test('a file that is made ready is waited for as long as the seller says so', async (t) => {
  const the = lab((asked, ms) => {
    if (asked.type !== 'quoteRequest') return
    if (ms < 60_000) the.refuse(asked.publicKey, 'preparing')
    else the.quote(asked)
  })
  t.equal(codeOf(await the.ask()), 'ok')
  t.match(the.events.at(-1), { event: 'preparing', percent: 'preparing' })
})

t.test('who has had enough is not kept', async (t) => {
  const the = lab(
    () => {},
    (ms) => ms >= 1_000 && the.abort.abort(),
  )
  t.equal(codeOf(await the.ask()), 'stopped')
  t.strictSame(the.asked, [0])
})

/** A buyer that has a quote, and a place for the ciphertext. */
async function fetching(
  t: Test,
  hears: (asked: ChunkRequest, seller: FileConversation, the: ReturnType<typeof lab>) => void,
  atMs?: (ms: number, the: ReturnType<typeof lab>) => void,
) {
  let conversation: FileConversation | undefined
  const the: ReturnType<typeof lab> = lab(
    (asked) => {
      if (asked.type === 'quoteRequest') {
        conversation = the.conversationWith(asked.publicKey)
        the.quote(asked)
      } else if (conversation?.isRequest(asked) === true) hears(asked, conversation, the)
      else t.fail('a request is sealed')
    },
    (ms) => atMs?.(ms, the),
  )
  const asked = await the.ask()
  if (!asked.ok) throw new Error(asked.fault.message)
  const quoted: Quoted = asked.value
  const part = new PartFile(join(temporary(t), 'ciphertext'), SIZE)
  t.teardown(() => part.close())
  const fetched = await fetchChunks(the.surroundings, quoted, part)
  return { part, code: fetched.ok ? 'ok' : fetched.fault.code, the }
}
const chunk = (index: number) => new Uint8Array(index === 0 ? 65_552 : 26).fill(index + 1)

t.test('only chunks of this conversation, in their place and of their length, are taken', async (t) => {
  let requests = 0
  const { part, code } = await fetching(t, (_, seller, the) => {
    if (++requests === 2) {
      the.tell(seller.chunk(1, chunk(1)))
      the.tell(seller.chunk(0, chunk(0)))
    }
    if (requests !== 1) return
    the.tell(seller.chunk(0, chunk(1)))
    the.tell(seller.chunk(1, chunk(0)))
    the.tell(seller.chunk(2, chunk(1)))
    the.tell(seller.chunk(1, chunk(1)).map((byte, at) => (at === 40 ? byte ^ 1 : byte)))
    the.refuse('66'.repeat(32) as Hash, 'unquoted')
    the.refuse(LOCK, 'unquoted', carol)
  })
  t.equal(code, 'ok')
  t.strictSame(
    [part.read(0), part.read(1)].map((bytes) => new Uint8Array(bytes)),
    [chunk(0), chunk(1)],
  )
})

t.test(
  'a seller that refuses, or sends nothing new for 20 seconds, is asked for a quote again',
  async (t) => {
    const refused = await fetching(t, (_, _seller, the) => the.refuse(LOCK, 'changing'))
    t.equal(refused.code, 'changing')
    const silent = await fetching(t, (_, seller, the) => the.tell(seller.chunk(1, chunk(1))))
    t.equal(silent.code, 'silent')
    t.ok(silent.the.surroundings.monotonic() < 20_100, 'the same again is nothing new')
    t.equal(silent.part.have, 0)
  },
)

t.test('who has had enough keeps what is there', async (t) => {
  const stopped = await fetching(
    t,
    (_, seller, the) => the.tell(seller.chunk(0, chunk(0))),
    (ms, the) => ms >= 1_000 && the.abort.abort(),
  )
  t.equal(stopped.code, 'stopped')
  t.equal(stopped.part.have, 1)
})
