/**
 * The properties of test/property for as long as they are given, from a new seed each time, and every saved seed.
 *
 * PINLEDGER_FUZZ_SECONDS is the time for each property, 5 by default; a night is `PINLEDGER_FUZZ_SECONDS=1500
 * npm run test:one -- system/fuzz --timeout=0`. A failure prints the command that replays it;
 * once it is mended, its seed goes into test/property/seeds.json, with what it found and the smallest case.
 */
import { randomInt } from 'node:crypto'
import t from 'tap'
import { PROPERTIES } from '../property/list.ts'
import { report, SAVED } from '../property/property.ts'

const seconds = Number(process.env.PINLEDGER_FUZZ_SECONDS ?? 5)
/** More cases than any night has time for. */
const CASES_MAX = 1_000_000_000

for (const { property: name, seed, runs } of SAVED) {
  t.test(`saved seed ${name}:${seed}, ${runs} cases`, async (t) => {
    const property = PROPERTIES.find((one) => one.name === name)
    if (property === undefined) t.fail(`no property is called ${name}`)
    else report(t, property, property.check({ seed, numRuns: runs }))
  })
}

for (const property of PROPERTIES) {
  t.test(`${property.name} for ${seconds} s: ${property.fact}`, async (t) => {
    const seed = randomInt(2 ** 31)
    // Before it begins, so that the seed is known also of a case that never ends.
    t.comment(`seed ${property.name}:${seed}`)
    const interruptAfterTimeLimit = 1000 * seconds
    report(t, property, property.check({ seed, numRuns: CASES_MAX, interruptAfterTimeLimit }))
  })
}
