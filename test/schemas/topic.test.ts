import t from 'tap'
import type { Network } from '../../schemas/hex.ts'
import {
  CHALLENGE_TOPIC,
  everyone,
  KINDS,
  type Kind,
  mirror,
  parseTopic,
  topic,
} from '../../schemas/topic.ts'

const network = '0badcafe' as Network
const account = 'ab'.repeat(32)
const kinds = Object.keys(KINDS) as Kind[]

t.test('every kind is parsed back, and so is its JSON mirror', async (t) => {
  for (const kind of kinds) {
    const rest = Array(KINDS[kind].levels).fill('soil-1')
    const name = topic(network, kind, account, ...rest)
    const parsed = { network, kind, publisher: account, rest, json: false }
    t.strictSame(parseTopic(name), parsed)
    t.strictSame(parseTopic(mirror(name)), { ...parsed, json: true })
  }
})

t.test('the second level after the root says who may publish', async (t) => {
  const validators = kinds.filter((kind) => KINDS[kind].publisher === 'validator')
  t.strictSame(validators.sort(), [
    'account',
    'checkpoint',
    'clock',
    'confirmed',
    'genesis',
    'grant',
    'hand',
    'members',
    'quality',
    'receipt',
    'refused',
    'tip',
  ])
})

t.test('state is retained, events are not', async (t) => {
  const retained = kinds.filter((kind) => KINDS[kind].retained)
  t.strictSame(retained.sort(), [
    'account',
    'checkpoint',
    'claim',
    'clock',
    'genesis',
    'grant',
    'hand',
    'lab',
    'lab-state',
    'members',
    'offer',
    'output',
    'quality',
    'sensor',
    'status',
    'tip',
    'tower',
    'vote',
    'wires',
  ])
})

t.test('the filter for everybody has as many levels as the binary topic', async (t) => {
  t.equal(everyone(network, 'tx'), `pinledger/0badcafe/tx/+`)
  t.equal(everyone(network, 'request'), `pinledger/0badcafe/request/+/+`)
})

t.test('a sensor called json is not a mirror', async (t) => {
  const name = topic(network, 'sensor', account, 'json')
  t.match(parseTopic(name), { rest: ['json'], json: false })
  t.match(parseTopic(mirror(name)), { rest: ['json'], json: true })
})

for (const bad of [
  '',
  'pinledger',
  CHALLENGE_TOPIC,
  `other/0badcafe/tx/${account}`,
  `pinledger/0BADCAFE/tx/${account}`,
  `pinledger/0badcaf/tx/${account}`,
  `pinledger/0badcafe/nonsense/${account}`,
  `pinledger/0badcafe/constructor/${account}`,
  `pinledger/0badcafe/tx/${account.toUpperCase()}`,
  `pinledger/0badcafe/tx/${account.slice(1)}`,
  `pinledger/0badcafe/tx/${account}0`,
  `pinledger/0badcafe/tx/+`,
  `pinledger/0badcafe/tx/${account}/`,
  `pinledger/0badcafe/tx/${account}/soil`,
  `pinledger/0badcafe/tx/${account}/json/json`,
  `pinledger/0badcafe/sensor/${account}`,
  `pinledger/0badcafe/sensor/${account}/`,
  `pinledger/0badcafe/sensor/${account}/+`,
  `pinledger/0badcafe/sensor/${account}/#`,
  `pinledger/0badcafe/sensor/${account}/Soil`,
  `pinledger/0badcafe/sensor/${account}/a b`,
  `pinledger/0badcafe/sensor/${account}/a\n`,
  `pinledger/0badcafe/sensor/${account}/${'x'.repeat(65)}`,
  `pinledger/0badcafe/sensor/${account}/a/b`,
  `pinledger/0badcafe/sensor/${account}/a/b/json`,
  `/pinledger/0badcafe/tx/${account}`,
]) {
  t.test(`not a topic of the tree: ${JSON.stringify(bad)}`, async (t) => {
    t.equal(parseTopic(bad), undefined)
  })
}
