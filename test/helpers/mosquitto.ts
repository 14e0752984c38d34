/** Debian's mosquitto, where it is installed. */
import { accessSync, constants, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import type { Test } from 'tap'
import { type Program, startProgram, temporary } from './processes.ts'
import { waitUntil } from './wait-until.ts'

/** Path of an installed program; undefined when there is none. */
export function installed(name: string): string | undefined {
  // Debian puts brokers where an ordinary user's PATH does not look.
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin']
  return folders
    .map((folder) => join(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK)
        return true
      } catch {
        // Not here: the next folder.
        return false
      }
    })
}

/** Says that a part is left out; in CI (environment variable CI=true) it must not be. */
export function leftOut(t: Test, name: string): void {
  t.comment(`LEFT OUT: ${name} is not installed; on Debian: sudo apt-get install mosquitto mosquitto-clients`)
  t.not(process.env.CI, 'true', `in CI ${name} has to be installed`)
}

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })

/** A mosquitto of its own for the test, that takes anybody; `more` are lines for its configuration, such as those of a bridge. */
export async function startMosquitto(
  t: Test,
  program: string,
  more: readonly string[] = [],
): Promise<{ url: string; process: Program }> {
  const port = await freePort()
  const file = join(temporary(t), 'mosquitto.conf')
  writeFileSync(
    file,
    [
      `listener ${port} 127.0.0.1`,
      'allow_anonymous true',
      'persistence false',
      `user ${process.env.USER ?? 'root'}`,
      ...more,
      '',
    ].join('\n'),
  )
  const mosquitto = startProgram(t, program, ['-c', file])
  let listens = false
  const attempt = (): void => {
    const socket = connect(port, '127.0.0.1', () => {
      listens = true
      socket.destroy()
    })
    socket.on('error', () => setTimeout(attempt, 50))
  }
  attempt()
  await waitUntil('mosquitto listens', () => listens)
  return { url: `mqtt://127.0.0.1:${port}`, process: mosquitto }
}
