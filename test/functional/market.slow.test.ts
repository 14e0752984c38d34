/** Offers of running agents over real brokers: ours, and one of another make on which anybody may say anything. */
import { join } from 'node:path'
import { connectAsync } from 'mqtt'
import t, { type Test } from 'tap'
import { findOffer, readMarket } from '../../cli/offers.ts'
import { Agent } from '../../edge-agent/agent.ts'
import { Catalogue } from '../../edge-agent/catalogue.ts'
import { MINER_DEFAULTS } from '../../edge-agent/miner.ts'
import { Outbox } from '../../edge-agent/outbox.ts'
import { Outputs } from '../../edge-agent/outputs/outputs.ts'
import { signOffer } from '../../ledger/offer.ts'
import { ChainStore } from '../../node/chain-store.ts'
import { openDisk } from '../../node/disk.ts'
import { createKey } from '../../node/key-file.ts'
import { replaceableLog } from '../../node/replaceable-log.ts'
import type { Signer } from '../../node/signing.ts'
import { systemTimers } from '../../node/timers.ts'
import { encode } from '../../schemas/codec.ts'
import { genesis as genesisCodec } from '../../schemas/genesis.ts'
import { type Offer, type OfferItem, offer as offerCodec } from '../../schemas/offer.ts'
import { mirror, topic } from '../../schemas/topic.ts'
import { startBroker } from '../helpers/challenge-broker.ts'
import { alice, bob, carol, signer, testNetwork } from '../helpers/ledger.ts'
import { run, temporary } from '../helpers/processes.ts'
import { Rig, recordingLog } from '../helpers/rig.ts'
import { runAgent } from '../helpers/running-agent.ts'

const common = { price: 5_000_000, confirmations: 1, place: 'greenhouse', terms: '' }
const soil: OfferItem = {
  ...{ type: 'readings', name: 'soil', ...common, unit: '%', everyMs: 500, count: 0 },
}
const lamp: OfferItem = { type: 'output', name: 'lamp', ...common, secondsMin: 10, secondsMax: 600 }

/** An agent that has nothing but an offer. */
async function seller(t: Test, rig: Rig, of: Signer, name: string, item: OfferItem) {
  const { log } = recordingLog()
  const data = temporary(t)
  const store = new ChainStore(openDisk(data), rig.genesis)
  const lines = { start: () => {}, drive: () => {}, stop: async () => {} }
  // Offers are good by everybody's clock: the person's who looks is that of this machine.
  const clock = { ...rig.clock(), now: Date.now }
  const agent = new Agent(
    {
      session: { url: rig.url, backoff: { baseMs: 20, capMs: 100, stableMs: 1_000 } },
      ...{ name, software: 'test', signer: of, sensors: [], mining: { ...MINER_DEFAULTS, duty: 0 } },
    },
    {
      store,
      outbox: new Outbox(replaceableLog(join(data, 'outbox.log')), store.chain, of),
      trades: [(desk) => new Catalogue(desk, name, () => [item])],
      outputs: new Outputs([], { lines, clock, timers: systemTimers, log }),
      ...{ clock, random: Math.random, log, onFatal: (error) => t.fail('the agent failed', { error }) },
    },
  )
  const stop = await runAgent(t, agent, store)
  return { stop }
}

