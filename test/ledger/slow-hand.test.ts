/** The tree of ticks: which chain is best, what is settled, and that it agrees with a model that remembers everything. */
import { strictEqual as equal, deepStrictEqual as same } from 'node:assert'
import t from 'tap'
import { workOf } from '../../ledger/difficulty.ts'
import type { Hand } from '../../ledger/hand.ts'
import { headerHash, type Position, place, position0 } from '../../ledger/header.ts'
import { SlowHand, TICK_WINDOW } from '../../ledger/slow-hand.ts'
import { encode } from '../../schemas/codec.ts'
import { type Hash, ZERO_HASH } from '../../schemas/hex.ts'
import { LOCATOR_MAX } from '../../schemas/message.ts'
import { invariant } from '../../schemas/result.ts'
import { type Tick, tick as tickCodec } from '../../schemas/tick.ts'
import { mineHeader, mineTick, TestHand, testHand } from '../helpers/hand.ts'
import { codeOf, seeded } from '../helpers/ledger.ts'

const FAR_MS = Number.MAX_SAFE_INTEGER
/** Anchors that make a tick of the same time on the same parent another one. */
const OTHER = [{ ledger: ZERO_HASH, height: 1, block: ZERO_HASH }]

function added(outcome: ReturnType<TestHand['accept']>) {
  invariant(outcome.ok, outcome.ok ? '' : outcome.fault.message)
  return outcome.value
}

t.test('ticks that follow one another are the hand, and their work is summed', async (t) => {
  const test = new TestHand()
  const { hand } = test.slow
  t.equal(test.slow.tip.hash, hand.block0Hash)
  t.equal(test.slow.heightOf(hand.block0Hash), 0)
  const grown = test.grow(5)
  t.equal(test.slow.tip.height, 5)
  t.equal(test.slow.tip.work, 5n * workOf(hand.genesis.target))
  for (const { entry, left } of grown) {
    t.strictSame(left, [])
    t.equal(test.slow.hashAt(entry.height), entry.hash)
    t.equal(test.slow.heightOf(entry.hash), entry.height)
    t.equal(test.slow.entry(entry.hash), entry)
  }
})

t.test('what breaks a rule changes nothing, and says which', async (t) => {
  const test = new TestHand()
  test.grow(3)
  const before = test.slow.tip
  const good = test.tick()
  t.equal(codeOf(test.accept(test.tick([], { parent: 'ee'.repeat(32) as Hash }))), 'unknown-parent')
  t.equal(codeOf(test.accept(test.tick([], { content: before.hash }))), 'bad-content')
  t.equal(codeOf(test.accept(test.tick([...OTHER, ...OTHER]))), 'bad-anchors')
  const spoilt = { ...good.header, content: before.hash }
  t.equal(
    codeOf(test.accept({ ...good, header: mineHeader(spoilt, false) })),
    'high-hash',
    'anchors are looked at behind a proof of work only',
  )
  t.equal(codeOf(test.accept(test.tick([], { height: 3 }))), 'bad-height')
  t.equal(codeOf(test.accept(good, good.header.time - 16_001)), 'time-too-new')
  t.equal(codeOf(test.slow.accept(new Uint8Array(3), test.nowMs)), 'bad-encoding')
  t.equal(test.slow.tip, before)
  t.equal(codeOf(test.accept(good)), 'ok')
  t.equal(codeOf(test.accept(good)), 'known')
})

t.test('on a tie the first seen stays; one tick more, and the branch is the hand', async (t) => {
  const test = new TestHand()
  const [, fork] = test.grow(2)
  const old = test.grow(3).map(({ entry }) => entry.hash)
  const branch: Position[] = []
  let parent: Position = fork?.entry as Position
  for (let count = 0; count < 3; count++) {
    const outcome = added(test.accept(test.tick(OTHER, {}, parent)))
    t.equal(outcome.left, undefined, 'on a branch')
    t.equal(test.slow.heightOf(outcome.entry.hash), undefined)
    parent = outcome.entry
    branch.push(parent)
  }
  t.equal(test.slow.tip.hash, old.at(-1))
  const last = added(test.accept(test.tick(OTHER, {}, parent)))
  t.strictSame(last.left, old, 'lowest first')
  t.equal(test.slow.tip, last.entry)
  for (const { hash, height } of branch) t.equal(test.slow.hashAt(height), hash)
  for (const hash of old) t.equal(test.slow.heightOf(hash), undefined)
  const back = added(test.accept(test.tick([], {}, test.slow.entry(old[2] as Hash))))
  t.equal(back.left, undefined, 'a tie again')
})

t.test('more work wins over more ticks', async (t) => {
  // One tick after a very quick one has more work than one after a slow one.
  const test = new TestHand(testHand({ halfLife: 1 }))
  const zero = position0(test.slow.hand)
  const easy = added(test.accept(test.tick([], { time: zero.time + 32_000 }), FAR_MS))
  const easier = added(test.accept(test.tick(), FAR_MS))
  const quick = added(test.accept(test.tick([], { time: zero.time + 1 }, zero), FAR_MS))
  t.equal(quick.left, undefined)
  t.equal(easier.entry.height, 2)
  const hard = added(test.accept(test.tick([], { time: zero.time + 2 }, quick.entry), FAR_MS))
  t.ok(hard.entry.work > easier.entry.work)
  t.strictSame(hard.left, [easy.entry.hash, easier.entry.hash])
})

