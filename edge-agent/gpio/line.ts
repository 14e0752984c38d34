/**
 * Lines of the 40-pin header, whichever way the kernel offers them: sysfs (through onoff) or the character device (through
 * the gpiod tools).
 *
 * Pins are BCM numbers. Values are logical: with `activeLow` a line at ground reads 1, and 1 drives it to ground.
 */

export type Level = 0 | 1

export interface InputOptions {
  /** Which changes `watch` says; `none` for a line that is only read. */
  readonly edge: 'none' | 'rising' | 'falling' | 'both'
  /** A change counts once the line has been stable for this long, milliseconds; 0: every change. */
  readonly debounceMs: number
  readonly activeLow: boolean
  /** The Pi's own resistor; sysfs cannot set it, and refuses all but `as-is`. */
  readonly bias: 'as-is' | 'pull-up' | 'pull-down' | 'disabled'
}

export interface InputLine {
  /** Not for a line that was opened for rising or falling edges alone. */
  read(): Promise<Level>
  /** Says changes from now on, until `close`. `onError` is called at most once, and nothing comes after it. */
  watch(onChange: (level: Level) => void, onError: (error: Error) => void): void
  /** Gives the line back; a second call does nothing. */
  close(): Promise<void>
}

export interface OutputOptions {
  readonly activeLow: boolean
  /** Driven from the first moment on, without a glitch in between. */
  readonly initial: Level
}

export interface OutputLine {
  /** Resolves once the line is driven so. */
  set(level: Level): Promise<void>
  /** Lets go. sysfs goes on driving the last level; a line of the character device becomes what its resistors make it. */
  close(): Promise<void>
}

/** Opening rejects with a `WorldError` of code `sensor` that names the pin, the kernel's reason and the remedy. */
export interface GpioAccess {
  readonly kind: 'sysfs' | 'gpiod'
  openInput(bcm: number, options: InputOptions): Promise<InputLine>
  openOutput(bcm: number, options: OutputOptions): Promise<OutputLine>
}
