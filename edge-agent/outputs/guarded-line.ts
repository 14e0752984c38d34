/** A line as the guard holds it: a pin by one of the ways there are, or a file. */
import type { AccessChoice } from '../gpio/access.ts'
import type { GpioAccess, Level, OutputLine } from '../gpio/line.ts'
import { openFileLine } from './file-line.ts'

interface AnyLine {
  readonly name: string
  readonly activeLow: boolean
  readonly safe: Level
}

export interface PinLine extends AnyLine {
  /** BCM number. */
  readonly pin: number
  readonly access: AccessChoice
}

export interface FileLine extends AnyLine {
  /** Absolute. */
  readonly file: string
}

export type GuardLine = PinLine | FileLine

/** How a line was opened, which says what becomes of it when it is let go: one of `gpiod` alone loses its level. */
export type LineKind = GpioAccess['kind'] | 'file'

export interface OpenLine {
  readonly kind: LineKind
  readonly output: OutputLine
}

/** Opens a line, driven to `initial`; rejects with a `WorldError`. */
export async function openLine(
  line: GuardLine,
  initial: Level,
  openAccess: (choice: AccessChoice) => Promise<GpioAccess>,
): Promise<OpenLine> {
  const options = { activeLow: line.activeLow, initial }
  if ('file' in line) return { kind: 'file', output: await openFileLine(line.file, options) }
  const access = await openAccess(line.access)
  return { kind: access.kind, output: await access.openOutput(line.pin, options) }
}

/** Where a line is, in words. */
export const placeOf = (line: GuardLine): string => ('file' in line ? line.file : `GPIO ${line.pin}`)
