/** Catching up with a better slow hand, and what a liar can do: a claim costs nothing, but it costs the others little. */
import t from 'tap'
import { workOf } from '../../ledger/difficulty.ts'
import { anchorsRoot } from '../../ledger/hand.ts'
import { headerHash, type Position, place, position0 } from '../../ledger/header.ts'
import { encode } from '../../schemas/codec.ts'
import type { Hash } from '../../schemas/hex.ts'
import { TICKS_MAX } from '../../schemas/message.ts'
import { ANCHORS_MAX, type Anchor, tick as tickCodec } from '../../schemas/tick.ts'
import { mineTick, testHand } from '../helpers/hand.ts'
import { bytesOf, HandBus, OTHER, started, ticksOn } from '../helpers/hand-bus.ts'

t.test(
  'a claim that nobody backs: the miner rests for the question, and then leaves the liar alone',
  async (t) => {
    const { bus, members } = await started(1, 2)
    const [{ node, lines }] = members
    const work = 1n << 200n
    const silent = bus.liar(91, () => undefined)
    await bus.claim(91, { work })
    t.notOk(node.inSync)
    await bus.pass(12_000)
    t.ok(node.inSync)
    t.equal(bus.asked(silent), 1)
    t.match(lines.at(-1), { event: 'cannot fetch ticks', fields: { reason: /no reply/ } })
    await bus.claim(91, { work })
    await bus.pass(40_000)
    t.equal(bus.asked(silent), 1, 'for a minute')
    await bus.pass(30_000)
    t.equal(bus.asked(silent), 2)
  },
)

t.test(
  'answers that are no ticks of this hand, or less work than claimed, are told and change nothing',
  async (t) => {
    const { bus, members } = await started(1, 4)
    const [member] = members
    const { slow } = member.node
    const before = slow.tip.hash
    const fork = slow.entry(slow.hashAt(2)) as Position
    const { list: side } = ticksOn(bus, fork, 1)
    const strange = bytesOf(mineTick(testHand({ name: 'strange' }), position0(testHand({ name: 'strange' }))))
    const spoilt = bytesOf(mineTick(bus.hand, slow.tip, [], { target: 2n ** 256n - 1n }))
    const answers: [RegExp, readonly Uint8Array[]][] = [
      [/it has none that we lack/, []],
      [/less work than it claims/, side],
      [/leave ours below what can be undone/, [strange]],
      [/target: expected/, [spoilt]],
      [/version: expected 1/, [new Uint8Array(3)]],
      [/90000 ms ahead of this clock/, ticksOn(bus, slow.tip, 1, 90_000).list],
    ]
    for (const [index, [reason, ticks]] of answers.entries()) {
      // A liar answers once, and then has no more.
      let left = ticks
      bus.liar(60 + index, () => {
        const now = left
        left = []
        return now
      })
      await bus.claim(60 + index, { work: 1n << 200n })
      await bus.pass(2_000)
      t.match(member.lines.at(-1), { event: 'cannot fetch ticks', fields: { reason } })
    }
    t.equal(slow.tip.hash, before)
    t.ok(member.node.inSync)
    t.strictSame(member.fatal, [])
  },
)

t.test('many liars neither keep from mining nor from the ticks of an honest peer', async (t) => {
  const { bus, members } = await started(2, 2)
  const [one, late] = [members[0], bus.join(9)]
  for (let index = 100; index < 108; index++) {
    bus.liar(index, () => undefined)
    await bus.claim(index, { work: 1n << 200n })
  }
  await bus.announce(members[1])
  await bus.pass(12_000)
  t.ok(one.node.inSync, 'once one of them was found out')
  await bus.pass(240_000)
  t.ok(one.node.inSync)
  t.equal(late.node.slow.tip.height, 2)
})

t.test('who sends a tick on one that we lack is asked, and no miner rests for it', async (t) => {
  const { bus, members } = await started(3, 1)
  const [one, two, three] = members
  bus.sides = [[one], [two, three]]
  for (let count = 0; count < 3; count++) await bus.mine(two)
  await bus.mine(one)
  bus.sides = undefined
  await bus.pass(2_000)
  t.equal(one.node.slow.tip.height, 2, 'nobody has claimed anything')
  await bus.mine(two)
  t.ok(one.node.inSync)
  await bus.pass(2_000)
  t.equal(bus.tips().size, 1)
  t.equal(one.node.slow.tip.height, 5)
  t.equal(bus.asked(two.account), 2, 'and whether there is more')
})

t.test('who has only such ticks to show is left alone, and validators are believed as before', async (t) => {
  const { bus, members } = await started(1, 2)
  const [{ node }] = members
  const orphan = ticksOn(bus, ticksOn(bus, node.slow.tip, 1).tip, 1).list[0] as Uint8Array
  const silent = bus.liar(91, () => undefined)
  for (let count = 0; count < 4; count++) {
    await bus.send(silent, 'tick', orphan)
    await bus.pass(5_000)
    t.ok(node.inSync)
  }
  await bus.pass(10_000)
  t.equal(bus.asked(silent), 1)
  bus.liar(92, () => undefined)
  await bus.claim(92, { work: 1n << 200n })
  t.notOk(node.inSync)
})

