import t from 'tap'
import { PaidGrants } from '../../broker/paid-grants.ts'
import { Readers } from '../../broker/readers.ts'
import { encode } from '../../schemas/codec.ts'
import { grant } from '../../schemas/grant.ts'
import { invariant } from '../../schemas/result.ts'
import { CHALLENGE_TOPIC, KINDS, type Kind, mirror, parseTopic, topic } from '../../schemas/topic.ts'
import { NETWORK, signerOf } from './running-broker.ts'

const [judge, seller, buyer, other] = [1, 2, 3, 4].map((seed) => signerOf(seed).account) as [
  ReturnType<typeof signerOf>['account'],
  ReturnType<typeof signerOf>['account'],
  ReturnType<typeof signerOf>['account'],
  ReturnType<typeof signerOf>['account'],
]

function bench() {
  const clock = { ms: 1000 }
  const grants = new PaidGrants({ grantsPerValidatorMax: 100 }, () => clock.ms)
  const give = (until: number) => {
    const parsed = parseTopic(topic(NETWORK, 'grant', judge, seller, buyer))
    invariant(parsed !== undefined, 'a topic')
    grants.hear(parsed, encode(grant, { seller, buyer, height: 1, sensors: [{ sensor: 'soil', until }] }))
  }
  return { clock, give, readers: new Readers(grants) }
}

t.test('every kind is for everybody, for payers or for whom it names, as the topic table says', async (t) => {
  const { readers } = bench()
  for (const kind of Object.keys(KINDS) as Kind[]) {
    const rules = KINDS[kind]
    const name = topic(NETWORK, kind, seller, ...Array<string>(rules.levels).fill(buyer))
    const expected =
      'readers' in rules ? (rules.readers === 'payers' ? 'not-paid' : 'not-addressed') : undefined
    for (const each of [name, mirror(name)]) {
      t.equal(readers.withheld(each, other), expected, `${kind}: another`)
      t.equal(readers.withheld(each, undefined), expected, `${kind}: nobody`)
      t.equal(readers.withheld(each, seller), undefined, `${kind}: its publisher`)
      t.equal(
        readers.withheld(each, buyer),
        expected === 'not-paid' ? expected : undefined,
        `${kind}: whom it names`,
      )
      t.equal(readers.isOpen(each), expected === undefined, kind)
    }
  }
  t.strictSame(
    (Object.keys(KINDS) as Kind[]).filter((kind) => 'readers' in KINDS[kind]),
    ['paid', 'channel', 'key', 'file'],
  )
})

t.test('what the broker itself says is for everybody', async (t) => {
  const { readers } = bench()
  t.equal(readers.withheld(CHALLENGE_TOPIC, undefined), undefined)
})

t.test(
  'a grant opens its topic and mirror to its buyer until it is over, though asked again and again',
  async (t) => {
    const { clock, give, readers } = bench()
    const name = topic(NETWORK, 'paid', seller, 'soil')
    const asked = (account = buyer) => [name, mirror(name)].map((each) => readers.withheld(each, account))
    t.strictSame(asked(), ['not-paid', 'not-paid'])
    give(2000)
    t.strictSame(asked(), [undefined, undefined])
    t.strictSame(asked(other), ['not-paid', 'not-paid'])
    t.equal(readers.withheld(topic(NETWORK, 'paid', seller, 'air'), buyer), 'not-paid')
    clock.ms = 1999
    t.strictSame(asked(), [undefined, undefined])
    clock.ms = 2000
    t.strictSame(asked(), ['not-paid', 'not-paid'])
    give(3000)
    t.strictSame(asked(), [undefined, undefined])
  },
)

t.test('what changes between two messages on one topic counts for the second', async (t) => {
  const { clock, give, readers } = bench()
  const name = topic(NETWORK, 'paid', seller, 'soil')
  t.equal(readers.withheld(name, buyer), 'not-paid')
  give(2000)
  t.equal(readers.withheld(name, buyer), undefined)
  give(1000)
  t.equal(readers.withheld(name, buyer), 'not-paid')
  give(2000)
  t.equal(readers.withheld(name, buyer), undefined)
  clock.ms = 2000
  t.equal(readers.withheld(name, buyer), 'not-paid')
})
