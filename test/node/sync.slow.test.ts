/** Catching up, with peers whose answers the test decides, in time that stands still until all wait for it. */
import t from 'tap'
import type { Chain } from '../../ledger/chain.ts'
import { HEADER_SYNC_DEFAULTS, type HeaderLimits } from '../../node/header-sync.ts'
import type { Question, Requests } from '../../node/requests.ts'
import { Sync } from '../../node/sync.ts'
import { systemTimers, type Timers } from '../../node/timers.ts'
import type { Header } from '../../schemas/block.ts'
import { header as headerCodec } from '../../schemas/block.ts'
import { encode } from '../../schemas/codec.ts'
import type { Account, Hash } from '../../schemas/hex.ts'
import { hashFromBytes } from '../../schemas/hex.ts'
import { accept, invariant, type Result, refuse } from '../../schemas/result.ts'
import { alice, bob, carol, signer, TestChain } from '../helpers/ledger.ts'
import { recordingLog } from '../helpers/rig.ts'
import { waitUntil } from '../helpers/wait-until.ts'

type Reply = { headers: readonly Header[] } | { blocks: readonly Uint8Array[] }
type Answer = Result<Reply, { code: 'timeout'; message: string }>
type Peer = (question: Question) => Promise<Answer>

/** A clock that jumps to the next timer when nothing else is left to do. */
function virtualTime() {
  const due: { atMs: number; run: () => void }[] = []
  const clock = { ms: 0 }
  let looking = false
  let turns = 0
  const look = (): void => {
    if (looking) return
    looking = true
    const before = turns
    setImmediate(() => {
      looking = false
      if (turns !== before) return look()
      due.sort((a, b) => a.atMs - b.atMs)
      const next = due.shift()
      if (next === undefined) return
      clock.ms = Math.max(clock.ms, next.atMs)
      next.run()
      if (due.length > 0) look()
    })
  }
  const timers: Timers = {
    after(delayMs, run) {
      const timer = { atMs: clock.ms + delayMs, run }
      due.push(timer)
      look()
      return () => {
        const index = due.indexOf(timer)
        if (index >= 0) due.splice(index, 1)
      }
    },
    async turn() {
      turns++
      await systemTimers.turn()
      turns++
    },
  }
  return { clock, timers }
}

interface Asked {
  readonly peer: Account
  readonly atMs: number
  readonly question: Question
}

/** A node with `mine` as its chain; `peers` answer by name, or one answers for all. */
function lab(
  mine: TestChain,
  peers: Peer | ReadonlyMap<Account, Peer>,
  claims: readonly Account[] = [],
  headerLimits: HeaderLimits = HEADER_SYNC_DEFAULTS,
) {
  const asked: Asked[] = []
  const { log, lines } = recordingLog()
  const { clock, timers } = virtualTime()
  const open = { now: 0, most: 0 }
  const requests = {
    async ask(peer: Account, question: Question) {
      asked.push({ peer, question, atMs: clock.ms })
      open.most = Math.max(open.most, ++open.now)
      const answer = await (typeof peers === 'function' ? peers : (peers.get(peer) ?? silent(timers)))(
        question,
      )
      open.now--
      return answer
    },
  } as unknown as Requests
  const accepted: Hash[] = []
  const sync = new Sync({
    chain: mine.chain,
    requests,
    peers: { claiming: () => [...claims], height: () => undefined },
    log,
    now: () => mine.nowMs + 1e12,
    monotonic: () => clock.ms,
    timers,
    headerLimits,
    accept: (bytes) => {
      const outcome = mine.acceptBytes(bytes, Number.MAX_SAFE_INTEGER)
      if (outcome.ok) accepted.push(outcome.value.added.entry.hash)
      return outcome
    },
  })
  const failures = () =>
    lines.filter(({ event }) => event === 'catching up failed').map(({ fields }) => fields.reason)
  const types = () => asked.map(({ question }) => question.type)
  return { sync, asked, types, accepted, clock, timers, lines, failures, open }
}

