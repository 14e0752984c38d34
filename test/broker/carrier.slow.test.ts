/** A carrier between two real brokers, each with a ledger and a validator of its own, and one slow hand. */
import t, { type Test } from 'tap'
import { sharedHand } from '../../broker/carrier.ts'
import { WorldError } from '../../node/error.ts'
import { decode } from '../../schemas/codec.ts'
import { handTip, MESSAGE_BYTES_MAX } from '../../schemas/message.ts'
import { topic } from '../../schemas/topic.ts'
import { handedGenesis, handGenesis } from '../helpers/hand.ts'
import { signer, testNetwork } from '../helpers/ledger.ts'
import { temporary } from '../helpers/processes.ts'
import { CARRIER, startCarrier, TestSite } from '../helpers/sites.ts'
import { waitUntil } from '../helpers/wait-until.ts'

const sites = async (t: Test) => [await TestSite.start(t, 'home'), await TestSite.start(t, 'barn')] as const

const agree = (home: TestSite, barn: TestSite): boolean => home.newest === barn.newest

t.test('a tick arrives at the other site, once, and is not sent back', async (t) => {
  const [home, barn] = await sites(t)
  await startCarrier(t, [home, barn])
  const there = await home.tick()
  await waitUntil('the barn has it', () => agree(home, barn))
  const back = await barn.tick()
  await waitUntil('home has it', () => agree(home, barn))
  t.equal(home.hand.slow.tip.height, 2)
  const miner = signer(20).account
  // What is sent after them shows that nothing more came before.
  await home.tick()
  await waitUntil('the barn has the last', () => agree(home, barn))
  await barn.tick()
  await waitUntil('home has the last', () => agree(home, barn))
  t.strictSame(home.sendersOf(there), [miner], 'at home it came from its miner alone')
  t.strictSame(barn.sendersOf(there), [CARRIER.account], "in the barn under the carrier's name, once")
  t.strictSame(barn.sendersOf(back), [miner])
  t.strictSame(home.sendersOf(back), [CARRIER.account])
})

t.test('a tick that lost a tie is carried, too: the next one may stand on it', async (t) => {
  const [home, barn] = await sites(t)
  const { store } = await startCarrier(t, [home, barn])
  await home.tick()
  await waitUntil('the barn has it', () => agree(home, barn))
  const first = home.newest
  const aside = await home.tick({ aside: true, timeMs: 7 })
  await waitUntil('the barn has heard it', () => barn.sendersOf(aside).length > 0)
  t.equal(store.slow.tip.hash, first)
  t.equal(barn.newest, first)
})

t.test('ticks of each site anchor both ledgers', async (t) => {
  const [home, barn] = await sites(t)
  const { carrier } = await startCarrier(t, [home, barn])
  await home.block()
  await barn.block()
  await barn.block()
  const heard = ({ hand }: TestSite, { ledger }: TestSite): number => hand.newestOf(ledger)?.height ?? 0
  await waitUntil('each knows of the other', () => heard(home, barn) === 2 && heard(barn, home) === 1)
  t.equal(heard(home, home), 0, 'a validator does not listen to itself')
  const second = await home.rig.validator(2)
  const { node } = second.validator
  await waitUntil(
    'the second tells the two ledgers apart',
    () => node.hand?.newestOf(barn.ledger)?.height === 2 && node.hand.newestOf(home.ledger)?.height === 1,
  )
  const both = [home, barn].map(({ ledger, rig }) => {
    const { height, hash } = rig.chain.chain.tip
    return { ledger, height, block: hash }
  })
  both.sort((a, b) => (a.ledger < b.ledger ? -1 : 1))
  t.strictSame((await home.tick()).anchors, both)
  await waitUntil('the barn has it', () => agree(home, barn))
  t.strictSame((await barn.tick()).anchors, both)
  t.equal(carrier.here.newest.ledger, home.ledger)
})

t.test(
  "what a carrier says of its hand names the other side's newest block; block 0 until it has heard of one",
  async (t) => {
    const [home, barn] = await sites(t)
    await barn.validator.stop()
    await startCarrier(t, [home, barn])
    const said: unknown[] = []
    const { client } = await home.rig.device(signer(21))
    client.on('message', (name, payload) => {
      const decoded =
        name === topic(home.id, 'hand', CARRIER.account) && decode(handTip, payload, MESSAGE_BYTES_MAX)
      if (decoded !== false && decoded.ok) said.push(decoded.value.newest)
    })
    await client.subscribeAsync(topic(home.id, 'hand', CARRIER.account), { qos: 1 })
    await waitUntil('it has spoken', () => said.length > 0)
    t.strictSame(said.at(-1), { ledger: barn.ledger, height: 0, block: barn.rig.chain.network.block0Hash })
    const validator = await barn.rig.validator(2)
    await barn.rig.mine([validator])
    await waitUntil('it has heard of the block', () => (said.at(-1) as { height: number }).height === 1)
    const { hash } = barn.rig.chain.chain.tip
    t.strictSame(said.at(-1), { ledger: barn.ledger, height: 1, block: hash })
  },
)