t.test('what is settled is not undone: below-final, and nothing of it is in memory', async (t) => {
  const test = new TestHand(testHand(), 4)
  const grown = test.grow(7)
  const third = grown[2]?.entry as Position
  const branch = test.tick(OTHER, {}, third)
  const sibling = test.tick([], { time: third.time + 1 }, grown[1]?.entry as Position)
  t.equal(codeOf(test.accept(branch)), 'ok', 'nothing is settled before twice the window')
  test.grow(1)
  t.equal(test.slow.entry(third.hash), undefined)
  t.equal(test.slow.heightOf(third.hash), 3)
  t.equal(test.slow.hashAt(0), test.slow.hand.block0Hash)
  t.equal(codeOf(test.accept(branch)), 'below-final')
  t.equal(codeOf(test.accept(sibling)), 'below-final')
  t.equal(test.slow.entry(grown[3]?.entry.hash as Hash)?.parent, undefined, 'the base holds no past')
  t.equal(codeOf(test.accept(test.tick(OTHER, {}, grown[3]?.entry))), 'ok', 'a child of the base')
  const orphan = test.tick([], { parent: branch.header.parent, height: 9 }, test.slow.tip)
  t.equal(codeOf(test.accept(orphan)), 'unknown-parent', 'above the base')
})

t.test('a locator of a long hand is short, ends with tick 0, and finds the fork of another', async (t) => {
  const [one, two] = [new TestHand(testHand(), 8), new TestHand(testHand(), 8)]
  for (const { tick } of one.grow(40)) added(two.accept(tick, FAR_MS))
  one.grow(1)
  added(two.accept(two.tick([], { time: two.slow.tip.time + 5 }), FAR_MS))
  t.equal(two.slow.fork(one.slow.locator()), 40)
  const locator = one.slow.locator()
  t.ok(locator.length <= LOCATOR_MAX)
  t.equal(locator.at(-1), one.slow.hand.block0Hash)
  t.equal(locator[0], one.slow.tip.hash)
  t.equal(one.slow.fork([]), 0)
  t.equal(one.slow.fork(['dd'.repeat(32) as Hash]), 0)
  t.equal(one.slow.fork(['dd'.repeat(32) as Hash, one.slow.hashAt(3)]), 3)
  t.equal(TICK_WINDOW, 1024)
})

/** The same rules with every tick in memory, and the best chain found by walking from its tip. */
class Model {
  readonly #entries = new Map<Hash, Position & { parent: Hash }>()
  readonly #hand: Hand
  best: Hash[]

  constructor(hand: Hand) {
    this.#hand = hand
    const zero = position0(hand)
    this.#entries.set(zero.hash, { ...zero, parent: zero.hash })
    this.best = [zero.hash]
  }

  add(tick: Tick): Hash[] | undefined {
    const hash = headerHash(this.#hand.hashing, tick.header)
    const parent = this.#entries.get(tick.header.parent) as Position
    const entry = { ...place(this.#hand, hash, tick.header, parent), parent: parent.hash }
    this.#entries.set(hash, entry)
    const tip = this.#entries.get(this.best.at(-1) as Hash) as Position
    if (entry.work <= tip.work) return undefined
    const chain = [hash]
    for (let at = entry; at.height > 0; ) {
      at = this.#entries.get(at.parent) as typeof entry
      chain.unshift(at.hash)
    }
    const left = this.best.filter((each, height) => chain[height] !== each)
    this.best = chain
    return left
  }
}

t.test(
  'over random trees it agrees with the model, whatever the window, and restoring gives the same',
  async (t) => {
    for (let seed = 1; seed <= 24; seed++) {
      const random = seeded(seed)
      const window = 1 + Math.floor(random() * 6)
      const hand = testHand({ halfLife: 8 })
      const [slow, model] = [new SlowHand(hand, window), new Model(hand)]
      const stored: Tick[] = []
      for (let count = 0; count < 70; count++) {
        // Mostly near the tip; sometimes where it is settled already.
        const back = Math.floor(random() ** 3 * 2 * window)
        const base = stored.length === 0 ? undefined : stored[Math.max(0, stored.length - 1 - back)]
        const hash = base && headerHash(hand.hashing, base.header)
        const parent = random() < 0.5 || hash === undefined ? slow.tip : (slow.entry(hash) ?? slow.tip)
        const tick = mineTick(hand, parent, [], { time: parent.time + 1 + Math.floor(random() * 40_000) })
        const outcome = slow.accept(encode(tickCodec, tick), FAR_MS)
        if (!outcome.ok) {
          equal(outcome.fault.code, 'known', `seed ${seed}`)
          continue
        }
        stored.push(tick)
        same(outcome.value.left, model.add(tick), `seed ${seed}, tick ${count}`)
        agree(slow, model, seed)
      }
      const again = new SlowHand(hand, window)
      for (const tick of stored) if (again.restore(tick) === undefined) t.fail(`seed ${seed}: not restored`)
      agree(again, model, seed)
      same([...again.locator(), again.tip.work], [...slow.locator(), slow.tip.work])
    }
    t.pass('24 trees')
  },
)

function agree(slow: SlowHand, { best }: Model, seed: number): void {
  const height = best.length - 1
  equal(slow.tip.height, height, `seed ${seed}`)
  for (const [at, hash] of best.entries()) {
    equal(slow.hashAt(at), hash, `seed ${seed}, height ${at}`)
    equal(slow.heightOf(hash), at, `seed ${seed}, height ${at}`)
    equal(slow.fork([hash]), at)
  }
  const locator = slow.locator()
  equal(locator[0], best.at(-1))
  equal(locator.at(-1), best[0])
  for (const hash of locator) equal(best[slow.heightOf(hash) as number], hash, 'on the best chain')
}

t.test('a tick whose parent left the window is not restored', async (t) => {
  const test = new TestHand(testHand(), 2)
  const grown = test.grow(6)
  const late = test.tick([], {}, grown[0]?.entry as Position)
  t.equal(test.slow.restore(late), undefined)
  t.equal(test.slow.tip.height, 6)
})
