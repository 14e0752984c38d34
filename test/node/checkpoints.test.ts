/** Signers with chains of their own, and a wire between them that the test cuts. */
import t from 'tap'
import { contradict, linkMessage, sameLink } from '../../ledger/finality.ts'
import { ChainStore } from '../../node/chain-store.ts'
import { CheckpointRecords } from '../../node/checkpoint-records.ts'
import { Checkpoints } from '../../node/checkpoints.ts'
import { openDisk } from '../../node/disk.ts'
import { LedgerNode } from '../../node/ledger-node.ts'
import type { SessionModules } from '../../node/session.ts'
import type { Signer } from '../../node/signing.ts'
import {
  type Certificates,
  type Checkpoint,
  certificates as certificatesCodec,
  type Link,
  type Vote,
  vote as voteCodec,
} from '../../schemas/checkpoint.ts'
import { encode } from '../../schemas/codec.ts'
import { type Account, type Hash, toHex } from '../../schemas/hex.ts'
import { topic } from '../../schemas/topic.ts'
import { alice, bob, codeOf, signer, TestChain, testNetwork } from '../helpers/ledger.ts'
import { quietSession } from '../helpers/quiet-session.ts'
import { type LogLine, recordingLog } from '../helpers/rig.ts'

const LATER_MS = Number.MAX_SAFE_INTEGER
const SIGNERS = [11, 12, 13, 14, 15].map(signer)
const network = testNetwork({
  checkpointSigners: SIGNERS.map(({ account }) => account),
  checkpointThreshold: 4,
})

/** What a crash leaves behind. */
interface Disk {
  readonly blocks: Uint8Array[]
  readonly records: { kind: number; bytes: Uint8Array }[]
}

const emptyDisk = (): Disk => ({ blocks: [], records: [] })

class Node {
  readonly own = new TestChain(network)
  readonly checkpoints: Checkpoints
  readonly disk: Disk
  readonly lines: readonly LogLine[]
  /** All that it ever called final. */
  readonly finals: Hash[] = []
  /** What it published, each vote once. */
  readonly votes: Vote[] = []
  readonly signer: Signer
  mayVote = true
  /** Set to die between writing a vote and publishing it. */
  diesAtVote = false

  constructor(self: Signer, disk = emptyDisk()) {
    const { log, lines } = recordingLog()
    this.lines = lines
    this.disk = disk
    this.signer = self
    const store = new CheckpointRecords((kind, bytes) => {
      disk.records.push({ kind, bytes })
      if (kind === 9 && this.diesAtVote) throw new Error('killed')
    })
    for (const { kind, bytes } of disk.records) store.replay(kind, bytes)
    for (const bytes of disk.blocks) this.own.acceptBytes(bytes, LATER_MS)
    this.checkpoints = new Checkpoints({
      chain: this.own.chain,
      store,
      signer: self,
      log,
      move: (update, certificate) => {
        this.own.archive.store(update)
        if (certificate !== undefined) store.saveCertificate(certificate)
      },
      mayVote: () => this.mayVote,
      publishVote: async (vote) => {
        this.votes.push(vote)
        return true
      },
      onChanged: () => {},
      onFinal: ({ hash }) => void this.finals.push(hash),
      onFault: (error) => t.fail('a fault', { error }),
    })
    this.checkpoints.restore()
  }

  get chain() {
    return this.own.chain
  }

  add(bytes: Uint8Array): string {
    const outcome = this.own.acceptBytes(bytes, LATER_MS)
    if (outcome.ok) {
      this.disk.blocks.push(bytes)
      this.checkpoints.onBlock(outcome.value.added.entry)
      this.checkpoints.vote()
    }
    return codeOf(outcome)
  }

  /** Blocks of another's best chain; the last outcome. */
  follow(other: Node): string {
    let code = 'known'
    for (let height = 1; height <= other.chain.tip.height; height++) {
      const { hash } = other.chain.at(height) ?? other.chain.tip
      if (this.chain.entry(hash) === undefined) code = this.add(other.own.archive.block(hash))
    }
    return code
  }

