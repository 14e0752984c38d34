/**
 * A real Aedes on a free port that asks for proof of the account key, as the built-in broker does, in few lines.
 */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { Aedes, type AedesOptions } from 'aedes'
import { hashing, signatures } from '../../node/signing.ts'
import { type Account, fromHex } from '../../schemas/hex.ts'
import { loginMessage } from '../../schemas/login.ts'
import { CHALLENGE_TOPIC } from '../../schemas/topic.ts'

export const CHALLENGE = '5a'.repeat(32)

/** `proof`: publish a challenge and let only anonymous readers and proven accounts in. */
export async function startBroker(options: { port?: number; proof: boolean; aedes?: AedesOptions }) {
  const aedes = await Aedes.createBroker({
    concurrency: 0,
    heartbeatInterval: 60_000,
    ...(options.proof ? { authenticate: proven } : {}),
    ...options.aedes,
  })
  if (options.proof) {
    await new Promise<void>((resolve) =>
      aedes.publish(
        { cmd: 'publish', topic: CHALLENGE_TOPIC, payload: CHALLENGE, qos: 0, retain: true, dup: false },
        () => resolve(),
      ),
    )
  }
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    aedes.handle(socket)
  })
  server.listen(options.port ?? 0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    aedes,
    port,
    url: `mqtt://127.0.0.1:${port}`,
    async stop() {
      server.close()
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => aedes.close(() => resolve()))
    },
  }
}

const proven: NonNullable<AedesOptions['authenticate']> = (client, username, password, done) => {
  if (username === undefined) return done(null, client.id.startsWith('guest-'))
  const digest = hashing.tagged('login', loginMessage(CHALLENGE, client.id))
  const account = username as Account
  done(
    null,
    signatures.verify(fromHex(password?.toString() ?? ''), digest, account) && client.id.startsWith(account),
  )
}
