import t from 'tap'
import { linkMessage } from '../../ledger/finality.ts'
import { audit, openAppendLog } from '../../node/append-log.ts'
import { ChainStore } from '../../node/chain-store.ts'
import { Checkpoints } from '../../node/checkpoints.ts'
import type { Disk } from '../../node/disk.ts'
import { WorldError } from '../../node/error.ts'
import { RECORD } from '../../node/records.ts'
import {
  type ImportOptions,
  readSnapshot,
  type Snapshot,
  snapshotHeight,
  writeSnapshot,
} from '../../node/snapshot.ts'
import { type Verification, verifyLedger } from '../../node/verify.ts'
import {
  type Certificate,
  type Checkpoint,
  certificate as certificateCodec,
} from '../../schemas/checkpoint.ts'
import { encode } from '../../schemas/codec.ts'
import type { Hash } from '../../schemas/hex.ts'
import { alice, signer, testGenesis, testNetwork } from '../helpers/ledger.ts'
import { type LongChain, longChain, SMALL, storeOf, tell } from '../helpers/long-chain.ts'
import { MemoryDisk, PowerCut } from '../helpers/memory-disk.ts'
import { recordingLog } from '../helpers/rig.ts'

const long = longChain(900)
const { chain } = long.test
const hashAt = (height: number): Hash => chain.at(height)?.hash as Hash
const stored = new MemoryDisk()
storeOf(stored, long).close()

function exported(height?: number, from = stored): { disk: MemoryDisk; snapshot: Snapshot } {
  const disk = new MemoryDisk()
  const store = new ChainStore(from.after(), undefined, { ...SMALL, readOnly: true })
  const snapshot = writeSnapshot(store, snapshotHeight(store, height), disk.open('snapshot'))
  store.close()
  return { disk, snapshot }
}

