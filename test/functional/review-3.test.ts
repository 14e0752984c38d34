/** What a hostile miner, signer or client found in sync, finality and requests, each as the fact that holds now. */
import t from 'tap'
import { linkMessage } from '../../ledger/finality.ts'
import { ChainStore } from '../../node/chain-store.ts'
import { Checkpoints } from '../../node/checkpoints.ts'
import { LedgerNode } from '../../node/ledger-node.ts'
import { Orphans } from '../../node/orphans.ts'
import { createRequests, type Question, type Requests } from '../../node/requests.ts'
import type { SessionModules } from '../../node/session.ts'
import type { Signer } from '../../node/signing.ts'
import { Sync } from '../../node/sync.ts'
import { systemTimers } from '../../node/timers.ts'
import { block as blockCodec, type Header } from '../../schemas/block.ts'
import { certificates as certificatesCodec, type Vote } from '../../schemas/checkpoint.ts'
import { encode } from '../../schemas/codec.ts'
import { type Account, type Hash, hashFromBytes, type Network } from '../../schemas/hex.ts'
import { request, tip as tipCodec } from '../../schemas/message.ts'
import { accept, invariant, refuse } from '../../schemas/result.ts'
import { parseTopic, topic } from '../../schemas/topic.ts'
import { alice, bob, carol, codeOf, mine, signer, TestChain, testNetwork } from '../helpers/ledger.ts'
import { SMALL, tell } from '../helpers/long-chain.ts'
import { MemoryDisk } from '../helpers/memory-disk.ts'
import { quietSession } from '../helpers/quiet-session.ts'
import { recordingLog } from '../helpers/rig.ts'

t.test('a thousand headers cost no read of a block', async (t) => {
  const test = new TestChain()
  test.grow(20)
  const headers = [...test.archive.blocks.values()].map((bytes) => bytes.slice(0, 115))
  test.archive.block = () => t.fail('a block was read') as never
  const answered = test.chain.headersAfter([test.network.block0Hash], 1000)
  const hash = (header: Header): Hash =>
    hashFromBytes(test.network.hashing.double(encode(blockCodec.fields.header, header)))
  t.strictSame(
    answered.map(hash),
    headers.map((bytes) => hashFromBytes(test.network.hashing.double(bytes))),
  )
})

t.test(
  'a signer votes again after the window has moved past what was justified, and a restart',
  async (t) => {
    const [self] = [signer(11)]
    const genesis = { checkpointSigners: [self.account], checkpointThreshold: 1 }
    const long = new TestChain(testNetwork(genesis))
    long.grow(530)
    const blocks = [...long.archive.blocks.values()]
    const disk = new MemoryDisk()
    let store = new ChainStore(disk, long.network.genesis, SMALL)
    const votes: Vote[] = []
    const open = (signer: Signer): Checkpoints => {
      const checkpoints = new Checkpoints({
        chain: store.chain,
        store: store.checkpoints,
        signer,
        log: recordingLog().log,
        move: (update, certificate) => store.save(update, certificate),
        mayVote: () => true,
        publishVote: async (vote) => votes.push(vote) > 0,
        onChanged: () => {},
        onFinal: () => {},
        onFault: (error) => t.fail(String(error)),
      })
      checkpoints.restore()
      return checkpoints
    }
    tell(store, blocks.slice(0, 12))
    const before = open(self)
    before.vote()
    t.equal(before.justified.height, 8)
    // From here on the signer is away.
    tell(store, blocks.slice(12))
    t.ok(store.chain.base.height > 8, `the window begins at ${store.chain.base.height}`)
    const bytes = encode(certificatesCodec, before.certificates())
    store.close()
    store = new ChainStore(disk.after(), long.network.genesis, SMALL)
    const after = open(self)
    t.equal(after.justified.height, 8)
    after.vote()
    await new Promise((resolve) => setImmediate(resolve))
    const { source, target } = votes.at(-1) as Vote
    t.strictSame([source.height, target.height], [8, 520])
    t.equal(after.justified.height, 520)
    t.equal(store.chain.justified.height, 520)
    t.test('another learns it from its certificate, and not one for a block that is not ours', async (t) => {
      store.close()
      const other = new MemoryDisk()
      store = new ChainStore(other, long.network.genesis, SMALL)
      tell(store, blocks)
      const late = open(bob)
      const test = store.chain.network
      const forged = {
        source: { height: 0, hash: test.block0Hash },
        target: { height: 8, hash: test.block0Hash },
      }
      const signatures = [{ signer: 0, signature: self.sign(linkMessage(test, forged)) }]
      const forgery = encode(certificatesCodec, { certificates: [{ ...forged, signatures }] })
      t.equal(codeOf(late.receiveCertificates(self.account, forgery)), 'ok')
      t.equal(late.justified.height, 0)
      t.equal(codeOf(late.receiveCertificates(self.account, bytes)), 'ok')
      t.equal(late.justified.height, 8)
      t.strictSame(
        store.checkpoints.certificates.map(({ target }) => target.height),
        [8],
      )
      store.close()
    })
  },
)

