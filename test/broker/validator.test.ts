/** What a validator says: receipts, views, tips, confirmed blocks and refusals, against a real broker. */
import t, { type Test } from 'tap'
import { block as blockCodec } from '../../schemas/block.ts'
import { type Codec, decode, encode } from '../../schemas/codec.ts'
import { genesis as genesisCodec } from '../../schemas/genesis.ts'
import { accountView, MESSAGE_BYTES_MAX, tip as tipCodec } from '../../schemas/message.ts'
import { parseTopic } from '../../schemas/topic.ts'
import { alice, bob, carol, signer, TestChain } from '../helpers/ledger.ts'
import { Rig } from '../helpers/rig.ts'
import { waitUntil } from '../helpers/wait-until.ts'
import { join } from './running-broker.ts'

interface Heard {
  readonly name: string
  readonly kind: string
  readonly json: boolean
  readonly retain: boolean
  readonly rest: readonly string[]
  readonly payload: Buffer
}

/** Everything that an anonymous reader hears of the network, in order. */
async function listen(t: Test, rig: Rig): Promise<Heard[]> {
  const heard: Heard[] = []
  const reader = await join(t, rig.broker)
  reader.on('message', (name, payload, { retain }) => {
    const parsed = parseTopic(name)
    if (parsed !== undefined) heard.push({ ...parsed, name, retain, payload })
  })
  await reader.subscribeAsync('pinledger/#', { qos: 1 })
  return heard
}

const last = (heard: readonly Heard[], kind: string, json: boolean, ...rest: string[]): Heard | undefined =>
  heard
    .filter((each) => each.kind === kind && each.json === json && rest.every((at) => each.rest.includes(at)))
    .at(-1)

/** The binary message and its mirror say the same. */
function agrees<T>(
  t: Test,
  codec: Codec<T>,
  binary: Heard | undefined,
  json: Heard | undefined,
): T | undefined {
  const decoded = decode(codec, binary?.payload ?? new Uint8Array(0), MESSAGE_BYTES_MAX)
  if (!decoded.ok) {
    t.fail(decoded.fault.message)
    return undefined
  }
  t.equal(
    String(json?.payload),
    JSON.stringify(codec.toJson(decoded.value)),
    `${binary?.name} has its mirror`,
  )
  return decoded.value
}

t.test('a new reader finds genesis, tip and accounts retained, binary and as JSON', async (t) => {
  const rig = await Rig.start(t)
  const running = await rig.validator()
  const early = await listen(t, rig)
  await rig.mine([running], [rig.chain.transfer(alice, carol.account, 5)])
  await waitUntil('all is told', () => last(early, 'account', true, carol.account) !== undefined)
  await waitUntil('also of the miner', () => last(early, 'account', true, bob.account) !== undefined)
  const heard = await listen(t, rig)
  await waitUntil(
    'all that is retained has come',
    () => last(heard, 'account', true, carol.account) !== undefined,
  )
  await waitUntil(
    'genesis too',
    () => last(heard, 'genesis', true) !== undefined && last(heard, 'tip', true) !== undefined,
  )
  t.strictSame(
    agrees(t, genesisCodec, last(heard, 'genesis', false), last(heard, 'genesis', true)),
    rig.genesis,
  )
  const tip = agrees(t, tipCodec, last(heard, 'tip', false), last(heard, 'tip', true))
  t.match(tip, {
    height: 1,
    hash: rig.chain.chain.tip.hash,
    stateRoot: rig.chain.chain.state.root(),
    transactions: 1,
  })
  const view = agrees(
    t,
    accountView,
    last(heard, 'account', false, carol.account),
    last(heard, 'account', true, carol.account),
  )
  t.match(view, { balance: 5, nonce: 0, height: 1 })
  t.match(
    agrees(
      t,
      accountView,
      last(heard, 'account', false, bob.account),
      last(heard, 'account', true, bob.account),
    ),
    {
      balance: 0,
      maturing: 50e8,
    },
  )
  t.ok(heard.every(({ retain }) => retain))
  t.strictSame([...new Set(heard.map(({ kind }) => kind))].sort(), [
    'account',
    'clock',
    'genesis',
    'status',
    'tip',
  ])
})

