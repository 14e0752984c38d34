import { generate, type Packet } from 'mqtt-packet'
import t from 'tap'
import { type FrameFaultCode, FrameScanner } from '../../broker/frame.ts'
import { LIMITS } from '../../broker/limits.ts'

const connect = (more: object = {}): Buffer =>
  generate({
    cmd: 'connect',
    clientId: 'me',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clean: true,
    keepalive: 9,
    ...more,
  } as Packet)

/** A scanner behind CONNECT, of a client that may publish. */
function opened(): FrameScanner {
  const scanner = new FrameScanner(LIMITS)
  scanner.scan(connect())
  scanner.admit(true)
  return scanner
}
const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex')

t.test('faults after CONNECT', async (t) => {
  const cases: readonly [string, string, FrameFaultCode][] = [
    ['remaining length of five bytes', '30 80 80 80 80 01', 'malformed-length'],
    ['QoS 3', '36 05 0001 61 0001', 'bad-flags'],
    ['QoS 0 as a duplicate', '38 03 0001 61', 'bad-flags'],
    ['an empty topic', '30 02 0000', 'malformed-packet'],
    ['a topic longer than its packet', '30 03 0009 61', 'malformed-packet'],
    ['NUL in a topic', '30 05 0003 61 00 62', 'bad-text'],
    ['an overlong encoding of / in a topic', '30 04 0002 c0af', 'bad-text'],
    ['a surrogate in a topic', '30 05 0003 eda080', 'bad-text'],
    ['a wildcard in a topic', '30 05 0003 61 2f 2b', 'wildcard-topic'],
    ['PUBLISH with packet id 0', '32 05 0001 61 0000', 'packet-id-zero'],
    ['PUBLISH without its packet id', '32 03 0001 61', 'malformed-packet'],
    ['SUBSCRIBE with packet id 0', '82 06 0000 0001 61 00', 'packet-id-zero'],
    ['SUBSCRIBE without a filter', '82 02 0001', 'malformed-packet'],
    ['SUBSCRIBE with QoS 3', '82 06 0001 0001 61 03', 'malformed-packet'],
    ['SUBSCRIBE without its QoS', '82 05 0001 0001 61', 'malformed-packet'],
    ['SUBSCRIBE with wrong flags', '80 06 0001 0001 61 00', 'bad-flags'],
    ['NUL in a filter', '82 06 0001 0001 00 00', 'bad-text'],
    ['an empty filter', '82 05 0001 0000 00', 'malformed-packet'],
    ['UNSUBSCRIBE with packet id 0', 'a2 05 0000 0001 61', 'packet-id-zero'],
    ['UNSUBSCRIBE without a filter', 'a2 02 0001', 'malformed-packet'],
    ['PUBACK with packet id 0', '40 02 0000', 'packet-id-zero'],
    ['PUBACK of three bytes', '40 03 0001 00', 'malformed-packet'],
    ['PUBREL with wrong flags', '60 02 0001', 'bad-flags'],
    ['PINGREQ with a body', 'c0 01 00', 'malformed-packet'],
    ['a second CONNECT', connect().toString('hex'), 'second-connect'],
    ["CONNACK, the server's", '20 02 0000', 'not-for-a-client'],
    ['type 0', '00 00', 'not-for-a-client'],
    ['AUTH of MQTT 5', 'f0 00', 'not-for-a-client'],
  ]
  for (const [what, hex, code] of cases) t.equal(opened().scan(bytes(hex)).fault?.code, code, what)
})

