/** A machine for sensors: files in a temporary tree, a clock that only sleeping moves, and a record of what happened. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Surroundings } from '../../edge-agent/driver.ts'

export interface FakeMachine extends Surroundings {
  readonly root: string
  /** Messages of reported errors. */
  readonly reports: string[]
  /** Milliseconds of each sleep so far. */
  readonly sleeps: number[]
  write(path: string, text: string): void
  remove(): void
}

/**
 * Sleeps pass at once, `sleepsMax` of them; the next lasts until it is aborted. `onSleep` is called at the start of
 * each with its number, from 1, to change files in the meantime.
 */
export function createFakeMachine(
  sleepsMax: number,
  onSleep: (count: number) => void = () => {},
): FakeMachine {
  const root = mkdtempSync(join(tmpdir(), 'machine-'))
  const reports: string[] = []
  const sleeps: number[] = []
  let nowMs = 1000
  return {
    root,
    reports,
    sleeps,
    procRoot: join(root, 'proc'),
    sysRoot: join(root, 'sys'),
    devRoot: join(root, 'dev'),
    nowMs: () => nowMs,
    random: () => 0.5,
    spawn: () => {
      throw new Error('this machine was given no programs')
    },
    loadGpio: () => Promise.reject(new Error('this machine was given no GPIO library')),
    report: (error) => reports.push(error.message),
    sleep(ms, signal) {
      if (signal.aborted) return Promise.resolve()
      sleeps.push(ms)
      onSleep(sleeps.length)
      if (sleeps.length <= sleepsMax) {
        nowMs += ms
        return new Promise((resolve) => setImmediate(resolve))
      }
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    },
    write(path, text) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), text)
    },
    remove: () => rmSync(root, { recursive: true }),
  }
}