  hear(vote: Vote): string {
    return codeOf(this.checkpoints.receiveVote(vote.signer, encode(voteCodec, vote)))
  }

  hearCertificates(from: Node): string {
    const bytes = encode(certificatesCodec, from.checkpoints.certificates())
    return codeOf(this.checkpoints.receiveCertificates(from.signer.account, bytes))
  }

  get errors(): string[] {
    return this.lines.filter(({ level }) => level === 'error').map(({ event }) => event)
  }
}

const crowd = (): [Node, Node, Node, Node, Node] =>
  SIGNERS.map((each) => new Node(each)) as [Node, Node, Node, Node, Node]

/** Votes are published a moment after they are cast. */
const turn = () => new Promise((resolve) => setImmediate(resolve))

/** Everybody hears everybody's votes. */
async function talk(nodes: readonly Node[]): Promise<void> {
  await turn()
  for (const from of nodes)
    for (const vote of from.votes) for (const to of nodes) if (to !== from) to.hear(vote)
}

/** The first mines `count` blocks, one at a time, and all of them hear all. */
async function grow(nodes: readonly Node[], count: number, miner = bob): Promise<void> {
  const [first] = nodes as [Node]
  for (let done = 0; done < count; done++) {
    const { chain, archive } = grown(first, miner)
    for (const node of nodes) if (node !== first) node.add(archive.block(chain.tip.hash))
    await talk(nodes)
  }
}

function grown(node: Node, miner: Signer): TestChain {
  const before = node.chain.tip
  node.own.grow(1, [], miner)
  const { hash } = node.chain.tip
  if (hash === before.hash) throw new Error('it did not grow')
  const bytes = node.own.archive.block(hash)
  node.disk.blocks.push(bytes)
  node.checkpoints.onBlock(node.chain.tip)
  node.checkpoints.vote()
  return node.own
}

const heights = (nodes: readonly Node[]) =>
  nodes.map(({ checkpoints: { justified, final } }) => [justified.height, final.height])

t.test(
  'with all there, every eighth block is justified four blocks later, and final eight after that',
  async (t) => {
    const nodes = crowd()
    await grow(nodes, 11)
    t.strictSame(heights(nodes), Array(5).fill([0, 0]))
    await grow(nodes, 1)
    t.strictSame(heights(nodes), Array(5).fill([8, 0]))
    await grow(nodes, 8)
    t.strictSame(heights(nodes), Array(5).fill([16, 8]))
    const hash = nodes[0].chain.at(8)?.hash
    for (const { finals, chain, errors, votes } of nodes) {
      t.strictSame(finals, [hash])
      t.equal(chain.final.hash, hash)
      t.equal(votes.length, 2)
      t.strictSame(errors, [])
    }
  },
)

t.test('one of five may be missing, two may not; the chain goes on without', async (t) => {
  const [one, two, three, four] = crowd()
  await grow([one, two, three], 28)
  t.strictSame(heights([one, two, three]), Array(3).fill([0, 0]))
  t.equal(one.chain.tip.height, 28)
  four.follow(one)
  await talk([one, two, three, four])
  t.strictSame(heights([one])[0], [24, 0], 'a link over what was missed justifies, and makes nothing final')
  await grow([one, two, three, four], 8)
  t.strictSame(heights([one])[0], [32, 24])
})

