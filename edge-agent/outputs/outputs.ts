/**
 * The outputs of an agent: what each is to be, by its rule, and what it is, by the guard that drives it.
 *
 * Decided on every reading, on every change of the connection, and each second, when the guard also learns that the agent
 * lives. What is told is what is driven, not what is wished, at most once a second for each output.
 */
import type { Clock } from '../../node/clock.ts'
import type { Log } from '../../node/log.ts'
import { every, type Timers } from '../../node/timers.ts'
import type { Level } from '../gpio/line.ts'
import type { OutputConfig } from './config.ts'
import { BEAT_MS } from './guard-messages.ts'
import { type Cause, decide, type Facts, firstMemory, type Memory, type Rule, type Sold } from './rule.ts'

/** What drives the lines; in the order of the configuration. */
export interface OutputLines {
  /** `onLevels` says what is driven, undefined where nothing is; `onFault` why a line is not. */
  start(
    onLevels: (levels: readonly (Level | undefined)[]) => void,
    onFault: (name: string, reason: string) => void,
  ): void
  /** To be called each `BEAT_MS` at least. */
  drive(levels: readonly Level[]): void
  /** Makes all safe; resolves once they are, or cannot be. */
  stop(): Promise<void>
}

/** What the agent knows of itself. */
export interface AgentFacts {
  readonly isConnected: boolean
  readonly isMining: boolean
}

/** As it is published. */
export interface OutputState {
  readonly name: string
  /** Null: nobody drives the line; the reason says why. */
  readonly on: boolean | null
  /** When it became so, milliseconds since 1970. */
  readonly since: number
  readonly reason: string
  readonly safe: boolean
}

export interface OutputsModules {
  readonly lines: OutputLines
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Log
  /** What is sold of an output; undefined while that is not known. */
  readonly soldOf?: (output: string) => Sold | undefined
}

interface Output {
  readonly name: string
  readonly rule: Rule
  memory: Memory
  wish: { readonly on: boolean; readonly cause: Cause | 'stop'; readonly reason: string }
  /** Why it is not driven, while it is not. */
  fault: string | undefined
  level: Level | undefined
  /** Wall clock. */
  since: number
  told: { readonly state: OutputState; readonly key: string; readonly atMs: number } | undefined
}

const TELL_MS_MIN = 1_000

export const ruleOf = (config: OutputConfig): Rule => ({
  safe: config.safe === 'on',
  condition: config.when,
  onMsMax: config.onSecondsMax === undefined ? undefined : config.onSecondsMax * 1000,
  lostMsMax: config.onLost === 'keep' ? undefined : config.lostAfterSeconds * 1000,
})

export class Outputs {
  readonly #modules: OutputsModules
  readonly #outputs: readonly Output[]
  readonly #readings = new Map<string, NonNullable<Facts['reading']>>()
  #facts: () => AgentFacts = () => ({ isConnected: false, isMining: false })
  #tell: (state: OutputState) => void = () => {}
  #lostSinceMs: number | undefined = -Infinity
  /** While it runs. */
  #stopBeating: (() => void) | undefined