t.test('whoever keeps a body back, under one name after the other, keeps nobody from mining', async (t) => {
  const [own, theirs] = [new TestChain(), new TestChain()]
  theirs.grow(1)
  const clock = { ms: 0 }
  let withheld = true
  let asked = 0
  let seen: boolean | undefined
  const sync: Sync = new Sync({
    chain: own.chain,
    requests: {
      async ask(_: Account, question: Question) {
        if (question.type === 'getHeaders')
          return accept({ headers: theirs.chain.headersAfter(question.locator, question.limit) })
        asked++
        seen = sync.downloading
        clock.ms += 10_000
        return withheld
          ? refuse({ code: 'timeout', message: 'no reply' })
          : accept({ blocks: [theirs.archive.block(theirs.chain.tip.hash)] })
      },
    } as unknown as Requests,
    peers: { claiming: () => [], height: () => undefined },
    log: recordingLog().log,
    now: () => theirs.nowMs,
    monotonic: () => clock.ms,
    timers: systemTimers,
    accept: (bytes) => own.acceptBytes(bytes, theirs.nowMs),
  })
  t.equal(await sync.from(signer(60).account, 'orphan'), false)
  t.equal(seen, true, 'the first is believed')
  for (const name of [61, 62, 63]) {
    t.equal(await sync.from(signer(name).account, 'orphan'), false)
    t.equal(seen, false, 'the next ones are not')
  }
  t.equal(asked, 4, 'but asked')
  withheld = false
  t.equal(await sync.from(signer(64).account, 'orphan'), true, 'and followed once they deliver')
})

t.test('headers that are dealt out slowly keep a node from mining for half a minute at most', async (t) => {
  const test = new TestChain()
  const store = new ChainStore(new MemoryDisk(), test.network.genesis)
  let nowMs = 0
  let timers: { atMs: number; run: () => void }[] = []
  const asked: string[] = []
  let session: SessionModules | undefined
  const { log, lines } = recordingLog()
  const node = new LedgerNode(
    { session: { url: 'mqtt://none' }, role: 'agent', name: '', software: '', signer: alice },
    {
      store,
      clock: { now: () => test.nowMs, monotonic: () => nowMs, synchronised: () => true },
      random: () => 0.5,
      timers: {
        after(delayMs, run) {
          const timer = { atMs: nowMs + delayMs, run }
          timers.push(timer)
          return () => {
            timers = timers.filter((each) => each !== timer)
          }
        },
        turn: async () => {},
      },
      openSession: (_, modules) => {
        session = modules
        return quietSession(modules.onConnected, (name) => asked.push(name))
      },
      log,
      ...{ onUpdate: () => {}, onTransaction: () => {}, onRefused: () => {} },
      ...{ onConnected: () => {}, onDisconnected: () => {}, onFatal: (error) => t.fail(String(error)) },
    },
  )
  const until = async (ms: number): Promise<void> => {
    for (; nowMs < ms; nowMs += 500) {
      // What is asked is answered after 9.5 s, and never is the time over.
      const due = timers.filter(({ atMs }) => atMs <= nowMs)
      timers = timers.filter(({ atMs }) => atMs > nowMs)
      for (const { run } of due) run()
      await systemTimers.turn()
    }
  }
  node.start()
  // A question that never ends stands for one that is answered late again and again.
  node.requests.ask = () => new Promise(() => {})
  const claim = { ...node.tipMessage(), height: 99, work: 1n << 200n }
  const name = topic(test.network.id, 'tip', carol.account)
  void session?.onMessage({ topic: name, payload: encode(tipCodec, claim), retain: true })
  await until(2_000)
  t.equal(node.inSync, false)
  await until(29_000)
  t.equal(node.inSync, false)
  for (const ms of [33_000, 160_000, 300_000]) {
    await until(ms)
    t.equal(node.inSync, true, `after ${ms} ms`)
  }
  t.test('and garbage for tips is heard only so often', async (t) => {
    for (let count = 0; count < 100; count++)
      await session?.onMessage({ topic: name, payload: Uint8Array.of(count), retain: false })
    const refused = lines.filter(({ event }) => event === 'refused a tip').length
    t.ok(refused > 1 && refused < 30, `${refused} lines in the log`)
  })
  await node.stop()
  store.close()
})

