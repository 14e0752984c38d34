/** All that the doctor looks at, in the order in which it is read. */
import { computerChecks } from './computer.ts'
import { diskChecks } from './disk.ts'
import { type Check, examine, type Finding } from './finding.ts'
import { holderOf, ledgerChecks } from './ledger.ts'
import type { Machine } from './machine.ts'
import { NETWORK_LIMITS, networkChecks } from './network.ts'
import { pinChecks } from './pins.ts'
import { serviceChecks } from './service.ts'
import { findSubject, type SubjectOptions } from './subject.ts'
import { timeChecks } from './time.ts'

export interface Section {
  readonly title: string
  readonly findings: Promise<readonly Finding[]>
}

/** Begins all checks at once; the sections are in the order in which they are to be shown. Nothing rejects. */
export function examination(
  machine: Machine,
  options: SubjectOptions,
  limits = NETWORK_LIMITS,
): readonly Section[] {
  const { subject, finding } = findSubject(options, machine.etcRoot)
  const { data, agent, kind, megabytesMax } = subject
  const holder = kind === 'agent' ? holderOf(data) : undefined
  const section = (title: string, checks: readonly Check[]): Section => ({
    title,
    findings: Promise.all(checks.map(examine)).then((lists) => lists.flat()),
  })
  const configuration: Check = { part: 'configuration', msMax: 1_000, run: (say) => say(finding) }
  return [
    section('Computer', computerChecks(machine)),
    section('Time', timeChecks(machine)),
    section('Pins', pinChecks(machine, agent, holder)),
    section('Disk', diskChecks(machine, data ?? '.', megabytesMax)),
    section('Program', [
      configuration,
      ...ledgerChecks(machine, subject),
      ...serviceChecks(machine, subject),
    ]),
    section('Network', networkChecks(machine, subject, limits)),
  ]
}
