import t from 'tap'
import { ANONYMOUS, type Identity, mayPublish, maySubscribe } from '../../broker/access.ts'
import type { Account, Network } from '../../schemas/hex.ts'
import { CHALLENGE_TOPIC, KINDS, type Kind, mirror, topic } from '../../schemas/topic.ts'

const NETWORK = '0badcafe' as Network
const ME = 'a'.repeat(64) as Account
const OTHER = 'b'.repeat(64) as Account
const DEVICE: Identity = { kind: 'device', account: ME }
const VALIDATOR: Identity = { kind: 'validator', account: ME }

const name = (kind: Kind, account: Account): string =>
  topic(NETWORK, kind, account, ...Array<string>(KINDS[kind].levels).fill(OTHER))
const verdict = (identity: Identity, text: string, retain = false): string => {
  const result = mayPublish(identity, text, retain)
  return result.ok ? 'ok' : result.fault.code
}

t.test('every kind of topic, for every identity, binary and mirror', async (t) => {
  for (const kind of Object.keys(KINDS) as Kind[]) {
    const system = KINDS[kind].publisher === 'validator'
    for (const text of [name(kind, ME), mirror(name(kind, ME))]) {
      t.equal(verdict(ANONYMOUS, text), 'anonymous-publish', text)
      t.equal(verdict(DEVICE, text), system ? 'validators-only' : 'ok', text)
      t.equal(verdict(VALIDATOR, text), 'ok', text)
      t.equal(verdict(VALIDATOR, text, true), KINDS[kind].retained ? 'ok' : 'retained-event', text)
    }
    t.equal(verdict(DEVICE, name(kind, OTHER)), 'foreign-name')
    t.equal(verdict(VALIDATOR, name(kind, OTHER)), 'foreign-name')
  }
})

t.test('what is not in the tree is nobody’s', async (t) => {
  const texts = [
    CHALLENGE_TOPIC,
    'x',
    '$SYS/x',
    `${name('tx', ME)}/more`,
    `pinledger/${NETWORK}/constructor/${ME}`,
  ]
  for (const text of texts) {
    t.equal(verdict(DEVICE, text), 'unknown-topic', text)
    t.equal(verdict(VALIDATOR, text), 'unknown-topic', text)
  }
})

t.test('everybody reads everything but system topics', async (t) => {
  for (const filter of ['#', 'pinledger/#', '+/+/tx/+', CHALLENGE_TOPIC])
    t.equal(maySubscribe(filter).ok, true, filter)
  for (const filter of ['$SYS/#', '$SYS/+/new/clients', '$share/g/#', '$$'])
    t.match(maySubscribe(filter), { fault: { code: 'system-topic' } })
  for (const filter of ['a+', '#/x', ''])
    t.match(maySubscribe(filter), { fault: { code: 'malformed-filter' } })
})
