/** What a validator keeps on the broker stays what its ledger says: after a reorganisation, a restart, a full mempool. */
import { dirname } from 'node:path'
import t from 'tap'
import { Mempool } from '../../ledger/mempool.ts'
import { memoryOf } from '../../ledger/mempool-limits.ts'
import { ChainStore } from '../../node/chain-store.ts'
import { openDisk } from '../../node/disk.ts'
import { decode } from '../../schemas/codec.ts'
import type { Hash } from '../../schemas/hex.ts'
import { accountView, tip as tipCodec } from '../../schemas/message.ts'
import { topic } from '../../schemas/topic.ts'
import { alice, bob, carol, TestChain, testNetwork } from '../helpers/ledger.ts'
import { Rig } from '../helpers/rig.ts'
import { waitUntil } from '../helpers/wait-until.ts'

t.test(
  'an account that only a disconnected block paid gets its old view back, and the store knows it',
  async (t) => {
    const rig = await Rig.start(t)
    const running = await rig.validator()
    const watcher = await rig.device(bob)
    let balance: number | undefined
    watcher.client.on('message', (_name, payload) => {
      const view = decode(accountView, new Uint8Array(payload), 4096)
      if (view.ok && view.value.account === carol.account) balance = view.value.balance
    })
    const { id } = rig.chain.network
    await watcher.client.subscribeAsync(topic(id, 'account', '+', carol.account), { qos: 1 })
    const fork = new TestChain(rig.chain.network)
    await rig.mine([running], [rig.chain.transfer(alice, carol.account, 500)])
    await waitUntil('carol has coins', () => balance === 500)
    fork.grow(2)
    for (const height of [1, 2])
      running.validator.node.accept(fork.archive.block(fork.chain.at(height)?.hash as Hash))
    await waitUntil('carol has them no more', () => balance === 0)
    await running.stop()
    const store = new ChainStore(openDisk(dirname(running.path)), undefined)
    t.teardown(() => store.close())
    t.ok(store.accounts.includes(carol.account))
  },
)

t.test('after a burst of 200 blocks the broker keeps the last tip', async (t) => {
  const rig = await Rig.start(t)
  const running = await rig.validator()
  const watcher = await rig.device(bob)
  let height = 0
  watcher.client.on('message', (_name, payload) => {
    const tip = decode(tipCodec, new Uint8Array(payload), 4096)
    if (tip.ok) height = tip.value.height
  })
  await watcher.client.subscribeAsync(topic(rig.chain.network.id, 'tip', '+'), { qos: 1 })
  rig.chain.grow(200)
  for (let at = 1; at <= 200; at++)
    running.validator.node.accept(rig.chain.archive.block(rig.chain.chain.at(at)?.hash as Hash))
  await waitUntil('the last tip is kept', () => height === 200)
  t.equal(height, 200)
})

t.test("strangers' free transactions do not keep a miner's own out of its blocks", async (t) => {
  const chain = new TestChain(testNetwork())
  const spam = [0, 1, 2, 3].map((nonce) => chain.reading(bob, { nonce }))
  const memoryBytesMax = spam.reduce((sum, sealed) => sum + memoryOf(sealed), 0)
  const mempool = new Mempool(chain.network, alice.account, { memoryBytesMax })
  for (const sealed of spam) t.ok(mempool.add(sealed, chain.chain).ok)
  t.notOk(mempool.add(chain.reading(carol), chain.chain).ok, 'full')
  const own = chain.reading(alice)
  t.ok(mempool.add(own, chain.chain).ok)
  t.equal(mempool.ordered()[0]?.id, own.id)
})
