/** A peer that answers slowly, falsely or without end keeps nobody from mining and from catching up with others. */
import t from 'tap'
import type { Header } from '../../schemas/block.ts'
import { block as blockCodec, header as headerCodec } from '../../schemas/block.ts'
import { decode, encode } from '../../schemas/codec.ts'
import type { Hash } from '../../schemas/hex.ts'
import { HEADERS_MAX, MESSAGE_BYTES_MAX, reply, request, tip as tipCodec } from '../../schemas/message.ts'
import { invariant } from '../../schemas/result.ts'
import { parseTopic, topic } from '../../schemas/topic.ts'
import { mine, signer } from '../helpers/ledger.ts'
import { type Device, Rig } from '../helpers/rig.ts'
import { waitUntil } from '../helpers/wait-until.ts'

/** A device that answers every question for headers with what `answer` gives, or not at all; counts the questions. */
async function liar(
  rig: Rig,
  device: Device,
  answer: () => readonly Header[] | undefined,
  blocks: readonly Uint8Array[] = [],
) {
  const { id } = rig.chain.network
  const asked = { count: 0 }
  device.client.on('message', (name, payload) => {
    const parsed = parseTopic(name)
    if (parsed?.kind !== 'request' || parsed.json) return
    const question = decode(request, new Uint8Array(payload), MESSAGE_BYTES_MAX)
    invariant(question.ok, 'a question of ours decodes')
    asked.count++
    const headers = answer()
    if (headers === undefined) return
    const bytes =
      question.value.type === 'getBlocks'
        ? encode(reply, { type: 'blocks', id: question.value.id, blocks })
        : encode(reply, { type: 'headers', id: question.value.id, headers })
    device.client.publish(topic(id, 'reply', device.signer.account, parsed.publisher), Buffer.from(bytes), {
      qos: 1,
    })
  })
  await device.client.subscribeAsync(topic(id, 'request', '+', device.signer.account), { qos: 1 })
  return asked
}

/** The rig's next block with a parent that nobody has. */
function orphan(rig: Rig): Uint8Array {
  const block = rig.chain.block()
  const header = { ...block.header, parent: 'ab'.repeat(32) as Hash }
  return encode(blockCodec, { ...block, header })
}

t.test('a thousand headers, repeated for ever, end the catch-up at once', async (t) => {
  const rig = await Rig.start(t)
  const running = await rig.validator()
  const device = await rig.device(signer(66))
  const [first] = [rig.chain.block().header]
  const asked = await liar(rig, device, () => Array.from({ length: HEADERS_MAX }, () => first))
  await device.send('block', orphan(rig), { qos: 1 })
  await waitUntil('the catch-up failed', () =>
    running.lines.some(({ event }) => event === 'catching up failed'),
  )
  t.equal(asked.count, 1)
  await device.send('block', orphan(rig), { qos: 1 })
  await rig.mine([running])
  t.equal(asked.count, 1, 'it is left alone for a while')
})

t.test('a thousand headers from the future are asked for once', async (t) => {
  const rig = await Rig.start(t)
  const running = await rig.validator()
  const device = await rig.device(signer(66))
  const block = rig.chain.block([], { header: { time: rig.chain.nowMs + 1_000_000_000 } })
  const early = mine(rig.chain.network, block).header
  const asked = await liar(rig, device, () => Array.from({ length: HEADERS_MAX }, () => early))
  await device.send('block', orphan(rig), { qos: 1 })
  await waitUntil('it was asked', () => asked.count > 0)
  await rig.mine([running])
  await rig.mine([running])
  t.equal(asked.count, 1)
})

t.test(
  'peers that never answer keep a validator neither from being in sync nor from catching up',
  async (t) => {
    const rig = await Rig.start(t)
    const running = await rig.validator()
    await rig.mine([running])
    const late = await rig.validator(2)
    await waitUntil('the late one has caught up', () => rig.agrees(late))
    for (const index of [66, 67, 68, 69, 70]) {
      const device = await rig.device(signer(index))
      const asked = await liar(rig, device, () => undefined)
      await device.send('block', orphan(rig), { qos: 1 })
      if (index < 70) await waitUntil('it is waited for', () => asked.count > 1)
    }
    t.ok(late.validator.node.inSync, 'claims alone are no reason to rest')
    // Only the first validator gets these: the late one has to ask it, while it still waits for all of the liars.
    for (let count = 0; count < 3; count++) {
      rig.chain.grow(1)
      running.validator.node.accept(rig.chain.archive.block(rig.chain.chain.tip.hash))
    }
    await waitUntil('it has caught up', () => rig.agrees(late))
    t.ok(
      late.lines.every(({ event }) => event !== 'catching up failed'),
      'and nobody has timed out yet',
    )
  },
)

t.test('a body that was not asked for is not stored', async (t) => {
  const rig = await Rig.start(t)
  const running = await rig.validator()
  const cheap = encode(blockCodec, rig.chain.block([], { miner: signer(66) }))
  rig.chain.grow(3)
  const headers = rig.chain.chain.headersAfter([rig.chain.network.block0Hash], 3)
  const device = await rig.device(signer(66))
  await liar(rig, device, () => headers, [cheap, cheap, cheap])
  await device.send('block', orphan(rig), { qos: 1 })
  await waitUntil('the catch-up failed', () =>
    running.lines.some(({ fields }) => fields.reason === 'another block than the one asked for'),
  )
  t.equal(running.validator.node.chain.tip.height, 0)
})

