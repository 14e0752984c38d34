/** Checkpoints over a real broker: three validators are the signers, two of them are enough. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { targetFor } from '../../ledger/difficulty.ts'
import { ChainStore } from '../../node/chain-store.ts'
import { openDisk } from '../../node/disk.ts'
import { decode, encode } from '../../schemas/codec.ts'
import type { Hash } from '../../schemas/hex.ts'
import { MESSAGE_BYTES_MAX, reply, request, tip as tipCodec } from '../../schemas/message.ts'
import { topic } from '../../schemas/topic.ts'
import { carol, signer, TestChain } from '../helpers/ledger.ts'
import { parsed, pinledger, run, temporary } from '../helpers/processes.ts'
import { foundQuickNetwork } from '../helpers/quick-network.ts'
import { type Device, Rig, type RunningValidator } from '../helpers/rig.ts'
import { waitUntil } from '../helpers/wait-until.ts'

const SIGNED = {
  checkpointSigners: [201, 202, 203].map((index) => signer(index).account),
  checkpointThreshold: 2,
}

const finalOf = ({ validator }: RunningValidator): number => validator.node.checkpoints.final.height
const logged = ({ lines }: RunningValidator, event: RegExp) => lines.find((line) => event.test(line.event))

/** The honest chain grows to `height`, stopping for each vote: the next one builds on what it justifies. */
async function grow(rig: Rig, height: number, validators: readonly RunningValidator[]): Promise<void> {
  while (rig.chain.chain.tip.height < height) {
    rig.chain.grow(1)
    const { hash, height: at } = rig.chain.chain.tip
    for (const { validator } of validators) validator.node.accept(rig.chain.archive.block(hash))
    if (at % 8 !== 4 || at < 12) continue
    const justified = () =>
      validators.every(({ validator }) => validator.node.checkpoints.justified.height === at - 4)
    await waitUntil(`block ${at - 4} is justified`, justified)
  }
}

t.test('two of three validators make blocks final, and say so to whoever comes later', async (t) => {
  const rig = await Rig.start(t, SIGNED)
  const two = [await rig.validator(1), await rig.validator(2)] as const
  await grow(rig, 20, two)
  t.ok(two.every((each) => finalOf(each) === 8))
  const mirrored = new Map<string, unknown>()
  const device = await rig.device(carol)
  device.client.on('message', (name, payload) => {
    if (name.endsWith('/json')) mirrored.set(name.split('/')[2] ?? '', JSON.parse(payload.toString()))
  })
  for (const kind of ['vote', 'checkpoint'] as const)
    await device.client.subscribeAsync(`${topic(rig.chain.network.id, kind, two[0].signer.account)}/json`)
  const [source, target] = [8, 16].map((height) => ({ height, hash: rig.chain.chain.at(height)?.hash }))
  const latest = () => JSON.stringify([...mirrored.values()]).split(`"target":${JSON.stringify(target)}`)
  await waitUntil('its vote and the certificates are retained', () => latest().length === 3)
  t.match(mirrored.get('vote'), { source, target, signer: two[0].signer.account })
  t.match(mirrored.get('checkpoint'), { certificates: [{ source, target, signatures: [{}, {}] }] })
  const late = await rig.validator(3)
  await waitUntil('the third has learnt it', () => rig.agrees(late) && finalOf(late) === 8)
  await two[1].stop()
  await grow(rig, 28, [two[0], late])
  t.equal(finalOf(two[0]), 16, 'and takes the place of one that left')
  t.match(logged(two[0], /^final$/), { fields: { height: 8 } })
})