t.test(
  'a heavier chain that leaves below what is final is refused; above it, it has to hold what is justified',
  async (t) => {
    const nodes = crowd()
    const [one] = nodes
    // Ten blocks for each one of ours: ten times our hash rate from block 4 on.
    const rival = new Node(signer(66))
    await grow(nodes, 4)
    rival.follow(one)
    for (let count = 0; count < 200; count++) grown(rival, alice)
    await grow(nodes, 16)
    t.strictSame(heights([one])[0], [16, 8])
    const { tip } = one.chain
    t.equal(one.follow(rival), 'unknown-parent', 'its first block is refused, so the others have no parent')
    t.equal(one.add(rival.own.archive.block(rival.chain.at(5)?.hash as Hash)), 'below-final')
    const fork = new Node(signer(67))
    for (let height = 1; height <= 10; height++)
      fork.add(one.own.archive.block(one.chain.at(height)?.hash as Hash))
    for (let count = 0; count < 100; count++) grown(fork, alice)
    t.equal(one.follow(fork), 'ok', 'taken as a branch')
    t.ok(one.chain.entry(fork.chain.tip.hash))
    t.equal(one.chain.tip.hash, tip.hash, 'and not followed, for 16 is justified')
    await grow(nodes, 8)
    t.strictSame(heights([one])[0], [24, 16])
    t.equal(one.chain.entry(fork.chain.tip.hash), undefined, 'once 16 is final, it leaves the tree')
  },
)

t.test('without signers the heaviest chain wins from any depth', async (t) => {
  const open = new TestChain()
  const rival = new TestChain()
  open.grow(30)
  rival.grow(31, [], alice)
  for (let height = 1; height <= 31; height++)
    open.acceptBytes(rival.archive.block(rival.chain.at(height)?.hash as Hash), LATER_MS)
  t.equal(open.chain.tip.hash, rival.chain.tip.hash)
})

t.test('parted three and two: nothing is final; healed: one chain, and it is', async (t) => {
  const nodes = crowd()
  const [one, two, three, four, five] = nodes
  await grow(nodes, 21)
  t.strictSame(heights(nodes), Array(5).fill([16, 8]))
  await grow([one, two, three], 20)
  await grow([four, five], 30, alice)
  t.strictSame(heights(nodes), Array(5).fill([16, 8]), 'neither side has four')
  for (const node of [one, two, three]) node.follow(four)
  for (const node of [four, five]) node.follow(one)
  await talk(nodes)
  t.strictSame(new Set(nodes.map(({ chain }) => chain.tip.hash)).size, 1, 'the heavier one')
  await grow(nodes, 16)
  for (const [justified, final] of heights(nodes) as [number, number][]) {
    t.ok(final >= 48, `final at ${final}`)
    t.equal(justified, final + 8)
  }
  const all = nodes.flatMap(({ finals }) => finals)
  for (const hash of all) t.ok(nodes.every(({ chain }) => chain.isBest(chain.entry(hash) as never)))
  for (const { errors } of nodes) t.strictSame(errors, [])
})

t.test('parted four and one: the four go on, and the one comes back even from more work', async (t) => {
  const nodes = crowd()
  const [one, two, three, four, five] = nodes
  await grow(nodes, 12)
  await grow([one, two, three, four], 20)
  t.strictSame(heights([one])[0], [24, 16])
  await grow([five], 60, alice)
  t.ok(five.chain.tip.work > one.chain.tip.work)
  t.equal(five.hearCertificates(one), 'ok')
  t.strictSame(heights([five])[0], [8, 0], 'the blocks are not here yet')
  t.strictSame(
    [...five.checkpoints.wanted].map(([hash, from]) => [hash, [...from]]),
    [[one.chain.at(24)?.hash, [one.signer.account]]],
    'but it knows what to ask for, and whom',
  )
  t.equal(one.follow(five), 'unknown-parent', 'the four do not take the heavier chain')
  five.follow(one)
  t.equal(five.chain.tip.hash, one.chain.tip.hash)
  t.strictSame(heights([five])[0], [24, 16])
  t.equal(five.checkpoints.isWaiting, false)
  t.strictSame(five.errors, [])
  await grow(nodes, 8 + 8 * 7)
  const [[, final] = [0, 0]] = heights([five])
  t.ok((final as number) > 60, 'and votes with them again, above all it voted for alone')
  t.equal(five.votes.length, new Set(five.votes.map(({ target }) => target.height)).size)
})

