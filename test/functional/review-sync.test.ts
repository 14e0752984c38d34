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