interface Theirs {
  readonly chain: Pick<Chain, 'tip' | 'at' | 'entry' | 'headersAfter'>
  readonly archive: { block(hash: Hash): Uint8Array }
}

/** A peer with a chain, as honest as can be. */
const honest =
  (theirs: Theirs): Peer =>
  async (question) => {
    if (question.type === 'getHeaders') {
      const headers = theirs.chain.headersAfter(question.locator, question.limit)
      return accept({ type: 'headers', headers })
    }
    if (question.type !== 'getBlocks') return refuse({ code: 'timeout', message: 'not asked here' })
    return accept({ type: 'blocks', blocks: question.hashes.map((hash) => theirs.archive.block(hash)) })
  }

const timeout = refuse({ code: 'timeout', message: 'no reply within 10000 ms' } as const)
/** A peer that never answers. */
const silent =
  (timers: Timers): Peer =>
  () =>
    new Promise((resolve) => timers.after(10_000, () => resolve(timeout)))
/** Takes its time. */
const slow =
  (timers: () => Timers, delayMs: number, peer: Peer): Peer =>
  async (question) => {
    await new Promise<void>((resolve) => timers().after(delayMs, resolve))
    return peer(question)
  }
const onBodies =
  (theirs: Theirs, bodies: Peer): Peer =>
  (question) =>
    (question.type === 'getBlocks' ? bodies : honest(theirs))(question)

/** A chain of its own. */
const grown = (blocks: number, miner = bob): TestChain => {
  const chain = new TestChain()
  chain.grow(blocks, [], miner)
  return chain
}
let trunk: TestChain | undefined
/** What a peer has: the first blocks of one long chain, which takes a while to make. */
function longer(blocks: number): Theirs {
  trunk ??= grown(1_600)
  const { chain, archive } = trunk
  const tip = chain.at(blocks)
  invariant(tip !== undefined, 'the trunk is long enough')
  return {
    archive,
    chain: {
      tip,
      at: (height) => chain.at(height),
      entry: (hash) => chain.entry(hash),
      headersAfter: (locator, limit) =>
        chain.headersAfter(locator, limit).filter(({ height }) => height <= blocks),
    },
  }
}
const longChain = (): Theirs => longer(1_600)

t.test('what fits one reply: headers first, then bodies, and progress is told', async (t) => {
  const theirs = longer(150)
  const mine = new TestChain()
  const { sync, types, lines } = lab(mine, honest(theirs))
  t.equal(sync.progress, undefined)
  t.equal(await sync.from(bob.account, 'tip'), true)
  t.equal(mine.chain.tip.hash, theirs.chain.tip.hash)
  t.strictSame(types(), ['getHeaders', 'getBlocks', 'getBlocks'])
  t.match(lines.find(({ event }) => event === 'catching up')?.fields, {
    blocks: '150/150',
    height: 150,
    progress: '####################',
  })
  t.equal(sync.progress, undefined)
})

t.test(
  'what does not: headers twice, in batches that end on groups, and in step with them the bodies',
  async (t) => {
    const theirs = longChain()
    const mine = new TestChain()
    const stored: number[] = []
    const { sync, asked } = lab(mine, (question) => {
      if (question.type === 'getHeaders') stored.push(mine.chain.tip.height)
      return honest(theirs)(question)
    })
    t.equal(await sync.from(bob.account, 'tip'), true)
    t.equal(mine.chain.tip.hash, theirs.chain.tip.hash)
    const headers = asked.flatMap(({ question }) => (question.type === 'getHeaders' ? [question] : []))
    t.strictSame(
      headers.map(({ limit }) => limit),
      [1000, 768, 768, 768, 768, 64],
    )
    const at = (height: number) => [theirs.chain.at(height)?.hash]
    t.strictSame(
      headers.slice(1).map(({ locator }) => locator),
      [at(768), at(1536), headers[0]?.locator, at(768), at(1536)],
    )
    t.strictSame(stored.slice(0, 4), [0, 0, 0, 0], 'nothing is stored before the first pass has ended')
    const bodies = asked.flatMap(({ question }) => (question.type === 'getBlocks' ? [question] : []))
    t.ok(bodies.every(({ height, hashes }) => theirs.chain.at(height)?.hash === hashes[0]))
  },
)

