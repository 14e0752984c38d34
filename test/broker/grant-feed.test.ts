import t, { type Test } from 'tap'
import type { Announcement } from '../../broker/announcer.ts'
import { GrantFeed } from '../../broker/grant-feed.ts'
import type { Chain } from '../../ledger/chain.ts'
import { ChainStore } from '../../node/chain-store.ts'
import { decode } from '../../schemas/codec.ts'
import { GRANT_BYTES_MAX, GRANT_MS_MAX, type Grant, grant } from '../../schemas/grant.ts'
import { mirror, topic } from '../../schemas/topic.ts'
import { type FakeTime, fakeTime } from '../helpers/fake-time.ts'
import { alice, bob, carol, signer, TestChain, testNetwork } from '../helpers/ledger.ts'
import { SMALL, tell } from '../helpers/long-chain.ts'
import { MemoryDisk } from '../helpers/memory-disk.ts'
import { soldTopic } from '../helpers/receipts.ts'
import { recordingLog } from '../helpers/rig.ts'

const judge = signer(201).account
const pair = { seller: alice.account, buyer: carol.account }
const S = 1000

interface Bench {
  readonly feed: GrantFeed
  readonly time: FakeTime
  /** What was said last of each topic, decoded; `nothing` for an empty payload. */
  readonly said: Map<string, Grant['sensors'] | 'nothing'>
  readonly names: string[]
}

/** A feed whose announcer says everything at once. `slow`: what its clock passes at each look. */
function bench(t: Test, chain: Chain, slow = 0): Bench {
  const time = fakeTime()
  const said = new Map<string, Grant['sensors'] | 'nothing'>()
  const names: string[] = []
  let passed = 0
  const retained = (name: string, make: () => readonly Announcement[]) => {
    names.push(name)
    for (const { topic: on, payload } of make()) {
      if (payload.length === 0) said.set(on, 'nothing')
      else if (on.endsWith('/json'))
        said.set(on, grant.json.parse(JSON.parse(String(Buffer.from(payload)))).sensors)
      else {
        const decoded = decode(grant, payload, GRANT_BYTES_MAX)
        if (!decoded.ok) throw new Error(decoded.fault.message)
        said.set(on, decoded.value.sensors)
      }
    }
  }
  const monotonic = () => {
    passed += slow
    return time.nowMs() + passed
  }
  const { log } = recordingLog()
  const onFatal = (error: unknown) => t.fail('failed', { error })
  const feed = new GrantFeed({ chain, account: judge, retained, log, monotonic, timers: time, onFatal })
  t.teardown(() => feed.stop())
  return { feed, time, said, names }
}

const nameOf = (chain: Chain, { seller, buyer }: typeof pair) =>
  topic(chain.network.id, 'grant', judge, seller, buyer)

t.test('a receipt in a block is told, binary and as JSON, and withdrawn when it is over', async (t) => {
  const test = new TestChain()
  const { feed, said } = bench(t, test.chain)
  feed.start()
  const until = test.nowMs + 2.5 * test.network.genesis.interval
  const rounded = until - (until % S)
  const outcome = test.accept(test.block([soldTopic(test, alice, carol.account, { until: rounded })]))
  if (!outcome.ok) throw new Error(outcome.fault.message)
  feed.onUpdate(outcome.value, [])
  const name = nameOf(test.chain, pair)
  for (const each of [name, mirror(name)]) t.strictSame(said.get(each), [{ sensor: 'soil', until: rounded }])
  t.equal(feed.size, 1)
  while (test.chain.tip.time < rounded) {
    t.not(said.get(name), 'nothing')
    const next = test.accept(test.block())
    if (next.ok) feed.onUpdate(next.value, [])
  }
  t.strictSame([said.get(name), said.get(mirror(name)), feed.size], ['nothing', 'nothing', 0])
})

t.test('a receipt counts as soon as it may go into a block, and no more when it will not', async (t) => {
  const test = new TestChain()
  const { feed, said, names } = bench(t, test.chain)
  feed.start()
  const name = nameOf(test.chain, pair)
  const until = test.nowMs + 600 * S
  const receipt = soldTopic(test, alice, carol.account, { until })
  const granted = [{ sensor: 'soil', until }]
  feed.onTransaction(soldTopic(test, alice, carol.account, { until: test.chain.tip.time }))
  feed.onTransaction(test.transfer(alice, carol.account, 1))
  t.strictSame(names, [], 'one whose time is over says nothing, nor does a payment')
  feed.onTransaction(receipt)
  t.strictSame(said.get(name), granted)
  const fault = { code: 'expired', message: '' } as const
  const empty = test.accept(test.block())
  if (empty.ok) feed.onUpdate(empty.value, [{ sealed: receipt, fault }])
  t.strictSame([said.get(name), feed.size], ['nothing', 0])
  feed.onTransaction(receipt)
  const full = test.accept(test.block([receipt]))
  if (full.ok) feed.onUpdate(full.value, [{ sealed: receipt, fault }])
  t.strictSame([said.get(name), feed.size], [granted, 1], 'the block that has it decides')
})

