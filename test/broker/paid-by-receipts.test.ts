/** From a seller's receipt on the ledger to the buyer's screen: validators and broker together. */
import t, { type Test } from 'tap'
import { decode } from '../../schemas/codec.ts'
import { GRANT_BYTES_MAX, grant } from '../../schemas/grant.ts'
import { parseTopic, topic } from '../../schemas/topic.ts'
import { carol as buyer, START_MS, alice as seller, TestChain } from '../helpers/ledger.ts'
import { soldTopic } from '../helpers/receipts.ts'
import { Rig, type RunningValidator } from '../helpers/rig.ts'
import { waitUntil } from '../helpers/wait-until.ts'
import { closed, ear } from './paid.ts'
import { join, login } from './running-broker.ts'

const UNTIL = START_MS + 86_400_000
// The broker's clock is that of the blocks.
const modules = { clock: () => START_MS }

async function scene(t: Test) {
  const rig = await Rig.start(t, {}, { modules })
  const name = topic(rig.chain.network.id, 'paid', seller.account, 'soil')
  const selling = await login(t, rig.broker, seller, { suffix: '-sells' })
  const reading = ear(await login(t, rig.broker, buyer, { suffix: '-reads' }))
  await reading.client.subscribeAsync('#', { qos: 1 })
  const granted = (count: number) =>
    waitUntil(`the broker has ${count} grants`, () => rig.broker.broker.stats().grants === count)
  const offer = (what: string) => selling.publishAsync(name, what, { qos: 1 })
  return { rig, reading, granted, offer }
}

t.test('a confirmed receipt opens the topic, and a reorganisation closes it', async (t) => {
  const { rig, reading, granted, offer } = await scene(t)
  const running = await rig.validator()
  await offer('not yet')
  await rig.mine([running], [soldTopic(rig.chain, seller, buyer.account, { until: UNTIL })])
  await granted(1)
  await offer('paid')
  const rival = new TestChain(rig.chain.network)
  rival.grow(2, [], buyer)
  const miner = await rig.device(buyer)
  for (const height of [1, 2]) {
    const hash = rival.chain.at(height)?.hash ?? rig.chain.network.block0Hash
    await miner.send('block', rival.archive.block(hash), { qos: 1 })
  }
  await waitUntil(
    'it is on the other branch',
    () => running.validator.node.chain.tip.hash === rival.chain.tip.hash,
  )
  await granted(0)
  await offer('taken back')
  await offer('still')
  await waitUntil('paid came', () => closed(reading).length > 0)
  t.strictSame(closed(reading), ['paid'])
})

t.test(
  'a new broker hears all grants at the next connect, also from blocks that were stored before a restart',
  async (t) => {
    const { rig } = await scene(t)
    const running = await rig.validator()
    await rig.mine([running], [soldTopic(rig.chain, seller, buyer.account, { until: UNTIL })])
    await rig.mine([running])
    await running.stop()
    const another = await Rig.start(t, rig.genesis, { modules })
    const again: RunningValidator = await another.validator(1, running.path)
    await waitUntil('it is granted', () => another.broker.broker.stats().grants === 1)
    t.equal(again.validator.grants.size, 1)
    const late = await join(t, another.broker)
    const found: Buffer[] = []
    late.on('message', (name, payload) => {
      if (parseTopic(name)?.json === false) found.push(payload)
    })
    await late.subscribeAsync('pinledger/+/grant/#', { qos: 1 })
    await waitUntil('it is retained', () => found.length > 0)
    t.match(decode(grant, found[0] ?? Buffer.alloc(0), GRANT_BYTES_MAX), {
      ok: true,
      value: {
        seller: seller.account,
        buyer: buyer.account,
        height: 2,
        sensors: [{ sensor: 'soil', until: UNTIL }],
      },
    })
  },
)

t.test('with two validators the topic opens with the first and closes with the last', async (t) => {
  const { rig, reading, granted, offer } = await scene(t)
  const first = await rig.validator(1)
  await rig.mine([first], [soldTopic(rig.chain, seller, buyer.account, { until: UNTIL })])
  await granted(1)
  const second = await rig.validator(2)
  await waitUntil('it has caught up', () => rig.agrees(second) && second.validator.grants.size === 1)
  await first.stop()
  await offer('one is left')
  await second.stop()
  await offer('what they said stays')
  await waitUntil('both came', () => closed(reading).length === 2)
  t.equal(rig.broker.broker.stats().grants, 1)
})