t.test('a peer that knows its old blocks only by groups serves a chain longer than a reply', async (t) => {
  const theirs = longChain()
  const mine = new TestChain()
  const known = (hash: Hash) => {
    const height = theirs.chain.entry(hash)?.height ?? 1
    return height % 256 === 0 || height > 1_550
  }
  const { sync } = lab(mine, (question) =>
    honest(theirs)(
      question.type === 'getHeaders' ? { ...question, locator: question.locator.filter(known) } : question,
    ),
  )
  t.equal(await sync.from(bob.account, 'tip'), true)
  t.equal(mine.chain.tip.hash, theirs.chain.tip.hash)
})

t.test('from a fork: only what is missing is asked for', async (t) => {
  const [mine, theirs] = [new TestChain(), new TestChain()]
  mine.grow(3)
  theirs.follow(mine)
  mine.grow(2, [], carol)
  theirs.grow(4)
  const wanted: number[][] = []
  const { sync } = lab(mine, (question) => {
    if (question.type === 'getBlocks') wanted.push([question.height, question.hashes.length])
    return honest(theirs)(question)
  })
  t.equal(await sync.from(bob.account, 'tip'), true)
  t.equal(mine.chain.tip.hash, theirs.chain.tip.hash)
  t.strictSame(wanted, [[4, 4]])
})

t.test('a chain of no more work than ours: no body is asked for, and the peer is left alone', async (t) => {
  const mine = grown(3)
  const theirs = grown(2, carol)
  const { sync, types, clock } = lab(mine, honest(theirs))
  t.equal(await sync.from(bob.account, 'tip'), false)
  t.strictSame(types(), ['getHeaders'])
  t.equal(sync.mayAsk(bob.account, 'tip'), false)
  t.equal(sync.mayAsk(carol.account, 'tip'), true, 'others are asked')
  clock.ms += 2_500
  t.equal(sync.mayAsk(bob.account, 'tip'), true)
  await sync.from(bob.account, 'tip')
  clock.ms += 2_500
  t.equal(sync.mayAsk(bob.account, 'tip'), false, 'longer each time')
})

t.test('bad headers are refused before a body is asked for', async (t) => {
  const theirs = longer(5)
  const headers = theirs.chain.headersAfter([], 10)
  const [first, second] = headers
  if (first === undefined || second === undefined) throw new Error('there are five headers')
  const cases: readonly [name: string, headers: readonly Header[], reason: RegExp][] = [
    ['an easier target', [{ ...first, target: (1n << 255n) - 1n }], /bad-target/],
    ['no proof of work', [{ ...first, time: first.time + 1, nonce: new Uint8Array(8).fill(7) }], /high-hash/],
    ['a gap', [first, headers[2] ?? first], /unknown-parent/],
    ['a parent that nobody knows', [second], /which we do not have/],
    ['the same header for ever', [first, first], /a bad header/],
    ['more than asked', Array.from({ length: 1001 }, () => first), /1001 headers instead of at most 1000/],
  ]
  for (const [name, answer, reason] of cases) {
    const mine = new TestChain()
    const { sync, types, failures } = lab(mine, async () => accept({ type: 'headers', headers: answer }))
    t.equal(await sync.from(bob.account, 'tip'), false, name)
    t.match(failures(), [reason])
    t.strictSame(types(), ['getHeaders'])
    t.equal(mine.chain.tip.height, 0)
  }
})

