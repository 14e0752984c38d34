/**
 * What a program written from docs/PROTOCOL.md finds in the files of section 10 is what we find, and it refuses what we refuse.
 *
 * The program is test/vectors/verify_ledger.py, which shares no code with ours.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { linkMessage } from '../../ledger/finality.ts'
import type { Sealed } from '../../ledger/transaction.ts'
import { ChainStore } from '../../node/chain-store.ts'
import { openDisk, openLogFileReadOnly } from '../../node/disk.ts'
import { RECORD } from '../../node/records.ts'
import type { Signer } from '../../node/signing.ts'
import { writeSnapshot } from '../../node/snapshot.ts'
import { type Verification, verifyStore } from '../../node/verify.ts'
import { type Block, block } from '../../schemas/block.ts'
import type { Certificate } from '../../schemas/checkpoint.ts'
import { encode } from '../../schemas/codec.ts'
import { type Genesis, genesis } from '../../schemas/genesis.ts'
import type { Hash } from '../../schemas/hex.ts'
import { invariant } from '../../schemas/result.ts'
import { sample } from '../../schemas/transaction.ts'
import { alice, bob, carol, mine, remake, TestChain, testNetwork } from '../helpers/ledger.ts'
import { appendTo } from '../helpers/log-file.ts'
import { longChain, SMALL, storeOf, tell } from '../helpers/long-chain.ts'
import { MemoryDisk } from '../helpers/memory-disk.ts'
import { python, verifyLedger } from '../helpers/python.ts'

/** What the program says against a log of that genesis and block; '' when it finds nothing. */
async function faultOf(log: string, of: Genesis, made?: Block): Promise<string> {
  appendTo(log, { kind: RECORD.genesis, bytes: encode(genesis, of) })
  if (made !== undefined) appendTo(log, { kind: RECORD.block, bytes: encode(block, made) })
  return (await verifyLedger(log)).stderr
}

/** A log of 13 blocks with every type of transaction, two of which were undone and later connected again. */
function reorganisedLog(log: string): ChainStore {
  const network = testNetwork({ maturity: 2 })
  const [main, rival] = [new TestChain(network), new TestChain(network)]
  const store = new ChainStore(openDisk(dirname(log)), network.genesis)
  const add = (
    chains: readonly TestChain[],
    miner: Signer,
    make: readonly ((chain: TestChain) => Sealed)[] = [],
  ) => {
    const [chain] = chains as [TestChain]
    const made = chain.block(
      make.map((each) => each(chain)),
      { miner },
    )
    for (const each of chains) if (!each.accept(made).ok) throw new Error('the test made a bad block')
    tell(store, [encode(block, made)], chain.nowMs)
  }
  const pays = (from: Signer, to: Signer) => (chain: TestChain) => chain.transfer(from, to.account, 5)
  const says = (from: Signer) => (chain: TestChain) =>
    chain.transfer(from, from.account, 0, { type: 'reading', sample: sample.json.parse(measured) } as never)
  const batches = (from: Signer) => (chain: TestChain) =>
    chain.transfer(from, from.account, 0, batched as never)
  add([main, rival], bob, [pays(alice, bob)])
  add([main, rival], bob, [says(alice)])
  add([main, rival], carol, [batches(bob)])
  add([main], bob, [pays(alice, carol)])
  add([main], bob, [pays(carol, carol)])
  add([rival], carol, [batches(alice)])
  add([rival], carol)
  add([rival], carol, [pays(bob, alice)])
  add([main], bob)
  add([main], bob, [says(carol), says(bob)])
  for (let count = 0; count < 5; count++) add([main], count % 2 === 0 ? alice : carol, [pays(alice, bob)])
  return store
}

const measured = { sensor: 'soil', sequence: 3, value: '-1.50', unit: 'Cel', time: 7, synchronised: true }
const batched = {
  ...{ type: 'batch', sensor: 'imu', sequence: 0, count: 7, unit: 'm/s2', firstTime: 1, lastTime: 2 },
  ...{ synchronised: false, root: 'ab'.repeat(32) },
}

t.test('a program written from the document finds the same ledger in a log as we do', async (t) => {
  const log = join(t.testdir(), 'chain.log')
  const store = reorganisedLog(log)
  const { tip, state } = store.chain
  store.close()
  // As a person runs it, in a process of its own.
  const { status, stdout, stderr } = python('verify_ledger.py', log)
  t.equal(status, 0, stderr)
  const facts = { height: tip.height, tip: tip.hash, stateRoot: state.root(), ...state.totals() }
  t.match(JSON.parse(stdout), facts)
  t.equal(tip.height, 12)
  t.ok(facts.readings > 7, 'with readings of a batch')
  t.strictSame(verified(log), { ...facts, ok: true })
})

