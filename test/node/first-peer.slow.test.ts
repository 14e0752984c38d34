/** A node that hears a liar first, with a chain of its own that is long enough to be settled, and the honest ones later. */
import t from 'tap'
import { linkMessage } from '../../ledger/finality.ts'
import { answer } from '../../node/answers.ts'
import { ChainStore } from '../../node/chain-store.ts'
import { LedgerNode, LISTEN_MS } from '../../node/ledger-node.ts'
import type { Question } from '../../node/requests.ts'
import type { SessionModules } from '../../node/session.ts'
import { type Checkpoint, certificates as certificatesCodec } from '../../schemas/checkpoint.ts'
import { encode } from '../../schemas/codec.ts'
import type { Account, Hash } from '../../schemas/hex.ts'
import { tip as tipCodec } from '../../schemas/message.ts'
import { accept } from '../../schemas/result.ts'
import { topic } from '../../schemas/topic.ts'
import { fakeTime } from '../helpers/fake-time.ts'
import { alice, bob, carol, signer, TestChain, testNetwork } from '../helpers/ledger.ts'
import { SMALL } from '../helpers/long-chain.ts'
import { MemoryDisk } from '../helpers/memory-disk.ts'
import { quietSession } from '../helpers/quiet-session.ts'
import { recordingLog } from '../helpers/rig.ts'

/** Blocks after which a window of 256 begins above block 0. */
const SETTLING = 512

const grown = (count: number, miner = bob, network = testNetwork()): TestChain => {
  const chain = new TestChain(network)
  chain.grow(count, [], miner)
  return chain
}
const at = ({ chain }: TestChain, height: number): Checkpoint => ({
  height,
  hash: chain.at(height)?.hash as Hash,
})

/** A program with an empty disk, or what is on one, and peers that answer for the chains that they are given. */
function lab(network = testNetwork(), options: { trusted?: Checkpoint; disk?: MemoryDisk } = {}) {
  const { trusted, disk = new MemoryDisk() } = options
  const store = new ChainStore(disk, network.genesis, { ...SMALL, maySettle: () => false })
  const time = fakeTime()
  const { log, lines } = recordingLog()
  let session: SessionModules | undefined
  const node = new LedgerNode(
    { session: { url: 'mqtt://none' }, role: 'agent', name: '', software: '', signer: alice },
    {
      store,
      trusted,
      clock: { now: () => Number.MAX_SAFE_INTEGER, monotonic: time.nowMs, synchronised: () => true },
      random: () => 0.5,
      timers: time,
      openSession: (_, modules) => {
        session = modules
        return quietSession(modules.onConnected)
      },
      log,
      ...{ onUpdate: () => {}, onTransaction: () => {}, onRefused: () => {} },
      ...{ onConnected: () => {}, onDisconnected: () => {}, onFatal: (error) => t.fail(String(error)) },
    },
  )
  const peers = new Map<Account, TestChain>()
  /** Called before a question is answered. */
  const hooks: { onAsk: (peer: Account, question: Question) => unknown } = { onAsk: () => {} }
  node.requests.ask = (async (peer: Account, question: Question) => {
    await hooks.onAsk(peer, question)
    const { chain, archive } = peers.get(peer) as TestChain
    if (question.type === 'getBlocks')
      return accept({
        type: 'blocks',
        blocks: question.hashes.flatMap((hash) => archive.blocks.get(hash) ?? []),
      })
    return accept(answer(chain, question as Parameters<typeof answer>[1]))
  }) as typeof node.requests.ask
  const send = (kind: 'tip' | 'block' | 'checkpoint', from: Account, payload: Uint8Array): void =>
    void session?.onMessage({ topic: topic(network.id, kind, from), payload, retain: kind !== 'block' })
  /** Until no catch-up runs any more. */
  const ended = async (): Promise<void> => {
    for (let idle = 0; idle < 30; idle = node.progress === undefined ? idle + 1 : 0) await time.pass(10)
  }
  /** A peer has a chain, says so, and is given time to be asked for it. */
  const claim = async (from: Account, { chain, ...rest }: TestChain): Promise<void> => {
    peers.set(from, { chain, ...rest } as TestChain)
    const { height, hash, work } = chain.tip
    send('tip', from, encode(tipCodec, { ...node.tipMessage(), height, hash, work }))
    await time.pass(1_000)
    await ended()
  }
  const reasons = () =>
    lines.flatMap(({ fields }) => (fields.reason === undefined ? [] : [String(fields.reason)]))
  const stop = async (): Promise<void> => {
    await node.stop()
    store.close()
  }
  return { node, store, disk, time, claim, ended, send, hooks, peers, reasons, stop, chain: store.chain }
}

