/**
 * What `pinledger doctor` finds: one line for each part, and a check that finds some of them.
 *
 * A check has a limit of time and fails alone: whatever it throws becomes a finding.
 */
import { WorldError } from '../../node/error.ts'

/** `absent`: not here, which is no fault. */
export type State = 'works' | 'warns' | 'fails' | 'absent'

export interface Finding {
  readonly part: string
  readonly state: State
  readonly detail: string
  /** A command to copy, or in words what no command can do. */
  readonly remedy?: string
}

const finding =
  (state: State) =>
  (part: string, detail: string, remedy?: string): Finding => ({
    part,
    state,
    detail,
    ...(remedy !== undefined && { remedy }),
  })
export const works = finding('works')
export const warns = finding('warns')
export const fails = finding('fails')
export const absent = finding('absent')

export interface Check {
  /** Named when the check itself fails. */
  readonly part: string
  readonly msMax: number
  /** Findings that were `say`d stand, also when the rest takes too long. */
  readonly run: (say: (finding: Finding) => void, signal: AbortSignal) => void | Promise<void>
}

/** Never rejects. The check's signal is aborted at its limit. */
export async function examine({ part, msMax, run }: Check): Promise<readonly Finding[]> {
  const found: Finding[] = []
  const controller = new AbortController()
  let isOver = false
  const say = (finding: Finding): void => {
    if (!isOver) found.push(finding)
  }
  const limit = new Promise<void>((resolve) => {
    controller.signal.addEventListener('abort', () => {
      if (!isOver) say(fails(part, `not known: no answer within ${msMax / 1000} s`))
      resolve()
    })
  })
  const timer = setTimeout(() => controller.abort(), msMax)
  const work = async (): Promise<void> => {
    try {
      await run(say, controller.signal)
    } catch (error) {
      say(fails(part, reasonOf(error)))
    }
  }
  await Promise.race([work(), limit])
  clearTimeout(timer)
  isOver = true
  controller.abort()
  return found
}

export const reasonOf = (error: unknown): string => {
  if (error instanceof WorldError) return error.message
  return `bug in pinledger, please report it: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`
}