t.test(
  'headers without end and with less work than ours: requests are bounded, and nothing is stored',
  async (t) => {
    const mine = grown(1, carol)
    Object.assign(mine.chain.tip, { work: 1n << 250n })
    const headerLimits = { perRunMax: 800, seenMax: 1_500 }
    const { sync, types } = lab(mine, honest(longChain()), [], headerLimits)
    t.equal(await sync.from(bob.account, 'tip'), false)
    t.strictSame(types(), ['getHeaders', 'getHeaders'])
    t.equal(mine.archive.blocks.size, 1)
  },
)

t.test('more headers than one catch-up takes: the next one goes on from there', async (t) => {
  const mine = new TestChain()
  const limits = { perRunMax: 700, seenMax: 1_500 }
  const { sync, asked } = lab(mine, honest(longChain()), [], limits)
  t.equal(await sync.from(bob.account, 'tip'), true)
  t.equal(mine.chain.tip.height, 768)
  t.equal(await sync.from(bob.account, 'tip'), true)
  t.equal(mine.chain.tip.hash, longChain().chain.tip.hash)
  const fetched = asked.flatMap(({ question }) => (question.type === 'getBlocks' ? question.hashes : []))
  t.equal(fetched.length, 1_600)
})

t.test('headers that change between the passes: what leads to no commitment is not fetched', async (t) => {
  const theirs = longChain()
  const other = grown(800, carol)
  const cases: readonly ((pass2: number) => Theirs)[] = [
    (pass2) => (pass2 >= 1 ? other : theirs),
    (pass2) => (pass2 >= 2 ? other : theirs),
  ]
  for (const [index, chainOf] of cases.entries()) {
    const mine = new TestChain()
    let count = 0
    const { sync, failures, types } = lab(mine, (question) => {
      const pass2 = question.type === 'getHeaders' ? ++count - 3 : 0
      return honest(question.type === 'getHeaders' ? chainOf(pass2) : theirs)(question)
    })
    t.equal(await sync.from(bob.account, 'tip'), index > 0, 'what was proved before stays')
    t.match(failures(), [/not those of the first pass/])
    t.equal(mine.chain.tip.height, 768 * index)
    t.equal(types().filter((type) => type === 'getBlocks').length, 6 * index)
    t.equal(sync.mayAsk(bob.account, 'tip'), false, 'it rests')
  }
})

t.test('a header from the future ends the headers there, also in the second pass', async (t) => {
  const theirs = longChain()
  const mine = new TestChain()
  const { sync, clock: _ } = lab(mine, honest(theirs))
  const latest = theirs.chain.at(1_400)?.time ?? 0
  const patient = new Sync({
    chain: mine.chain,
    requests: {
      ask: (_peer: Account, question: Question) => honest(theirs)(question),
    } as unknown as Requests,
    peers: { claiming: () => [], height: () => undefined },
    log: recordingLog().log,
    now: () => latest - 9 * mine.network.genesis.interval,
    monotonic: () => 0,
    accept: (bytes) => mine.acceptBytes(bytes, Number.MAX_SAFE_INTEGER),
  })
  t.equal(await patient.from(bob.account, 'tip'), true)
  t.equal(mine.chain.tip.height, 1_400)
  t.equal(await sync.from(bob.account, 'tip'), true, 'later the rest')
  t.equal(mine.chain.tip.height, 1_600)
})

