/**
 * The built program as real child processes: started, watched line by line, and always ended with the test, by their
 * own ids and those of their descendants.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import { fromRoot } from './root.ts'
import { waitUntil } from './wait-until.ts'

const MAIN = fromRoot('dist/cli/main.js')

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface Program {
  readonly child: ChildProcess
  readonly pid: number
  /** What it wrote to stdout and to stderr so far. */
  readonly out: readonly string[]
  readonly err: readonly string[]
  readonly ended: Promise<Ended>
  /** Resolves with the first line of stdout that `check` takes; throws when none comes in time or the program ends before. */
  line(what: string, check: (line: string) => boolean, timeoutMs?: number): Promise<string>
}

/** A directory that goes with the test. */
export function temporary(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'pinledger-test-'))
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  return path
}

export interface StartOptions {
  readonly cwd?: string
}

/** Starts any program; its stdin is empty. */
export function startProgram(
  t: Test,
  command: string,
  args: readonly string[],
  { cwd }: StartOptions = {},
): Program {
  // The test runner puts its instruments into every child's environment, where they double the time that a program
  // takes to start; `env` takes them out and becomes the program.
  const child = spawn('env', ['-u', 'NODE_OPTIONS', command, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd,
  })
  const out: string[] = []
  const err: string[] = []
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('close', (code, signal) => resolve({ code, signal }))
    child.once('error', reject)
  })
  let over = false
  ended.then(
    () => {
      over = true
    },
    () => {
      over = true
    },
  )
  createInterface({ input: child.stdout }).on('line', (line) => void out.push(line))
  createInterface({ input: child.stderr }).on('line', (line) => void err.push(line))
  const pid = child.pid ?? 0
  t.teardown(async () => {
    endAll(pid)
    await ended.catch(() => {
      // It never started, which the test has seen.
    })
  })
  return {
    child,
    pid,
    out,
    err,
    ended,
    async line(what, check, timeoutMs = 60_000) {
      let at = 0
      let found: string | undefined
      const look = (): boolean => {
        while (found === undefined && at < out.length) {
          const line = out[at++] as string
          if (check(line)) found = line
        }
        return found !== undefined || over
      }
      try {
        await waitUntil(what, look, timeoutMs)
      } catch (error) {
        throw new Error(`${String(error)}\n${[...out.slice(-15), ...err.slice(-15)].join('\n')}`)
      }
      look()
      if (found === undefined)
        throw new Error(`the program ended before ${what}:\n${[...out, ...err].slice(-20).join('\n')}`)
      return found
    },
  }
}

/** Starts `pinledger` with these arguments. */
export const pinledger = (t: Test, args: readonly string[], options: StartOptions = {}): Program =>
  startProgram(t, process.execPath, [MAIN, ...args], options)

/** Runs `pinledger` to its end. */
export async function run(
  t: Test,
  args: readonly string[],
  options: StartOptions = {},
): Promise<Ended & { readonly out: string; readonly err: string; readonly ms: number }> {
  const startedMs = performance.now()
  const program = pinledger(t, args, options)
  const ended = await program.ended
  const ms = performance.now() - startedMs
  return { ...ended, out: program.out.join('\n'), err: program.err.join('\n'), ms }
}

/** A line of `--json` output; undefined when it is none. */
export function parsed(line: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    // A line for people.
    return undefined
  }
}

/** All processes below `pid`, from /proc. */
export function descendants(pid: number): number[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const parent = parentOf(Number(name))
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const found: number[] = []
  const queue = [pid]
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    found.push(...(children.get(next) ?? []))
    queue.push(...(children.get(next) ?? []))
  }
  return found
}

/** Undefined when there is no such process, or nothing of it but an exit code. */
function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const [state = '', parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return 'ZX'.includes(state) ? undefined : Number(parent)
  } catch {
    // It has just ended.
    return undefined
  }
}

export const isRunning = (pid: number): boolean => parentOf(pid) !== undefined

/** Command line of a process; empty when it has ended. */
export function commandOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    // It has just ended.
    return []
  }
}

/** The process below `pid` that was started with all of these words. */
export const childWith = (pid: number, ...words: readonly string[]): number | undefined =>
  descendants(pid).find((each) => words.every((word) => commandOf(each).includes(word)))

export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended by itself.
  }
}

function endAll(pid: number): void {
  if (pid === 0) return
  const below = descendants(pid)
  if (isRunning(pid)) kill(pid, 'SIGKILL')
  for (const each of below) kill(each, 'SIGKILL')
}
