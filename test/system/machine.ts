/** What tests need of the machine that only root may do, and how they say that it is not to be had. */
import { spawn } from 'node:child_process'
import type { Test } from 'tap'

/** Runs a program to its end; undefined when it went well, else what it said. */
export const command = (name: string, args: readonly string[]): Promise<string | undefined> =>
  new Promise((resolve) => {
    const child = spawn(name, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    let words = ''
    child.stderr.on('data', (chunk) => {
      words += String(chunk)
    })
    child.once('error', (error) => resolve(error.message))
    child.once('close', (code) => resolve(code === 0 ? undefined : words || `${name} ended with ${code}`))
  })

/** True, and the test says so, when this user may not do it. In CI (environment variable CI=true) that is a failure. */
export function needsRoot(t: Test, what: string): boolean {
  if (process.getuid?.() === 0) return false
  t.comment(`LEFT OUT: ${what} takes root; run it with: sudo -E npm run test:system`)
  t.not(process.env.CI, 'true', `in CI root has to run ${what}`)
  return true
}

/** Says that a program is not there and how to get it. In CI that is a failure. */
export function notInstalled(t: Test, program: string, packages: string): void {
  t.comment(`LEFT OUT: ${program} is not installed; on Debian: sudo apt-get install ${packages}`)
  t.not(process.env.CI, 'true', `in CI ${program} has to be installed`)
}
