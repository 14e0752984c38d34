/**
 * Holds outputs: drives what it is told, and the safe state when it is told nothing for too long.
 *
 * Runs in a process of its own (guard-main.ts), so that it outlives an agent that crashes or hangs. Lines are opened in their
 * safe state. A line that fails is reported and opened again with backoff; it costs no other line anything. Each line
 * is driven by one loop that always takes the newest wish, so wishes do not queue.
 */
import { type Backoff, createBackoff } from '../../node/backoff.ts'
import { every, type Timers } from '../../node/timers.ts'
import type { AccessChoice } from '../gpio/access.ts'
import type { GpioAccess, Level, OutputLine } from '../gpio/line.ts'
import { type GuardLine, type LineKind, openLine } from './guarded-line.ts'

export interface GuardOptions {
  readonly lines: readonly GuardLine[]
  /** Without `drive` for so long, all lines become safe. */
  readonly silenceMsMax: number
}

export interface GuardModules {
  /** This machine's GPIO; called again for a choice after it rejected. */
  readonly openAccess: (choice: AccessChoice) => Promise<GpioAccess>
  readonly timers: Timers
  /** Monotonic, milliseconds. */
  readonly nowMs: () => number
  /** Uniform in [0, 1), for the backoff. */
  readonly random: () => number
  /** Levels changed, or are no longer known. */
  readonly onLevels: () => void
  /** Why a line is not driven; called again for each vain attempt. */
  readonly onFault: (name: string, reason: string) => void
  /** `drive` has not been called for too long: all lines become safe. */
  readonly onSilence: () => void
}

const CHECK_MS = 250
/** An open line is set again this often, which costs next to nothing where nothing has changed. */
const ASSURE_MS = 1_000
const RETRY = { baseMs: 1_000, capMs: 60_000, stableMs: 10_000 }

export class Guard {
  readonly #options: GuardOptions
  readonly #modules: GuardModules
  readonly #lines: readonly GuardedLine[]
  readonly #accesses = new Map<AccessChoice, Promise<GpioAccess>>()
  #heardMs = 0
  #silent = false
  #isStopping = false
  #stopTending: () => void = () => {}