/** What our own verifier says of a log. */
function verified(log: string): Verification {
  const file = openLogFileReadOnly(log)
  const audit = verifyStore(file)
  let step = audit.next()
  while (!step.done) step = audit.next()
  file.close()
  return step.value
}

/** A log of blocks on two branches, where signers chose the lighter one, made block 8 final and went on. */
function checkpointedLog(log: string, spoil = (bytes: Certificate) => bytes): ChainStore {
  const network = testNetwork({
    checkpointSigners: [alice, bob].map(({ account }) => account),
    checkpointThreshold: 2,
  })
  const [main, rival] = [new TestChain(network), new TestChain(network)]
  const store = new ChainStore(openDisk(dirname(log)), network.genesis)
  const add = (chain: TestChain, count: number) => {
    for (let done = 0; done < count; done++) {
      chain.grow(1, [], chain === main ? bob : carol)
      tell(store, [chain.archive.block(chain.chain.tip.hash)])
    }
  }
  const certify = (from: number, to: number) => {
    const [source, target] = [from, to].map((height) => ({
      height,
      hash: main.chain.at(height)?.hash as Hash,
    }))
    if (source === undefined || target === undefined) throw new Error('no such block')
    const message = linkMessage(network, { source, target })
    const signatures = [alice, bob].map(({ sign }, signer) => ({ signer, signature: sign(message) }))
    const made = spoil({ source, target, signatures })
    const moved = store.chain.justify(target.hash)
    invariant(moved.ok, 'a signed block is justified')
    if (moved.value === undefined) store.checkpoints.saveCertificate(made)
    else store.save(moved.value, made)
    if (to === from + 8) store.chain.finalise(source.hash)
    store.checkpoints.saveVote({ source, target, signer: alice.account, signature: alice.sign(message) })
  }
  add(main, 9)
  add(rival, 12)
  certify(0, 8)
  add(main, 8)
  certify(8, 16)
  add(main, 2)
  return store
}

t.test('a program written from the document follows the same checkpoints in a log as we do', async (t) => {
  const folder = t.testdir()
  const log = join(folder, 'chain.log')
  const store = checkpointedLog(log)
  const { tip, state } = store.chain
  store.close()
  const { status, stdout, stderr } = await verifyLedger(log)
  t.equal(status, 0, stderr)
  t.match(JSON.parse(stdout), {
    ...{ height: tip.height, tip: tip.hash, stateRoot: state.root(), final: 8, justified: 16 },
    ...state.totals(),
  })
  t.equal(tip.height, 19, 'on the branch that had less work')
  t.match(verified(log), { height: 19, tip: tip.hash, ok: true })
  const spoilt = (name: string, change: (made: Certificate) => Certificate) => {
    const path = join(folder, name, 'chain.log')
    mkdirSync(join(folder, name))
    checkpointedLog(path, change).close()
    const fault = /record \d+ \(certificate\) .*: bad-(signature|checkpoint)/
    t.match(verified(path).fault, fault, `${name}, by our own verifier`)
    return path
  }
  const few = spoilt('few', (made) => ({ ...made, signatures: made.signatures.slice(1) }))
  t.match((await verifyLedger(few)).stderr, /bad-checkpoint/)
  spoilt('order', (made) => ({ ...made, signatures: [...made.signatures].reverse() }))
  spoilt('height', (made) => ({ ...made, source: { ...made.source, height: 0 } }))
  const link = spoilt('link', (made) => ({ ...made, target: { ...made.target, height: 24 } }))
  t.match((await verifyLedger(link)).stderr, /bad-signature/)
})

t.test('a program written from the document refuses what we refuse', async (t) => {
  const folder = t.testdir()
  const log = join(folder, 'chain.log')
  const network = testNetwork()
  const chain = new TestChain(network)
  const good = chain.block([chain.transfer(alice, bob.account, 5)])
  const verdict = async (name: string, bytes: Uint8Array) => {
    writeFileSync(join(folder, name), bytes)
    return verifyLedger(join(folder, name))
  }
  const stored = (name: string, made: Block) => faultOf(join(folder, name), network.genesis, made)
  const spoilt = (coinbase: Partial<Block['coinbase']>, header: Partial<Block['header']> = {}) =>
    mine(network, remake(network, good, { coinbase, header }, bob))
  t.match(await stored('reward', spoilt({ reward: good.coinbase.reward + 1 })), /bad-reward/)
  t.match(await stored('root', spoilt({ stateRoot: 'ab'.repeat(32) as Hash })), /bad-state-root/)
  t.match(await stored('signature', spoilt({ signature: new Uint8Array(64) })), /bad-signature/)
  t.match(await stored('time', spoilt({}, { time: network.genesis.time })), /time-too-old/)
  t.match(await stored('target', spoilt({}, { target: network.genesis.targetMax })), /bad-target/)
  t.match(await stored('tick', spoilt({ tick: 'ab'.repeat(32) as Hash })), /bad-tick/)
  t.match(await stored('known', good), /2 were expected after it/, 'the changes and the tip belong to it')

  reorganisedLog(log).close()
  const bytes = readFileSync(log)
  const flipped = Uint8Array.from(bytes)
  flipped[1000] = (flipped[1000] ?? 0) ^ 1
  t.match((await verdict('flipped', flipped)).stderr, /bad-(payload|header)/)
  const torn = await verdict('torn', bytes.subarray(0, -1))
  t.equal(JSON.parse(torn.stdout).height, 11, 'a torn last batch does not count')
  const last = Uint8Array.from(bytes)
  last[bytes.length - 300] = (last[bytes.length - 300] ?? 0) ^ 1
  t.match(
    (await verdict('pieces', last)).stderr,
    /bad-(payload|header)/,
    'one in pieces is a fault to who only checks',
  )
  const recovered = await verifyLedger(join(folder, 'pieces'), '--recover')
  t.equal(JSON.parse(recovered.stdout).height, 11, 'and does not count either when a node starts')
  t.match((await verifyLedger(join(folder, 'flipped'), '--recover')).stderr, /bad-(payload|header)/)
})

