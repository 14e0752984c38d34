/** Runs of the laboratory for its tests: T = 10 s, seeds from 1 on. */

import { createRules, type Rule, type RuleName } from '../../../sim/lab/rules.ts'
import { type Run, run } from '../../../sim/lab/run.ts'
import { firstRate, type Trace } from '../../../sim/lab/trace.ts'

export const T_SECONDS = 10
export const T_MS = 10_000
export const HALF_LIFE = 64

export function ruleOf(name: RuleName, trace: Trace, halfLife = HALF_LIFE): Rule {
  const firstHashes = firstRate(trace) * T_SECONDS
  return createRules({ intervalMs: T_MS, halfLife, firstHashes }).find((rule) => rule.name === name) as Rule
}

export const runFor = (rule: Rule, trace: Trace, seed: number, intervals?: number): Run =>
  run(rule, { seed, trace, seconds: intervals === undefined ? trace.seconds : intervals * T_SECONDS })

export const seedsTo = (count: number): readonly number[] =>
  Array.from({ length: count }, (_, index) => index + 1)

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length

export function sd(values: readonly number[]): number {
  const middle = mean(values)
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)))
}
