import t from 'tap'
import { Running } from '../../../edge-agent/sale/running.ts'
import type { Item } from '../../../schemas/receipt-memo.ts'
import { alice, bob, START_MS, signer } from '../../helpers/ledger.ts'

const LAMP: Item = { kind: 'on', name: 'lamp' }
const SOIL: Item = { kind: 'topic', name: 'soil' }

function open() {
  const time = { wall: START_MS, monotonic: 5_000, synchronised: true }
  const running = new Running({
    now: () => time.wall,
    monotonic: () => time.monotonic,
    synchronised: () => time.synchronised,
  })
  const pass = (seconds: number): void => {
    time.wall += seconds * 1000
    time.monotonic += seconds * 1000
  }
  const seconds = (item: Item, buyer = alice.account): number => running.of(item, buyer).remainingMs / 1000
  return { running, time, pass, seconds }
}
const inSeconds = (seconds: number): number => START_MS + seconds * 1000

t.test('an output is on for everybody, a topic open for its buyer', async (t) => {
  const { running, seconds } = open()
  running.sell(LAMP, alice.account, inSeconds(60))
  running.sell(SOIL, alice.account, inSeconds(60))
  t.strictSame(
    [seconds(LAMP), seconds(LAMP, bob.account), running.output('lamp').remainingMs],
    [60, 60, 60_000],
  )
  t.strictSame([seconds(SOIL), seconds(SOIL, bob.account)], [60, 0])
  t.strictSame([seconds({ kind: 'on', name: 'soil' }), seconds({ kind: 'topic', name: 'lamp' })], [0, 0])
})

t.test('it ends when it says, and of two receipts the later one counts', async (t) => {
  const { running, pass, seconds } = open()
  running.sell(LAMP, alice.account, inSeconds(60))
  running.sell(LAMP, alice.account, inSeconds(30))
  running.restore(LAMP, bob.account, inSeconds(60))
  pass(59)
  t.equal(seconds(LAMP), 1)
  pass(2)
  t.equal(seconds(LAMP), 0, 'and not less')
  t.equal(running.output('lamp').until, inSeconds(60))
})

t.test(
  'a clock that is set does not touch what was sold while it ran, but what an earlier run sold',
  async (t) => {
    const { running, time, seconds } = open()
    running.sell(LAMP, alice.account, inSeconds(60))
    running.restore(SOIL, alice.account, inSeconds(60))
    time.wall += 50_000
    t.strictSame([seconds(LAMP), seconds(SOIL)], [60, 10])
  },
)

t.test('an unsynchronised clock is replaced by the newest block and what has passed since', async (t) => {
  const { running, time, pass, seconds } = open()
  time.wall = 0
  time.synchronised = false
  t.equal(running.now(), 0, 'nothing better is known')
  running.tip(START_MS)
  t.equal(running.now(), START_MS)
  pass(10)
  t.equal(running.now(), inSeconds(10))
  running.tip(inSeconds(7))
  t.equal(running.now(), inSeconds(10), 'a block that comes late does not set it back')
  running.sell(LAMP, alice.account, inSeconds(70))
  t.equal(seconds(LAMP), 60, 'from when it was sold')
  running.tip(inSeconds(40))
  t.equal(running.now(), inSeconds(40))
  t.equal(seconds(LAMP), 60, 'nor does one that is ahead cut it')
  time.synchronised = true
  time.wall = inSeconds(1_000)
  t.equal(running.now(), inSeconds(1_000))
})

t.test('what is over is forgotten, and nothing else', async (t) => {
  const { running, pass, seconds } = open()
  running.sell(LAMP, alice.account, inSeconds(1_000))
  const buyers = Array.from({ length: 20 }, (_, index) => signer(index + 1).account)
  for (let round = 0; round < 120; round++) {
    for (const buyer of buyers)
      running.sell({ kind: 'topic', name: `s${round}` }, buyer, inSeconds(round + 10))
    pass(1)
  }
  t.equal(seconds({ kind: 'topic', name: 's119' }, signer(20).account), 9)
  t.equal(seconds(LAMP), 880)
  t.ok(running.size < 1_500, `${running.size} of 2400 are kept`)
})
