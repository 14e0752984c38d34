import t from 'tap'
import { MUTE_MS, Muting } from '../../node/muting.ts'
import type { Account } from '../../schemas/hex.ts'
import { alice, bob } from '../helpers/ledger.ts'

/** Counts until the publisher is muted; how many it took. */
function untilMuted(muting: Muting, publisher: Account, why: 'rejected' | 'ignored', nowMs: number): number {
  for (let count = 1; count <= 1_000; count++) if (muting.count(publisher, why, nowMs)) return count
  return Number.POSITIVE_INFINITY
}
const named = (number: number): Account => number.toString(16).padStart(64, '0') as Account

t.test('broken rules: a burst of 20 is forgiven, the next mutes', async (t) => {
  const muting = new Muting()
  for (let count = 0; count < 20; count++) t.equal(muting.count(alice.account, 'rejected', 0), false)
  t.equal(muting.isMuted(alice.account, 0), false)
  t.equal(muting.count(alice.account, 'rejected', 0), true)
  t.equal(muting.isMuted(alice.account, 0), true)
})

t.test('what honest senders send too is forgiven twenty times as often', async (t) => {
  t.equal(untilMuted(new Muting(), alice.account, 'ignored', 0), 401)
})

t.test('a publisher is muted for a while and then heard again', async (t) => {
  const muting = new Muting()
  untilMuted(muting, alice.account, 'rejected', 5)
  t.equal(muting.isMuted(alice.account, 5 + MUTE_MS - 1), true)
  t.equal(muting.isMuted(alice.account, 5 + MUTE_MS), false)
  t.equal(
    untilMuted(muting, alice.account, 'rejected', 5 + MUTE_MS),
    11,
    'one is forgiven for each second since',
  )
})

t.test('at the rates that are forgiven nobody is muted, above them sooner or later', async (t) => {
  const muting = new Muting()
  const muted = { slow: 0, late: 0, fast: 0 }
  for (let second = 0; second < 100; second++) {
    if (muting.count(named(1), 'rejected', second * 1_000)) muted.slow++
    for (let each = 0; each < 20; each++) if (muting.count(named(2), 'ignored', second * 1_000)) muted.late++
    for (let each = 0; each < 2; each++) if (muting.count(named(3), 'rejected', second * 1_000)) muted.fast++
  }
  t.match(muted, { slow: 0, late: 0 })
  t.ok(muted.fast > 0)
})

t.test('each is counted alone: by publisher and by reason', async (t) => {
  const muting = new Muting()
  untilMuted(muting, alice.account, 'rejected', 0)
  t.equal(muting.isMuted(bob.account, 0), false)
  t.equal(untilMuted(muting, bob.account, 'rejected', 0), 21)
  t.equal(muting.count(alice.account, 'ignored', 0), false)
})

t.test('made-up names take bounded room: at most 1,000 are muted at once', async (t) => {
  const muting = new Muting()
  const muted = (): number => {
    let count = 0
    for (let name = 0; name <= 2_500; name++) if (muting.isMuted(named(name), 0)) count++
    return count
  }
  for (let name = 0; name < 1_000; name++) untilMuted(muting, named(name), 'rejected', 0)
  t.equal(muted(), 1_000)
  let most = 0
  const missed: number[] = []
  for (let name = 1_000; name < 2_500; name++) {
    untilMuted(muting, named(name), 'rejected', 0)
    if (!muting.isMuted(named(name), 0)) missed.push(name)
    if (name % 250 === 0) most = Math.max(most, muted())
  }
  t.ok(most <= 1_000, `${most} at once`)
  t.strictSame(missed, [], 'whoever comes then is muted none the less')
})