t.test('faults of CONNECT', async (t) => {
  const head = '0004 4d515454 04'
  const cases: readonly [string, string, FrameFaultCode][] = [
    ['PUBLISH first', '30 03 0001 61', 'no-connect'],
    ['MQTT 5', '10 0d 0004 4d515454 05 02 0009 00 0000', 'mqtt-version'],
    ['another protocol', '10 0c 0004 48545450 04 02 0009 0000', 'mqtt-version'],
    ['a bridge', '10 0c 0004 4d515454 84 02 0009 0000', 'mqtt-version'],
    ['the reserved flag', `10 0c ${head} 03 0009 0000`, 'bad-flags'],
    ['a password without a user name', `10 0e ${head} 42 0009 0000 0000`, 'bad-flags'],
    ["a will's QoS without a will", `10 0c ${head} 0a 0009 0000`, 'bad-flags'],
    ['a will without a topic', `10 0c ${head} 06 0009 0000`, 'malformed-packet'],
    ['bytes behind the last field', `10 0d ${head} 02 0009 0000 00`, 'malformed-packet'],
    ['NUL in the client id', `10 0e ${head} 02 0009 0002 6100`, 'bad-text'],
    ['bad UTF-8 in the user name', `10 0f ${head} 82 0009 0000 0001 ff`, 'bad-text'],
    ['bad UTF-8 in the will topic', `10 11 ${head} 06 0009 0000 0001 ff 0000`, 'bad-text'],
    ['no client id for a session', `10 0c ${head} 00 0009 0000`, 'bad-client-id'],
    ['an endless client id', connect({ clientId: 'x'.repeat(129) }).toString('hex'), 'bad-client-id'],
  ]
  for (const [what, hex, code] of cases)
    t.equal(new FrameScanner(LIMITS).scan(bytes(hex)).fault?.code, code, what)
})

t.test('frames leave whole however the bytes arrive', async (t) => {
  const good = Buffer.concat([
    generate({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'a/+/#', qos: 2 }] }),
    generate({
      cmd: 'publish',
      topic: 'ä/b',
      payload: Buffer.alloc(300, 1),
      qos: 2,
      messageId: 9,
      dup: true,
      retain: true,
    }),
    generate({ cmd: 'pingreq' }),
    generate({ cmd: 'pubrel', messageId: 9 }),
    generate({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: ['a/+/#', 'b'] }),
    generate({ cmd: 'disconnect' }),
  ])
  for (let size = 1; size <= good.length; size++) {
    const scanner = opened()
    const out: Buffer[] = []
    for (let at = 0; at < good.length; at += size) {
      const { frames, fault } = scanner.scan(Buffer.from(good.subarray(at, at + size)))
      if (fault !== undefined) t.fail(`${fault.code} in pieces of ${size}`)
      out.push(frames)
    }
    if (!Buffer.concat(out).equals(good) || scanner.buffered !== 0) t.fail(`pieces of ${size}`)
  }
  t.pass('in pieces of every size')
})

t.test('what follows CONNECT waits for the login', async (t) => {
  const scanner = new FrameScanner(LIMITS)
  const ping = generate({ cmd: 'pingreq' })
  const first = scanner.scan(Buffer.concat([connect(), ping]))
  t.same(first.frames, connect())
  t.equal(scanner.held, true)
  t.same(scanner.scan(ping).frames.length, 0)
  t.equal(scanner.buffered, 4)
  t.same(scanner.admit(false).frames, Buffer.concat([ping, ping]))
})

t.test('good frames before a fault still count, nothing after it', async (t) => {
  const ping = generate({ cmd: 'pingreq' })
  const { frames, fault } = opened().scan(Buffer.concat([ping, bytes('00 00'), ping]))
  t.same(frames, ping)
  t.equal(fault?.code, 'not-for-a-client')
})

t.test('a malformed filter is masked, a good one is not touched', async (t) => {
  const { frames } = opened().scan(
    generate({
      cmd: 'subscribe',
      messageId: 1,
      subscriptions: [
        { topic: 'a+', qos: 0 },
        { topic: 'a/#', qos: 0 },
      ],
    }),
  )
  t.match(frames.toString('latin1'), /\$\$/)
  t.match(frames.toString('latin1'), 'a/#')
})
