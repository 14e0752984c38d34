/** Catching up, with a peer whose answers the test decides. */
import t from 'tap'
import type { Question, Requests } from '../../node/requests.ts'
import { Sync } from '../../node/sync.ts'
import type { Header } from '../../schemas/block.ts'
import { accept, type Result, refuse } from '../../schemas/result.ts'
import { bob, carol, TestChain } from '../helpers/ledger.ts'
import { recordingLog } from '../helpers/rig.ts'
import { waitUntil } from '../helpers/wait-until.ts'

type Reply = { headers: readonly Header[] } | { blocks: readonly Uint8Array[] }
type Peer = (question: Question) => Promise<Result<Reply, { code: 'timeout'; message: string }>>

/** A node with `mine` as its chain, whose every peer answers as `peer` does. */
function lab(mine: TestChain, peer: Peer) {
  const asked: Question['type'][] = []
  const { log, lines } = recordingLog()
  const clock = { ms: 0 }
  const requests = {
    ask: (_peer: string, question: Question) => {
      asked.push(question.type)
      return peer(question)
    },
  } as unknown as Requests
  const sync = new Sync({
    chain: mine.chain,
    requests,
    log,
    now: () => mine.nowMs + 1e12,
    monotonic: () => clock.ms,
    accept: (bytes) => {
      const outcome = mine.acceptBytes(bytes, Number.MAX_SAFE_INTEGER)
      return outcome
    },
  })
  const failures = () =>
    lines.filter(({ event }) => event === 'catching up failed').map(({ fields }) => fields.reason)
  return { sync, asked, clock, lines, failures }
}

/** A peer with a chain, as honest as can be. */
const honest =
  (theirs: TestChain): Peer =>
  async (question) => {
    if (question.type === 'getHeaders') {
      const headers = theirs.chain.headersAfter(question.locator, question.limit)
      return accept({ type: 'headers', headers })
    }
    if (question.type !== 'getBlocks') return refuse({ code: 'timeout', message: 'not asked here' })
    return accept({ type: 'blocks', blocks: question.hashes.map((hash) => theirs.archive.block(hash)) })
  }

const longer = (blocks: number): TestChain => {
  const chain = new TestChain()
  chain.grow(blocks)
  return chain
}

t.test('headers first, then bodies, and progress is told', async (t) => {
  const theirs = longer(150)
  const mine = new TestChain()
  const { sync, asked, lines } = lab(mine, honest(theirs))
  t.equal(await sync.from(bob.account, 'tip'), true)
  t.equal(mine.chain.tip.hash, theirs.chain.tip.hash)
  t.strictSame(asked, ['getHeaders', 'getBlocks', 'getBlocks'])
  t.match(lines.find(({ event }) => event === 'catching up')?.fields, { blocks: '150/150', height: 150 })
})

t.test('from a fork: only what is missing is asked for', async (t) => {
  const [mine, theirs] = [new TestChain(), new TestChain()]
  mine.grow(3)
  theirs.follow(mine)
  mine.grow(2, [], carol)
  theirs.grow(4)
  const wanted: number[] = []
  const { sync } = lab(mine, (question) => {
    if (question.type === 'getBlocks') wanted.push(question.hashes.length)
    return honest(theirs)(question)
  })
  t.equal(await sync.from(bob.account, 'tip'), true)
  t.equal(mine.chain.tip.hash, theirs.chain.tip.hash)
  t.strictSame(wanted, [4])
})

t.test('a chain of no more work than ours: no body is asked for, and the peer is left alone', async (t) => {
  const mine = longer(3)
  const theirs = new TestChain()
  theirs.grow(2, [], carol)
  const { sync, asked, clock } = lab(mine, honest(theirs))
  t.equal(await sync.from(bob.account, 'tip'), false)
  t.strictSame(asked, ['getHeaders'])
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
  ]
  for (const [name, answer, reason] of cases) {
    const mine = new TestChain()
    const { sync, asked, failures } = lab(mine, async () => accept({ type: 'headers', headers: answer }))
    t.equal(await sync.from(bob.account, 'tip'), false, name)
    t.match(failures(), [reason])
    t.strictSame(asked, ['getHeaders'])
    t.equal(mine.chain.tip.height, 0)
  }
})

t.test('a peer that stalls, has no bodies or sends wrong ones fails alone', async (t) => {
  const theirs = longer(5)
  const stalls: Peer = async () => refuse({ code: 'timeout', message: 'no reply within 10000 ms' })
  const bodies =
    (blocks: (hashes: readonly string[]) => Uint8Array[]): Peer =>
    (question) =>
      question.type === 'getBlocks'
        ? Promise.resolve(accept({ type: 'blocks', blocks: blocks(question.hashes) }))
        : honest(theirs)(question)
  const spoilt = (hash: string): Uint8Array => {
    const bytes = theirs.archive.block(hash as Parameters<typeof theirs.archive.block>[0]).slice()
    bytes[bytes.length - 2] = (bytes[bytes.length - 2] ?? 0) ^ 1
    return bytes
  }
  const cases: readonly [peer: Peer, reason: RegExp][] = [
    [stalls, /no reply/],
    [bodies(() => []), /it has no body for/],
    [bodies((hashes) => hashes.map(spoilt)), /bad-/],
    [
      bodies((hashes) => [...hashes].reverse().map((hash) => theirs.archive.block(hash as never))),
      /unknown-parent|another block/,
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