t.test('a peer that stalls, has no bodies or sends wrong ones fails alone', async (t) => {
  const theirs = longer(5)
  const bodies =
    (blocks: (hashes: readonly string[]) => Uint8Array[]): Peer =>
    (question) =>
      question.type === 'getBlocks'
        ? Promise.resolve(accept({ type: 'blocks', blocks: blocks(question.hashes) }))
        : honest(theirs)(question)
  const spoilt = (hash: string): Uint8Array => {
    const bytes = theirs.archive.block(hash as Hash).slice()
    bytes[bytes.length - 2] = (bytes[bytes.length - 2] ?? 0) ^ 1
    return bytes
  }
  const cases: readonly [peer: Peer, reason: RegExp][] = [
    [async () => timeout, /no reply/],
    [onBodies(theirs, async () => timeout), /no reply/],
    [bodies(() => []), /it has no body for/],
    [bodies((hashes) => hashes.map(spoilt)), /bad-/],
    [
      bodies((hashes) => [...hashes].reverse().map((hash) => theirs.archive.block(hash as Hash))),
      /another block/,
    ],
  ]
  const mine = new TestChain()
  for (const [peer, reason] of cases) {
    const { sync, failures } = lab(mine, peer)
    t.equal(await sync.from(bob.account, 'tip'), false)
    t.match(failures(), [reason])
    t.equal(sync.downloading, false)
    t.equal(sync.mayAsk(bob.account, 'tip'), false, 'it rests')
    t.equal(mine.chain.tip.height, 0)
  }
  const { sync } = lab(mine, honest(theirs))
  t.equal(await sync.from(carol.account, 'tip'), true, 'an honest one is then believed, the same blocks too')
  t.equal(mine.chain.tip.hash, theirs.chain.tip.hash)
})

t.test('bodies come from several peers at once, two questions each and four in all, in order', async (t) => {
  const theirs = longer(800)
  const mine = new TestChain()
  const names = [bob, carol, alice, signer(4), signer(5)].map(({ account }) => account)
  let times: Timers = systemTimers
  const peers = new Map(names.map((name) => [name, slow(() => times, 50, honest(theirs))]))
  const { sync, asked, timers, accepted, open } = lab(mine, peers, names)
  times = timers
  t.equal(await sync.from(bob.account, 'tip'), true)
  t.equal(mine.chain.tip.hash, theirs.chain.tip.hash)
  const askedFor = new Set(
    asked.filter(({ question }) => question.type === 'getBlocks').map(({ peer }) => peer),
  )
  t.strictSame([...askedFor], names.slice(0, 4), 'of five, four')
  t.ok(open.most === 4 || open.most === 5, 'four questions for bodies, and one for the next headers')
  t.strictSame(
    accepted,
    accepted.map((_, index) => theirs.chain.at(index + 1)?.hash),
    'each once, lowest first',
  )
})

t.test('one of several that stalls, is pruned, or lies loses its share and no more', async (t) => {
  const theirs = longer(300)
  let times: Timers = systemTimers
  const empty: Peer = async () => accept({ type: 'blocks', blocks: [] })
  const wrong: Peer = async () =>
    accept({ type: 'blocks', blocks: [theirs.archive.block(theirs.chain.tip.hash)] })
  const spoilt: Peer = async (question) => {
    const answer = await honest(theirs)(question)
    if (!answer.ok || !('blocks' in answer.value)) return answer
    return accept({
      type: 'blocks',
      blocks: answer.value.blocks.map((bytes) => Uint8Array.of(...bytes.subarray(0, -2), 9, 9)),
    })
  }
  const cases: readonly [name: string, bad: Peer, longestMs: number][] = [
    ['stalls', (question) => silent(times)(question), 2_200],
    ['has no bodies', empty, 100],
    ['sends another block', wrong, 100],
    ['spoils bodies', spoilt, 100],
  ]
  for (const [name, bad, longestMs] of cases) {
    for (const guide of ['honest', 'bad'] as const) {
      const mine = new TestChain()
      const peers = new Map([
        [bob.account, guide === 'bad' ? onBodies(theirs, bad) : honest(theirs)],
        [carol.account, guide === 'bad' ? honest(theirs) : bad],
      ])
      const { sync, timers, clock, failures } = lab(mine, peers, [bob.account, carol.account])
      times = timers
      t.equal(await sync.from(bob.account, 'tip'), true, `${name}, ${guide} guide`)
      t.equal(mine.chain.tip.hash, theirs.chain.tip.hash)
      t.strictSame(failures(), [])
      t.ok(clock.ms <= longestMs, `within ${longestMs} ms: ${clock.ms}`)
    }
  }
})

