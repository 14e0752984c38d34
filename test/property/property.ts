/**
 * How a property is declared, run and replayed.
 *
 * A property is defined once and run twice: in `npm test` a fixed small number of times from a fixed seed, in
 * test/system/fuzz.test.ts from a new seed for as long as it is given. One variable names a failing case:
 * `PINLEDGER_SEED=<property>:<seed>:<case>`. Replayed, it is generated and made as small as can be as it was at first.
 */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import type { Test } from 'tap'
import { fromRoot } from '../helpers/root.ts'

/** Seed of every property in `npm test`. */
export const FIXED_SEED = 20_260_101
/** Where each case can be replayed. */
const FILE = 'property/properties'
/** Characters of a counterexample that a failure shows. */
const SHOWN_MAX = 4000

export interface Property {
  /** One word, as in `PINLEDGER_SEED`. */
  readonly name: string
  /** What holds, for whoever reads the report. */
  readonly fact: string
  /** Cases in `npm test`. */
  readonly runs: number
  check(choice: Choice): Outcome
  /** Throws where the property does not hold for this one case. */
  holds(value: unknown): void
}

export interface Outcome {
  readonly failed: boolean
  /** Cases that ran. */
  readonly cases: number
  readonly seed: number
  /** Value of PINLEDGER_SEED that leads to the case that fails. */
  readonly replay: string
  /** The smallest case like it that fails, as text. */
  readonly smallest: string
  readonly error: string
}

/** Which cases to run. */
export interface Choice {
  readonly seed: number
  /** Number of the case to begin with, as text. */
  readonly path?: string
  readonly numRuns: number
  /** Milliseconds after which no further case begins. */
  readonly interruptAfterTimeLimit?: number
}

/** An entry of test/property/seeds.json: what a run once found, to be tried again for ever. */
export interface Saved {
  readonly property: string
  readonly seed: number
  /** Cases from that seed; they are others once the property generates others. */
  readonly runs: number
  /** What was wrong, and the smallest case that showed it, which stays as it is. */
  readonly found?: string
  readonly smallest?: unknown
}

export const SAVED: readonly Saved[] = JSON.parse(readFileSync(fromRoot('test/property/seeds.json'), 'utf8'))

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
    holds: (value) => holds(value as T),
    check: (choice) => {
      const details = fc.check(
        fc.property(cases, (value) => {
          holds(value)
        }),
        choice,
      )
      const {
        failed,
        numRuns,
        seed,
        counterexample,
        counterexamplePath: path,
        errorInstance: error,
      } = details
      return {
        failed,
        cases: numRuns,
        seed,
        replay: `${name}:${seed}${path === null ? '' : `:${path.split(':')[0]}`}`,
        smallest: failed ? fc.stringify(counterexample).slice(0, SHOWN_MAX) : '',
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      }
    },
  }
}

/** The case that the value of PINLEDGER_SEED names; undefined without one. */
export function namedCase(text: string | undefined): { name: string; choice: Choice } | undefined {
  if (text === undefined || text === '') return undefined
  const match = /^([a-z0-9-]+):(-?[0-9]+)(?::([0-9]+))?$/.exec(text)
  if (match === null) throw new Error(`PINLEDGER_SEED: expected <property>:<seed>[:<case>], got ${text}`)
  const [, name = '', seed, path] = match
  // Without a path, many: as a failure of the long runs may come late.
  const choice = { seed: Number(seed), numRuns: path === undefined ? 100_000 : 1 }
  return { name, choice: path === undefined ? choice : { ...choice, path } }
}

/** Passes, or fails with the smallest case that was found and the command that replays it. */
export function report(t: Test, { name, fact }: Property, outcome: Outcome): void {
  const { failed, cases, seed, replay, smallest, error } = outcome
  if (!failed) {
    t.ok(cases > 0, `${cases} cases from seed ${seed}`)
    return
  }
  const command = `PINLEDGER_SEED=${replay} npm run test:one -- ${FILE}`
  t.fail(`${name} does not hold (${fact}). To see it again: ${command}`, { command, cases, smallest, error })
}
