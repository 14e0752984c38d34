import mqttPacket from 'mqtt-packet'
import t from 'tap'
import { FrameMeter } from '../../node/frame-meter.ts'

const publish = (bytes: number): Uint8Array =>
  mqttPacket.generate({
    cmd: 'publish',
    topic: 't',
    payload: Buffer.alloc(bytes),
    qos: 0,
    retain: false,
    dup: false,
  })

/** Remaining length of `publish(bytes)`: topic length, topic, payload. */
const remaining = (bytes: number) => 3 + bytes

for (const cut of [1, 2, 3, 7, 100_000]) {
  t.test(`frames up to the limit pass, read ${cut} bytes at a time`, async (t) => {
    const meter = new FrameMeter(remaining(20_000))
    const stream = Buffer.concat([0, 1, 124, 125, 16_380, 16_381, 20_000, 5].map(publish))
    let exceeded = false
    for (let at = 0; at < stream.length; at += cut) exceeded ||= meter.exceeds(stream.subarray(at, at + cut))
    t.equal(exceeded, false)
    t.equal(meter.exceeds(publish(20_001)), true)
  })
}

t.test('a claim is noticed before any byte of the body', async (t) => {
  t.equal(new FrameMeter(1 << 20).exceeds(Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0x7f)), true)
})

t.test('packets without a body', async (t) => {
  t.equal(new FrameMeter(2).exceeds(Uint8Array.of(0xd0, 0, 0xd0, 0, 0x40, 2, 0, 1, 0x30, 3)), true)
})
