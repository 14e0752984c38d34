/** What nodes make of what is said of other ledgers' newest blocks, and what a liar can do. The seed is 1. */
import t from 'tap'
import { Newest } from '../../node/newest.ts'
import type { Account, Hash } from '../../schemas/hex.ts'
import { ANCHORS_MAX, type Anchor } from '../../schemas/tick.ts'
import { Rng } from '../../sim/random.ts'

const INTERVAL_MS = 160_000
const name = (index: number): Hash => index.toString(16).padStart(64, '0') as Hash
const account = (index: number): Account => name(index) as string as Account
const anchor = (ledger: number, height = 1): Anchor => ({ ledger: name(ledger), height, block: name(height) })
const OWN = name(999_999)

class Table {
  nowMs = 0
  readonly newest: Newest

  constructor() {
    const random = new Rng('newest 1')
    this.newest = new Newest({
      monotonic: () => this.nowMs,
      random: () => random.next(),
      interval: INTERVAL_MS,
    })
  }

  say(who: number, ledgers: number, first = 0, height = 1): void {
    for (let index = 0; index < ledgers; index++)
      this.newest.hear(account(who), anchor(first + index, height))
  }

  /** Of so many ticks, the share of what counts that fits. */
  share(ticks: number, fits: (anchor: Anchor) => boolean): number {
    let fitting = 0
    for (let tick = 0; tick < ticks; tick++) {
      this.newest.shuffle()
      fitting += this.newest.others(OWN).filter(fits).length
    }
    return fitting / ticks
  }
}

t.test(
  'a tick can name as many ledgers as it holds, whoever speaks of them: one carrier or each for itself',
  async (t) => {
    const [carried, bridged] = [new Table(), new Table()]
    carried.say(1, 1_000)
    for (let index = 0; index < 1_000; index++) bridged.say(index, 1, index)
    for (const { newest } of [carried, bridged]) {
      const ledgers = newest.others(OWN).map(({ ledger }) => ledger)
      t.strictSame(
        ledgers.sort(),
        Array.from({ length: 1_000 }, (_, index) => name(index)),
      )
    }
  },
)

t.test('the last word of who speaks counts, also a lower one', async (t) => {
  const { newest } = new Table()
  t.ok(newest.hear(account(1), anchor(5, 4_000_000_000)))
  t.ok(newest.hear(account(1), anchor(5, 7)))
  t.strictSame(newest.of(name(5)), anchor(5, 7))
  t.strictSame(newest.others(name(5)), [], 'of the own ledger nobody is asked')
})

t.test(
  'who has just come is behind the others until the next tick, and whose word a broker has kept until it speaks',
  async (t) => {
    const { newest } = new Table()
    newest.hear(account(1), anchor(5, 1), true)
    t.equal(newest.of(name(5))?.height, 1, 'better than none')
    newest.shuffle()
    newest.hear(account(2), anchor(5, 2))
    t.equal(newest.of(name(5))?.height, 2)
    for (let who = 3; who < 20; who++) newest.hear(account(who), anchor(5, 3))
    t.equal(newest.of(name(5))?.height, 2, 'also when all have just come')
    newest.shuffle()
    for (let who = 20; who < 40; who++) newest.hear(account(who), anchor(5, 4))
    newest.hear(account(1), anchor(5, 4))
    t.not(newest.of(name(5))?.height, 4)
    t.strictSame(newest.others(OWN), [newest.of(name(5))])
  },
)

t.test(
  'a height that nobody reaches keeps the true one out of half of the ticks, and of none once it is not repeated',
  async (t) => {
    const table = new Table()
    table.say(1, 1, 5, 7)
    table.say(2, 1, 5, 4_000_000_000)
    const share = table.share(400, ({ height }) => height === 7)
    t.ok(share > 0.4 && share < 0.6, `${share}`)
    table.nowMs = 3.9 * INTERVAL_MS
    table.say(1, 1, 5, 8)
    table.nowMs = 4 * INTERVAL_MS
    t.equal(
      table.share(50, ({ height }) => height === 8),
      1,
    )
    t.strictSame(table.newest.of(name(5)), anchor(5, 8))
    table.nowMs = 8 * INTERVAL_MS
    t.strictSame(table.newest.others(OWN), [], 'a word is good for four intervals')
    t.equal(table.newest.of(name(5)), undefined)
  },
)

t.test('who makes up ledgers takes its share of the room, and pushes out no word of another', async (t) => {
  const table = new Table()
  table.say(1, 1_000)
  table.say(2, ANCHORS_MAX, 10_000)
  for (let round = 0; round < 20; round++) {
    table.nowMs += 1_000
    table.say(2, 5_000, 20_000 + 5_000 * round)
  }
  t.equal(table.newest.others(OWN).length, ANCHORS_MAX - 1)
  const share = table.share(400, ({ ledger }) => ledger < name(1_000)) / 1_000
  t.ok(share > 0.4 && share < 0.65, `${share}`)
})

t.test('four times as many words as a tick has anchors are held: who has most makes room', async (t) => {
  const table = new Table()
  const held = (who: number) =>
    Array.from({ length: ANCHORS_MAX }, (_, index) => table.newest.of(name(2_000 * who + index))).filter(
      (each) => each !== undefined,
    ).length
  for (const who of [1, 2, 3]) table.say(who, ANCHORS_MAX, 2_000 * who)
  table.say(4, 500, 8_000)
  for (const who of [5, 6]) table.say(who, 800, 2_000 * who)
  t.equal(held(4), 500, 'who has few keeps them')
  const most = [1, 2, 3, 5, 6].map(held)
  t.equal(most.reduce((a, b) => a + b) + 500, 4 * ANCHORS_MAX)
  t.ok(Math.max(...most) - Math.min(...most) <= 1, `${most}`)
})

t.test('nobody holds more words than a tick has anchors', async (t) => {
  const table = new Table()
  table.say(1, ANCHORS_MAX)
  table.nowMs += 10_000
  table.say(1, 100, 5_000)
  t.equal(table.newest.of(name(99)), undefined, 'the oldest made room')
  t.ok(table.newest.of(name(100)))
  t.ok(table.newest.of(name(5_099)))
})

t.test('who says more than validators have to say is not heard, for as long', async (t) => {
  const table = new Table()
  for (let height = 1; height <= 2_000; height++) table.newest.hear(account(1), anchor(5, height))
  t.equal(table.newest.of(name(5))?.height, ANCHORS_MAX)
  table.nowMs += 1_000
  t.ok(table.newest.hear(account(1), anchor(5, 3_000)))
})
