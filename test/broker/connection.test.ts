import { once } from 'node:events'
import { Duplex, PassThrough } from 'node:stream'
import { generate } from 'mqtt-packet'
import t from 'tap'
import { Budget } from '../../broker/budget.ts'
import { Connection } from '../../broker/connection.ts'
import { LIMITS, type Limits } from '../../broker/limits.ts'
import { waitUntil } from '../helpers/wait-until.ts'
import { CONNECT } from './running-broker.ts'

/** A connection over a pair of streams: what the test writes to `near` comes in, what goes out is read from `far`. */
function bench(limits: Partial<Limits> = {}) {
  const near = new PassThrough()
  const far = new PassThrough({ highWaterMark: 1024 })
  const source = Duplex.from({ readable: near, writable: far })
  const budget = new Budget(1 << 30)
  const reasons: string[] = []
  const all = { ...LIMITS, ...limits }
  const connection = new Connection(source, {
    address: 'here',
    limits: all,
    budget,
    onRefuse: (reason) => void reasons.push(reason),
  })
  connection.open()
  return { near, far, budget, reasons, connection }
}

t.test('bytes leave in their order, whether they had to wait or not', async (t) => {
  const { far, connection, budget } = bench()
  const parts: Buffer[] = []
  for (let index = 0; index < 500; index++) parts.push(Buffer.alloc(1 + ((index * 37) % 9000), index))
  t.equal(
    parts.every((part) => connection.write(part)),
    true,
    'nobody waits',
  )
  t.ok(connection.backlog > 0, 'they wait')
  t.equal(budget.outgoing, connection.backlog)
  const wanted = Buffer.concat(parts)
  const got: Buffer[] = []
  let size = 0
  far.on('data', (chunk: Buffer) => {
    got.push(chunk)
    size += chunk.length
  })
  await waitUntil('all has left', () => size === wanted.length)
  t.ok(Buffer.concat(got).equals(wanted))
  t.equal(connection.backlog, 0)
  t.equal(budget.outgoing, 0)
  connection.destroy()
})

t.test('writing never makes the writer wait, until the client is too far behind', async (t) => {
  const { connection, reasons, budget } = bench({ outgoingBytesMax: 10_000 })
  const closed = once(connection, 'close')
  for (let count = 0; count < 40; count++) connection.write(Buffer.alloc(1000))
  await closed
  t.same(reasons, ['slow-reader'])
  t.equal(budget.outgoing, 0)
})

t.test('after CONNECT nothing goes on, nor is more read, until admitted', async (t) => {
  const { near, connection, budget } = bench()
  const ping = generate({ cmd: 'pingreq' })
  near.write(Buffer.concat([generate(CONNECT), ping]))
  await waitUntil('CONNECT is there', () => connection.readableLength > 0)
  t.same(connection.read(), generate(CONNECT))
  t.equal(budget.receiving, 2)
  connection.admit(false)
  t.same(connection.read(), ping)
  t.equal(budget.receiving, 0)
  connection.destroy()
})

t.test('a fault closes the connection and gives its memory back', async (t) => {
  const { near, connection, reasons, budget } = bench()
  const closed = once(connection, 'close')
  near.write(Buffer.from('GET / HTTP/1.1\r\n\r\n'))
  await closed
  t.same(reasons, ['no-connect'])
  t.equal(budget.receiving, 0)
})