t.test('votes for blocks that are not here are counted, and apply when the blocks come', async (t) => {
  const nodes = crowd()
  const [one, two, three, four, five] = nodes
  await grow([one, two, three, four], 20)
  for (const vote of [one, two, three, four].flatMap(({ votes }) => votes)) five.hear(vote)
  t.strictSame(heights([five])[0], [0, 0])
  t.equal(five.checkpoints.wanted.size, 2)
  five.mayVote = false
  five.follow(one)
  t.strictSame(heights([five])[0], [16, 8])
  t.strictSame(five.finals, [one.chain.at(8)?.hash])
})

t.test('a newcomer believes the latest certificates alone', async (t) => {
  const nodes = crowd()
  const [one] = nodes
  await grow(nodes, 44)
  const late = new Node(signer(66))
  late.hearCertificates(one)
  t.equal(late.checkpoints.isWaiting, true)
  late.follow(one)
  t.strictSame(heights([late])[0], [40, 32])
  t.equal(late.votes.length, 0, 'it is no signer')
})

t.test('a signer with two tongues is logged with both votes, and changes nothing alone', async (t) => {
  const nodes = crowd()
  const [one, two] = nodes
  await grow(nodes, 12)
  const [zero, eight] = [{ height: 0, hash: network.block0Hash }, one.checkpoints.justified]
  const lie = (target: Checkpoint, source = zero): Vote => ({
    ...{ source, target, signer: SIGNERS[4]?.account as Account },
    signature: SIGNERS[4]?.sign(linkMessage(network, { source, target })) as Uint8Array,
  })
  const twice = lie({ height: 8, hash: 'ab'.repeat(32) as Hash })
  t.equal(one.hear(twice), 'ok')
  t.equal(one.hear(lie({ height: 24, hash: 'ac'.repeat(32) as Hash }, eight)), 'ok')
  const said = one.lines.filter(({ level }) => level === 'error')
  t.equal(said.length, 1)
  t.match(said[0], { event: /contradicts itself/, fields: { signer: SIGNERS[4]?.account } })
  const [first, second] = [said[0]?.fields.first, said[0]?.fields.second].map(String)
  t.ok(first !== second && second?.includes('ab'.repeat(32)), 'both votes, as evidence')
  await grow(nodes, 8)
  t.strictSame(heights([one, two]), [
    [16, 8],
    [16, 8],
  ])
})

t.test("a vote on another's topic, garbage, and certificates that do not check are refused", async (t) => {
  const nodes = crowd()
  const [one, two] = nodes
  await grow(nodes, 12)
  const late = new Node(signer(66))
  const [vote] = one.votes as [Vote]
  t.equal(
    codeOf(late.checkpoints.receiveVote(two.signer.account, encode(voteCodec, vote))),
    'wrong-publisher',
  )
  t.equal(codeOf(late.checkpoints.receiveVote(one.signer.account, Uint8Array.of(1))), 'bad-encoding')
  t.equal(codeOf(late.checkpoints.receiveCertificates(bob.account, new Uint8Array(20_000))), 'bad-encoding')
  const good = one.checkpoints.certificates()
  const forged = good.certificates.map((each) => ({
    ...each,
    target: { height: 8, hash: 'ab'.repeat(32) as Hash },
  }))
  const bytes = encode(certificatesCodec, { certificates: forged })
  t.equal(codeOf(late.checkpoints.receiveCertificates(bob.account, bytes)), 'bad-signature')
  t.equal(late.checkpoints.isWaiting, false)
  t.equal(late.hearCertificates(one), 'ok')
  t.equal(late.hearCertificates(one), 'ok', 'what is known costs nothing')
})