function imported(from: MemoryDisk, to: Disk, options: Partial<ImportOptions> = {}): Snapshot {
  const all = { genesis: undefined, hash: undefined, nowMs: Number.MAX_SAFE_INTEGER, ...options }
  const steps = readSnapshot(from.open('snapshot'), to, all)
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

const blocksAbove = (height: number): Uint8Array[] =>
  Array.from({ length: 900 - height }, (_, at) => long.test.archive.block(hashAt(height + 1 + at)))

t.test(
  'a snapshot of every height that there may be gives the ledger at that height, and it goes on',
  (t) => {
    for (const height of [512, 768]) {
      const { disk, snapshot } = exported(height)
      t.equal(snapshot.hash, hashAt(height))
      const target = new MemoryDisk()
      t.strictSame(imported(disk, target, { genesis: long.genesis, hash: hashAt(height) }), snapshot)
      const store = new ChainStore(target, undefined, SMALL)
      t.equal(store.chain.tip.hash, hashAt(height))
      t.equal(store.chain.base.height, height)
      t.equal(store.chain.state.root(), snapshot.stateRoot)
      t.equal(store.accounts.includes(alice.account), true)
      t.equal(store.settled(height, hashAt(height)), undefined, 'there are no old blocks')
      tell(store, blocksAbove(height))
      t.equal(store.chain.tip.hash, chain.tip.hash)
      t.equal(store.chain.state.root(), chain.state.root())
      t.strictSame(store.chain.headersAfter([], 1_000), chain.headersAfter([], 1_000))
      store.close()
      const again = new ChainStore(target.after(), undefined, SMALL)
      t.equal(again.chain.tip.hash, chain.tip.hash)
      again.close()
      const steps = verifyLedger(target)
      let step = steps.next()
      while (step.done !== true) step = steps.next()
      t.match(step.value as Verification, { ok: true, height: 900, from: height })
    }
    t.end()
  },
)

t.test('the height is a multiple of 256, deep enough, and in the window', (t) => {
  const store = new ChainStore(stored.after(), undefined, SMALL)
  t.equal(snapshotHeight(store), 768)
  for (const height of [0, 256, 700, 1_024])
    t.throws(() => snapshotHeight(store, height), { code: 'usage' }, `${height}`)
  store.close()
  const young = storeOf(new MemoryDisk(), { ...long, blocks: long.blocks.slice(0, 300) })
  t.throws(() => snapshotHeight(young), { code: 'usage', message: /no snapshot yet/ })
  young.close()
  const signed = longChain(260, { checkpointSigners: [alice.account], checkpointThreshold: 1 })
  const final = storeOf(new MemoryDisk(), signed)
  t.throws(() => snapshotHeight(final), { message: /has to be final/ })
  final.chain.finalise(signed.test.chain.at(258)?.hash as Hash)
  t.equal(snapshotHeight(final), 256)
  final.close()
  t.end()
})

t.test('what is wrong with a snapshot is named, and nothing is left behind that opens', (t) => {
  const { disk: good } = exported()
  const records = [...audit(good.open('snapshot'))].flatMap((read) => (read.ok ? [read.value] : []))
  const forged = (kind: number, change: (bytes: Uint8Array) => void, nth = 0): MemoryDisk => {
    const disk = new MemoryDisk()
    const log = openAppendLog(disk.open('snapshot'))
    let seen = 0
    for (const { kind: of, bytes } of records) {
      const copy = Uint8Array.from(bytes)
      if (of === kind && seen++ === nth) change(copy)
      log.append([{ kind: of, bytes: copy }])
    }
    return disk
  }
  const without = (kind: number, count = 99): MemoryDisk => {
    const disk = new MemoryDisk()
    const log = openAppendLog(disk.open('snapshot'))
    let left = count
    for (const entry of records) if (entry.kind !== kind || left-- <= 0) log.append([entry])
    return disk
  }
  const flip = (at: number) => (bytes: Uint8Array) => {
    const index = at < 0 ? bytes.length + at : at
    bytes[index] = (bytes[index] ?? 0) ^ 1
  }
  const torn = good.after()
  torn.files.set('snapshot', (torn.files.get('snapshot') ?? new Uint8Array()).slice(0, -5))
  const { genesis, headers, base, state } = RECORD
  const cases: [string, MemoryDisk, RegExp, Partial<ImportOptions>?][] = [
    ['cut', torn, /torn-tail/],
    ['no genesis', without(genesis), /does not begin with a genesis/],
    ['another genesis', forged(genesis, flip(-1)), /height 1: unknown-parent/],
    ['work of a header', forged(headers, flip(2_000)), /high-hash/],
    ['work of a group', forged(headers, flip(-1), 1), /says of itself is wrong/],
    ['time of the parent', forged(headers, flip(-65)), /the time before height 1 is another/],
    ['no headers', without(headers, 1), /height \d+|time before/],
    ['a header is missing at the end', without(headers), /its state is of block/],
    ['no base', without(base), /no base/],
    ['coinbase', forged(base, flip(130)), /coinbase is not its header's/],
    ['base', forged(base, flip(40)), /coinbase|is of block/],
    ['work of the base', forged(base, flip(-5)), /its state is of block/],
    ['state', forged(state, flip(-1)), /root of its state/],
    ['no state', without(state), /0 of \d+ state entries/],
    ['other kinds', forged(state, () => {}), /kind/],
    ['another network', good, /it is of network/, { genesis: testGenesis({ name: 'other' }) }],
    ['another block', good, /it is of block/, { hash: hashAt(5) }],
    ['the future', good, /time-too-new/, { nowMs: long.genesis.time }],
  ]
  for (const [name, disk, message, options] of cases) {
    if (name === 'other kinds') continue
    const target = new MemoryDisk()
    t.throws(() => imported(disk, target, options), { code: 'usage', message }, name)
    t.throws(() => new ChainStore(target, undefined), { code: 'config' }, 'no ledger is there')
    t.doesNotThrow(() => imported(good, target), 'and the right one can be taken')
  }
  t.throws(() => imported(good, stored.after()), { message: /there is a ledger already/ })
  t.end()
})

t.test('an import that a power cut or a full disk ends is nothing, or all of it', (t) => {
  const { disk: good } = exported()
  const outcomes = new Set<string>()
  for (const arrives of [0, 400, 1000]) {
    for (let failAt = 0; ; failAt++) {
      const disk = new MemoryDisk()
      disk.failAt = failAt
      disk.arrives = arrives
      let failed = false
      try {
        imported(good, disk)
      } catch (error) {
        if (!(error instanceof PowerCut || error instanceof WorldError)) throw error
        failed = true
      }
      if (!failed) break
      const left = disk.after()
      try {
        const store = new ChainStore(left, undefined, SMALL)
        if (store.chain.tip.hash !== hashAt(768)) t.fail('a tip', { failAt })
        outcomes.add('all')
      } catch (error) {
        if (!(error instanceof WorldError) || error.code !== 'config') throw error
        outcomes.add('nothing')
        if (imported(good, left).height !== 768) t.fail('again')
      }
      const fresh = disk.after()
      new ChainStore(fresh, long.genesis, SMALL).close()
    }
  }
  t.strictSame([...outcomes].sort(), ['all', 'nothing'])
  t.end()
})

t.test(
  'a ledger whose oldest segment stands on a block that was taken back later is checked from the next one',
  (t) => {
    const disk = stored.after()
    disk.files.delete('chain.log')
    const steps = verifyLedger(disk)
    let step = steps.next()
    while (step.done !== true) step = steps.next()
    t.match(step.value, { ok: true, height: 900, tip: chain.tip.hash })
    t.end()
  },
)

const signers = [11, 12, 13].map(signer)
const names = { checkpointSigners: signers.map(({ account }) => account), checkpointThreshold: 2 }
let made: LongChain | undefined

/** A network with signers, a store of its ledger, and two certificates of theirs. */
function signed() {
  made ??= longChain(530, names)
  const { network, chain } = made.test
  const store = storeOf(new MemoryDisk(), made)
  const checkpointAt = (height: number): Checkpoint => ({ height, hash: chain.at(height)?.hash as Hash })
  const certificate = (source: Checkpoint, target: Checkpoint, by = [0, 2], of = network): Certificate => {
    const message = linkMessage(of, { source, target })
    const signatures = by.map((at) => ({
      signer: at,
      signature: (signers[at] as (typeof signers)[0]).sign(message),
    }))
    return { source, target, signatures }
  }
  const real = certificate(checkpointAt(248), checkpointAt(256))
  const later = certificate(checkpointAt(256), checkpointAt(264))
  return { made, chain, store, checkpointAt, certificate, real, later }
}

t.test('a snapshot takes with it the certificates of its own blocks', (t) => {
  const { made, chain, store, real, later } = signed()
  for (const each of [real, later]) store.checkpoints.saveCertificate(each)
  const disk = new MemoryDisk()
  const { hash } = writeSnapshot(store, 512, disk.open('snapshot'))
  store.close()
  t.equal(hash, chain.at(512)?.hash)
  const target = new MemoryDisk()
  imported(disk, target, { genesis: made.genesis, hash })
  const again = new ChainStore(target, undefined, SMALL)
  t.same(again.checkpoints.certificates, [later], 'the last one made block 256 final')
  const checkpoints = checkpointsOf(again)
  checkpoints.restore()
  t.strictSame([checkpoints.final.height, checkpoints.justified.height], [256, 264])
  again.close()
  t.match(verified(target), { ok: true, height: 512, from: 512 })
  t.test('and not those of later ones, whose headers it has not', (t) => {
    const { store } = signed()
    store.checkpoints.saveCertificate(later)
    const disk = new MemoryDisk()
    writeSnapshot(store, 256, disk.open('snapshot'))
    store.close()
    const early = new MemoryDisk()
    imported(disk, early)
    const opened = new ChainStore(early, undefined, SMALL)
    t.strictSame(opened.checkpoints.certificates, [])
    opened.close()
    t.end()
  })
  t.end()
})

function checkpointsOf(store: ChainStore): Checkpoints {
  return new Checkpoints({
    chain: store.chain,
    store: store.checkpoints,
    signer: alice,
    log: recordingLog().log,
    move: (update, certificate) => store.save(update, certificate),
    mayVote: () => false,
    publishVote: async () => true,
    onChanged: () => {},
    onFinal: () => {},
    onFault: (error) => t.fail(String(error)),
  })
}

function verified(disk: Disk): Verification {
  const steps = verifyLedger(disk)
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

t.test('a certificate in a snapshot that the signers did not make, or of another chain, is refused', (t) => {
  const { made, store, checkpointAt, certificate, real, later } = signed()
  const good = new MemoryDisk()
  const { hash } = writeSnapshot(store, 256, good.open('snapshot'))
  store.close()
  const records = [...audit(good.open('snapshot'))].flatMap((read) => (read.ok ? [read.value] : []))
  const encoded = (each: Certificate) => ({ kind: RECORD.certificate, bytes: encode(certificateCodec, each) })
  const holding = (certificates: readonly Certificate[], before: number = RECORD.state): MemoryDisk => {
    const disk = new MemoryDisk()
    const log = openAppendLog(disk.open('snapshot'))
    let put = false
    for (const entry of records) {
      if (entry.kind === before && !put) for (const each of certificates) log.append([encoded(each)])
      put ||= entry.kind === before
      log.append([entry])
    }
    if (!put) for (const each of certificates) log.append([encoded(each)])
    return disk
  }
  const [link, unsigned] = [{ source: real.source, target: real.target }, new Uint8Array(64)]
  const other = testNetwork({ ...made.genesis, name: 'other' })
  const stray: Checkpoint = { height: 248, hash: checkpointAt(240).hash }
  const cases: [string, Certificate, RegExp][] = [
    ['without signatures', { ...link, signatures: [] }, /bad-checkpoint: signatures: at least 2, got 0/],
    ['with too few', certificate(real.source, real.target, [1]), /signatures: at least 2, got 1/],
    [
      'with signatures of nobody',
      { ...link, signatures: [0, 1].map((at) => ({ signer: at, signature: unsigned })) },
      /bad-signature: signatures: not one of signer 0/,
    ],
    ['of another network', certificate(real.source, real.target, [0, 1], other), /bad-signature/],
    [
      'of a target off the chain',
      certificate(checkpointAt(240), stray),
      /is not on this chain at height 248/,
    ],
    ['of a source off the chain', certificate(stray, real.target), /is not on this chain at height 248/],
    ['of a block above', later, /it names height 264, above 256/],
  ]
  for (const [name, forged, message] of cases) {
    const target = new MemoryDisk()
    t.throws(
      () => imported(holding([forged]), target, { genesis: made.genesis, hash }),
      { code: 'usage', message },
      `import: ${name}`,
    )
    t.throws(() => new ChainStore(target, undefined), { code: 'config' }, 'no ledger is there')
    // As a version that did not check would have left it.
    const left = new MemoryDisk()
    imported(holding([real]), left)
    const file = [...left.files.keys()].find((each) => each.startsWith('chain-')) as string
    const entries = [...audit(left.open(file))].flatMap((read) => (read.ok ? [read.value] : []))
    left.files.delete(file)
    const log = openAppendLog(left.open(file))
    for (const entry of entries) log.append([entry.kind === RECORD.certificate ? encoded(forged) : entry])
    log.close()
    t.match(verified(left), { ok: false, fault: message }, `verify: ${name}`)
    if (!/signatures/.test(String(message)) && !/bad-signature/.test(String(message))) continue
    const again = new ChainStore(left, undefined, SMALL)
    t.throws(() => checkpointsOf(again).restore(), { code: 'store-corrupt', message }, `start: ${name}`)
    again.close()
  }
  for (const [name, disk] of [
    ['three', holding([real, real, real])],
    ['behind the state', holding([real], -1)],
    ['before the accounts', holding([real], RECORD.accounts)],
    ['before the base', holding([real], RECORD.base)],
  ] as const)
    t.throws(() => imported(disk, new MemoryDisk()), { message: /a certificate has no place there/ }, name)
  const right = new MemoryDisk()
  t.equal(imported(holding([real]), right, { hash }).height, 256)
  t.match(verified(right), { ok: true, height: 256 })
  t.end()
})

t.test('where nobody signs, a certificate without signatures is none', (t) => {
  const { disk: good } = exported(512)
  const target: Checkpoint = { height: 264, hash: hashAt(264) }
  const certificate = { source: { height: 256, hash: hashAt(256) }, target, signatures: [] }
  const disk = new MemoryDisk()
  const log = openAppendLog(disk.open('snapshot'))
  let put = false
  for (const read of audit(good.open('snapshot'))) {
    if (!read.ok) throw new Error('the snapshot checks')
    if (read.value.kind === RECORD.state && !put)
      log.append([{ kind: RECORD.certificate, bytes: encode(certificateCodec, certificate) }])
    put ||= read.value.kind === RECORD.state
    log.append([read.value])
  }
  t.throws(() => imported(disk, new MemoryDisk()), { message: /at least 1, got 0/ })
  t.end()
})

t.test('a segment repeats no certificate that was never applied', (t) => {
  const { made, real, later } = signed()
  const disk = new MemoryDisk()
  const store = storeOf(disk, { ...made, blocks: made.blocks.slice(0, 300) })
  store.checkpoints.saveCertificate(real)
  tell(store, made.blocks.slice(300))
  store.close()
  t.match(verified(disk.after()), { ok: true, height: 530 })
  const name = 'chain-0000000512.log'
  const entries = [...audit(disk.open(name))].flatMap((read) => (read.ok ? [read.value] : []))
  const forge = (certificate: Certificate): MemoryDisk => {
    const forged = disk.after()
    forged.files.delete(name)
    const log = openAppendLog(forged.open(name))
    const bytes = encode(certificateCodec, certificate)
    for (const entry of entries)
      log.append([entry.kind === RECORD.certificate ? { kind: entry.kind, bytes } : entry])
    log.close()
    return forged
  }
  t.match(verified(forge(real)), { ok: true })
  t.match(verified(forge(later)), { ok: false, fault: /chain-0000000512.log.*it was never applied/ })
  t.end()
})
