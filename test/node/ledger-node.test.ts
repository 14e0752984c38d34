/** What a follower of the ledger does with what it hears; the validator's and agent's tests have the rest. */
import t, { type Test } from 'tap'
import type { Validator } from '../../broker/validator.ts'
import { block as blockCodec } from '../../schemas/block.ts'
import { decode, encode } from '../../schemas/codec.ts'
import { MESSAGE_BYTES_MAX, reply, request, tip as tipCodec } from '../../schemas/message.ts'
import { topic } from '../../schemas/topic.ts'
import { alice, bob, carol, signer, TestChain } from '../helpers/ledger.ts'
import { type Device, Rig, type RunningValidator } from '../helpers/rig.ts'
import { waitUntil } from '../helpers/wait-until.ts'

const refusedAs = ({ lines }: RunningValidator, code: string): boolean =>
  lines.some(({ fields }) => fields.code === code)

t.test('a block whose parent is unknown is asked for from its miner, headers first', async (t) => {
  const rig = await Rig.start(t)
  const running = await rig.validator()
  const theirs = new TestChain(rig.chain.network)
  theirs.grow(3, [], carol)
  const miner = await rig.device(carol)
  const asked: string[] = []
  await answering(t, rig, running.validator, miner, theirs, asked)
  const hash = theirs.chain.tip.hash
  await miner.send('block', theirs.archive.block(hash), { qos: 1 })
  await waitUntil('it has the whole branch', () => running.store.chain.tip.hash === hash)
  t.strictSame(asked, ['getHeaders', 'getBlocks'])
})

/** Makes a device answer requests as an honest node with the chain `theirs`. */
async function answering(
  t: Test,
  rig: Rig,
  { node }: Validator,
  device: Device,
  theirs: TestChain,
  asked: string[],
): Promise<void> {
  device.client.on('message', (name, payload) => {
    if (!name.includes('/request/')) return
    const question = decode(request, payload, MESSAGE_BYTES_MAX)
    if (!question.ok) return t.fail(question.fault.message)
    const { value } = question
    asked.push(value.type)
    const bytes =
      value.type === 'getHeaders'
        ? encode(reply, {
            type: 'headers',
            id: value.id,
            headers: theirs.chain.headersAfter(value.locator, value.limit),
          })
        : value.type === 'getBlocks'
          ? encode(reply, {
              type: 'blocks',
              id: value.id,
              blocks: value.hashes.map((hash) => theirs.archive.block(hash)),
            })
          : undefined
    const self = node.tipMessage().miner
    const [, , , from = self] = name.split('/')
    if (bytes !== undefined) void device.send('reply', bytes, { levels: [from], qos: 1 })
  })
  await device.client.subscribeAsync(topic(rig.chain.network.id, 'request', '+', device.signer.account))
}

t.test('it answers headers, blocks and accounts, and stays silent on blocks that it lacks', async (t) => {
  const rig = await Rig.start(t)
  const running = await rig.validator()
  await rig.mine([running], [rig.chain.transfer(alice, carol.account, 5)])
  await rig.mine([running])
  const device = await rig.device(carol)
  const answers = new Map<number, unknown>()
  device.client.on('message', (name, payload) => {
    const decoded = name.includes('/reply/') ? decode(reply, payload, MESSAGE_BYTES_MAX) : undefined
    if (decoded?.ok) answers.set(decoded.value.id, decoded.value)
  })
  await device.client.subscribeAsync(topic(rig.chain.network.id, 'reply', '+', carol.account))
  const to = { levels: [running.signer.account], qos: 1 } as const
  const { chain } = rig.chain
  const [one, two] = [chain.at(1)?.hash ?? chain.tip.hash, chain.tip.hash]
  await device.send('request', encode(request, { type: 'getHeaders', id: 1, locator: [one], limit: 10 }), to)
  await device.send(
    'request',
    encode(request, { type: 'getBlocks', id: 2, height: 1, hashes: [one, two] }),
    to,
  )
  await device.send('request', encode(request, { type: 'getAccount', id: 3, account: carol.account }), to)
  await device.send(
    'request',
    encode(request, { type: 'getBlocks', id: 4, height: 0, hashes: [chain.network.block0.content] }),
    to,
  )
  await waitUntil('all are answered', () => answers.size === 4)
  t.match(answers.get(1), { headers: chain.headersAfter([one], 1) })
  t.match(answers.get(2), { blocks: [rig.chain.archive.block(one), rig.chain.archive.block(two)] })
  t.match(answers.get(3), { view: { balance: 5, height: 2 } })
  t.match(answers.get(4), { blocks: [] })
})

t.test('a tip that its maker cannot back stops nobody from being in sync', async (t) => {
  const rig = await Rig.start(t)
  const [first, liar] = [await rig.validator(1), await rig.device(signer(202))]
  const { node } = first.validator
  await rig.mine([first])
  const claim = { ...node.tipMessage(), height: 99, work: 1n << 200n }
  await liar.send('tip', encode(tipCodec, claim), { retain: true, qos: 1 })
  await waitUntil('it is behind, it thinks', () => !node.inSync)
  await rig.mine([first])
  t.pass('meanwhile it follows the honest chain')
})

t.test('garbage for a tip is refused with a reason', async (t) => {
  const rig = await Rig.start(t)
  const [running, liar] = [await rig.validator(1), await rig.device(signer(202))]
  await liar.send('tip', Uint8Array.of(1, 2, 3), { retain: true })
  await waitUntil('told', () => running.lines.some(({ event }) => event === 'refused a tip'))
  t.pass('told')
})

t.test('a retained event on a foreign broker is old news, and JSON is never read', async (t) => {
  const rig = await Rig.start(t)
  const running = await rig.validator()
  const device = await rig.device(alice)
  const name = topic(rig.chain.network.id, 'tx', alice.account)
  const sealed = rig.chain.transfer(alice, bob.account, 1)
  await device.client.publishAsync(`${name}/json`, Buffer.from(sealed.bytes))
  await device.send('block', Uint8Array.of(1), { qos: 1 })
  await waitUntil('what came after has been looked at', () => refusedAs(running, 'bad-encoding'))
  t.equal(running.validator.node.mempool.size, 0)
})

t.test('a sender that keeps breaking rules is not listened to; others are', async (t) => {
  const rig = await Rig.start(t)
  const running = await rig.validator()
  const [bad, good] = [await rig.device(carol), await rig.device(alice)]
  for (let count = 0; count < 30; count++) await bad.send('tx', Uint8Array.of(count))
  const muted = () => running.lines.some(({ event }) => event.startsWith('not listening'))
  await waitUntil('it is muted', muted)
  t.equal(running.counts.refused.length < 30, true)
  await good.send('tx', rig.chain.transfer(alice, bob.account, 1).bytes)
  await waitUntil('alice is heard', () => running.validator.node.mempool.size === 1)
  await bad.send('block', encode(blockCodec, rig.chain.block([], { miner: carol })), { qos: 1 })
  await rig.mine([running])
  t.equal(running.store.chain.tip.miner, bob.account)
})