t.test('certificates of dishonest signers move nobody to what cannot be', async (t) => {
  const nodes = crowd()
  const [one] = nodes
  await grow(nodes, 20)
  const { tip } = one.chain
  const sign = (link: Link) => ({
    ...link,
    signatures: SIGNERS.map((each, index) => ({
      signer: index,
      signature: each.sign(linkMessage(network, link)),
    })),
  })
  const hear = (link: Link) => {
    const bytes = encode(certificatesCodec, { certificates: [sign(link)] })
    return codeOf(one.checkpoints.receiveCertificates(bob.account, bytes))
  }
  const at = (height: number, of = one): Checkpoint => ({
    height,
    hash: of.chain.at(height)?.hash as Hash,
  })
  const rival = new Node(signer(66))
  for (let height = 1; height <= 18; height++) rival.add(one.own.archive.block(at(height).hash))
  for (let count = 0; count < 10; count++) grown(rival, alice)
  one.follow(rival)
  const { height, hash } = one.chain.tip
  hear({ source: at(16), target: { height: 24, hash: at(20, rival).hash } })
  t.match(one.errors, [/cannot be followed/], "a height that is not the block's")
  hear({ source: { height: 16, hash: 'ab'.repeat(32) as Hash }, target: at(24, rival) })
  t.equal(one.errors.length, 2, 'a source that the target does not build on')
  t.strictSame(one.chain.tip, one.chain.at(height))
  t.equal(one.chain.tip.hash, hash)
  t.not(tip.hash, hash)
  for (let index = 1; index <= 20; index++) {
    const target = { height: 800 * index, hash: `${index}`.padStart(64, '0') as Hash }
    hear({ source: at(16), target })
  }
  t.equal(one.checkpoints.wanted.size, 8, 'and what waits is bounded')
})

t.test('killed between writing a vote and publishing it, a signer comes back with that vote', async (t) => {
  const nodes = crowd()
  const [one, two, , , five] = nodes
  await grow(nodes, 11)
  five.diesAtVote = true
  grown(one, bob)
  t.throws(() => five.add(one.own.archive.block(one.chain.tip.hash)), /killed/)
  t.equal(five.votes.length, 0)
  // While it is away, it sees another block 8 become the better one.
  const back = new Node(SIGNERS[4] as Signer, five.disk)
  const rival = new Node(signer(66))
  for (let count = 0; count < 30; count++) grown(rival, alice)
  back.follow(rival)
  back.checkpoints.onConnected()
  await turn()
  t.equal(back.chain.tip.hash, rival.chain.tip.hash)
  const [first] = back.votes as [Vote]
  t.equal(first.target.hash, one.chain.at(8)?.hash, 'the one on the disk')
  for (const vote of back.votes) t.ok(sameLink(vote, first) || !contradict(vote, first))
  t.equal(two.hear(first), 'ok')
})

t.test('a restarted node knows what is justified and final before it takes a block', async (t) => {
  const nodes = crowd()
  const [one, two, three, four, five] = nodes
  await grow(nodes, 12)
  await grow([one, two, three, four], 8)
  await grow([five], 30, alice)
  five.hearCertificates(one)
  five.follow(one)
  t.equal(five.chain.tip.hash, one.chain.tip.hash)
  const back = new Node(SIGNERS[4] as Signer, five.disk)
  t.strictSame(heights([back])[0], [16, 8])
  t.equal(back.chain.final.height, 8)
  t.equal(back.chain.tip.hash, one.chain.tip.hash, 'not the heavier chain that it had followed')
  t.strictSame(back.checkpoints.certificates(), five.checkpoints.certificates())
  t.strictSame(back.finals, [], 'and says nothing twice')
})

t.test('a signer whose store was lost is bound by the vote that the broker kept', async (t) => {
  const nodes = crowd()
  const [one, , , , five] = nodes
  await grow(nodes, 12)
  const back = new Node(SIGNERS[4] as Signer)
  back.mayVote = false
  back.hear(five.votes.at(-1) as Vote)
  back.mayVote = true
  const rival = new Node(signer(66))
  for (let count = 0; count < 13; count++) grown(rival, alice)
  back.follow(rival)
  await turn()
  t.strictSame(back.votes, [], 'no second vote for height 8')
  back.follow(one)
  t.ok(back.lines.some(({ event }) => event.includes('later vote of ours')))
})