t.test('a validator that was cut off comes back from a heavier chain of its own', async (t) => {
  const rig = await Rig.start(t, SIGNED)
  const path = join(temporary(t), 'chain.log')
  const alone = new TestChain(rig.chain.network)
  alone.grow(60, [], carol)
  const store = new ChainStore(openDisk(dirname(path)), rig.genesis)
  for (let height = 1; height <= 60; height++) {
    const outcome = store.chain.accept(
      alone.archive.block(alone.chain.at(height)?.hash as Hash),
      Number.MAX_SAFE_INTEGER,
    )
    if (outcome.ok) store.save(outcome.value)
  }
  t.equal(store.chain.tip.height, 60)
  store.close()
  const two = [await rig.validator(1), await rig.validator(2)] as const
  await grow(rig, 20, two)
  t.ok(two.every((each) => finalOf(each) === 8))
  const third = await rig.validator(3, path)
  await waitUntil('it follows what is final', () => rig.agrees(third) && finalOf(third) === 8)
  t.ok(logged(third, /reorganised to a chain that the signers agreed on/))
  t.ok(
    two.every((each) => rig.agrees(each)),
    'and nobody followed it',
  )
  await third.stop()
  const again = await rig.validator(3, path)
  t.equal(finalOf(again), 8, 'a restart keeps it')
  t.ok(rig.agrees(again))
})

t.test(
  'a heavier chain that leaves below what is final is refused by sync, and the log says why',
  async (t) => {
    const rig = await Rig.start(t, SIGNED)
    const two = [await rig.validator(1), await rig.validator(2)] as const
    await grow(rig, 20, two)
    t.ok(two.every((each) => finalOf(each) === 8))
    const rival = new TestChain(rig.chain.network)
    rival.grow(100, [], carol)
    const device = await rig.device(signer(203))
    await answering(rig, device, rival)
    const { tip, state } = rival.chain
    const claim = {
      ...two[0].validator.node.tipMessage(),
      hash: tip.hash,
      height: tip.height,
      work: tip.work,
    }
    await device.send('tip', encode(tipCodec, { ...claim, stateRoot: state.root() }), {
      qos: 1,
      retain: true,
    })
    await waitUntil('it was looked at', () => logged(two[0], /catching up failed/) !== undefined)
    t.match(logged(two[0], /nothing can be undone|catching up failed/)?.fields, { final: 8 })
    t.ok(two.every((each) => rig.agrees(each)))
    await grow(rig, 1, two)
  },
)

t.test('real programs: two validators and an agent sign, and what they made final verifies', async (t) => {
  const data = temporary(t)
  const quick = { interval: 200, target: targetFor(3_000) }
  foundQuickNetwork(data, quick, [], ['validator-1', 'validator-2', 'agent-1'])
  const ports = ['--mqtt-port', '0', '--ws-port', '0', '--http-port', '0']
  const up = pinledger(t, ['up', '--data', data, '--duration', '60', '--json', ...ports])
  const log = () => readFileSync(join(data, 'logs', 'validator-1.log'), 'utf8')
  await up.line('the first block', (line) => parsed(line)?.event === 'block')
  await waitUntil('a block is final', () => /final.*height/.test(log()), 30_000)
  up.child.kill('SIGINT')
  t.strictSame(await up.ended, { code: 0, signal: null })
  const { code, out } = await run(t, ['verify', '--data', join(data, 'validator-1'), '--json'])
  t.equal(code, 0, out)
  const disk = openDisk(join(data, 'agent-1'))
  const store = new ChainStore(disk, undefined)
  t.equal(
    store.checkpoints.vote?.signer,
    store.chain.network.genesis.checkpointSigners[2],
    'the agent signed',
  )
  store.close()
})

/** Makes a device answer as an honest node with the chain `theirs`. */
async function answering(rig: Rig, device: Device, theirs: TestChain): Promise<void> {
  device.client.on('message', (name, payload) => {
    const question = name.includes('/request/') ? decode(request, payload, MESSAGE_BYTES_MAX) : undefined
    if (question?.ok !== true || question.value.type !== 'getHeaders') return
    const { id, locator, limit } = question.value
    const headers = theirs.chain.headersAfter(locator, limit)
    const [, , , from = ''] = name.split('/')
    void device.send('reply', encode(reply, { type: 'headers', id, headers }), { levels: [from], qos: 1 })
  })
  await device.client.subscribeAsync(topic(rig.chain.network.id, 'request', '+', device.signer.account))
}
