import t from 'tap'
import { LIMITS, type Limits } from '../../broker/limits.ts'
import { RetainedMessages } from '../../broker/retained.ts'
import type { Account } from '../../schemas/hex.ts'
import { CHALLENGE_TOPIC, topic } from '../../schemas/topic.ts'
import { NETWORK, signerOf } from './running-broker.ts'

const pump = signerOf(1).account
const judge = signerOf(3).account
const bench = (limits: Partial<Limits> = {}) =>
  new RetainedMessages({ ...LIMITS, ...limits }, new Set([judge]))
const sensor = (account: Account, name: string) => topic(NETWORK, 'sensor', account, name)
const message = (name: string, payload: string | Buffer) => ({
  cmd: 'publish',
  topic: name,
  payload: Buffer.from(payload),
  qos: 0 as const,
  retain: true,
  dup: false,
})

t.test('replaces, deletes with an empty payload, and counts', async (t) => {
  const retained = bench()
  retained.store(message(sensor(pump, 'a'), 'one'))
  retained.store(message(sensor(pump, 'a'), 'second'))
  retained.store(message(sensor(pump, 'b'), 'x'))
  t.equal(retained.count, 2)
  t.match([...retained.matching(sensor(pump, 'a'))], [{ payload: Buffer.from('second') }])
  t.equal([...retained.matching('pinledger/#')].length, 2)
  t.same([...retained.matching('other')], [])
  retained.store(message(sensor(pump, 'a'), ''))
  retained.store(message(sensor(pump, 'b'), ''))
  retained.store(message(sensor(pump, 'c'), ''))
  t.equal(retained.count, 0)
  t.equal(retained.bytes, 0)
})

t.test('one device cannot fill the room, by messages or by bytes', async (t) => {
  const few = bench({ retainedPerDeviceMax: 1 })
  few.store(message(sensor(pump, 'a'), 'x'))
  t.equal(few.verdict(sensor(pump, 'b'), 1), 'own-quota')
  t.equal(few.verdict(sensor(pump, 'a'), 1), 'store', 'replacing is no further message')
  few.store(message(sensor(pump, 'b'), 'x'))
  t.equal(few.count, 1, 'store keeps the quota itself')
  const small = bench({ retainedPerDeviceBytesMax: 1000 })
  t.equal(small.verdict(sensor(pump, 'a'), 1000), 'own-quota')
})

t.test('all devices together leave the validators their room, and the broker its challenge', async (t) => {
  const retained = bench({ retainedDevicesBytesMax: 500, retainedPerValidatorMax: 1 })
  retained.store(message(sensor(pump, 'a'), 'x'))
  t.equal(retained.verdict(sensor(signerOf(2).account, 'a'), 100), 'devices-full')
  const tip = topic(NETWORK, 'tip', judge)
  t.equal(retained.verdict(tip, 100), 'store')
  retained.store(message(tip, 'x'))
  t.equal(retained.verdict(`${tip}/json`, 100), 'own-quota')
  t.equal(retained.verdict(CHALLENGE_TOPIC, 64), 'store')
})

t.test('a retained message does not keep the network buffer that it came in', async (t) => {
  const retained = bench()
  const slab = Buffer.alloc(65_536, 1)
  retained.store({ ...message(sensor(pump, 'a'), ''), payload: slab.subarray(0, 4) })
  slab.fill(2)
  t.match([...retained.matching('#')], [{ payload: Buffer.alloc(4, 1) }])
})
