import t from 'tap'
import { createRefusals } from '../../broker/refusals.ts'
import type { Fields } from '../../node/log.ts'

t.test('every refusal is counted, so many are logged, the rest is summed up', async (t) => {
  const lines: Fields[] = []
  const write = (_event: string, fields: Fields = {}) => void lines.push(fields)
  const clock = { ms: 0 }
  const refusals = createRefusals({ debug: write, info: write, warn: write, error: write }, () => clock.ms)
  for (let count = 0; count < 70; count++) refusals.refuse('foreign-name', { client: 'x' })
  t.equal(lines.length, 50)
  t.same(lines[0], { reason: 'foreign-name', client: 'x' })
  clock.ms = 10_000
  refusals.refuse('bad-text', {})
  t.same(lines.slice(50), [{ reason: 'and-more', lines: 20 }, { reason: 'bad-text' }])
  t.same(
    [...refusals.counts],
    [
      ['foreign-name', 70],
      ['bad-text', 1],
    ],
  )
})
