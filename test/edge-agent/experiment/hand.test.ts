import t, { type Test } from 'tap'
import { ExperimentHand, fixedHand } from '../../../edge-agent/experiment/hand.ts'
import { WorldError } from '../../../node/error.ts'
import { START_MS } from '../../helpers/ledger.ts'
import { solve, TestSearch } from '../../helpers/search.ts'
import { waitUntil } from '../../helpers/wait-until.ts'

async function handWith(t: Test, search: TestSearch, now = () => START_MS) {
  const hand = new ExperimentHand({ label: 'a', hand: fixedHand('a', 2, START_MS), now })
  t.teardown(() => hand.stop())
  await hand.start(search.open)
  return hand
}

t.test('a difficulty of n is n leading zero hex digits, and no pace of ticks changes it', async (t) => {
  let nowMs = START_MS
  const hand = await handWith(t, new TestSearch(), () => nowMs)
  for (const stepMs of [0, 1, 2, 19, 1_000, 86_400_000, 0, 0]) {
    nowMs += stepMs
    const made = await hand.seek(() => [])
    t.match(made?.added.entry.hash, /^00/)
    t.equal(made?.added.entry.childTarget, 2n ** 248n - 1n)
  }
  t.equal(hand.slow.tip.height, 8)
})

t.test('a find whose anchors have just been replaced is still a tick', async (t) => {
  const search = new TestSearch(false)
  const hand = await handWith(t, search)
  const other = fixedHand('b', 1, START_MS)
  let height = 0
  const sought = hand.seek(() => [{ ledger: other.genesisHash, height, block: other.block0Hash }])
  const before = search.newest
  height = 1
  hand.refresh()
  search.find(before)
  const made = await sought
  t.equal(made?.added.tick.anchors[0]?.height, 0)
})

t.test('a find on an older tip is no tick: it is searched on', async (t) => {
  const search = new TestSearch(false)
  const hand = await handWith(t, search)
  const first = hand.seek(() => [])
  const late = search.newest
  search.find()
  await first
  const second = hand.seek(() => [])
  const count = search.jobs.length
  search.find(late)
  t.equal(hand.slow.tip.height, 1)
  t.equal(search.jobs.length, count + 1, 'the search rests after a find, so it is given the job again')
  search.find()
  t.equal((await second)?.added.entry.height, 2)
})

t.test('who finds what does not hold has failed, and the hand with it', async (t) => {
  const search = new TestSearch(false)
  const hand = await handWith(t, search)
  const sought = hand.seek(() => [])
  search.find(search.newest, { header: solve(search.newest, false) })
  await t.rejects(sought, { code: 'child', message: /what a found does not hold: high-hash/ })
  await t.rejects(
    hand.seek(() => []),
    /high-hash/,
    'and every later search',
  )
})

t.test('a search that fails ends what is sought', async (t) => {
  const search = new TestSearch(false)
  const hand = await handWith(t, search)
  const sought = hand.seek(() => [])
  search.fail(new WorldError('child', 'it is gone'))
  await t.rejects(sought, /it is gone/)
})

t.test('a stop ends what is sought, and says what went into it, once', async (t) => {
  const search = new TestSearch(false)
  const hand = await handWith(t, search)
  const sought = hand.seek(() => [])
  await hand.stop()
  t.equal(await sought, undefined)
  t.equal(await hand.seek(() => []), undefined)
  await hand.stop()
  t.equal(hand.unfinished, 5)
})

t.test('the time of a tick that takes long is taken anew every second', async (t) => {
  const search = new TestSearch(false)
  let nowMs = START_MS + 10
  const hand = await handWith(t, search, () => nowMs)
  const sought = hand.seek(() => [])
  nowMs += 5_000
  await waitUntil('there is another job', () => search.jobs.length > 1)
  search.find()
  t.equal((await sought)?.added.entry.time, START_MS + 5_010)
})