t.test('two agents offer, a person finds what they sell, and who stops is gone', async (t) => {
  const rig = await Rig.start(t)
  await rig.validator()
  await seller(t, rig, alice, 'probe', soil)
  const porch = await seller(t, rig, bob, 'porch', lamp)
  const where = { url: rig.url }
  const { log } = recordingLog()
  let market = await readMarket(where, undefined, log)
  for (let looks = 0; looks < 20 && market.listings.length < 2; looks++)
    market = await readMarket(where, undefined, log)
  t.strictSame(market.leftOut, [])
  t.match(
    market.listings
      .map(({ name, seller, item, online }) => ({ name, seller, item, online }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    [
      { name: 'porch', seller: bob.account, item: lamp, online: true },
      { name: 'probe', seller: alice.account, item: soil, online: true },
    ],
  )
  t.match(await findOffer(where, { of: 'porch', kind: 'output', item: 'lamp' }, undefined, log), {
    ok: true,
    value: { seller: bob.account },
  })
  const key = join(temporary(t), 'visitor.json')
  createKey(key)
  const sold = ['--of', alice.account, '--broker', rig.url, '--key', key]
  const prices = ['--price', '0.0499', '--deposit', '1']
  for (const words of [
    ['channel', 'open', '--sensor', 'soil'],
    ['buy', 'readings', 'soil', '--count', '2'],
  ]) {
    const { code, err } = await run(t, [...words, ...sold, ...prices])
    t.equal(code, 2, 'nothing is put into a channel that its seller would refuse')
    t.match(err, /asks for 0\.05 a reading of soil, and serves none for 0\.0499/)
  }
  const enough = ['--sensor', 'soil', '--price', '0.05', '--deposit', '1']
  const { code, out } = await run(t, ['channel', 'open', ...enough, ...sold])
  t.match([code, out], [1, /the account has 0 coins and needs 1/], 'but for the coins it would be opened')

  const shown = await run(t, ['market', '--unit', '%', '--broker', rig.url])
  t.match(shown.out, /probe +8a88e3dd +readings +soil +% +0\.5 s +0\.05 a reading +- +- +yes +greenhouse/)
  t.notMatch(shown.out, 'porch')
  t.equal(shown.code, 0)
  await porch.stop()
  const left = await readMarket(where, undefined, log)
  t.strictSame(
    left.listings.map(({ name }) => name),
    ['probe'],
  )
  t.strictSame(left.leftOut, [])
})

t.test('on a broker that lets anybody say anything, only what its seller signed shows', async (t) => {
  const broker = await startBroker({ proof: false })
  t.teardown(() => broker.stop())
  const network = testNetwork()
  const anybody = await connectAsync(broker.url)
  t.teardown(() => anybody.endAsync(true))
  const say = (name: string, payload: Uint8Array) =>
    anybody.publishAsync(name, Buffer.from(payload), { qos: 1, retain: true })
  const time = Date.now()
  const offered = (by: Signer, facts: Partial<Offer> = {}, on = network) =>
    signOffer(
      on,
      { from: by.account, time, until: time + 60_000, name: 'x', items: [soil], ...facts },
      by.sign,
    )
  const on = (of: Signer) => topic(network.id, 'offer', of.account)
  await say(topic(network.id, 'genesis', carol.account), encode(genesisCodec, network.genesis))
  await say(on(alice), offered(alice).bytes)

  const cheaper = { ...offered(bob).offer, items: [{ ...soil, price: 1 }] }
  await say(on(bob), encode(offerCodec, cheaper))
  await say(on(carol), offered(alice).bytes)
  const [stale, foreign, noise] = [signer(11), signer(12), signer(13)]
  await say(on(stale), offered(stale, { time: time - 2, until: time - 1 }).bytes)
  await say(on(foreign), offered(foreign, {}, testNetwork({ name: 'other' })).bytes)
  await say(on(noise), new Uint8Array(300).fill(7))
  // A mirror alone is not signed by anybody.
  await say(
    mirror(on(signer(14))),
    new TextEncoder().encode(JSON.stringify(offerCodec.toJson(offered(alice).offer))),
  )

  const { listings, leftOut } = await readMarket({ url: broker.url }, undefined, recordingLog().log)
  t.match(listings, [{ seller: alice.account, online: undefined }])
  t.equal(listings.length, 1)
  const why = leftOut.map(({ publisher, code }) => [publisher, code]).sort()
  t.strictSame(
    why,
    [
      [bob.account, 'bad-signature'],
      [carol.account, 'foreign-name'],
      [stale.account, 'stale'],
      [foreign.account, 'wrong-network'],
      [noise.account, 'bad-encoding'],
    ].sort(),
  )
  const people = await run(t, ['market', '-v', '--broker', broker.url])
  t.match(people.out, /left out: .*1 bad-signature/)
  t.match(people.out, new RegExp(`${bob.account.slice(0, 8)}: bad-signature, signature: not`))
})
