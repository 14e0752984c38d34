/**
 * The fleet owner's desk: a network namespace with a switch, into which guests are plugged, and every command that the owner
 * gives. All that a killed earlier run left behind is removed first: names carry our process id.
 *
 *     desk 10.78.0.1 -- switch -+- guest 10.78.0.11
 *                               +- guest 10.78.0.12 ...
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { commandOf, isRunning, kill, startProgram } from '../../helpers/processes.ts'

const OURS = /^pinfleet-(\d+)-/
const NAMESPACES = '/run/netns'
const MACHINES = '/run/systemd/nspawn/propagate'

export interface Output {
  readonly code: number | null
  readonly out: string
  readonly err: string
  readonly ms: number
}

export interface Desk {
  /** Goes with the test; images, mounts, keys and files of the owner are in it. */
  readonly directory: string
  /** Start of the names of everything of this run. */
  readonly prefix: string
  readonly path: (...names: string[]) => string
  /** Makes a namespace whose `eth0` is plugged into the switch; its path. */
  plug(name: string): string
  /** Makes a control group; its path. */
  group(name: string): string
  /** Runs a program at the desk to its end; ended after `timeoutMs`. */
  run(program: string, args: readonly string[], options?: RunOptions): Promise<Output>
  /** As `run`; throws with what it said unless its code is 0. */
  do(program: string, args: readonly string[], options?: RunOptions): Promise<Output>
}

export interface RunOptions {
  readonly timeoutMs?: number
  readonly environment?: Readonly<Record<string, string>>
  readonly cwd?: string
}

/** Runs a program of this machine; throws with what it said when it fails. */
export function host(program: string, ...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', timeout: 120_000 })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? stderr}`)
  return stdout
}

export function buildDesk(t: Test): Desk {
  for (const name of [...readdirSync(tmpdir()), ...list(NAMESPACES)]) {
    const owner = OURS.exec(name)?.[1]
    if (owner !== undefined && !isRunning(Number(owner))) remove(`pinfleet-${owner}-`)
  }
  const prefix = `pinfleet-${process.pid}-`
  // Synchronous, since this is also the last thing that a dying test does.
  const end = (): void => remove(prefix)
  process.once('exit', end)
  t.teardown(end)

  const directory = mkdtempSync(join(tmpdir(), prefix))
  const desk = `${prefix}desk`
  host('ip', 'netns', 'add', desk)
  for (const words of ['add switch type bridge', 'set switch up', 'set lo up'])
    host('ip', '-n', desk, 'link', ...words.split(' '))
  host('ip', '-n', desk, 'address', 'add', '10.78.0.1/24', 'dev', 'switch')

  const run: Desk['run'] = async (program, args, { timeoutMs = 60_000, environment = {}, cwd } = {}) => {
    const startedMs = performance.now()
    const set = Object.entries(environment).map(([name, value]) => `${name}=${value}`)
    const inside = ['netns', 'exec', desk, 'env', ...set, program, ...args]
    const words = [`--kill-after=5`, String(timeoutMs / 1000), 'ip', ...inside]
    const { ended, out, err } = startProgram(t, 'timeout', words, cwd === undefined ? {} : { cwd })
    const { code } = await ended
    return { code, out: out.join('\n'), err: err.join('\n'), ms: performance.now() - startedMs }
  }
  return {
    directory,
    prefix,
    path: (...names) => join(directory, ...names),
    plug(name) {
      const namespace = `${prefix}${name}`
      host('ip', 'netns', 'add', namespace)
      host('ip', '-n', namespace, ...`link add eth0 type veth peer name ${name} netns ${desk}`.split(' '))
      host('ip', '-n', desk, ...`link set ${name} master switch up`.split(' '))
      return join(NAMESPACES, namespace)
    },
    group(name) {
      const path = join(controlGroups(), `${prefix}${name}`)
      mkdirSync(path)
      return path
    },
    run,
    async do(program, args, options) {
      const output = await run(program, args, options)
      if (output.code === 0) return output
      const said = `${output.out}\n${output.err}`.trim().split('\n').slice(-60).join('\n')
      throw new Error(`${program} ${args.join(' ')} ended with ${output.code}:\n${said}`)
    },
  }
}

/** Where version 2 of control groups is mounted, alone or beside version 1 (cgroups(7)). */
function controlGroups(): string {
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n')
  const found = mounts.map((line) => line.split(' ')).find(([, , type]) => type === 'cgroup2')?.[1]
  if (found === undefined)
    throw new Error('no cgroup2 is mounted: mount -t cgroup2 none /sys/fs/cgroup/unified')
  return found
}

const list = (directory: string): string[] => {
  try {
    return readdirSync(directory)
  } catch {
    // Nobody has made it yet.
    return []
  }
}

/** Ends, unmounts and deletes everything whose name starts with `prefix`; goes on where a step fails. */
function remove(prefix: string): void {
  const inDirectory = join(tmpdir(), prefix)
  for (const name of list('/proc').filter((each) => /^\d+$/.test(each) && Number(each) !== process.pid))
    if (commandOf(Number(name)).some((word) => word.includes(inDirectory))) kill(Number(name), 'SIGKILL')
  const namespaces = list(NAMESPACES).filter((name) => name.startsWith(prefix))
  for (const name of namespaces)
    for (const pid of spawnSync('ip', ['netns', 'pids', name], { encoding: 'utf8' }).stdout.split('\n'))
      if (Number(pid) > 0) kill(Number(pid), 'SIGKILL')
  for (const name of namespaces) spawnSync('ip', ['netns', 'del', name])
  for (const name of list(controlGroups()).filter((each) => each.startsWith(prefix)))
    removeGroup(join(controlGroups(), name))
  const mounts = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path.startsWith(inDirectory))
  // What is still ending keeps its mount for a moment.
  for (const path of mounts.reverse())
    if (spawnSync('umount', [path]).status !== 0) spawnSync('umount', ['--lazy', path])
  for (const machine of list(MACHINES).filter((name) => name.startsWith(prefix)))
    rmSync(join(MACHINES, machine), { recursive: true, force: true })
  for (const name of list(tmpdir()).filter((each) => each.startsWith(prefix)))
    rmSync(join(tmpdir(), name), { recursive: true, force: true })
}

/** Innermost first, as control groups want it. */
function removeGroup(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true }))
    if (entry.isDirectory()) removeGroup(join(path, entry.name))
  spawnSync('rmdir', [path])
}