t.test('a signer with an old copy of its data waits for the vote that the broker kept', async (t) => {
  const old = new TestChain(network)
  const store = new ChainStore(openDisk(t.testdir()), network.genesis)
  for (let height = 1; height <= 12; height++) {
    old.grow(1)
    const outcome = store.chain.accept(old.archive.block(old.chain.tip.hash), LATER_MS)
    if (outcome.ok) store.save(outcome.value)
  }
  const [self] = SIGNERS as [Signer]
  let nowMs = 0
  const due: (() => void)[] = []
  const after = (_: number, run: () => void) => {
    due.push(run)
    return () => {}
  }
  const published: string[] = []
  let session: SessionModules | undefined
  const node = new LedgerNode(
    { session: { url: 'mqtt://none' }, role: 'validator', name: '', software: '', signer: self },
    {
      store,
      clock: { now: () => old.nowMs, monotonic: () => nowMs, synchronised: () => true },
      random: () => 0.5,
      timers: { after, turn: async () => {} },
      openSession: (_, modules) => {
        session = modules
        return quietSession(modules.onConnected, (name) => published.push(name))
      },
      log: recordingLog().log,
      ...{ onUpdate: () => {}, onTransaction: () => {}, onRefused: () => {} },
      ...{ onConnected: () => {}, onDisconnected: () => {}, onFatal: (error) => t.fail(String(error)) },
    },
  )
  const tickAt = async (ms: number) => {
    nowMs = ms
    for (const run of due.splice(0)) run()
    await turn()
  }
  node.start()
  await tickAt(1_000)
  t.equal(store.checkpoints.vote, undefined, 'it could vote for block 8, and waits')
  const link = { source: node.checkpoints.justified, target: { height: 8, hash: 'ab'.repeat(32) as Hash } }
  const kept = { ...link, signer: self.account, signature: self.sign(linkMessage(network, link)) }
  const name = topic(network.id, 'vote', self.account)
  session?.onMessage({ topic: name, payload: encode(voteCodec, kept), retain: true })
  await tickAt(3_000)
  t.same(store.checkpoints.vote?.target, kept.target, 'it had voted for another one')
  t.notOk(published.includes(name))
  await node.stop()
  store.close()
})

t.test('a stored record that does not decode is named', async (t) => {
  const records = new CheckpointRecords(() => {})
  t.match(records.replay(8, new Uint8Array(3)), /^certificate: source/)
  t.match(records.replay(9, new Uint8Array(3)), /^vote: source/)
  const nodes = crowd()
  await grow(nodes, 21)
  const { disk, checkpoints, votes } = nodes[0]
  for (const { kind, bytes } of disk.records) records.replay(kind, bytes)
  const encoded = ({ certificates }: Certificates) => toHex(encode(certificatesCodec, { certificates }))
  t.equal(encoded(records), encoded(checkpoints.certificates()))
  t.equal(records.vote?.target.hash, votes.at(-1)?.target.hash)
  const copy = new CheckpointRecords(() => {})
  for (const { kind, bytes } of records.records()) copy.replay(kind, bytes)
  t.strictSame([copy.certificates, copy.vote], [records.certificates, records.vote])
  t.equal(records.records().length, 2, 'one certificate that is both, and the vote')
})

t.test('a vote that did not get through is published again, also to a new broker', async (t) => {
  const nodes = crowd()
  const [one] = nodes
  await grow(nodes, 12)
  t.equal(one.votes.length, 1)
  one.checkpoints.vote()
  await turn()
  t.equal(one.votes.length, 1, 'not without need')
  one.checkpoints.onConnected()
  await turn()
  t.equal(one.votes.length, 2)
})