t.test('a transaction is accepted, then confirmed; people hear the block with its words', async (t) => {
  const rig = await Rig.start(t)
  const running = await rig.validator()
  const heard = await listen(t, rig)
  const device = await rig.device(alice)
  const sealed = rig.chain.transfer(alice, carol.account, 5, { memo: 'a coffee' })
  await device.send('tx', sealed.bytes)
  await waitUntil('accepted', () => device.receipts.some(({ status }) => status === 'accepted'))
  await rig.mine([running], [sealed])
  await waitUntil('confirmed', () => device.receipts.some(({ status }) => status === 'confirmed'))
  t.match(device.receipts, [
    { transaction: sealed.id, status: 'accepted', height: 0 },
    { transaction: sealed.id, status: 'confirmed', height: 1 },
  ])
  await waitUntil('people hear of it', () => last(heard, 'confirmed', true) !== undefined)
  t.match(JSON.parse(String(last(heard, 'confirmed', true)?.payload)), {
    height: 1,
    hash: rig.chain.chain.tip.hash,
    miner: bob.account,
    reward: 50e8,
    transactions: [{ id: sealed.id, type: 'transfer', memo: 'a coffee' }],
  })
  t.strictSame(running.counts, { connected: 1, disconnected: 0, refused: [] })
})

t.test(
  'a reorganisation tells whose transactions are no longer confirmed, and takes them back',
  async (t) => {
    const rig = await Rig.start(t)
    const running = await rig.validator()
    const { node } = running.validator
    const device = await rig.device(alice)
    const sealed = rig.chain.transfer(alice, carol.account, 5)
    await rig.mine([running], [sealed])
    const other = new TestChain(rig.chain.network)
    other.grow(2, [], carol)
    const miner = await rig.device(carol)
    for (const height of [1, 2]) {
      const hash = other.chain.at(height)?.hash ?? rig.chain.network.block0Hash
      await miner.send('block', other.archive.block(hash), { qos: 1 })
    }
    await waitUntil('it has the other branch', () => node.chain.tip.hash === other.chain.tip.hash)
    await waitUntil('its sender is told', () =>
      device.receipts.some(({ status }) => status === 'disconnected'),
    )
    t.equal(node.mempool.has(sealed.id), true, 'it waits again')
    t.equal(running.counts.disconnected, 1)
    t.ok(running.lines.some(({ event }) => event === 'reorganised to a chain with more work'))
  },
)

t.test('the reward that matures is in the view without a transaction of its owner', async (t) => {
  const rig = await Rig.start(t, { maturity: 2 })
  const running = await rig.validator()
  const heard = await listen(t, rig)
  await rig.mine([running])
  const balance = (): unknown => {
    const seen = last(heard, 'account', true, bob.account)
    return seen === undefined ? undefined : (JSON.parse(String(seen.payload)) as { balance: number }).balance
  }
  await rig.mine([running])
  await rig.mine([running])
  await waitUntil('the first reward is spendable', () => balance() === 50e8)
  t.pass('seen')
})

t.test('a validator that was away catches up from its peer, over a restart', async (t) => {
  const rig = await Rig.start(t)
  const first = await rig.validator(1)
  const second = await rig.validator(2)
  await rig.mine([first, second])
  await second.stop()
  for (let count = 0; count < 5; count++) await rig.mine([first])
  const again = await rig.validator(2, second.path)
  t.equal(again.store.chain.tip.height >= 1, true, 'what it had it has')
  await waitUntil('it has caught up', () => rig.agrees(again))
  t.ok(again.lines.some(({ event }) => event === 'catching up'))
})

t.test(
  'a validator that dies is shown offline by its last will, and by its farewell when it stops',
  async (t) => {
    const rig = await Rig.start(t)
    const running = await rig.validator()
    const heard = await listen(t, rig)
    const state = (): unknown => {
      const seen = last(heard, 'status', true)
      return seen === undefined ? undefined : (JSON.parse(String(seen.payload)) as { state: string }).state
    }
    await waitUntil('online', () => state() === 'online')
    await running.stop()
    await waitUntil('offline', () => state() === 'offline')
    t.pass('seen')
  },
)

