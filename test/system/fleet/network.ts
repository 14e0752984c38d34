/** What the fleet's network does, as its owner sees it from the desk. */
import type { Test } from 'tap'
import { type Program, parsed, startProgram } from '../../helpers/processes.ts'
import { fromRoot } from '../../helpers/root.ts'
import type { Desk, Output } from './desk.ts'
import type { Guest } from './guest.ts'

export const MAIN = fromRoot('dist/cli/main.js')

/** Runs our program at the desk. */
export const pinledger = (desk: Desk, ...args: readonly string[]): Promise<Output> =>
  desk.run(process.execPath, [MAIN, ...args])

/** As `pinledger`; throws unless it ends well. */
export const told = async (desk: Desk, ...args: readonly string[]): Promise<string> =>
  (await desk.do(process.execPath, [MAIN, ...args])).out.trim()

export interface Watch {
  readonly program: Program
  /** Resolves with the first event from now on that has these fields. */
  next(what: string, fields: Readonly<Record<string, unknown>>, timeoutMs: number): Promise<Event>
}
type Event = Readonly<Record<string, unknown>>

/** Watches the network from the desk. */
export function watch(t: Test, desk: Desk, url: string): Watch {
  const inside = ['netns', 'exec', `${desk.prefix}desk`, process.execPath, MAIN]
  const program = startProgram(t, 'ip', [...inside, 'watch', '--broker', url, '--json'])
  return {
    program,
    async next(what, fields, timeoutMs) {
      let skipped = program.out.length
      const has = (line: string): boolean =>
        skipped-- <= 0 && Object.entries(fields).every(([name, value]) => parsed(line)?.[name] === value)
      return parsed(await program.line(what, has, timeoutMs)) ?? {}
    },
  }
}

export interface Ledger {
  readonly ok: boolean
  readonly height: number
  readonly tip: string
}

/** Checks every rule from the bytes on a guest's disk, whose program may be running. */
export async function storedOn(desk: Desk, guest: Guest, program: 'agent' | 'validator'): Promise<Ledger> {
  const data = `${guest.root}/var/lib/pinledger/${program}`
  const { out, err } = await pinledger(desk, 'verify', '--data', data, '--json')
  const { ok, height, tip } = parsed(out) ?? {}
  if (ok !== true) throw new Error(`the ledger of ${guest.name} does not hold: ${out} ${err}`)
  return { ok, height: Number(height), tip: String(tip) }
}