t.test('a reorganisation takes a grant back, and gives it again on the other branch', async (t) => {
  const network = testNetwork()
  const [test, rival] = [new TestChain(network), new TestChain(network)]
  const { feed, said } = bench(t, test.chain)
  feed.start()
  const until = test.nowMs + 600 * S
  const receipt = soldTopic(test, alice, carol.account, { until })
  const first = test.accept(test.block([receipt]))
  if (first.ok) feed.onUpdate(first.value, [])
  const name = nameOf(test.chain, pair)
  t.strictSame(said.get(name), [{ sensor: 'soil', until }])
  rival.grow(2, [], carol)
  for (let height = 1; height <= 2; height++) {
    const bytes = rival.archive.block(rival.chain.at(height)?.hash ?? network.block0Hash)
    const outcome = test.acceptBytes(bytes)
    if (outcome.ok) feed.onUpdate(outcome.value, [])
  }
  t.equal(test.chain.tip.hash, rival.chain.tip.hash)
  t.strictSame([said.get(name), feed.size], ['nothing', 0])
  said.clear()
  feed.publishAll()
  t.equal(said.get(name), 'nothing', 'a broker that missed it hears it at the next connect')
  const again = test.accept(test.block([receipt]))
  if (again.ok) feed.onUpdate(again.value, [])
  t.strictSame(said.get(name), [{ sensor: 'soil', until }])
  said.clear()
  feed.publishAll()
  t.strictSame(said.get(name), [{ sensor: 'soil', until }])
})

t.test('after a start the stored blocks are looked at, the newest first, a little at a time', async (t) => {
  const test = new TestChain()
  const until = test.nowMs + 86_400 * S
  test.grow(1, [soldTopic(test, alice, carol.account, { until })])
  test.grow(30)
  test.grow(1, [soldTopic(test, alice, bob.account, { until })])
  // Its clock goes on by 1 ms each time it is asked: ten blocks at a look.
  const { feed, time, said, names } = bench(t, test.chain, 1)
  feed.start()
  t.strictSame(said.get(nameOf(test.chain, { ...pair, buyer: bob.account })), [{ sensor: 'soil', until }])
  t.equal(said.get(nameOf(test.chain, pair)), undefined, 'the oldest waits')
  t.equal(feed.isLooking, true)
  await time.pass(100)
  t.equal(feed.isLooking, true)
  await time.pass(1000)
  t.equal(feed.isLooking, false)
  t.strictSame(said.get(nameOf(test.chain, pair)), [{ sensor: 'soil', until }])
  t.equal(names.length, 2, 'each was said once')
})

t.test('a reorganisation while it looks back loses and invents nothing', async (t) => {
  const network = testNetwork()
  const test = new TestChain(network)
  const until = test.nowMs + 86_400 * S
  const early = soldTopic(test, alice, carol.account, { until })
  test.grow(1, [early])
  test.grow(20)
  const rival = new TestChain(network)
  rival.follow(test)
  test.grow(2, [soldTopic(test, alice, bob.account, { until })])
  rival.grow(1, [soldTopic(rival, alice, carol.account, { until: until + S })], carol)
  rival.grow(2, [], carol)
  const { feed, time, said } = bench(t, test.chain, 1)
  feed.start()
  t.ok(feed.isLooking)
  for (let height = 22; height <= 24; height++) {
    const outcome = test.acceptBytes(rival.archive.block(rival.chain.at(height)?.hash ?? network.block0Hash))
    if (outcome.ok && outcome.value.connected.length > 0) feed.onUpdate(outcome.value, [])
  }
  t.equal(test.chain.tip.hash, rival.chain.tip.hash)
  await time.pass(2000)
  t.equal(feed.isLooking, false)
  t.equal(feed.size, 1)
  t.strictSame(said.get(nameOf(test.chain, pair)), [{ sensor: 'soil', until: until + S }])
  t.equal(said.get(nameOf(test.chain, { ...pair, buyer: bob.account })), 'nothing')
})

t.test('it finds what lies below the window', async (t) => {
  const test = new TestChain()
  const far = test.nowMs + 2 * GRANT_MS_MAX
  const until = far - (far % S)
  const blocks: Uint8Array[] = []
  const grow = (count: number, first?: ReturnType<typeof soldTopic>) => {
    for (let done = 0; done < count; done++) {
      const outcome = test.accept(test.block(done === 0 && first !== undefined ? [first] : []))
      if (outcome.ok) blocks.push(outcome.value.added.bytes)
    }
  }
  grow(20, soldTopic(test, alice, carol.account, { until }))
  grow(500, soldTopic(test, alice, bob.account, { until }))
  const store = new ChainStore(new MemoryDisk(), test.network.genesis, SMALL)
  tell(store, blocks)
  t.ok(store.chain.base.height > 100, 'the window begins above both receipts')
  const { feed, time, said } = bench(t, store.chain)
  feed.start()
  await time.pass(10_000)
  t.equal(feed.isLooking, false)
  t.equal(feed.size, 2)
  t.match(said.get(nameOf(store.chain, pair)), [{ until: test.chain.header(1).time + GRANT_MS_MAX }])
  store.close()
})

t.test('it looks no further back than a receipt can run', async (t) => {
  const test = new TestChain()
  test.grow(5)
  const time = test.chain.tip.time + GRANT_MS_MAX + 1
  t.ok(test.accept(test.block([], { header: { time } }), time).ok)
  test.grow(3)
  const read: string[] = []
  const block = test.archive.block.bind(test.archive)
  test.archive.block = (hash) => {
    read.push(hash)
    return block(hash)
  }
  const { feed } = bench(t, test.chain)
  feed.start()
  t.equal(feed.isLooking, false)
  t.strictSame(
    read,
    [9, 8, 7, 6].map((height) => test.chain.at(height)?.hash),
  )
})
