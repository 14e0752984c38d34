/** `pinledger watch`: one line per event of a running network. */
import { createLog, formatFor } from '../node/log.ts'
import type { SessionOptions } from '../node/session.ts'
import type { Kind } from '../schemas/topic.ts'
import { describeEvent, type Event, Live } from './live.ts'
import { openReader, type Reader } from './reader.ts'

export const WATCHED: readonly Kind[] = [
  'status',
  'confirmed',
  'account',
  'refused',
  'output',
  'grant',
  'claim',
  'hand',
]

/** Prints events: JSON lines for machines, else words, coloured on a terminal. */
export function eventPrinter(json: boolean): (event: Event) => void {
  const colour = formatFor(process.stdout, json) === 'colour'
  return (event) => {
    const now = Date.now()
    const line = json
      ? JSON.stringify({ at: new Date(now).toISOString(), ...event })
      : describeEvent(event, now, colour)
    process.stdout.write(`${line}\n`)
  }
}

/** Watches until the signal is aborted; throws WorldError when the broker cannot be reached within 10 s. */
export async function watchCommand(
  session: Pick<SessionOptions, 'url' | 'ca' | 'username' | 'password'>,
  json: boolean,
  signal: AbortSignal,
): Promise<void> {
  const log = createLog({
    name: 'watch',
    format: formatFor(process.stderr, json),
    level: 'warn',
    write: (line) => process.stderr.write(line),
    now: Date.now,
  })
  const live = new Live(eventPrinter(json))
  const reader: Reader = openReader(session, WATCHED, log, (mirror) => live.receive(mirror))
  await reader.connected(5_000)
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
  await reader.stop()
}
