/**
 * What 10,000 grants cost a validator: blocks with receipts, forgetting, looking back after a start, and saying all to a new broker.
 *
 * Run after `npm run build`: `node dist/bench/grants.js`; `--json` for machines.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Announcer } from '../broker/announcer.ts'
import { createBroker } from '../broker/broker.ts'
import { GRANT_BOOK_LIMITS, GrantBook } from '../broker/grant-book.ts'
import { GrantFeed } from '../broker/grant-feed.ts'
import { Chain, NOTHING_SETTLED, type Update } from '../ledger/chain.ts'
import { createNetwork } from '../ledger/network.ts'
import { genesisFrom } from '../ledger/preset.ts'
import { createSession } from '../node/session.ts'
import { createSigner, hashing, signatures } from '../node/signing.ts'
import { systemTimers } from '../node/timers.ts'
import { type Block, block as blockCodec } from '../schemas/block.ts'
import { decode, encode } from '../schemas/codec.ts'
import { type Account, type Hash, ZERO_HASH } from '../schemas/hex.ts'
import { writeSellerMemo } from '../schemas/receipt-memo.ts'
import { invariant } from '../schemas/result.ts'
import type { Transaction } from '../schemas/transaction.ts'

const GRANTS = GRANT_BOOK_LIMITS.entriesMax
/** Receipts in a block. */
const RECEIPTS = 200
const START_MS = 1_767_225_600_000
const HOST = '127.0.0.1'
const judge = createSigner(new Uint8Array(32).fill(1))
const silent = () => {}
const log = { debug: silent, info: silent, warn: silent, error: silent }
const accountOf = (index: number): Account => index.toString(16).padStart(64, '0') as Account

const opened = createNetwork(
  genesisFrom('bench', { name: 'bench', time: START_MS, firstWork: 256, allocations: [] }),
  { hashing, signatures },
)
invariant(opened.ok, 'the genesis is valid')
const network = opened.value

/** Receipts number `from` to `from + count - 1`, each to a buyer of its own, of sellers that each have a thousand. */
function receipts(from: number, count: number, until: number): Transaction[] {
  return Array.from({ length: count }, (_, index): Transaction => {
    const number = from + index
    const item = { kind: 'topic', name: 'soil' } as const
    const memo = writeSellerMemo({ type: 'sold', payment: '0123456789abcdef', item, until })
    return {
      ...{
        type: 'transfer',
        network: network.id,
        from: accountOf(1 + Math.floor(number / 1000)),
        nonce: number,
      },
      ...{
        fee: 0,
        expiry: 1000,
        to: accountOf(1_000_000 + number),
        amount: 0,
        memo,
        signature: new Uint8Array(64),
      },
    }
  })
}

function blockOf(transactions: readonly Transaction[]): Block {
  const zero = new Uint8Array(64)
  return {
    header: { ...network.block0, version: 1, height: 1, time: START_MS, nonce: new Uint8Array(8) },
    coinbase: {
      ...{
        type: 0,
        network: network.id,
        from: judge.account,
        height: 1,
        parent: ZERO_HASH,
        reward: 0,
        tick: ZERO_HASH,
      },
      ...{ transactionsRoot: ZERO_HASH, stateRoot: ZERO_HASH, signature: zero },
    },
    transactions,
  }
}

const blocks = Array.from({ length: GRANTS / RECEIPTS }, (_, index) =>
  blockOf(receipts(index * RECEIPTS, RECEIPTS, START_MS + 86_400_000)),
)
const readings = blockOf(
  receipts(0, RECEIPTS, START_MS + 86_400_000).map((each) => ({ ...each, memo: 'sol' }) as Transaction),
)

/** Milliseconds that `run` takes, the median of many. */
function milliseconds(run: () => void, times = 51): number {
  const taken = Array.from({ length: times }, () => {
    const startMs = performance.now()
    run()
    return performance.now() - startMs
  })
  return taken.sort((a, b) => a - b)[Math.floor(times / 2)] ?? Number.NaN
}

function fullBook(): GrantBook {
  const book = new GrantBook()
  for (const each of blocks) book.connect(each, START_MS)
  book.takeChanged()
  invariant(book.size === GRANTS, 'the book is full')
  return book
}

