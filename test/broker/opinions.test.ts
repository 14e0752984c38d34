/** A validator's opinions on a real broker: said, kept, taken into the market, and known again after a start. */
import t from 'tap'
import { Opinions } from '../../broker/opinions.ts'
import { readMarket } from '../../cli/offers.ts'
import { signOffer } from '../../ledger/offer.ts'
import type { Signer } from '../../node/signing.ts'
import type { OfferItem } from '../../schemas/offer.ts'
import { quality as qualitySchema } from '../../schemas/quality.ts'
import { parseTopic } from '../../schemas/topic.ts'
import { join } from '../broker/running-broker.ts'
import { fakeTime } from '../helpers/fake-time.ts'
import { alice, START_MS, TestChain } from '../helpers/ledger.ts'
import { Rig, recordingLog } from '../helpers/rig.ts'
import { waitUntil } from '../helpers/wait-until.ts'

const READINGS = 20

/** So many readings of a sensor, for one block. */
const readings = (chain: TestChain, by: Signer, first = 0) =>
  Array.from({ length: READINGS }, (_, at) => {
    const value = { mantissa: 2_000 + 7 * ((at * 13) % 11), exponent: -2 }
    const sample = {
      sensor: 'soil',
      sequence: first + at,
      value,
      unit: '%',
      time: START_MS,
      synchronised: true,
    }
    return chain.reading(by, { nonce: chain.nonceOf(by.account) + at, sample } as never)
  })

const soil: OfferItem = {
  ...{ type: 'readings', name: 'soil', price: 5, confirmations: 1, place: 'bed', terms: '' },
  ...{ unit: '%', everyMs: 500, count: 1 },
}

t.test('an opinion stands on the broker, and in the market', async (t) => {
  const rig = await Rig.start(t)
  const running = await rig.validator()
  const { network } = rig.chain
  const device = await rig.device(alice)
  const nowMs = rig.chain.nowMs
  const offer = { from: alice.account, time: nowMs, until: nowMs + 600_000, name: 'probe', items: [soil] }
  await device.send('offer', signOffer(network, offer, alice.sign).bytes, { retain: true, qos: 1 })
  await rig.mine([running], readings(rig.chain, alice))
  const person = await join(t, rig.broker)
  const heard: { validator: string; value: unknown; retain: boolean }[] = []
  person.on('message', (name, payload, { retain }) => {
    const parsed = parseTopic(name)
    if (parsed?.kind === 'quality')
      heard.push({ validator: parsed.publisher, value: JSON.parse(String(payload)), retain })
  })
  await waitUntil('the opinion is said', () => running.validator.node.inSync)
  const look = async () => {
    await person.unsubscribeAsync('pinledger/+/quality/+/+/json')
    await person.subscribeAsync('pinledger/+/quality/+/+/json')
  }
  await look()
  await waitUntil('a person hears it', () => heard.length > 0)
  const { validator, value } = heard[0] ?? {}
  t.equal(validator, running.signer.account)
  t.match(qualitySchema.parse(value), {
    device: alice.account,
    height: 1,
    sensors: [{ sensor: 'soil', place: 'bed', readings: READINGS, score: 100, neighbours: 0 }],
  })
  heard.length = 0
  await look()
  await waitUntil('who comes later hears it too', () => heard.some(({ retain }) => retain))
  const { listings } = await readMarket({ url: rig.url }, undefined, recordingLog().log, () => nowMs)
  t.match(listings, [{ name: 'probe', score: { score: 100, neighbours: 0 } }])
})

t.test('a start looks back on the last blocks; nothing is said while catching up', async (t) => {
  const test = new TestChain()
  test.grow(1, readings(test, alice))
  const time = fakeTime()
  let inSync = false
  const said: string[] = []
  const opinions = new Opinions({
    chain: test.chain,
    inSync: () => inSync,
    account: alice.account,
    retained: (_name, make) =>
      void said.push(...make().map(({ payload }) => new TextDecoder().decode(payload))),
    now: () => test.nowMs,
    timers: time,
    onFatal: (error) => t.fail('failed', { error }),
  })
  t.teardown(() => opinions.stop())
  opinions.start()
  await time.pass(5_000)
  t.strictSame(said, [])
  inSync = true
  await time.pass(1_000)
  t.match(JSON.parse(said[0] ?? ''), { sensors: [{ readings: READINGS, score: 100 }] })
  opinions.publishAll()
  t.equal(said.length, 2, 'again, to a broker that may have forgotten')
  t.equal(said[1], said[0])
})
