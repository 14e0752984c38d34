import t from 'tap'
import { ClockWatch } from '../../node/clock-watch.ts'
import type { LedgerNode } from '../../node/ledger-node.ts'
import type { Signer } from '../../node/signing.ts'
import { alice, bob, carol, START_MS, signer, TestChain } from '../helpers/ledger.ts'
import { recordingLog } from '../helpers/rig.ts'

/** Between two blocks, so that times ascend although a miner's clock is ahead. */
const GAP_MS = 20_000

/** A node that hears blocks of miners by turns, each made by a clock that is so far ahead of the right one. */
function watched(
  miners: readonly (readonly [Signer, number])[],
  { ownAheadMs = 0, blocks = 12, progress = undefined as LedgerNode['progress'] } = {},
) {
  const test = new TestChain()
  const { log, lines } = recordingLog()
  const session = { connected: true }
  const node = { chain: test.chain, hand: undefined, session, progress } as unknown as LedgerNode
  let own = ownAheadMs
  let nowMs = START_MS
  const clock = { now: () => nowMs + own, monotonic: () => nowMs, synchronised: () => true }
  const watch = new ClockWatch({ node, self: carol.account, clock, log })
  const hear = (): void => {
    for (let block = 0; block < blocks; block++) {
      const [miner, aheadMs] = miners[block % miners.length] as readonly [Signer, number]
      nowMs += GAP_MS
      const outcome = test.accept(
        test.block([], { miner, header: { time: nowMs + aheadMs } }),
        nowMs + 60_000,
      )
      if (outcome.ok) watch.onUpdate(outcome.value)
    }
  }
  hear()
  const codes = () => watch.check().alarms.map(({ code }) => code)
  const setOwn = (aheadMs: number): void => {
    own = aheadMs
    hear()
  }
  return { watch, lines, codes, setOwn }
}

t.test("a miner's clock that is off is named, while the others agree with ours", async (t) => {
  const { codes, watch } = watched([
    [alice, 0],
    [bob, 0],
    [signer(4), 6_000],
  ])
  t.strictSame(codes(), ['clock'])
  t.match(
    watch.report().alarms[0]?.message,
    `clock of ${signer(4).account} is 6 s ahead, by its last 4 blocks`,
  )
  t.strictSame(watched([[alice, 0]]).codes(), [])
})

t.test('who is an hour off learns it, once in the log, and that it is right again', async (t) => {
  const { codes, lines, setOwn } = watched(
    [
      [alice, 0],
      [bob, 300],
    ],
    { ownAheadMs: 3_600_000 },
  )
  t.strictSame(codes(), ['own-clock'])
  t.strictSame(codes(), ['own-clock'])
  t.equal(lines.length, 1)
  t.match(lines[0], {
    level: 'warn',
    fields: { code: 'own-clock', reason: /60 min ahead of .* 2 other miners/ },
  })
  setOwn(0)
  t.strictSame(codes(), [])
  t.match(lines[1], { level: 'info', fields: { code: 'own-clock', reason: 'right again' } })
})

t.test('half of the others alone put nobody in the wrong', async (t) => {
  const { watch } = watched([
    [alice, 0],
    [bob, 7_000],
  ])
  t.equal(watch.report().ownAheadMs, -0)
})

t.test('blocks of a catch-up say nothing about clocks', async (t) => {
  const progress = { phase: 'bodies', done: 1, of: 2 } as unknown as LedgerNode['progress']
  t.equal(watched([[alice, 0]], { progress }).watch.report().ownAheadMs, null)
})