t.test(
  'a new node settles nothing before it has listened: the honest chain replaces what came first',
  async (t) => {
    const [liar, honest] = [grown(SETTLING + 8), grown(SETTLING + 20, carol)]
    const first = lab()
    first.node.start()
    await first.claim(bob.account, liar)
    t.equal(first.chain.tip.hash, liar.chain.tip.hash, 'the liar is believed')
    t.equal(first.chain.base.height, 0)
    await first.stop()
    const { node, chain, claim, time, disk, stop } = lab(undefined, { disk: first.disk.after() })
    t.equal(chain.base.height, 0, 'also not at the next start')
    node.start()
    await claim(carol.account, honest)
    t.equal(chain.tip.hash, honest.chain.tip.hash, 'until somebody has more work')
    await time.pass(LISTEN_MS)
    honest.grow(500, [], carol)
    await claim(carol.account, honest)
    t.equal(chain.tip.height, 1032)
    t.equal(chain.base.height, 768, 'later what is deep is settled')
    await stop()
    t.ok(disk.files.has('headers.log'))
  },
)

t.test('while a chain with more work comes, nothing is settled that it would undo', async (t) => {
  const [liar, honest] = [grown(SETTLING), grown(SETTLING + 20, carol)]
  const last = liar.archive.block(liar.chain.tip.hash)
  const { node, chain, claim, send, time, hooks, peers, stop } = lab()
  node.start()
  await time.pass(LISTEN_MS)
  for (let height = 1; height < SETTLING; height++) {
    const outcome = node.accept(liar.archive.block(liar.chain.at(height)?.hash as Hash))
    if (!outcome.ok) t.fail(outcome.fault.message)
  }
  peers.set(bob.account, liar)
  let asked = 0
  hooks.onAsk = (_, { type }) => {
    if (type === 'getBlocks' && asked++ === 0) send('block', bob.account, last)
  }
  await claim(carol.account, honest)
  t.ok(asked > 1)
  t.equal(chain.tip.hash, honest.chain.tip.hash)
  await stop()
})

t.test(
  'while a block is wanted that signers agreed on, nothing is settled; its chain is, at once',
  async (t) => {
    const signers = [11, 12, 13].map(signer)
    const network = testNetwork({
      checkpointSigners: signers.map(({ account }) => account),
      checkpointThreshold: 2,
    })
    const [liar, honest] = [grown(SETTLING + 8, bob, network), grown(SETTLING + 4, carol, network)]
    const link = { source: at(honest, 0), target: at(honest, SETTLING) }
    const signatures = [0, 1].map((index) => ({
      signer: index,
      signature: (signers[index] as typeof alice).sign(linkMessage(network, link)),
    }))
    const certificate = encode(certificatesCodec, { certificates: [{ ...link, signatures }] })
    const { node, chain, claim, ended, send, time, peers, stop } = lab(network)
    node.start()
    await time.pass(LISTEN_MS)
    peers.set(carol.account, new TestChain(network))
    send('checkpoint', carol.account, certificate)
    await claim(bob.account, liar)
    t.equal(chain.tip.hash, liar.chain.tip.hash)
    t.equal(chain.base.height, 0)
    peers.set(carol.account, honest)
    await time.pass(61_000)
    await ended()
    t.equal(chain.tip.hash, honest.chain.tip.hash, 'with less work, but certified')
    await stop()

    const other = lab(network)
    other.node.start()
    other.peers.set(carol.account, honest)
    other.send('checkpoint', carol.account, certificate)
    await other.time.pass(1_000)
    await other.ended()
    t.equal(other.chain.tip.hash, honest.chain.tip.hash)
    t.equal(other.chain.base.height, 256, 'what leads to a certified block is settled while it comes')
    await other.stop()
  },
)

t.test('with a trusted block, no other chain is fetched, stored or followed', async (t) => {
  const [liar, honest] = [grown(340), grown(320, carol)]
  const trusted = at(honest, 300)
  const { node, chain, claim, send, store, disk, reasons, stop } = lab(undefined, { trusted })
  const { size } = store
  node.start()
  await claim(bob.account, liar)
  t.match(reasons().at(-1), /its block at height 300 is not the trusted one/)
  await claim(signer(9).account, grown(290, carol))
  t.match(reasons().at(-1), /does not lead to the trusted block at height 300/)
  send('block', bob.account, liar.archive.block(at(liar, 1).hash))
  send('block', carol.account, honest.archive.block(at(honest, 1).hash))
  t.equal(store.size, size, 'nothing was stored')
  t.equal(node.inSync, false, 'nor is anything mined on it')
  await claim(carol.account, honest)
  t.equal(chain.tip.hash, honest.chain.tip.hash)
  t.equal(chain.final.hash, trusted.hash, 'it is never undone')
  liar.grow(20)
  await claim(signer(10).account, liar)
  t.equal(chain.tip.hash, honest.chain.tip.hash, 'whatever work another chain has')
  t.match(reasons().at(-1), /below block 300, which can no longer be undone/)
  send('block', carol.account, encodeNext(honest))
  t.equal(chain.tip.height, 321, 'and blocks come by themselves again')
  await stop()

  const again = lab(undefined, { trusted, disk: disk.after() })
  again.node.start()
  t.equal(again.chain.final.hash, trusted.hash, 'also after a restart')
  await again.stop()
  const wrong = lab(undefined, { trusted: at(liar, 300), disk: disk.after() })
  t.throws(() => wrong.node.start(), { code: 'config', message: /at height 300, and not the trusted one/ })
  await wrong.stop()
})

function encodeNext(chain: TestChain): Uint8Array {
  chain.grow(1, [], carol)
  return chain.archive.block(chain.chain.tip.hash)
}
