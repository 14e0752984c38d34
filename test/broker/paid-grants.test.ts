import t from 'tap'
import { type Entry, PaidGrants } from '../../broker/paid-grants.ts'
import { encode } from '../../schemas/codec.ts'
import { GRANT_SENSORS_MAX, type Grant, grant } from '../../schemas/grant.ts'
import { type Account, type Network, ZERO_HASH } from '../../schemas/hex.ts'
import { tip } from '../../schemas/message.ts'
import { invariant } from '../../schemas/result.ts'
import { mirror, parseTopic, topic } from '../../schemas/topic.ts'
import { NETWORK, signerOf } from './running-broker.ts'

const [first, second, seller, buyer] = [1, 2, 3, 4].map((seed) => signerOf(seed).account) as [
  Account,
  Account,
  Account,
  Account,
]

function bench(grantsPerValidatorMax = 100) {
  const clock = { ms: 1000 }
  const grants = new PaidGrants({ grantsPerValidatorMax }, () => clock.ms)
  const hear = (validator: Account, sensors: Grant['sensors'], to = buyer, network = NETWORK) =>
    grants.hear(
      parsed(topic(network, 'grant', validator, seller, to)),
      sensors.length === 0 ? new Uint8Array(0) : encode(grant, { seller, buyer: to, height: 1, sensors }),
    )
  const until = (sensor: string, by = buyer): number | undefined =>
    grants.buyersOf(NETWORK, seller, sensor)?.get(by)?.until
  return { clock, grants, hear, until }
}

function parsed(name: string) {
  const found = parseTopic(name)
  invariant(found !== undefined, name)
  return found
}

function tipAt(time: number): Uint8Array {
  const hash = ZERO_HASH
  return encode(tip, {
    ...{ height: 1, hash, parent: hash, time, miner: seller, target: 1n, work: 1n },
    ...{ stateRoot: hash, transactions: 0, readings: 0, supply: 0 },
  })
}

t.test('what a validator says of a pair replaces what it said before', async (t) => {
  const { grants, hear, until } = bench()
  hear(first, [
    { sensor: 'soil', until: 10 },
    { sensor: 'air', until: 20 },
  ])
  t.strictSame([until('soil'), until('air'), grants.size], [10, 20, 2])
  hear(first, [{ sensor: 'air', until: 15 }])
  t.strictSame([until('soil'), until('air'), grants.size], [undefined, 15, 1])
  hear(first, [])
  t.strictSame([until('air'), grants.size], [undefined, 0])
  t.equal(grants.buyersOf(NETWORK, seller, 'air'), undefined, 'nothing is left of it')
})

t.test('the longest of several validators counts, in whatever order they speak', async (t) => {
  for (const order of [
    [first, second],
    [second, first],
  ]) {
    const { grants, hear, until } = bench()
    for (const validator of order) hear(validator, [{ sensor: 'soil', until: validator === first ? 10 : 20 }])
    t.strictSame([until('soil'), grants.size], [20, 1])
    hear(second, [{ sensor: 'soil', until: 5 }])
    t.equal(until('soil'), 10)
    hear(first, [])
    t.equal(until('soil'), 5)
    hear(second, [])
    t.equal(until('soil'), undefined)
  }
})

t.test('a sensor that is named twice counts once, with the longest time', async (t) => {
  const { grants, hear, until } = bench()
  hear(first, [
    { sensor: 'soil', until: 20 },
    { sensor: 'soil', until: 10 },
  ])
  t.strictSame([until('soil'), grants.size], [20, 1])
  hear(first, [])
  t.strictSame([until('soil'), grants.size], [undefined, 0])
})

t.test('networks are apart', async (t) => {
  const { grants, hear, until } = bench()
  hear(first, [{ sensor: 'soil', until: 10 }], buyer, '0badbeef' as Network)
  t.equal(until('soil'), undefined)
  t.equal(grants.size, 1)
})

t.test('the mirror of a grant says nothing', async (t) => {
  const { grants } = bench()
  const payload = encode(grant, { seller, buyer, height: 1, sensors: [{ sensor: 'soil', until: 10 }] })
  const name = mirror(topic(NETWORK, 'grant', first, seller, buyer))
  t.equal(grants.hear(parsed(name), payload), undefined)
  t.equal(grants.size, 0)
})