t.test('a program written from the document refuses what we refuse of an enrolled network', async (t) => {
  const activations = [1, 2, 3, 4, 5].map((type) => ({ type, height: 0 }))
  const network = testNetwork({ authorities: [alice.account], activations })
  const chain = new TestChain(network)
  const folder = t.testdir()
  const stored = (name: string, made?: Block, of = network.genesis) => faultOf(join(folder, name), of, made)
  const by = (of: Signer, forced: Sealed) => chain.block([], { miner: of, forced: [forced] })
  const admits = (member: Signer, from = alice) =>
    chain.sign(from, { type: 'admission', member: member.account })
  const taken = remake(network, chain.block([], { miner: alice }), { coinbase: { from: bob.account } }, bob)
  t.match(await stored('miner', mine(network, taken)), /not-admitted/)
  t.match(await stored('authority', by(alice, admits(carol, bob))), /not-authority/)
  t.match(await stored('again', by(alice, admits(alice))), /already-member/)
  const none = chain.sign(alice, { type: 'revocation', member: bob.account })
  t.match(await stored('none', by(alice, none)), /not-member/)
  t.match(
    await stored('open', undefined, { ...network.genesis, authorities: [] }),
    /bad-genesis: activations/,
  )
  t.match(
    await stored('types', undefined, { ...network.genesis, activations: activations.slice(0, 3) }),
    /bad-genesis: activations/,
  )
})

t.test(
  'a program written from the document finds the same in segments, headers and a snapshot',
  async (t) => {
    const folder = t.testdir()
    const long = longChain(770)
    const { tip, state } = long.test.chain
    const facts = { height: tip.height, tip: tip.hash, stateRoot: state.root(), ...state.totals() }
    const stored = (name: string, { files }: MemoryDisk): string => {
      mkdirSync(join(folder, name))
      for (const [file, bytes] of files) writeFileSync(join(folder, name, file), bytes)
      return join(folder, name)
    }
    const finds = async (at: string, expected: object): Promise<void> => {
      const { status, stdout, stderr } = await verifyLedger(at, '--sample-signatures', '20')
      t.equal(status, 0, stderr)
      t.match(JSON.parse(stdout), expected, at.slice(folder.length))
    }
    const whole = new MemoryDisk()
    storeOf(whole, long).close()
    await finds(stored('whole', whole), { ...facts, first: 0, window: 512, segments: 4 })
    const pruned = whole.after()
    new ChainStore(pruned, undefined, { ...SMALL, bytesMax: 1 }).close()
    const at = stored('pruned', pruned)
    await finds(at, { ...facts, first: 512, window: 512, segments: 2 })
    const undone = whole.after()
    undone.files.delete('chain.log')
    await finds(stored('undone', undone), { ...facts, first: 512 })

    const snapshot = new MemoryDisk()
    const store = new ChainStore(whole.after(), undefined, { ...SMALL, readOnly: true })
    const { height, hash, stateRoot } = writeSnapshot(store, 768, snapshot.open('snapshot'))
    store.close()
    await finds(join(stored('snapshot', snapshot), 'snapshot'), {
      height,
      tip: hash,
      stateRoot,
      first: height,
    })

    const headers = pruned.files.get('headers.log') ?? new Uint8Array()
    headers[headers.length - 100] = (headers[headers.length - 100] ?? 0) ^ 1
    writeFileSync(join(at, 'headers.log'), headers)
    t.match((await verifyLedger(at)).stderr, /headers.log, record \d+ .*bad-payload/)
    rmSync(join(at, 'headers.log'))
    t.match((await verifyLedger(at)).stderr, /headers.log does not reach it/)
  },
)
