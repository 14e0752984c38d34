import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readGenesis, writeGenesis } from '../../node/genesis-file.ts'
import { testGenesis } from '../helpers/ledger.ts'
import { temporary } from '../helpers/processes.ts'

t.test('what is written is read, and an existing file is never replaced', (t) => {
  const path = join(temporary(t), 'genesis.json')
  const genesis = testGenesis()
  writeGenesis(path, genesis)
  t.strictSame(readGenesis(path), genesis)
  t.match(readFileSync(path, 'utf8'), /^\{\n {2}"version": 1,\n/, 'people can read it')
  t.throws(() => writeGenesis(path, genesis), { code: 'EEXIST' })
  t.end()
})

t.test('a bad file is named with its field and what to do', (t) => {
  const folder = temporary(t)
  const path = join(folder, 'genesis.json')
  t.throws(() => readGenesis(path), { code: 'config', message: /cannot read genesis .*copy the file from/ })
  writeFileSync(path, '{ not json')
  t.throws(() => readGenesis(path), { code: 'config', message: path })
  writeGenesis(join(folder, 'good.json'), testGenesis())
  const good = JSON.parse(readFileSync(join(folder, 'good.json'), 'utf8')) as Record<string, unknown>
  for (const [field, value] of [
    ['interval', 'soon'],
    ['interval', -1],
    ['target', 'ff'],
    ['surprise', 1],
  ] as const) {
    writeFileSync(path, JSON.stringify({ ...good, [field]: value }))
    t.throws(() => readGenesis(path), { code: 'config', message: new RegExp(`${path}:\n.*${field}`) })
  }
  t.end()
})

t.test('a genesis that is larger than its limit is refused', (t) => {
  const path = join(temporary(t), 'genesis.json')
  const amount = 1
  const account = testGenesis().allocations[0]?.account ?? ''
  const allocations = Array.from({ length: 10_001 }, () => ({ account, amount }))
  const good = JSON.parse(
    JSON.stringify({ ...testGenesis(), target: '', targetMax: '', allocations }),
  ) as object
  writeFileSync(path, JSON.stringify(good))
  t.throws(() => readGenesis(path), { code: 'config' })
  t.end()
})