t.test('a grant for another pair than its topic names is none', async (t) => {
  const { grants } = bench()
  const name = parsed(topic(NETWORK, 'grant', first, seller, buyer))
  const sensors = [{ sensor: 'soil', until: 10 }]
  for (const pair of [
    { seller, buyer: second },
    { seller: second, buyer },
  ])
    t.equal(grants.hear(name, encode(grant, { ...pair, height: 1, sensors })), 'bad-grant')
  t.equal(grants.size, 0)
})

t.test('a validator has so many, and room again for what it takes back', async (t) => {
  const { grants, hear } = bench(3)
  const sensors = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ sensor: `s${index}`, until: 10 }))
  const third = signerOf(5).account
  t.equal(hear(first, sensors(2)), undefined)
  t.equal(hear(first, sensors(2), third), 'grants-full')
  t.equal(hear(first, sensors(1), third), undefined)
  t.equal(hear(first, sensors(3)), 'grants-full')
  t.equal(hear(second, sensors(3)), undefined, 'another has room of its own')
  t.equal(hear(first, []), undefined)
  t.equal(hear(first, sensors(2), third), undefined)
  t.equal(grants.size, 5)
})

t.test('the largest grant is heard, a larger one is none', async (t) => {
  const { grants, hear } = bench()
  const sensors = Array.from({ length: GRANT_SENSORS_MAX }, (_, index) => ({
    sensor: `${index}`.padEnd(32, 'x'),
    until: 10,
  }))
  t.equal(hear(first, sensors), undefined)
  t.equal(grants.size, GRANT_SENSORS_MAX)
  const name = parsed(topic(NETWORK, 'grant', first, seller, buyer))
  t.equal(grants.hear(name, new Uint8Array(2000)), 'bad-grant')
  t.equal(grants.size, GRANT_SENSORS_MAX, 'and what was said before stays')
})

t.test(
  'the time is the later of the clock and the newest tip, and a tip that went back counts as it is',
  async (t) => {
    const { clock, grants } = bench()
    const hearTip = (validator: Account, time: number) =>
      grants.hear(parsed(topic(NETWORK, 'tip', validator)), tipAt(time))
    t.equal(grants.nowMs, 1000)
    hearTip(first, 5000)
    t.equal(grants.nowMs, 5000)
    hearTip(second, 3000)
    t.equal(grants.nowMs, 5000)
    hearTip(first, 4000)
    t.equal(grants.nowMs, 4000)
    clock.ms = 6000
    t.equal(grants.nowMs, 6000)
    grants.hear(parsed(topic(NETWORK, 'tip', first)), new Uint8Array(3))
    t.equal(grants.nowMs, 6000, 'noise is no tip')
  },
)

t.test(
  'what is over by the ledger’s time is forgotten, what is over by the clock’s alone is not',
  async (t) => {
    const { clock, grants, hear, until } = bench()
    hear(first, [
      { sensor: 'soil', until: 2000 },
      { sensor: 'air', until: 9000 },
    ])
    hear(second, [{ sensor: 'soil', until: 3000 }])
    clock.ms = 5000
    grants.expire()
    t.equal(until('soil'), 3000)
    grants.hear(parsed(topic(NETWORK, 'tip', first)), tipAt(2000))
    grants.expire()
    t.strictSame([until('soil'), grants.size], [3000, 2])
    grants.hear(parsed(topic(NETWORK, 'tip', first)), tipAt(3000))
    grants.expire()
    t.strictSame([until('soil'), until('air'), grants.size], [undefined, 9000, 1])
  },
)

t.test('whoever holds what it was given sees by the version that it is old', async (t) => {
  const { grants, hear } = bench()
  const seen: (ReadonlyMap<string, Entry> | undefined)[] = []
  const versions = new Set<number>()
  for (const sensors of [[{ sensor: 'soil', until: 10 }], [], [{ sensor: 'soil', until: 20 }]]) {
    hear(first, sensors)
    seen.push(grants.buyersOf(NETWORK, seller, 'soil'))
    versions.add(grants.version)
  }
  t.equal(versions.size, 3)
  t.strictSame(
    seen.map((each) => each?.size),
    [0, undefined, 1],
  )
})
