/**
 * How a property is declared, run and replayed.
 *
 * A property is defined once and run twice: in `npm test` a fixed small number of times from a fixed seed, in
 * test/system/fuzz.test.ts from a new seed for as long as it is given. One variable names a failing case:
 * `PINLEDGER_SEED=<property>:<seed>:<path>`, where fast-check's path leads through generation and shrinking
 * straight to the smallest case that it found.
 */
import fc from 'fast-check'
import type { Test } from 'tap'

/** Seed of every property in `npm test`. */
const FIXED_SEED = 20_260_101
/** Characters of a counterexample that a failure shows. */
const SHOWN_MAX = 4000

export interface Property {
  /** One word, as in `PINLEDGER_SEED`. */
  readonly name: string
  /** What holds, for whoever reads the report. */
  readonly fact: string
  /** Cases in `npm test`. */
  readonly runs: number
  check(choice: Choice): fc.RunDetails<unknown>
}

/** Which cases to run. */
export interface Choice {
  readonly seed: number
  readonly path?: string
  readonly numRuns: number
  /** Milliseconds after which no further case begins. */
  readonly interruptAfterTimeLimit?: number
}

/** A saved case of test/property/seeds.json: `runs` cases from `seed`, and what they once found. */
export interface Saved {
  readonly property: string
  readonly seed: number
  readonly runs: number
  readonly found: string
}

/** Declares a property: `holds` throws, for instance an AssertionError, where it does not. */
export function property<T>(
  name: string,
  fact: string,
  runs: number,
  cases: fc.Arbitrary<T>,
  holds: (value: T) => void,
): Property {
  return {
    name,
    fact,
    runs,
    check: (choice) =>
      fc.check(
        fc.property(cases, (value) => {
          holds(value)
        }),
        choice,
      ),
  }
}

/** Runs each property as often as `npm test` does, or the one case that PINLEDGER_SEED names. `file` is the test's own. */
export function runFixed(t: Test, file: string, properties: readonly Property[]): void {
  const replayed = namedCase()
  for (const one of properties) {
    if (replayed !== undefined && replayed.name !== one.name) continue
    t.test(`${one.name}: ${one.fact}`, async (t) => {
      report(t, file, one, one.check(replayed?.choice ?? { seed: FIXED_SEED, numRuns: one.runs }))
    })
  }
}

/** The case that PINLEDGER_SEED names; undefined without that variable. */
function namedCase(): { name: string; choice: Choice } | undefined {
  const text = process.env.PINLEDGER_SEED
  if (text === undefined || text === '') return undefined
  const match = /^([a-z0-9-]+):(-?[0-9]+)(?::([0-9:]+))?$/.exec(text)
  if (match === null) throw new Error(`PINLEDGER_SEED: expected <property>:<seed>[:<path>], got ${text}`)
  const [, name = '', seed, path] = match
  // Without a path, many: as a failure of the long runs may come late.
  const choice = { seed: Number(seed), numRuns: path === undefined ? 100_000 : 1 }
  return { name, choice: path === undefined ? choice : { ...choice, path } }
}

/** Passes, or fails with the smallest case that was found and the command that replays it. */
export function report(
  t: Test,
  file: string,
  { name, fact }: Property,
  details: fc.RunDetails<unknown>,
): void {
  if (!details.failed) {
    t.ok(details.numRuns > 0, `${details.numRuns} cases from seed ${details.seed}`)
    return
  }
  const where = `${name}:${details.seed}${details.counterexamplePath === null ? '' : `:${details.counterexamplePath}`}`
  const error = details.errorInstance
  t.fail(`${name} does not hold (${fact})`, {
    replay: `PINLEDGER_SEED=${where} npx tap ${file} --disable-coverage`,
    cases: details.numRuns,
    smallest: fc.stringify(details.counterexample).slice(0, SHOWN_MAX),
    error: error instanceof Error ? (error.stack ?? error.message) : String(error),
  })
}
