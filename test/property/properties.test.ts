/**
 * Every property for a fixed small number of cases; test/system/fuzz.test.ts goes on from there.
 *
 * With PINLEDGER_SEED, as a failure prints it, only the case that it names.
 */
import t from 'tap'
import { codecNames } from './codec.ts'
import { PROPERTIES } from './list.ts'
import { FIXED_SEED, namedCase, report, SAVED } from './property.ts'

t.test('every message of the protocol is among the codecs', async (t) => {
  const known = ['header', 'block', 'genesis', 'transaction', 'coinbase', 'sample', 'tip', 'request', 'reply']
  for (const name of [...known, 'receipt', 'batchedSample', 'status', 'accountView', 'changes'])
    t.ok(codecNames.includes(name), name)
})

t.test('each property has a name of its own', async (t) => {
  t.equal(new Set(PROPERTIES.map(({ name }) => name)).size, PROPERTIES.length)
})

const named = namedCase(process.env.PINLEDGER_SEED)
if (named !== undefined)
  t.ok(
    PROPERTIES.some(({ name }) => name === named.name),
    `PINLEDGER_SEED names a property: ${named.name}`,
  )

for (const one of PROPERTIES) {
  if (named !== undefined && named.name !== one.name) continue
  t.test(`${one.name}: ${one.fact}`, async (t) => {
    report(t, one, one.check(named?.choice ?? { seed: FIXED_SEED, numRuns: one.runs }))
  })
}

for (const { property: name, smallest, found } of named === undefined ? SAVED : []) {
  const property = PROPERTIES.find((one) => one.name === name)
  t.ok(property, `the saved ${name} is a property`)
  if (smallest === undefined) continue
  t.doesNotThrow(() => property?.holds(smallest), `${name} holds where once ${found}`)
}

t.test('a seed as a failure prints it is read; one that cannot be is refused', async (t) => {
  t.equal(namedCase(undefined), undefined)
  t.equal(namedCase(''), undefined)
  t.strictSame(namedCase('state:-5:17'), {
    name: 'state',
    choice: { seed: -5, numRuns: 1, path: '17' },
  })
  t.match(namedCase('state:7'), { name: 'state', choice: { seed: 7 } })
  for (const bad of ['7', 'state', 'state:x', 'state:7:a', 'state:7:1:2'])
    t.throws(() => namedCase(bad), /PINLEDGER_SEED/)
})
