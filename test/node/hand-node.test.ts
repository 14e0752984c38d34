/** How nodes agree on a slow hand over MQTT, and what a liar among them can do. */
import t from 'tap'
import { workOf } from '../../ledger/difficulty.ts'
import { headerHash, type Position, place, position0 } from '../../ledger/header.ts'
import { encode } from '../../schemas/codec.ts'
import { type Hash, ZERO_HASH } from '../../schemas/hex.ts'
import { TICKS_MAX } from '../../schemas/message.ts'
import { type Tick, tick as tickCodec } from '../../schemas/tick.ts'
import { mineTick, testHand } from '../helpers/hand.ts'
import { HandBus, type Member } from '../helpers/hand-bus.ts'

const bytesOf = (tick: Tick) => encode(tickCodec, tick)
const OTHER = [{ ledger: ZERO_HASH, height: 1, block: ZERO_HASH }]
const told = ({ lines }: Member, event: string) => lines.filter((line) => line.event === event)

/** Ticks on a place, encoded. */
function ticksOn(bus: HandBus, parent: Position, count: number, stepMs = bus.hand.genesis.interval) {
  const list: Uint8Array[] = []
  let at = parent
  for (; list.length < count; ) {
    const tick = mineTick(bus.hand, at, OTHER, { time: at.time + stepMs })
    list.push(bytesOf(tick))
    at = place(bus.hand, headerHash(bus.hand.hashing, tick.header), tick.header, at)
  }
  return { list, tip: at }
}

/** A bus whose first member has mined so many ticks that the others heard. */
async function started(members: number, ticks: number) {
  const bus = new HandBus()
  for (let count = 0; count < members; count++) bus.join()
  for (let count = 0; count < ticks; count++) await bus.mine(bus.members[0] as Member)
  return { bus, members: bus.members as unknown as [Member, Member, Member] }
}

t.test('a tick spreads to all, is on their disks before they tell, and has a JSON mirror', async (t) => {
  const { bus, members } = await started(3, 3)
  t.equal(bus.tips().size, 1)
  for (const { node, ticks, fatal } of members) {
    t.equal(node.slow.tip.height, 3)
    t.equal(ticks, 3)
    t.strictSame(fatal, [])
    t.ok(node.inSync)
  }
  const mirrors = bus.sent.filter(({ name }) => name.endsWith('/json'))
  t.match(JSON.parse(Buffer.from(mirrors[2]?.payload ?? []).toString()), {
    hash: members[0].node.newest,
    header: { height: 3 },
    anchors: [{ height: 0 }],
  })
})

t.test('anchors: the own tip, and of each other ledger the highest that a validator speaks of', async (t) => {
  const { bus, members } = await started(1, 0)
  const [{ node, chain }] = members
  chain.grow(2)
  const { hash, height } = chain.chain.tip
  const own = { ledger: chain.network.genesisHash, height, block: hash }
  const other = (at: number) => ({ ...OTHER[0], height: at }) as (typeof OTHER)[0]
  t.strictSame(node.anchors(), [own])
  await bus.claim(91, { newest: other(7) as typeof own })
  await bus.claim(92, { newest: other(9) as typeof own })
  await bus.claim(93, { newest: other(8) as typeof own })
  await bus.claim(94, { newest: { ...own, height: 99, block: ZERO_HASH } })
  t.strictSame(node.anchors(), [other(9), own], 'of the own ledger nobody else is believed')
  node.onDisconnected()
  t.strictSame(node.anchors(), [own])
})

t.test('who comes later, or comes back, catches up from a peer', async (t) => {
  const { bus, members } = await started(2, 5)
  const late = bus.join(9)
  await bus.announce(members[1])
  t.notOk(late.node.inSync, 'it rests meanwhile')
  await bus.pass()
  t.equal(late.node.newest, members[0].node.newest)
  t.ok(late.node.inSync)
  bus.leave(late)
  for (let count = 0; count < 3; count++) await bus.mine(members[0])
  const again = bus.join(9, late.disk.after())
  t.equal(again.node.slow.tip.height, 5, 'a restart keeps all')
  await bus.announce(members[0])
  await bus.pass()
  t.equal(bus.tips().size, 1)
  t.equal(told(again, 'cannot fetch ticks').length, 0)
})

t.test('more ticks than a reply holds are fetched in several', async (t) => {
  const hand = testHand({ target: 2n ** 256n - 1n, targetMax: 2n ** 256n - 1n })
  const bus = new HandBus(hand)
  const [one, two] = [bus.join(), bus.join()]
  bus.sides = [[one], [two]]
  const { list } = ticksOn(bus, position0(hand), TICKS_MAX + 200)
  bus.nowMs += list.length * hand.genesis.interval
  for (const each of list) one.node.accept(each)
  bus.sides = undefined
  await bus.announce(one)
  await bus.pass(2_000)
  t.equal(two.node.slow.tip.height, TICKS_MAX + 200)
  t.equal(two.node.newest, one.node.newest)
  t.equal(bus.asked(one.account), 3)
  t.equal(told(two, 'tick').length, 2, 'each reply is told once')
})