  constructor(configs: readonly OutputConfig[], modules: OutputsModules) {
    this.#modules = modules
    const { clock } = modules
    this.#outputs = configs.map((config) => {
      const rule = ruleOf(config)
      return {
        name: config.name,
        rule,
        memory: firstMemory(clock.monotonic()),
        wish: { on: rule.safe, cause: 'stale', reason: 'the agent starts' },
        fault: undefined,
        level: undefined,
        since: clock.now(),
        told: undefined,
      }
    })
  }

  /** `tell` is called for each change, and with what it says the log too. */
  start(facts: () => AgentFacts, tell: (state: OutputState) => void): void {
    if (this.#outputs.length === 0) return
    this.#facts = facts
    this.#tell = tell
    this.#modules.lines.start(
      (levels) => this.#driven(levels),
      (name, reason) => this.#failed(name, reason),
    )
    this.#stopBeating = every(this.#modules.timers, BEAT_MS, () => {
      this.#decide()
      this.#beat()
      this.#report()
    })
  }

  /** A sensor of this agent said something. */
  reading(sensor: string, value: number): void {
    if (
      !this.#outputs.some(({ rule }) => rule.condition.kind === 'sensor' && rule.condition.sensor === sensor)
    )
      return
    this.#readings.set(sensor, { value, atMs: this.#modules.clock.monotonic() })
    this.refresh()
  }

  /** The agent's own facts may have changed. */
  refresh(): void {
    if (this.#stopBeating !== undefined && this.#decide()) this.#beat()
  }

  /** What was told last of each. */
  get states(): readonly OutputState[] {
    return this.#outputs.flatMap(({ told }) => (told === undefined ? [] : [told.state]))
  }

  /** Safe from now on. */
  async stop(): Promise<void> {
    if (this.#stopBeating === undefined) return
    this.#stopBeating()
    this.#stopBeating = undefined
    for (const output of this.#outputs)
      output.wish = { on: output.rule.safe, cause: 'stop', reason: 'the agent stops' }
    await this.#modules.lines.stop()
    this.#report(0)
  }

  /** True if a wish changed. */
  #decide(): boolean {
    const { isConnected, isMining } = this.#facts()
    const { soldOf = () => undefined } = this.#modules
    const nowMs = this.#modules.clock.monotonic()
    if (isConnected) this.#lostSinceMs = undefined
    else this.#lostSinceMs ??= nowMs
    let changed = false
    for (const output of this.#outputs) {
      const { rule, memory } = output
      const reading = rule.condition.kind === 'sensor' ? this.#readings.get(rule.condition.sensor) : undefined
      const sold = rule.condition.kind === 'paid' ? soldOf(output.name) : undefined
      const facts = { nowMs, reading, lostSinceMs: this.#lostSinceMs, isMining, sold }
      const { memory: next, on, cause, reason } = decide(rule, facts, memory)
      changed ||= on !== output.wish.on
      output.memory = next
      output.wish = { on, cause, reason }
    }
    return changed
  }

  #beat(): void {
    this.#modules.lines.drive(this.#outputs.map(({ wish }) => (wish.on ? 1 : 0)))
  }

  #driven(levels: readonly (Level | undefined)[]): void {
    for (const [index, output] of this.#outputs.entries()) {
      const level = levels[index]
      if (level !== undefined) output.fault = undefined
      if (level !== output.level) output.since = this.#modules.clock.now()
      output.level = level
    }
    this.#report()
  }

  #failed(name: string, reason: string): void {
    this.#modules.log.warn('output', { output: name, reason })
    for (const output of this.#outputs) if (output.name === name) output.fault = reason
    this.#report()
  }

  /** Tells what has changed, unless it was told of just now: then the next second's turn does. */
  #report(pauseMs = TELL_MS_MIN): void {
    const nowMs = this.#modules.clock.monotonic()
    for (const output of this.#outputs) {
      const { name, rule, level, wish, fault, since, told } = output
      // On its way from one to the other.
      if (level === undefined ? fault === undefined && told === undefined : level !== (wish.on ? 1 : 0))
        continue
      // Values of a sensor come all the time; that time was added is news.
      const news = rule.condition.kind === 'paid' ? wish.reason : ''
      const key = level === undefined ? `fault ${fault}` : `${level} ${wish.cause} ${news}`
      if (key === told?.key || (told !== undefined && nowMs - told.atMs < pauseMs)) continue
      const on = level === undefined ? null : level === 1
      const reason = level === undefined ? (fault ?? 'the guard of the outputs ended') : wish.reason
      const state = { name, on, since, reason, safe: rule.safe }
      output.told = { state, key, atMs: nowMs }
      this.#modules.log.info('output', { output: name, on: on ?? 'unknown', reason })
      this.#tell(state)
    }
  }
}