t.test('however many have only such ticks to show, a validator that has more is asked soon', async (t) => {
  const { bus, members } = await started(1, 2)
  const late = bus.join(9)
  const orphan = ticksOn(bus, ticksOn(bus, members[0].node.slow.tip, 1).tip, 1).list[0] as Uint8Array
  for (let index = 100; index < 160; index++)
    await bus.send(
      bus.liar(index, () => undefined),
      'tick',
      orphan,
    )
  await bus.announce(members[0])
  await bus.pass(60_000)
  t.equal(late.node.slow.tip.height, 2)
})

t.test(
  'who answers with what we have, a tick at a time, does not keep us from others for hours',
  async (t) => {
    const { bus, members } = await started(1, 200)
    const [{ node }] = members
    const late = bus.join(9)
    for (let height = 1; height < 200; height++) late.node.accept(node.tick(height))
    let given = 0
    const slow = bus.liar(91, () => [node.tick(++given)], 9_000)
    const orphan = ticksOn(bus, ticksOn(bus, node.slow.tip, 1).tip, 1).list[0] as Uint8Array
    late.node.receive(
      { network: bus.hand.id, kind: 'tick', publisher: slow, rest: [], json: false },
      orphan,
      false,
    )
    await bus.pass(5_000)
    t.equal(bus.asked(slow), 1)
    await bus.announce(members[0])
    await bus.pass(180_000)
    t.equal(late.node.slow.tip.height, 200)
    t.ok(given < 40, `${given}`)
    t.ok(late.lines.some(({ fields }) => /^no more work than ours/.test(String(fields?.reason))))
  },
)

t.test('nothing runs while nobody has more than we', async (t) => {
  const { bus, members } = await started(2, 2)
  await bus.announce(members[1])
  await bus.pass(2_000)
  t.equal(bus.time.waiting(), 0)
})

t.test('a tick from the future ends the fetch, and comes when its time has come', async (t) => {
  const { bus, members } = await started(1, 1)
  const [{ node }] = members
  const T = bus.hand.genesis.interval
  const { list, tip } = ticksOn(bus, node.slow.tip, 3)
  bus.liar(91, (question) => {
    const known = question.type === 'getTicks' ? question.locator[0] : undefined
    const at = list.findIndex((each) => known === parentOf(each))
    return at < 0 ? [] : list.slice(at)
  })
  await bus.claim(91, { work: tip.work })
  await bus.pass(5_000)
  t.equal(node.slow.tip.height, 2, 'one interval ahead is taken, more is not')
  t.ok(bus.asked(bus.sent[0]?.from as never) < 5)
  bus.nowMs += 2 * T
  await bus.pass(T + 1_000)
  t.equal(node.slow.tip.height, 4, 'as soon as it can be taken')
})

const parentOf = (bytes: Uint8Array): Hash => Buffer.from(bytes.subarray(5, 37)).toString('hex') as Hash

t.test('a branch without end that never has more work is given up', async (t) => {
  const hand = testHand({ halfLife: 1, target: 2n ** 256n - 1n, targetMax: 2n ** 256n - 1n })
  const bus = new HandBus(hand)
  const member = bus.join()
  bus.nowMs += 40_000 * hand.genesis.interval
  for (const each of ticksOn(bus, position0(hand), 16, 1).list) member.node.accept(each)
  const { tip } = member.node.slow
  t.ok(tip.work > 20_000n * workOf(hand.genesis.target))
  let last: Position = position0(hand)
  let given = 0
  bus.liar(91, () => {
    const { list, tip: end } = ticksOn(bus, last, TICKS_MAX)
    last = end
    given += list.length
    return list
  })
  await bus.claim(91, { work: 1n << 200n })
  await bus.pass(4_000)
  t.match(member.lines.at(-1), {
    event: 'cannot fetch ticks',
    fields: { reason: /17000 ticks without more work/ },
  })
  t.equal(given, 17_000)
  t.equal(member.node.slow.tip, tip)
})

t.test('nor is one held that fills the memory with anchors', async (t) => {
  const hand = testHand({ halfLife: 1, target: 2n ** 256n - 1n, targetMax: 2n ** 256n - 1n })
  const bus = new HandBus(hand)
  const member = bus.join()
  bus.nowMs += 2_000 * hand.genesis.interval
  for (const each of ticksOn(bus, position0(hand), 16, 1).list) member.node.accept(each)
  const ledger = (index: number): Hash => index.toString(16).padStart(64, '0') as Hash
  const anchors = Array.from(
    { length: ANCHORS_MAX },
    (_, at) => ({ ...OTHER[0], ledger: ledger(at) }) as Anchor,
  )
  const content = anchorsRoot(hand.hashing, anchors)
  let last: Position = position0(hand)
  let given = 0
  bus.liar(91, () =>
    Array.from({ length: 15 }, () => {
      const { header } = mineTick(hand, last, [], { content })
      last = place(hand, headerHash(hand.hashing, header), header, last)
      given++
      return encode(tickCodec, { header, anchors })
    }),
  )
  await bus.claim(91, { work: 1n << 200n })
  await bus.pass(10_000)
  t.match(member.lines.at(-1), { event: 'cannot fetch ticks', fields: { reason: /without more work/ } })
  t.ok(given < 260, `${given} ticks of 70 kB`)
})