t.test('two halves that were apart go over to the hand with most work, and back to one', async (t) => {
  const { bus, members } = await started(3, 2)
  const [one, two, three] = members
  bus.sides = [[one, two], [three]]
  for (let count = 0; count < 4; count++) await bus.mine(three)
  for (let count = 0; count < 7; count++) await bus.mine(one)
  t.equal(bus.tips().size, 2)
  bus.sides = undefined
  await bus.announce(one, three)
  await bus.pass()
  t.equal(bus.tips().size, 1)
  t.equal(three.node.newest, one.node.newest)
  t.match(told(three, 'the slow hand went over to a chain with more work')[0]?.fields, { disconnected: 4 })
  await bus.mine(three)
  t.equal(two.node.slow.tip.height, 10, 'and mine on together')
})

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
      [/it has none that we lack/, ticksOn(bus, slow.tip, 1, 90_000).list],
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
  await bus.pass(62_000)
  t.equal(node.slow.tip.height, 4)
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

t.test('bad ticks are refused with a reason, and their sender is not listened to for a while', async (t) => {
  const { bus, members } = await started(2, 1)
  const [one, two] = members
  const { account } = two
  const bad = bytesOf(mineTick(bus.hand, one.node.slow.tip, [], { target: 2n ** 256n - 1n }))
  for (let count = 0; count < 40; count++) await bus.send(account, 'tick', bad)
  t.equal(told(one, 'refused a tick').length, 21)
  t.match(told(one, 'refused a tick')[0]?.fields, { code: 'bad-target' })
  t.equal(told(one, 'not listening to a sender of ticks that keeps sending what is refused').length, 1)
  await bus.mine(two)
  t.equal(one.node.slow.tip.height, 1, 'not even to a good one')
  await bus.send(account, 'hand', Uint8Array.of(1))
  await bus.pass(11_000)
  await bus.send(account, 'hand', Uint8Array.of(1))
  t.equal(told(one, 'refused a slow tip').length, 1)
})

t.test('what a broker kept, JSON, and our own echo are not read', async (t) => {
  const { bus, members } = await started(1, 1)
  const [{ node, account, lines }] = members
  const good = bytesOf(mineTick(bus.hand, node.slow.tip, []))
  bus.nowMs += bus.hand.genesis.interval
  await bus.send('aa'.repeat(32) as typeof account, 'tick', good, true)
  await bus.send(account, 'tick', good)
  const parsed = { network: bus.hand.id, kind: 'tick' as const, publisher: 'aa'.repeat(32) as typeof account }
  node.receive({ ...parsed, rest: [], json: true }, good, false)
  t.equal(node.slow.tip.height, 1)
  t.strictSame(
    lines.filter(({ level }) => level === 'warn'),
    [],
  )
  node.receive({ ...parsed, rest: [], json: false }, good, false)
  t.equal(node.slow.tip.height, 2)
})

t.test('a tick that nobody asked for is taken at most 16 below the tip', async (t) => {
  const { bus, members } = await started(2, 20)
  const [one, two] = members
  const { slow } = one.node
  const on = (height: number) =>
    bytesOf(mineTick(bus.hand, slow.entry(slow.hashAt(height)) as Position, OTHER))
  await bus.send(two.account, 'tick', on(3))
  t.match(told(one, 'refused a tick')[0]?.fields, { code: 'below-final' })
  await bus.send(two.account, 'tick', on(4))
  t.equal(told(one, 'refused a tick').length, 1)
})

t.test('the mirror of a tick names that tick, also when it is on a branch', async (t) => {
  const { bus, members } = await started(1, 3)
  const [{ node }] = members
  const side = mineTick(bus.hand, node.slow.entry(node.slow.hashAt(2)) as Position, OTHER)
  node.accept(bytesOf(side))
  await node.publish(bytesOf(side))
  const { hash } = JSON.parse(Buffer.from(bus.sent.at(-1)?.payload ?? []).toString())
  t.equal(hash, headerHash(bus.hand.hashing, side.header))
  t.not(hash, node.newest)
})

t.test('a disk that is full ends the program, and nothing is announced that is not on it', async (t) => {
  const { bus, members } = await started(1, 1)
  const [{ node, disk, ticks }] = members
  disk.failAt = disk.writes
  const good = bytesOf(mineTick(bus.hand, node.slow.tip, []))
  bus.nowMs += bus.hand.genesis.interval
  t.throws(() => node.accept(good), { code: 'store-write' })
  t.equal(ticks, 1)
})
