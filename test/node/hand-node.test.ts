/** How nodes agree on a slow hand over MQTT, and what a liar among them can do. */
import t from 'tap'
import { headerHash, type Position, position0 } from '../../ledger/header.ts'
import { ZERO_HASH } from '../../schemas/hex.ts'
import { TICKS_MAX } from '../../schemas/message.ts'
import { mineTick, testHand } from '../helpers/hand.ts'
import { bytesOf, HandBus, OTHER, started, ticksOn, told } from '../helpers/hand-bus.ts'

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

t.test(
  'anchors: the own tip, and of each other ledger what one of those says that speak of it',
  async (t) => {
    const { bus, members } = await started(1, 0)
    const [member] = members
    const { node, chain } = member
    chain.grow(2)
    const { hash, height } = chain.chain.tip
    const own = { ledger: chain.network.genesisHash, height, block: hash }
    const other = (at: number) => ({ ...OTHER[0], height: at }) as (typeof OTHER)[0]
    t.strictSame(node.anchors(), [own])
    await bus.claim(91, { newest: other(7) as typeof own })
    t.strictSame(node.anchors(), [other(7), own])
    t.strictSame(node.newestOf(ZERO_HASH), other(7))
    await bus.claim(94, { newest: { ...own, height: 99, block: ZERO_HASH } })
    t.strictSame(node.anchors(), [other(7), own], 'of the own ledger nobody else is believed')
    await bus.claim(92, { newest: other(4_000_000_000) as typeof own })
    const named: number[] = []
    for (let count = 0; count < 24; count++) {
      await bus.mine(member)
      named.push(node.newestOf(ZERO_HASH)?.height ?? 0)
    }
    t.ok(named.filter((each) => each === 7).length >= 6, `${named}: each has its share of the ticks`)
    t.ok(named.includes(4_000_000_000), 'as nobody can know which of them lies')
    node.onDisconnected()
    t.strictSame(node.anchors(), [own])
  },
)

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

t.test('a peer whose answer was overtaken by newer ticks has not lied', async (t) => {
  const { bus, members } = await started(1, 2)
  const [{ node, lines }] = members
  const { list } = ticksOn(bus, node.slow.tip, 2)
  const [third, fourth] = list as [Uint8Array, Uint8Array]
  const { tip } = ticksOn(bus, node.slow.tip, 1)
  bus.nowMs += 2 * bus.hand.genesis.interval
  const peer = bus.liar(91, (question) => {
    if (node.slow.tip.height > 2) return []
    // While the answer is on its way, both ticks come from elsewhere.
    t.equal(question.type, 'getTicks')
    t.ok(node.accept(third).ok && node.accept(fourth).ok)
    return [third]
  })
  await bus.claim(91, { work: tip.work })
  await bus.pass(5_000)
  t.equal(bus.asked(peer), 2)
  t.equal(node.slow.tip.height, 4)
  t.notOk(lines.some(({ event }) => event === 'cannot fetch ticks'))
})
