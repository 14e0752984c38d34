/**
 * The gpiod tools of a Pi, as scripts: they know the words of their version only, hold a line as the kernel shows it in
 * /proc, and leave what they were told in files.
 */
import { spawn } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { GpioSurroundings } from '../../edge-agent/gpio/access.ts'
import { createFakeMachine } from './fake-machine.ts'

/** `$PI` is the machine's root. `refuse` holds what the next tool says before it gives up. */
const TOOL = `#!/bin/sh
say() { echo "$NAME $*" >> "$PI/calls"; }
hold() { mkdir -p "$PI/proc/$$/fd" && ln -s 'anon_inode:gpio-line' "$PI/proc/$$/fd/7"; }
refuse() { if [ -s "$PI/refuse" ]; then echo "$NAME: $(cat "$PI/refuse")" >&2; exit 1; fi; }
`
const TOOLS = {
  gpiodetect: `
if [ "$1" = --version ]; then echo "gpiodetect (libgpiod) $(cat "$PI/version")"; exit 0; fi
refuse; cat "$PI/chips"`,
  gpioget: 'say "$@"; refuse; cat "$PI/level"',
  // Edges come from a pipe that the test writes to; its end is the chip's.
  gpiomon:
    'say "$@"; refuse; hold; cat "$PI/edges"; echo "gpiomon: error waiting for events: No such device" >&2; exit 1',
  gpioset: 'say "$@"; refuse; for last; do :; done; echo "$last" > "$PI/driven"; hold; exec sleep 600',
}

export interface FakePi extends GpioSurroundings {
  readonly root: string
  /** What the tools were called with, as one line each. */
  calls(): readonly string[]
  write(path: string, text: string): void
  remove(): void
}

/** A Pi whose kernel offers the character device only; real time. */
export function createFakePi(version: string, chips: string): FakePi {
  const machine = createFakeMachine(0)
  const { root, write } = machine
  write('dev/gpiochip0', '')
  write('version', version)
  write('chips', chips)
  write('level', '0\n')
  for (const [name, script] of Object.entries(TOOLS)) {
    write(`bin/${name}`, `${TOOL}NAME=${name}\n${script}\n`)
    chmodSync(join(root, 'bin', name), 0o755)
  }
  writeFileSync(join(root, 'calls'), '')
  const env = { PATH: `${join(root, 'bin')}:/usr/bin:/bin`, PI: root }
  return {
    ...machine,
    nowMs: () => performance.now(),
    sleep: async (ms, signal) => {
      await sleep(ms, undefined, { signal }).catch(() => {})
    },
    spawn: (command, args) => spawn(command, args, { env, detached: true }),
    calls: () => readFileSync(join(root, 'calls'), 'utf8').split('\n').filter(Boolean),
  }
}