t.test(
  'in a row of three, ticks of each end name the ledger of the other; each name is carried once',
  async (t) => {
    const [home, barn] = await sites(t)
    const mill = await TestSite.start(t, 'mill')
    const said: string[] = []
    const { client } = await mill.rig.device(signer(21))
    client.on('message', (_, payload) => {
      const decoded = decode(handTip, payload, MESSAGE_BYTES_MAX)
      if (decoded.ok && decoded.value.newest.ledger === home.ledger) said.push(decoded.value.newest.block)
    })
    await client.subscribeAsync(topic(home.id, 'hand', signer(202).account), { qos: 1 })
    await startCarrier(t, [home, barn])
    // Two of one name would throw each other out of the barn's broker.
    await startCarrier(t, [barn, mill], temporary(t), signer(202))
    await home.block()
    await mill.block()
    await mill.block()
    const heard = ({ hand }: TestSite, { ledger }: TestSite): number => hand.newestOf(ledger)?.height ?? 0
    await waitUntil('each knows of the others', () => heard(home, mill) === 2 && heard(mill, home) === 1)
    const ledgers = [home, barn, mill].map(({ ledger }) => ledger).sort()
    t.strictSame(
      (await home.tick()).anchors.map(({ ledger }) => ledger),
      ledgers,
    )
    await waitUntil('the mill has it', () => agree(home, mill))
    t.strictSame(
      (await mill.tick()).anchors.map(({ ledger }) => ledger),
      ledgers,
    )
    await home.block()
    await waitUntil('the mill has heard of it', () => said.includes(home.rig.chain.chain.tip.hash))
    t.equal(said.length, new Set(said).size, `${said}`)
  },
)

t.test(
  'apart for a while, both sites go on; together again there is one hand, the one with most work',
  async (t) => {
    const [home, barn] = await sites(t)
    const directory = temporary(t)
    const first = await startCarrier(t, [home, barn], directory)
    await home.tick()
    await waitUntil('the barn has it', () => agree(home, barn))
    await first.stop()
    for (let count = 0; count < 3; count++) await home.tick()
    for (let count = 0; count < 20; count++) await barn.tick()
    const most = barn.newest
    t.not(home.newest, most)
    const again = await startCarrier(t, [home, barn], directory)
    await waitUntil('one hand', () => agree(home, barn))
    t.equal(home.newest, most)
    await waitUntil('the carrier too', () => again.store.slow.tip.hash === most)
    await home.tick()
    await waitUntil('and it goes on', () => agree(home, barn))
    t.equal(barn.hand.slow.tip.height, 22)
  },
)

t.test(
  'a carrier that was killed has its hand again, and a tick that it had carried is not carried again',
  async (t) => {
    const [home, barn] = await sites(t)
    const directory = temporary(t)
    const first = await startCarrier(t, [home, barn], directory)
    const tick = await home.tick()
    await waitUntil('the barn has it', () => agree(home, barn))
    // What a kill leaves: the file as it is, without a farewell.
    const { newest } = home
    await first.carrier.stop()
    const again = await startCarrier(t, [home, barn], directory)
    t.equal(again.store.slow.tip.hash, newest)
    await home.tick()
    await waitUntil('the barn has the next', () => agree(home, barn))
    t.strictSame(barn.sendersOf(tick), [CARRIER.account])
  },
)

t.test('a broker that does not know it as a validator cuts it off, and it says what to do', async (t) => {
  const [home, barn] = await sites(t)
  const stranger = signer(9)
  const { lines } = await startCarrier(t, [home, barn], temporary(t), stranger)
  const remedies = () => lines.filter(({ event }) => event.startsWith('cut off'))
  await waitUntil(
    'it says so for both',
    () => new Set(remedies().map(({ fields }) => fields.broker)).size === 2,
  )
  t.match(remedies()[0], {
    level: 'warn',
    fields: { broker: /^mqtt:/, remedy: `start the broker with --validator ${stranger.account}` },
  })
})

t.test('only two ledgers with one hand can be joined; else the fault names both hands', async (t) => {
  const home = testNetwork(handedGenesis({ name: 'home' }))
  const barn = testNetwork(handedGenesis({ name: 'barn' }))
  t.equal(sharedHand(home, barn).id, home.hand?.id)
  const other = testNetwork(handedGenesis({ name: 'other', hand: handGenesis({ name: 'other' }) }))
  const message = (join: () => unknown): string => {
    try {
      join()
    } catch (error) {
      t.ok(error instanceof WorldError && error.code === 'config')
      return String(error)
    }
    return ''
  }
  const differ = message(() => sharedHand(home, other))
  t.match(differ, home.hand?.id)
  t.match(differ, other.hand?.id)
  t.match(
    message(() => sharedHand(home, testNetwork())),
    /\(test\) has no slow hand/,
  )
  t.match(
    message(() => sharedHand(home, home)),
    /both genesis files are of network/,
  )
})