t.test('replies that nobody asked for are looked at only so often', async (t) => {
  const { log, lines } = recordingLog()
  const network = '0badcafe' as Network
  const requests = createRequests(
    { network, self: alice.account },
    { publish: async () => true, log, random: () => 0.5, now: () => 0, onFault: () => t.fail('a fault') },
  )
  const parsed = parseTopic(topic(network, 'reply', bob.account, alice.account))
  invariant(parsed !== undefined, 'a topic of the tree')
  const payload = encode(request, { type: 'getFees', id: 1 })
  for (let count = 0; count < 1_000; count++) requests.receive(parsed, payload)
  t.equal(lines.length, 100)
})

t.test(
  'a copy with a spoilt body does not take the place of a block that waits for its parent',
  async (t) => {
    const test = new TestChain()
    const block = test.block([test.transfer(alice, bob.account, 1)])
    const parent = 'ab'.repeat(32) as Hash
    const bytes = encode(blockCodec, mine(test.network, { ...block, header: { ...block.header, parent } }))
    const spoilt = bytes.slice()
    spoilt.fill(7, 400)
    for (const order of [
      [spoilt, bytes, spoilt],
      [bytes, spoilt],
    ]) {
      const orphans = new Orphans(test.network)
      for (const copy of order) t.equal(orphans.add(copy, carol.account, 0), true)
      t.equal(orphans.bytes, bytes.length)
      t.strictSame(
        orphans.take(parent, 0).map((orphan) => orphan.bytes),
        [bytes],
      )
    }
  },
)

t.test('a block of who may not mine, far below the tip, has no old changes read again', async (t) => {
  const [authority, member, stranger] = [signer(31), signer(32), signer(33)]
  const activations = [1, 2, 3, 4, 5].map((type) => ({ type, height: 0 }))
  const test = new TestChain(testNetwork({ authorities: [authority.account], activations, feeFloor: 0 }))
  test.grow(2, [], authority)
  const low = (late: number) =>
    test.block([], {
      miner: authority,
      coinbase: { from: stranger.account },
      header: { time: test.nowMs + late },
    })
  const early = [1, 2, 3].map(low)
  const admission = test.sign(authority, { type: 'admission', member: member.account })
  test.grow(40, [admission], authority)
  const byMember = test.block([], { miner: member })
  test.grow(30, [test.sign(authority, { type: 'revocation', member: member.account })], authority)
  let reads = 0
  const { changes } = test.archive
  test.archive.changes = (hash) => {
    reads++
    return changes.call(test.archive, hash)
  }
  const outcomes = early.map((block) => codeOf(test.accept(block)))
  t.strictSame(outcomes, Array(3).fill('not-admitted'))
  t.equal(reads, 70 + 2 + 2, 'all once, and the two that changed who is a member each time')
  t.equal(codeOf(test.accept(byMember)), 'ok', 'who was a member then could mine')
})