t.test(
  'claims of a better tip that nobody backs do not keep a node from being in sync for long',
  async (t) => {
    const rig = await Rig.start(t)
    const running = await rig.validator()
    const { node } = running.validator
    await rig.mine([running])
    const device = await rig.device(signer(202))
    const asked = await liar(rig, device, () => [])
    const claim = { ...node.tipMessage(), hash: 'cd'.repeat(32) as Hash, work: 2n ** 200n }
    await device.send('tip', encode(tipCodec, claim), { qos: 1, retain: true })
    await waitUntil('it rests for the claim', () => !node.inSync)
    await waitUntil('it has found nothing behind it', () => node.inSync)
    await device.send('tip', encode(tipCodec, { ...claim, work: 2n ** 201n }), { qos: 1, retain: true })
    await rig.mine([running])
    t.ok(node.inSync, 'the next claim is not believed')
    t.equal(asked.count, 1)
  },
)

t.test('a block on a parent far below the tip is not stored', async (t) => {
  const rig = await Rig.start(t)
  const running = await rig.validator()
  const cheap = rig.chain.block([], { miner: signer(66) })
  rig.chain.grow(150)
  const miner = await rig.device(signer(67))
  await liar(rig, miner, () => undefined)
  // The validator learns the long chain from a peer that proves its work.
  for (let height = 1; height <= 150; height++) {
    const hash = rig.chain.chain.at(height)?.hash as Hash
    running.validator.node.accept(rig.chain.archive.block(hash))
  }
  t.ok(rig.agrees(running))
  const { size } = running.store
  const device = await rig.device(signer(66))
  await device.send('block', encode(blockCodec, cheap), { qos: 1 })
  await rig.mine([running])
  const hash = rig.chain.network.hashing.double(encode(headerCodec, cheap.header))
  t.notOk(running.validator.node.chain.entry(Buffer.from(hash).toString('hex') as Hash))
  t.ok(running.store.size > size, 'the honest block is')
})

t.test(
  'blocks that come before their parents wait for them, without their sender being asked for more',
  async (t) => {
    const rig = await Rig.start(t)
    const running = await rig.validator()
    rig.chain.grow(4)
    const device = await rig.device(signer(66))
    // It never answers: only what was sent once can be accepted.
    await liar(rig, device, () => undefined)
    for (const height of [3, 4, 2, 1]) {
      const hash = rig.chain.chain.at(height)?.hash as Hash
      await device.send('block', rig.chain.archive.block(hash), { qos: 1 })
    }
    await waitUntil('it has them all', () => rig.agrees(running))
    t.strictSame(running.counts.refused, [])
  },
)

t.test('a child that breaks a rule is refused in the name of who sent it', async (t) => {
  const rig = await Rig.start(t)
  const running = await rig.validator()
  rig.chain.grow(1)
  const parent = rig.chain.archive.block(rig.chain.chain.tip.hash)
  const bad = rig.chain.block([], { coinbase: { reward: 51e8 } })
  const device = await rig.device(signer(66))
  await liar(rig, device, () => undefined)
  await device.send('block', encode(blockCodec, bad), { qos: 1 })
  const other = await rig.device(signer(67))
  await waitUntil('it is asked for', () => running.validator.node.chain.tip.height === 0)
  await device.send('block', parent, { qos: 1 })
  await waitUntil('the child is refused', () => running.counts.refused.includes('bad-reward'))
  t.equal(running.validator.node.chain.tip.height, 1)
  t.ok(other)
})

t.test('a flood of blocks with unknown parents is asked for rarely, and its sender is muted', async (t) => {
  const rig = await Rig.start(t)
  const running = await rig.validator()
  const device = await rig.device(signer(66))
  const asked = await liar(rig, device, () => [])
  const block = rig.chain.block()
  for (let count = 0; count < 600; count++) {
    const parent = count.toString(16).padStart(64, '0') as Hash
    const bytes = encode(blockCodec, { ...block, header: { ...block.header, parent } })
    device.client.publish(topic(rig.chain.network.id, 'block', device.signer.account), Buffer.from(bytes), {
      qos: 0,
    })
  }
  await waitUntil('it is muted', () => running.lines.some(({ event }) => event.startsWith('not listening')))
  t.ok(asked.count <= 3, `asked ${asked.count} times`)
  await rig.mine([running])
  t.pass('and honest blocks are taken')
})

t.test(
  'a catch-up of many blocks is told as a whole, survives a restart, and goes on where it was',
  async (t) => {
    const rig = await Rig.start(t)
    const first = await rig.validator(1)
    rig.chain.grow(300)
    const bytes = (height: number) => rig.chain.archive.block(rig.chain.chain.at(height)?.hash as Hash)
    for (let height = 1; height <= 300; height++) first.validator.node.accept(bytes(height))
    const interrupted = await rig.validator(2)
    await waitUntil('it is in the middle', () => interrupted.store.chain.tip.height >= 20)
    t.match(interrupted.validator.node.progress, { phase: 'bodies', of: 300 })
    await interrupted.stop()
    const { height } = interrupted.store.chain.tip
    t.ok(height < 300, `stopped at ${height}`)
    const again = await rig.validator(2, interrupted.path)
    t.ok(again.store.chain.tip.height >= height, 'what it had it has')
    await waitUntil('it has caught up', () => rig.agrees(again))
    const told = [...interrupted.lines, ...again.lines].filter(({ level }) => level === 'info')
    t.ok(told.filter(({ event }) => event === 'block').length <= 1)
    t.match(told.find(({ event, fields }) => event === 'catching up' && fields.height === 300)?.fields, {
      blocks: `${300 - height}/${300 - height}`,
    })
  },
)
