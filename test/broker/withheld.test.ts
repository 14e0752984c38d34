import t from 'tap'
import { Withheld } from '../../broker/withheld.ts'
import type { Fields, Log } from '../../node/log.ts'

t.test('what is withheld is counted, and told once a minute by reason', async (t) => {
  const clock = { ms: 0 }
  const lines: Fields[] = []
  const write = (_event: string, fields: Fields = {}) => void lines.push(fields)
  const log: Log = { debug: write, info: write, warn: write, error: write }
  const withheld = new Withheld(log, () => clock.ms)
  withheld.tell()
  t.strictSame(lines, [], 'nothing to tell')
  for (let count = 0; count < 3; count++) withheld.count('not-paid')
  withheld.tell()
  t.strictSame(lines, [{ reason: 'not-paid', messages: 3 }], 'the first at once')
  withheld.count('not-paid')
  withheld.count('not-addressed')
  clock.ms = 59_999
  withheld.tell()
  t.equal(lines.length, 1)
  clock.ms = 60_000
  withheld.tell()
  t.strictSame(lines.slice(1), [
    { reason: 'not-paid', messages: 1 },
    { reason: 'not-addressed', messages: 1 },
  ])
  clock.ms = 120_000
  withheld.tell()
  t.equal(lines.length, 3, 'nothing new')
  t.strictSame(Object.fromEntries(withheld.counts), { 'not-paid': 4, 'not-addressed': 1 })
})