t.test('one that stalls delays a long catch-up once, and not with every batch', async (t) => {
  const theirs = longChain()
  const mine = new TestChain()
  let times: Timers = systemTimers
  const peers = new Map<Account, Peer>([
    [bob.account, honest(theirs)],
    [carol.account, (question) => silent(times)(question)],
  ])
  const { sync, timers, clock, asked } = lab(mine, peers, [carol.account])
  times = timers
  t.equal(await sync.from(bob.account, 'tip'), true)
  t.equal(mine.chain.tip.hash, theirs.chain.tip.hash)
  t.ok(clock.ms < 3_000, `within ${clock.ms} ms`)
  const fetched = asked.flatMap(({ question }) => (question.type === 'getBlocks' ? question.hashes : []))
  t.equal(fetched.length, 1_600 + 256, 'what is on its way for too long is asked for once more')
  t.equal(asked.filter(({ peer }) => peer === carol.account).length, 2)
})

t.test('what waits for its turn is bounded in bytes', async (t) => {
  const theirs = longer(990)
  const mine = new TestChain()
  let times: Timers = systemTimers
  let first: Hash | undefined
  const big = new Set<Hash>()
  let ahead = 0
  // Blocks of 64 KiB that do not come to be connected, because the first one of all comes late.
  const large: Peer = async (question) => {
    const answer = await honest(theirs)(question)
    if (question.type !== 'getBlocks' || !answer.ok || !('blocks' in answer.value)) return answer
    if (first === undefined) {
      first = question.hashes[0]
      await new Promise<void>((resolve) => times.after(1_900, resolve))
      ahead = big.size
    }
    for (const hash of question.hashes.slice(0, 15)) big.add(hash)
    const blocks = answer.value.blocks.slice(0, 15).map((bytes) => {
      const padded = new Uint8Array(65_536)
      padded.set(bytes)
      return padded
    })
    return accept({ type: 'blocks', blocks })
  }
  const { sync, timers } = lab(
    mine,
    new Map([
      [bob.account, large],
      [carol.account, large],
    ]),
    [carol.account],
  )
  times = timers
  await sync.from(bob.account, 'tip')
  t.ok(ahead >= 60 && ahead <= 8 * 16, `${ahead} blocks of 64 KiB were fetched ahead`)
})

t.test('a peer is asked no faster than it answers, without looking at the clock in between', async (t) => {
  const theirs = longer(60)
  const mine = new TestChain()
  // One block a reply, so that there are many questions.
  const { sync, asked } = lab(mine, async (question) => {
    const answer = await honest(theirs)(question)
    if (!answer.ok || !('blocks' in answer.value)) return answer
    return accept({ type: 'blocks', blocks: answer.value.blocks.slice(0, 1) })
  })
  t.equal(await sync.from(bob.account, 'tip'), true)
  t.ok(asked.length >= 61)
  for (let second = 0; second < 4; second++) {
    const until = asked.filter(({ atMs }) => atMs <= second * 1000).length
    t.ok(until <= 40 + 10 * second, `${until} questions within ${second} s`)
  }
  const waits = new Set(asked.map(({ atMs }) => atMs))
  t.ok(waits.size <= asked.length - 36 + 1, 'one wait for each question beyond the burst')
})

t.test('many short catch-ups with one peer keep to its pace too', async (t) => {
  const mine = new TestChain()
  let height = 0
  const { sync, asked } = lab(mine, (question) => honest(longer(height))(question))
  for (height = 1; height <= 40; height++) t.equal(await sync.from(bob.account, 'tip'), true)
  const headers = asked.filter(({ question }) => question.type === 'getHeaders')
  t.equal(headers.length, 40)
  t.ok(asked.filter(({ atMs }) => atMs <= 1000).length <= 50)
  t.ok((headers.at(-1)?.atMs ?? 0) >= 4_000, 'eighty questions take as long as the peer wants')
})