function costs(): Record<string, number> {
  const before = process.memoryUsage().heapUsed
  const book = fullBook()
  const heap = process.memoryUsage().heapUsed - before
  const later = blockOf(receipts(0, RECEIPTS, START_MS + 90_000_000))
  const over = Array.from({ length: 5 }, fullBook)
  const bytes = encode(blockCodec, later)
  const plain = encode(blockCodec, readings)
  const marker = Buffer.from('sold ')
  return {
    [`block with ${RECEIPTS} receipts, ms`]: milliseconds(() => {
      book.connect(later, START_MS)
      book.takeChanged()
    }),
    [`block with ${RECEIPTS} other transactions, ms`]: milliseconds(() => book.connect(readings, START_MS)),
    [`all ${GRANTS} looked at because one is over, ms`]: milliseconds(() => {
      book.connect(blockOf(receipts(0, 1, START_MS + 1000)), START_MS)
      book.expire(START_MS + 1000)
    }),
    [`all ${GRANTS} over at once, ms`]: milliseconds(() => over.pop()?.expire(START_MS + 86_400_000), 5),
    'looking back: a block without receipts, ms': milliseconds(
      () => void Buffer.from(plain.buffer).includes(marker),
    ),
    [`looking back: a block with ${RECEIPTS}, decoded, ms`]: milliseconds(() => {
      const decoded = decode(blockCodec, bytes, 1 << 20)
      if (decoded.ok) book.connect(decoded.value, START_MS)
    }),
    'heap of the book, MB': heap / 1e6,
  }
}

/** Says all to a broker in a process of its own, and something that happened in the midst of it. */
async function saying(): Promise<Record<string, number>> {
  const child = fork(import.meta.filename, ['--serve'])
  const [port] = (await once(child, 'message')) as [number]
  const archive = { ...NOTHING_SETTLED, block: (_: Hash) => new Uint8Array(0), changes: (_: Hash) => [] }
  const chain = new Chain(network, archive)
  let connected: () => void = silent
  const ready = new Promise<void>((resolve) => {
    connected = resolve
  })
  const session = createSession(
    { url: `mqtt://${HOST}:${port}`, signer: judge },
    {
      ...{
        log,
        random: Math.random,
        now: () => performance.now(),
        onMessage: silent,
        onDisconnected: silent,
      },
      ...{ onDropped: silent, onFault: (error) => console.error(error), onConnected: () => connected() },
    },
  )
  let sent = 0
  let startMs = Number.NaN
  let eventMs = Number.NaN
  const announcer = new Announcer({
    async publish(...message) {
      const done = await session.publish(...message)
      if (done) sent++
      if (message[0].includes('/refused/')) eventMs = performance.now() - startMs
      return done
    },
    connected: () => session.connected,
    ...{ onDropped: silent, onFault: (error) => console.error(error) },
  })
  const feed = new GrantFeed({
    ...{ chain, account: judge.account, log, timers: systemTimers, monotonic: () => performance.now() },
    ...{ retained: announcer.patient.bind(announcer), onFatal: (error) => console.error(error) },
  })
  for (const block of blocks)
    feed.onUpdate({ disconnected: [], connected: [{ block }], tip: chain.tip } as unknown as Update, [])
  session.start()
  await ready
  startMs = performance.now()
  const processorStart = process.cpuUsage()
  feed.publishAll()
  const queuedMs = performance.now() - startMs
  announcer.event({
    topic: `pinledger/${network.id}/refused/${judge.account}/json`,
    payload: new Uint8Array(1),
    qos: 1,
  })
  const before = GRANTS * 2
  while (sent < before + 1) await new Promise((resolve) => setTimeout(resolve, 5))
  const allMs = performance.now() - startMs
  const { user, system } = process.cpuUsage(processorStart)
  await session.stop()
  child.kill()
  return {
    [`all ${GRANTS} to a broker, with mirrors: queued, ms`]: queuedMs,
    [`all ${GRANTS} to a broker: acknowledged, ms`]: allMs,
    'something that happened meanwhile: acknowledged, ms': eventMs,
    [`all ${GRANTS} to a broker: the validator's processor time, ms`]: (user + system) / 1000,
  }
}

async function serve(): Promise<void> {
  const broker = createBroker({ host: HOST, mqttPort: 0, wsPort: 0, validators: [judge.account] }, { log })
  const { mqttPort } = await broker.start()
  process.send?.(mqttPort)
}

if (process.argv[2] === '--serve') await serve()
else {
  const results = { ...costs(), ...(await saying()) }
  process.stdout.write(
    process.argv.includes('--json')
      ? `${JSON.stringify(results)}\n`
      : `${Object.entries(results)
          .map(([what, value]) => `${what.padEnd(66)} ${Math.round(value * 1000) / 1000}`)
          .join('\n')}\n`,
  )
}