t.test('two validators that hear two blocks of one height agree after the next', async (t) => {
  const rig = await Rig.start(t)
  const validators = [await rig.validator(1), await rig.validator(2)]
  const rival = new TestChain(rig.chain.network)
  const carols = await rig.device(carol)
  const bytes = encode(blockCodec, rival.block([], { miner: carol }))
  await Promise.all([carols.send('block', bytes, { qos: 1 }), rig.mine([])])
  await waitUntil('both have both', () => validators.every(({ store }) => store.chain.tip.height === 1))
  await rig.mine(validators)
  t.equal(validators[0]?.store.chain.tip.hash, validators[1]?.store.chain.tip.hash)
})

t.test('a transaction that grows old in the mempool is told to its sender', async (t) => {
  const rig = await Rig.start(t)
  const running = await rig.validator()
  const device = await rig.device(alice)
  const sealed = rig.chain.transfer(alice, signer(9).account, 1, { expiry: 2 })
  await device.send('tx', sealed.bytes, { qos: 1 })
  await waitUntil('accepted', () => device.receipts.length === 1)
  await rig.mine([running])
  await rig.mine([running])
  await waitUntil('told', () => device.receipts.some(({ code }) => code === 'expired'))
  t.match(device.receipts.at(-1), { transaction: sealed.id, status: 'refused', code: 'expired' })
})

t.test('on an enrolled network people are told who may mine, as soon as it changes', async (t) => {
  const activations = [1, 2, 3, 4, 5].map((type) => ({ type, height: 0 }))
  const rig = await Rig.start(t, { authorities: [bob.account], activations })
  const running = await rig.validator()
  const heard = await listen(t, rig)
  const told = () => JSON.parse(String(last(heard, 'members', true)?.payload ?? '{}'))
  await waitUntil('there is a list', () => told().count === 0)
  t.strictSame(told(), { height: 0, authorities: [bob.account], count: 0, members: [] })
  const change = (type: string) => rig.chain.sign(bob, { type, member: carol.account })
  await rig.mine([running], [change('admission')])
  await waitUntil('it has the member', () => told().count === 1)
  t.strictSame(told().members, [{ account: carol.account, since: 1 }])
  const late = await listen(t, rig)
  await waitUntil('it is retained', () => last(late, 'members', true)?.retain === true)
  await rig.mine([running])
  await rig.mine([running], [change('revocation')])
  await waitUntil('the member is gone', () => told().count === 0)
  t.equal(told().height, 3)
  const lists = heard.filter(({ kind }) => kind === 'members')
  t.equal(lists.length, 3, 'a block that changes nobody is not told')
  t.notOk(
    lists.some(({ json }) => !json),
    'JSON only',
  )
})

t.test('on an open network there is no list of members', async (t) => {
  const rig = await Rig.start(t)
  const running = await rig.validator()
  const heard = await listen(t, rig)
  await rig.mine([running])
  await waitUntil('the block is told', () => last(heard, 'confirmed', true) !== undefined)
  t.equal(last(heard, 'members', true), undefined)
})

t.test(
  'what is behind a gap has no receipt until it is in the queue; what is replaced is told',
  async (t) => {
    const rig = await Rig.start(t)
    const { validator } = await rig.validator()
    const { mempool } = validator.node
    const device = await rig.device(alice)
    const give = (nonce: number, fee: number) => rig.chain.transfer(alice, carol.account, 1, { nonce, fee })
    const told = () => device.receipts.map(({ transaction, status, code }) => [transaction, status, code])
    const [first, second, better] = [give(0, 0), give(1, 0), give(0, 5)]
    await device.send('tx', second.bytes, { qos: 1 })
    await waitUntil('it is held', () => mempool.held === 1)
    await device.send('tx', first.bytes, { qos: 1 })
    await device.send('tx', better.bytes, { qos: 1 })
    await waitUntil('all is told', () => device.receipts.length === 4)
    t.strictSame(told(), [
      [first.id, 'accepted', ''],
      [second.id, 'accepted', ''],
      [first.id, 'refused', 'replaced'],
      [better.id, 'accepted', ''],
    ])
  },
)
