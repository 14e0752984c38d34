/**
 * A line that a child process of ours holds.
 *
 * - The gpiod tools say nothing once they hold a line. The kernel shows it as one of the child's open files
 *   (`anon_inode:gpio-line` and, older, `gpio-event` and `gpio-linehandle`): opening waits for that.
 * - No child outlives us, not even after kill -9, since a line that a dead agent holds is a relay that nobody can switch
 *   off. gpiomon would notice its broken pipe at the next edge only and gpioset never: setpriv (util-linux) has the
 *   kernel kill them together with us.
 */
import { readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { WorldError } from '../../node/error.ts'
import { killProgram, programEnd, type Spawn } from '../program.ts'
import type { Timing } from './changes.ts'
import { gpiodRemedy } from './gpiod-tools.ts'

export interface GpiodSurroundings extends Timing {
  /** `/proc`. */
  readonly procRoot: string
  readonly spawn: Spawn
}

export interface Held {
  readonly child: ReturnType<Spawn>
  readonly ended: Promise<string>
  hasEnded(): boolean
  /** Resolves once the child has ended and the line is free; a second call does nothing. */
  release(): Promise<void>
}

/** Longer than a busy Pi takes to start a process. */
const HOLD_MS_MAX = 10_000

/** Starts `tool`, and resolves once it holds the line. Rejects with a `WorldError`. */
export async function hold(
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

export const refusal = (action: string, bcm: number, reason: string, cause?: unknown): WorldError =>
  new WorldError('sensor', `cannot ${action} GPIO ${bcm}: ${reason}; ${gpiodRemedy(reason)}`, cause)