  constructor(options: GuardOptions, modules: GuardModules) {
    this.#options = options
    this.#modules = modules
    const shared = { ...modules, openAccess: (choice: AccessChoice) => this.#sharedAccess(choice) }
    this.#lines = options.lines.map((line) => new GuardedLine(line, shared))
  }

  /** Begins to open all lines, in their safe state. */
  start(): void {
    this.#heardMs = this.#modules.nowMs()
    this.#stopTending = every(this.#modules.timers, CHECK_MS, () => void this.#check())
    void this.safe()
  }

  /** What each line is driven to; undefined where it is not, or not known to be. */
  get levels(): readonly (Level | undefined)[] {
    return this.#lines.map(({ level }) => level)
  }

  /** Drives the lines so, in the order of the options. Has to be called again and again: that the caller lives is what it says. */
  drive(levels: readonly Level[]): void {
    if (this.#isStopping) return
    this.#heardMs = this.#modules.nowMs()
    this.#silent = false
    for (const [index, line] of this.#lines.entries()) void line.drive(levels[index] ?? line.safe)
  }

  /** Drives all lines to their safe state; resolves once each is there, or has failed and waits for its next attempt. */
  async safe(): Promise<void> {
    await Promise.all(this.#lines.map((line) => line.drive(line.safe)))
  }

  /** Whether the lines are safe and stay so without this process, which those of the character device do not. */
  get outlasts(): boolean {
    return this.#lines.every(
      ({ kind, level, safe }) => kind === undefined || (kind !== 'gpiod' && level === safe),
    )
  }

  /** Drives the safe state, whatever is said from now on, and lets go of the lines. */
  async stop(): Promise<void> {
    this.#isStopping = true
    this.#stopTending()
    await this.safe()
    await Promise.all(this.#lines.map((line) => line.close()))
  }

  async #check(): Promise<void> {
    for (const line of this.#lines) line.tend()
    if (this.#silent || !this.#isLate()) return
    // If it was we who slept, what was said meanwhile is read before it is judged.
    await this.#modules.timers.turn()
    if (this.#silent || !this.#isLate()) return
    this.#silent = true
    void this.safe()
    this.#modules.onSilence()
  }

  #isLate(): boolean {
    return this.#modules.nowMs() - this.#heardMs >= this.#options.silenceMsMax
  }

  #sharedAccess(choice: AccessChoice): Promise<GpioAccess> {
    const known = this.#accesses.get(choice)
    if (known !== undefined) return known
    const opening = this.#modules.openAccess(choice)
    this.#accesses.set(choice, opening)
    opening.catch(() => {
      // Reported by each line that waits for it; the next attempt begins anew.
      this.#accesses.delete(choice)
    })
    return opening
  }
}

class GuardedLine {
  readonly #line: GuardLine
  readonly #modules: Omit<GuardModules, 'onSilence'>
  readonly #backoff: Backoff
  #wish: Level
  #output: OutputLine | undefined
  #level: Level | undefined
  #running: Promise<void> | undefined
  #retryMs: number | undefined
  #kind: LineKind | undefined
  #assuredMs = 0
  #closed = false

  constructor(line: GuardLine, modules: Omit<GuardModules, 'onSilence'>) {
    this.#line = line
    this.#modules = modules
    this.#wish = line.safe
    this.#backoff = createBackoff(RETRY, modules.random)
  }

  get level(): Level | undefined {
    return this.#level
  }

  get safe(): Level {
    return this.#line.safe
  }

  /** How the line was opened; undefined while it never was, and is as others left it. */
  get kind(): LineKind | undefined {
    return this.#kind
  }

  /** Resolves once it is driven so, or to a newer wish, or has failed. */
  drive(level: Level): Promise<void> {
    this.#wish = level
    if (this.#retryMs === undefined) this.#run()
    return this.#running ?? Promise.resolve()
  }

  /** The next attempt after a fault, or to set the level again, if it is time for that: what drives the line may have died. */
  tend(): void {
    const nowMs = this.#modules.nowMs()
    if (this.#retryMs === undefined ? nowMs - this.#assuredMs < ASSURE_MS : nowMs < this.#retryMs) return
    this.#retryMs = undefined
    this.#run(true)
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#running
    await this.#letGo()
  }

  #run(again = false): void {
    if (this.#closed || (this.#level === this.#wish && !again)) return
    this.#running ??= this.#follow()
  }

  async #follow(): Promise<void> {
    const startedMs = this.#modules.nowMs()
    const before = this.#level
    try {
      do {
        const level = this.#wish
        if (this.#output === undefined) {
          const { kind, output } = await openLine(this.#line, level, this.#modules.openAccess)
          this.#output = output
          this.#kind = kind
        } else await this.#output.set(level)
        this.#level = level
      } while (this.#level !== this.#wish && !this.#closed)
      this.#assuredMs = this.#modules.nowMs()
    } catch (error) {
      await this.#letGo()
      const nowMs = this.#modules.nowMs()
      this.#retryMs = nowMs + this.#backoff.next(nowMs - startedMs)
      this.#modules.onFault(this.#line.name, error instanceof Error ? error.message : String(error))
    }
    // In the step that found the wish fulfilled: a newer one begins anew.
    this.#running = undefined
    if (this.#level !== before) this.#modules.onLevels()
  }

  async #letGo(): Promise<void> {
    const output = this.#output
    this.#output = undefined
    this.#level = undefined
    try {
      await output?.close()
    } catch (error) {
      this.#modules.onFault(this.#line.name, `cannot let go: ${String(error)}`)
    }
  }
}