t.test('a peer that stalls in the second pass costs nothing but its own time', async (t) => {
  const mine = new TestChain()
  let count = 0
  const { sync, failures, types } = lab(mine, async (question) =>
    question.type === 'getHeaders' && ++count > 2 ? timeout : honest(longChain())(question),
  )
  t.equal(await sync.from(bob.account, 'tip'), false)
  t.match(failures(), [/no reply/])
  t.strictSame(types(), ['getHeaders', 'getHeaders', 'getHeaders'])
  t.strictSame([mine.chain.tip.height, sync.downloading], [0, false])
})

t.test('two catch-ups with one chain share the bodies', async (t) => {
  const theirs = longer(600)
  const mine = new TestChain()
  let times: Timers = systemTimers
  const peers = new Map([bob, carol].map(({ account }) => [account, slow(() => times, 20, honest(theirs))]))
  const { sync, timers, asked } = lab(mine, peers)
  times = timers
  const [first, second] = [sync.from(bob.account, 'tip'), sync.from(carol.account, 'tip')]
  await Promise.all([first, second])
  t.equal(mine.chain.tip.hash, theirs.chain.tip.hash)
  const fetched = asked.flatMap(({ question }) => (question.type === 'getBlocks' ? question.hashes : []))
  t.equal(new Set(fetched).size, 600)
  t.ok(fetched.length < 700, `${fetched.length} bodies were asked for`)
})

t.test('what is interrupted goes on where it was: nothing is fetched twice', async (t) => {
  const theirs = longer(700)
  const mine = new TestChain()
  const fetched: Hash[] = []
  let dies = 2
  const mortal: Peer = onBodies(theirs, async (question) => {
    if (dies-- <= 0) return timeout
    if (question.type === 'getBlocks') fetched.push(...question.hashes)
    return honest(theirs)(question)
  })
  const first = lab(mine, mortal)
  t.equal(await first.sync.from(bob.account, 'tip'), true, 'what came is kept')
  t.match(first.failures(), [/no reply/])
  t.equal(mine.chain.tip.height, 256)
  dies = Number.POSITIVE_INFINITY
  const second = lab(mine, mortal)
  t.equal(await second.sync.from(carol.account, 'tip'), true)
  t.equal(mine.chain.tip.hash, theirs.chain.tip.hash)
  t.equal(fetched.length, 700)
})

t.test('bodies of a branch that is not yet the best are not fetched twice either', async (t) => {
  const mine = grown(300, carol)
  const theirs = longer(400)
  const fetched: Hash[] = []
  let dies = 1
  const mortal: Peer = onBodies(theirs, async (question) => {
    if (dies-- <= 0) return timeout
    if (question.type === 'getBlocks') fetched.push(...question.hashes)
    return honest(theirs)(question)
  })
  await lab(mine, mortal).sync.from(bob.account, 'tip')
  t.equal(mine.chain.tip.miner, carol.account)
  dies = Number.POSITIVE_INFINITY
  t.equal(await lab(mine, mortal).sync.from(bob.account, 'tip'), true)
  t.equal(mine.chain.tip.hash, theirs.chain.tip.hash)
  t.equal(fetched.length, 400)
})

/** The chain's window begins at a height from here on; what lies below is settled, without bodies. */
function settle(test: TestChain, height: number): void {
  const hashes = Array.from({ length: height }, (_, below) => test.chain.at(below + 1)?.hash as Hash)
  const headers = test.chain.headersAfter([], height)
  invariant(headers.length === height, 'as many headers')
  Object.assign(test.chain, {
    archive: {
      block: (hash: Hash) => test.archive.block(hash),
      changes: (hash: Hash) => test.archive.changes(hash),
      header: (at: number) => headers[at - 1],
      settled: () => undefined,
      waypoint: (at: number) => hashes[at - 1],
      waypointHeight: (hash: Hash) => {
        const at = hashes.indexOf(hash) + 1
        return at > 0 && at % 256 === 0 ? at : undefined
      },
    },
  })
  test.chain.trim(height)
}

