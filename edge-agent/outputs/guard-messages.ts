/**
 * What an agent and its guard say to each other: one JSON object a line, over the guard's stdin and stdout.
 *
 * The agent's first line is `Settings`, every other one a `Beat`: the whole wish, at least once a second, so that a lost or a late
 * line changes nothing. The guard answers each beat. Both ends are of one release, and nobody else holds the pipe.
 */
import type { Level } from '../gpio/line.ts'
import type { GuardLine } from './guarded-line.ts'

export const BEAT_MS = 1_000
/**
 * A guard that hears nothing for so long drives the safe states. Five beats: an agent on a small Pi that checks a large
 * block says nothing for a second or two.
 */
export const SILENCE_MS_MAX = 5_000

export interface Settings {
  /** The agent's data directory, absolute; at most one guard works for it. */
  readonly directory: string
  readonly lines: readonly GuardLine[]
  readonly silenceMsMax: number
}

export interface Beat {
  /** Counts up. */
  readonly beat: number
  /** In the order of the settings. */
  readonly levels: readonly Level[]
}

export type GuardMessage =
  /** Answers a beat, or says by itself that levels changed (`beat` is the newest one then); null: not driven. */
  | { readonly beat: number; readonly levels: readonly (Level | null)[] }
  | { readonly fault: { readonly name: string; readonly reason: string } }
  /** For the log. */
  | { readonly notice: string }
