/** Encodings, signatures and the log's bytes, a fixed number of cases; test/system/fuzz.test.ts goes on from there. */
import t from 'tap'
import { appendLogProperties } from './append-log.ts'
import { codecNames, codecProperties } from './codec.ts'
import { runFixed } from './property.ts'
import { signatureProperties } from './signature.ts'

t.test('every message of the protocol is among the codecs', async (t) => {
  const known = ['header', 'block', 'genesis', 'transaction', 'coinbase', 'sample', 'tip', 'request', 'reply']
  for (const name of [...known, 'receipt', 'batchedSample', 'status', 'accountView', 'changes'])
    t.ok(codecNames.includes(name), name)
})

runFixed(t, 'test/property/formats.test.ts', [
  ...codecProperties,
  ...signatureProperties,
  ...appendLogProperties,
])
