/**
 * The session against Debian's mosquitto. Without it the test says so and passes, except where the environment
 * variable CI is `true`: there it has to be installed.
 */
import { spawn } from 'node:child_process'
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createSession } from '../../node/session.ts'
import { createSigner } from '../../node/signing.ts'
import { waitUntil } from '../helpers/wait-until.ts'

const bytes = (value: string) => new TextEncoder().encode(value)
const QOS1 = { qos: 1, retain: false } as const

/** Debian puts the broker where an ordinary user's PATH does not look. */
const mosquitto = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin']
  .map((folder) => join(folder, 'mosquitto'))
  .find((file) => {
    try {
      accessSync(file, constants.X_OK)
      return true
    } catch {
      // Not here: the next folder.
      return false
    }
  })

const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })

async function startMosquitto(t: Test, program: string, port: number, settings: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'pinledger-mosquitto-'))
  const file = join(folder, 'mosquitto.conf')
  writeFileSync(file, [`listener ${port} 127.0.0.1`, 'persistence false', ...settings, ''].join('\n'))
  const child = spawn(program, ['-c', file], { stdio: 'ignore' })
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const stop = async () => {
    child.kill()
    await gone
    rmSync(folder, { recursive: true, force: true })
  }
  t.teardown(stop)
  return { stop }
}

function session(t: Test, port: number, login: { username?: string; password?: string } = {}) {
  const seen = { messages: [] as string[], reasons: [] as string[] }
  const quiet = () => {}
  const made = createSession(
    {
      url: `mqtt://127.0.0.1:${port}`,
      signer: createSigner(new Uint8Array(32).fill(3)),
      loginTimeoutMs: 200,
      backoff: { baseMs: 50, capMs: 100, stableMs: 60_000 },
      ...login,
    },
    {
      log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
      random: Math.random,
      now: () => performance.now(),
      onMessage: ({ topic, payload }) =>
        void seen.messages.push(`${topic} ${new TextDecoder().decode(payload)}`),
      onConnected: quiet,
      onDisconnected: (reason) => void seen.reasons.push(reason),
      onDropped: quiet,
      onFault: (error) => {
        throw error
      },
    },
  )
  t.teardown(() => made.stop())
  return { session: made, seen }
}

if (mosquitto === undefined) {
  t.test('mosquitto', async (t) => {
    t.comment('LEFT OUT: mosquitto is not installed; on Debian: sudo apt-get install mosquitto')
    t.not(process.env.CI, 'true', 'in CI mosquitto has to be installed')
  })
} else {
  t.test('a session logs in plainly, and comes back after a restart of mosquitto', async (t) => {
    const port = await freePort()
    const first = await startMosquitto(t, mosquitto, port, ['allow_anonymous true'])
    const device = session(t, port)
    device.session.subscribe(['a/+'])
    device.session.start()
    await waitUntil('connected', () => device.session.connected)
    t.equal(await device.session.publish('a/b', bytes('one'), QOS1), true)
    await waitUntil('the message comes', () => device.seen.messages.length === 1)
    await first.stop()
    await waitUntil('it has noticed', () => !device.session.connected)
    await startMosquitto(t, mosquitto, port, ['allow_anonymous true'])
    await waitUntil('connected again', () => device.session.connected)
    t.equal(await device.session.publish('a/c', bytes('two'), QOS1), true)
    await waitUntil('the message comes', () => device.seen.messages.length === 2)
    t.strictSame(device.seen.messages, ['a/b one', 'a/c two'])
  })

  t.test('a mosquitto that wants a password says so through us', async (t) => {
    const port = await freePort()
    await startMosquitto(t, mosquitto, port, ['allow_anonymous false'])
    const device = session(t, port)
    device.session.start()
    const refused = () => device.seen.reasons.find((reason) => reason.includes('user name'))
    await waitUntil('it is refused', () => refused() !== undefined)
    t.equal(refused(), 'the broker wants a user name and password; set them in the configuration')
  })
}
