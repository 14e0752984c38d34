/** The broken rules of test/system/mutations.ts can still be broken: the code has each of those places, once. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { fromRoot } from '../helpers/root.ts'
import { MUTATIONS } from '../system/mutations.ts'

t.test('each broken rule is in the code, once', async (t) => {
  for (const { name, file, find } of MUTATIONS)
    t.equal(readFileSync(fromRoot('build', file), 'utf8').split(find).length - 1, 1, `${name}: ${file}`)
})
