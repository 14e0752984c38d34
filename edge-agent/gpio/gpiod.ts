/**
 * Lines through the character device, held by the gpiod tools: a child process for each line.
 *
 * - The tools say nothing once they hold a line. The kernel shows it as one of the child's open files
 *   (`anon_inode:gpio-line` and, older, `gpio-event` and `gpio-linehandle`): opening waits for that.
 * - No child outlives us, not even after kill -9, since a line that a dead agent holds is a relay that nobody can switch
 *   off. gpiomon would notice its broken pipe at the next edge only and gpioset never: setpriv (util-linux) has the
 *   kernel kill them together with us.
 * - A line has one holder, so the level at the start is read just before gpiomon takes over. An edge within those
 *   milliseconds is not seen; the one after it tells the truth again.
 * - Neither version of gpioset as Debian builds it takes commands, so each change costs a new process (some 10 ms on
 *   a Pi) and, in between, the line's own resistors. As there are two levels, going from one to the other by way of
 *   what the resistors make of it is still one change; a level that the line has already costs nothing.
 */
import { readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { WorldError } from '../../node/error.ts'
import { invariant } from '../../schemas/result.ts'
import { killProgram, programEnd, runProgram, type Spawn } from '../program.ts'
import { type Changes, createChanges, type Timing } from './changes.ts'
import {
  driveWords,
  edgeLevel,
  type GpiodTools,
  gpiodRemedy,
  headerChip,
  readWords,
  reasonOf,
  TOOL_LIMITS,
  watchWords,
} from './gpiod-tools.ts'
import type { GpioAccess, InputLine, InputOptions, Level, OutputLine, OutputOptions } from './line.ts'

export interface GpiodSurroundings extends Timing {
  /** `/proc`. */
  readonly procRoot: string
  readonly spawn: Spawn
}

export const gpiodAccess = (tools: GpiodTools, surroundings: GpiodSurroundings): GpioAccess => ({
  kind: 'gpiod',
  openInput: (bcm, options) => openInput(tools, bcm, options, surroundings),
  openOutput: (bcm, options) => openOutput(tools, bcm, options, surroundings),
})

async function openInput(
  { version, chips }: GpiodTools,
  bcm: number,
  options: InputOptions,
  surroundings: GpiodSurroundings,
): Promise<InputLine> {
  const { edge, debounceMs } = options
  const at = { version, chip: headerChip(chips, bcm).name, bcm }

  async function get(): Promise<Level> {
    try {
      const said = await runProgram(surroundings.spawn, 'gpioget', readWords(at, options), TOOL_LIMITS)
      return said.trim() === '1' ? 1 : 0
    } catch (cause) {
      throw refusal('read', bcm, reasonOf(cause), cause)
    }
  }

  const initial = await get()
  if (edge === 'none') return { read: get, watch: () => {}, close: async () => {} }

  // Debouncing needs to know when the line is back; counting alone is cheaper with half the edges.
  const asked = debounceMs > 0 ? 'both' : edge
  const held = await hold('gpiomon', watchWords(at, options, asked), bcm, surroundings)
  let changes: Changes | undefined
  let closed = false
  return {
    async read() {
      invariant(asked === 'both', 'a line whose other edge is not heard is not read')
      return changes?.level() ?? initial
    },
    watch(onChange, onError) {
      const told = createChanges({ edge, debounceMs }, initial, onChange, surroundings)
      changes = told
      let rest = ''
      held.child.stdout.setEncoding('utf8').on('data', (text: string) => {
        const lines = (rest + text).split('\n')
        rest = lines.pop()?.slice(-16) ?? ''
        for (const line of lines) if (!closed) told.tell(edgeLevel(line.trim()))
      })
      void held.ended.then((reason) => {
        if (closed) return
        closed = true
        told.stop()
        onError(refusal('watch', bcm, `gpiomon has ended (${reason})`))
      })
    },
    async close() {
      closed = true
      changes?.stop()
      await held.release()
    },
  }
}

async function openOutput(
  { version, chips }: GpiodTools,
  bcm: number,
  options: OutputOptions,
  surroundings: GpiodSurroundings,
): Promise<OutputLine> {
  const at = { version, chip: headerChip(chips, bcm).name, bcm }
  const drive = (level: Level): Promise<Held> =>
    hold('gpioset', driveWords(at, options, level), bcm, surroundings)

  let wanted: Level | undefined = options.initial
  let driven = wanted
  let held: Held | undefined = await drive(wanted)
  let turning: Promise<void> | undefined

  /** Until the line is as wanted; whatever is wanted meanwhile is one more round at most. */
  async function turn(): Promise<void> {
    while (held === undefined || held.hasEnded() || driven !== wanted) {
      await held?.release()
      held = undefined
      if (wanted === undefined) return
      driven = wanted
      held = await drive(driven)
    }
  }

  return {
    set(level) {
      invariant(wanted !== undefined, 'an output that is closed is not set')
      wanted = level
      turning ??= turn().finally(() => {
        turning = undefined
      })
      return turning
    },
    async close() {
      wanted = undefined
      // Why a change failed has been said to who asked for it.
      await turning?.catch(() => {})
      await held?.release()
    },
  }
}

interface Held {
  readonly child: ReturnType<Spawn>
  readonly ended: Promise<string>
  hasEnded(): boolean
  /** Resolves once the child has ended and the line is free; a second call does nothing. */
  release(): Promise<void>
}

/** Longer than a busy Pi takes to start a process. */
const HOLD_MS_MAX = 10_000

/** Starts `tool`, and resolves once it holds the line. Rejects with a `WorldError`. */
async function hold(
  tool: string,
  words: readonly string[],
  bcm: number,
  { spawn, procRoot, nowMs, sleep }: GpiodSurroundings,
): Promise<Held> {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', tool, ...words])
  let how: string | undefined
  const ended = programEnd(child).then(({ reason }) => {
    how = reason
    return reason
  })
  const release = async (): Promise<void> => {
    if (how === undefined) killProgram(child)
    await ended
  }
  const deadlineMs = nowMs() + HOLD_MS_MAX
  const { signal } = new AbortController()
  while (how === undefined && !(await holdsLine(child.pid, procRoot))) {
    if (nowMs() > deadlineMs) {
      await release()
      throw refusal('open', bcm, `${tool} did not get it within ${HOLD_MS_MAX / 1000} s`)
    }
    await sleep(2, signal)
  }
  if (how !== undefined) throw refusal('open', bcm, how)
  return { child, ended, hasEnded: () => how !== undefined, release }
}

/** Whether one of the process's open files is a line. */
async function holdsLine(pid: number | undefined, procRoot: string): Promise<boolean> {
  const directory = join(procRoot, String(pid), 'fd')
  try {
    const files = await readdir(directory)
    const targets = await Promise.all(files.map((file) => readlink(join(directory, file))))
    return targets.some((target) => /^anon_inode:\[?gpio-/.test(target))
  } catch {
    // It has ended, or closed one of its files while we looked: the next look tells.
    return false
  }
}

const refusal = (action: string, bcm: number, reason: string, cause?: unknown): WorldError =>
  new WorldError('sensor', `cannot ${action} GPIO ${bcm}: ${reason}; ${gpiodRemedy(reason)}`, cause)