t.test(
  'a chain that leaves ours below the window is named as such, and only if it has more work',
  async (t) => {
    const base = grown(300)
    const branch = (blocks: number): TestChain => {
      const theirs = new TestChain()
      theirs.follow(base)
      theirs.grow(blocks, [], carol)
      return theirs
    }
    const mine = new TestChain()
    mine.follow(base)
    mine.grow(60)
    settle(mine, 340)
    const [heavier, lighter] = [branch(80), branch(30)]
    const strong = lab(mine, honest(heavier))
    t.equal(await strong.sync.from(bob.account, 'tip'), false)
    t.match(strong.failures(), [/leaves ours after block 300, below block 340/])
    t.match(strong.lines.find(({ level }) => level === 'warn')?.fields, {
      fork: 300,
      final: 340,
      height: 380,
      remedy: /start anew/,
    })
    const weak = lab(mine, honest(lighter))
    t.equal(await weak.sync.from(bob.account, 'tip'), false)
    t.strictSame(weak.failures(), [], 'it is the peer who is behind')
    t.strictSame([...strong.types(), ...weak.types()], ['getHeaders', 'getHeaders'])
  },
)

t.test('headers that begin below the window and come into it are followed', async (t) => {
  const mine = grown(320)
  const theirs = new TestChain()
  theirs.follow(mine)
  mine.grow(1, [], carol)
  theirs.grow(50)
  settle(mine, 310)
  // The peer finds none of the window's blocks, only the old one at 256.
  const { sync, failures } = lab(mine, (question) => {
    if (question.type !== 'getHeaders') return honest(theirs)(question)
    const locator = question.locator.filter((hash) => theirs.chain.entry(hash)?.height === 256)
    return honest(theirs)({ ...question, locator })
  })
  t.equal(await sync.from(bob.account, 'tip'), true)
  t.strictSame(failures(), [])
  t.equal(mine.chain.tip.hash, theirs.chain.tip.hash)
})

t.test('a forged header on a settled block is a bad header and no fork', async (t) => {
  const mine = grown(300)
  settle(mine, 290)
  const header = { ...mine.chain.header(280), nonce: new Uint8Array(8).fill(9) }
  invariant(
    BigInt(`0x${hashFromBytes(mine.network.hashing.double(encode(headerCodec, header)))}`) > header.target,
    'it has no proof of work',
  )
  const { sync, failures, lines } = lab(mine, async () => accept({ type: 'headers', headers: [header] }))
  t.equal(await sync.from(bob.account, 'tip'), false)
  t.match(failures(), [/high-hash/])
  t.ok(lines.every(({ level }) => level !== 'warn'))
})

t.test('a peer is asked once at a time, and only so many at once', async (t) => {
  const mine = new TestChain()
  let answer: (() => void) | undefined
  const { sync } = lab(
    mine,
    () =>
      new Promise((resolve) => {
        answer = () => resolve(accept({ type: 'headers', headers: [] }))
      }),
  )
  const first = sync.from(bob.account, 'tip')
  t.equal(await sync.from(bob.account, 'tip'), false)
  t.equal(await sync.from(bob.account, 'orphan'), false)
  void sync.from(carol.account, 'tip')
  t.equal(sync.mayAsk(mine.network.block0Hash as never, 'tip'), false, 'two by their tips')
  t.equal(
    sync.mayAsk(mine.network.block0Hash as never, 'orphan'),
    true,
    'those with orphans take no place of theirs',
  )
  await waitUntil('it was asked', () => answer !== undefined)
  sync.stop()
  answer?.()
  void first
  t.equal(sync.mayAsk(carol.account, 'orphan'), false, 'stopped')
})

t.test('a stop ends a download that waits', async (t) => {
  const theirs = longer(5)
  const mine = new TestChain()
  const never: Peer = onBodies(theirs, () => new Promise(() => {}))
  const { sync } = lab(mine, never)
  const running = sync.from(bob.account, 'tip')
  await waitUntil('it downloads', () => sync.downloading)
  t.match(sync.progress, { phase: 'bodies', done: 0, of: 5 })
  await systemTimers.turn()
  sync.stop()
  t.equal(await running, false)
})
