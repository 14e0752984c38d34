/**
 * A guest: a flashed disk image that boots with its own systemd and cloud-init in a namespace of its own, as a Pi on a desk.
 * Stands in for the Pi's firmware and kernel: mounts the root, takes the command line from the boot partition.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { descendants } from '../../helpers/processes.ts'
import { waitUntil } from '../../helpers/wait-until.ts'
import { type Desk, host } from './desk.ts'

const SECTOR_BYTES = 512
/** With which systemd-nspawn ends when its guest wants to boot again. */
const REBOOT = 133
/** What only the kernel of a real machine has: the root as a device. */
const AS_CONTAINER = ['systemd.mask=systemd-remount-fs.service']

export interface Guest {
  readonly name: string
  readonly address: string
  /** Its root, seen from outside. */
  readonly root: string
  /** How often it has booted. */
  readonly boots: () => number
  /** Process of its systemd; undefined while it is off. */
  readonly init: () => number | undefined
  /** Pulls the plug; `start` boots it again. */
  stop(): Promise<void>
  start(): void
  /** Last lines of its journal. */
  journal(lines: number): string
}

/** First sectors of the partitions of an image. */
function partitions(image: string): number[] {
  const table = JSON.parse(host('sfdisk', '-J', image)) as {
    partitiontable: { partitions: { start: number }[] }
  }
  return table.partitiontable.partitions.map(({ start }) => start)
}

/** Plugs a guest into the desk's switch and boots it from `image`. */
export function bootGuest(desk: Desk, name: string, address: string, image: string): Guest {
  const [boot = 0, rest = 0] = partitions(image).map((start) => start * SECTOR_BYTES)
  const root = desk.path(`${name}.root`)
  const firmware = desk.path(`${name}.firmware`)
  for (const directory of [root, firmware]) mkdirSync(directory)
  host('mount', '-o', `loop,offset=${rest}`, image, root)
  // This kernel may have no vfat: the guest sees the boot partition's files in a directory.
  host('mcopy', '-n', '-s', '-i', `${image}@@${boot}`, '::/*', firmware)
  const namespace = desk.plug(name)
  const group = desk.group(name)

  let boots = 0
  let complaints = ''
  let process: ChildProcess | undefined
  const start = (): void => {
    boots++
    const kernel = readFileSync(join(firmware, 'cmdline.txt'), 'utf8').trim().split(/\s+/)
    const words = [
      ...[
        'setpriv',
        '--pdeathsig',
        'KILL',
        'systemd-nspawn',
        '--quiet',
        '--boot',
        '--register=no',
        '--keep-unit',
      ],
      ...['--console=pipe', '--capability=CAP_NET_ADMIN', `--network-namespace-path=${namespace}`],
      ...[`--directory=${root}`, `--bind=${firmware}:/boot/firmware`, `--machine=${desk.prefix}${name}`],
      ...['--', ...kernel, ...AS_CONTAINER],
    ]
    // In a control group of its own, or units of the same name on two guests would be one.
    const child = spawn('sh', ['-c', 'echo 0 >"$0/cgroup.procs" && exec "$@"', group, ...words], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: globalThis.process.env.PATH, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1' },
    })
    process = child
    child.stderr.on('data', (words) => {
      complaints = String(words).slice(-2_000)
    })
    child.once('close', (code) => {
      if (process !== child) return
      process = undefined
      if (code === REBOOT) start()
    })
  }
  const init = (): number | undefined =>
    process?.pid === undefined ? undefined : descendants(process.pid).find((pid) => comm(pid) === 'systemd')
  start()
  return {
    name,
    address,
    root,
    boots: () => boots,
    init,
    start,
    async stop() {
      const child = process
      process = undefined
      child?.kill('SIGKILL')
      await waitUntil(`${name} is off`, () => child === undefined || child.signalCode !== null)
    },
    journal(lines) {
      const pid = init()
      if (pid === undefined) return `it is off: ${complaints}`
      return host('nsenter', '-t', String(pid), '-a', 'journalctl', '--no-pager', '-q', '-n', String(lines))
    },
  }
}

function comm(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  } catch {
    // It has just ended.
    return ''
  }
}
