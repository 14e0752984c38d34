/** Slow hands as docs/PROTOCOL.md section 14 has them: the vectors, our code and the program written from the document agree. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { anchorLeaf, anchorsRoot, createHand, type Hand } from '../../ledger/hand.ts'
import { headerHash } from '../../ledger/header.ts'
import type { TickAdded } from '../../ledger/slow-hand.ts'
import { audit } from '../../node/append-log.ts'
import { ChainStore, networkOf } from '../../node/chain-store.ts'
import { openDisk, openLogFile, openLogFileReadOnly } from '../../node/disk.ts'
import { HAND_FILE, HandStore } from '../../node/hand-store.ts'
import { RECORD } from '../../node/records.ts'
import { hashing } from '../../node/signing.ts'
import { header } from '../../schemas/block.ts'
import { decode, encode } from '../../schemas/codec.ts'
import { type Genesis, genesis, handGenesis } from '../../schemas/genesis.ts'
import { fromHex, type Hash, toHex, ZERO_HASH } from '../../schemas/hex.ts'
import { type Anchor, type Tick, tick as tickCodec } from '../../schemas/tick.ts'
import { handedGenesis, mineHeader, mineTick, TestHand, testHand } from '../helpers/hand.ts'
import { codeOf, TestChain, testNetwork } from '../helpers/ledger.ts'
import { appendTo } from '../helpers/log-file.ts'
import { tell } from '../helpers/long-chain.ts'
import { MemoryDisk } from '../helpers/memory-disk.ts'
import { verifyLedger } from '../helpers/python.ts'
import { rowsOf } from './protocol-tables.ts'
import { encoding, ledger } from './protocol-vectors.ts'

/** Makes a stored hand longer by a tick. */
function lengthen(store: HandStore, bytes: Uint8Array, nowMs = Number.MAX_SAFE_INTEGER): TickAdded {
  const outcome = store.slow.accept(bytes, nowMs)
  if (!outcome.ok) throw new Error(outcome.fault.message)
  store.save([outcome.value])
  return outcome.value
}

t.test('the code agrees with vectors of a network with a slow hand', async (t) => {
  for (const facts of [encoding.hand, ledger.handed.hand]) {
    const hand = createHand(handGenesis.json.parse(facts.json), hashing)
    t.equal(toHex(encode(handGenesis, hand.genesis)), facts.bytes)
    t.strictSame([hand.genesisHash, hand.id], [facts.hash, facts.id])
    t.strictSame([toHex(encode(header, hand.block0)), hand.block0Hash], [facts.tick0, facts.tick0Hash])
  }
  for (const { json, bytes, hash } of encoding.ticks) {
    const value = tickCodec.json.parse(json)
    t.equal(toHex(encode(tickCodec, value)), bytes, `a tick with ${value.anchors.length} anchors`)
    t.equal(headerHash(hashing, value.header), hash)
    t.equal(anchorsRoot(hashing, value.anchors), value.header.content)
  }
  const { genesis: facts, blocks, log, hand, ticks, handLog } = ledger.handed
  const network = networkOf(genesis.json.parse(facts.json))
  t.equal(toHex(encode(genesis, network.genesis)), facts.bytes)
  t.strictSame([network.genesisHash, network.id], [facts.hash, facts.network])
  t.strictSame([network.state0.root(), network.block0Hash], [facts.stateRoot, facts.block0Hash])
  t.equal(toHex(encode(header, network.block0)), facts.block0)
  t.equal(network.hand?.genesisHash, hand.hash)

  const folder = t.testdir()
  const disk = openDisk(folder)
  const store = new ChainStore(disk, network.genesis)
  for (const { bytes } of blocks) tell(store, [fromHex(bytes)], network.genesis.time + 100_000)
  store.close()
  t.equal(toHex(readFileSync(join(folder, 'chain.log'))), log, 'the log is the same to the byte')

  const written = new HandStore(disk.open(HAND_FILE), network.hand as Hand)
  for (const { bytes, hash, work, anchors } of ticks) {
    const added = lengthen(written, fromHex(bytes), network.genesis.time + 700_000)
    const { tip } = written.slow
    t.strictSame([tip.hash, String(tip.work)], [hash, work])
    t.same(added.tick.anchors, anchors)
  }
  written.close()
  const path = join(folder, HAND_FILE)
  t.equal(toHex(readFileSync(path)), handLog, 'the log of the hand is the same to the byte')
  const read = new HandStore(disk.open(HAND_FILE), network.hand as Hand)
  t.equal(read.slow.tip.hash, ticks[2].hash)
  t.equal(toHex(read.tick(2)), ticks[1].bytes)
  read.close()
  const file = openLogFileReadOnly(path)
  const kinds = [...audit(file)].map((each) => each.ok && each.value.kind)
  file.close()
  const known = rowsOf(14, 'Kind Hand record Payload').map(({ Kind }) => Number(Kind))
  t.strictSame(kinds, [known[0], known[1], known[1], known[1]])
  t.equal(known.length, 2)

  const { status, stdout, stderr } = await verifyLedger(folder)
  t.equal(status, 0, stderr)
  t.match(JSON.parse(stdout), {
    height: 1,
    hand: { height: 3, tip: ticks[2].hash, work: ticks[2].work, anchors: 2, anchored: 2, named: 1 },
  })
})

/** A data directory of a network with a slow hand, both as they grow. */
function handedDirectory(folder: string) {
  const chain = new TestChain(testNetwork(handedGenesis()))
  const { network } = chain
  const hand = network.hand as Hand
  const disk = openDisk(folder)
  const store = new ChainStore(disk, network.genesis)
  const ticks = new HandStore(disk.open(HAND_FILE), hand)
  const block = (named: Hash): Anchor => {
    const made = chain.block([], { coinbase: { tick: named } })
    chain.accept(made)
    const { height, hash } = chain.chain.tip
    tell(store, [chain.archive.block(hash)], chain.nowMs)
    return { ledger: network.genesisHash, height, block: hash }
  }
  const tick = (anchors: readonly Anchor[], parent = ticks.slow.tip) =>
    lengthen(ticks, encode(tickCodec, mineTick(hand, parent, anchors))).entry
  const close = () => {
    store.close()
    ticks.close()
  }
  return { chain, hand, ticks, block, tick, close }
}

t.test('a program written from the document finds the same in the log of a slow hand as we do', async (t) => {
  const folder = t.testdir()
  const { hand, ticks, block, tick, close } = handedDirectory(folder)
  const foreign = (byte: string): Anchor => ({ ledger: byte.repeat(32) as Hash, height: 9, block: ZERO_HASH })
  const first = block(hand.block0Hash)
  const common = tick([first])
  const second = block(common.hash)
  const left = tick([second, foreign('ff')].sort((a, b) => (a.ledger < b.ledger ? -1 : 1)))
  const rival = tick([foreign('00'), foreign('ff')], common)
  t.equal(ticks.slow.tip.hash, left.hash, 'the first of equals')
  t.equal(JSON.parse((await verifyLedger(folder)).stdout).hand.tip, left.hash, 'to the program, too')
  block(rival.hash)
  const next = tick([], rival)
  t.equal(ticks.slow.tip.hash, next.hash, 'the branch with more work')
  block(left.hash)
  tick([{ ...second, height: 3 }])
  tick([{ ...second, block: first.block }])
  const fifth = block(ZERO_HASH)
  tick([fifth])
  const { height, hash, work } = ticks.slow.tip
  close()
  const { status, stdout, stderr } = await verifyLedger(folder)
  t.equal(status, 0, stderr)
  // Anchors: of the first block, two wrong ones, of the fifth; the second's is on the branch that lost. Named: tick 0, the common one, the rival.
  const facts = { height, tip: hash, work: String(work), ticks: 7, anchors: 4, anchored: 2, named: 3 }
  t.strictSame(JSON.parse(stdout).hand, { ...facts, cut: null })
  t.equal(height, 6)

  const path = join(folder, HAND_FILE)
  const bytes = readFileSync(path)
  writeFileSync(path, bytes.subarray(0, -1))
  const torn = JSON.parse((await verifyLedger(folder)).stdout).hand
  t.match(
    torn,
    { height: 5, anchored: 1, cut: bytes.length - 24 - 115 - 2 - 68 },
    'a torn tick does not count',
  )
  const flipped = Uint8Array.from(bytes)
  flipped[300] = (flipped[300] ?? 0) ^ 1
  writeFileSync(path, flipped)
  t.match((await verifyLedger(folder)).stderr, /hand\.log, record \d+ at byte \d+: bad-(payload|header)/)
  rmSync(path)
  t.notOk('hand' in JSON.parse((await verifyLedger(folder)).stdout), 'a ledger can be without its hand')
})

t.test('a program written from the document refuses what we refuse of a slow hand', async (t) => {
  const folder = t.testdir()
  const { chain, hand, ticks, block, tick, close } = handedDirectory(folder)
  const anchors: readonly Anchor[] = [
    block(ZERO_HASH),
    { ledger: 'ff'.repeat(32) as Hash, height: 9, block: ZERO_HASH },
  ]
  tick([])
  const parent = tick(anchors)
  close()
  const path = join(folder, HAND_FILE)
  const good = readFileSync(path)
  const own = new TestHand(hand)
  for (const bytes of ticksOf(good).slice(1)) t.ok(own.accept(decodedTick(bytes), Number.MAX_SAFE_INTEGER).ok)
  /** What the program says of the log with this record at its end. */
  const stored = async (bytes: Uint8Array, kind = 2) => {
    writeFileSync(path, good)
    appendTo(path, { kind, bytes })
    return (await verifyLedger(folder)).stderr
  }
  const valid = mineTick(hand, parent, anchors)
  const spoilt = (fields: Partial<Tick['header']>, named = anchors) => mineTick(hand, parent, named, fields)
  const { target } = valid.header
  const leaf = toHex(anchorLeaf(hashing, anchors[0] as Anchor)) as Hash
  const faults: readonly (readonly [string, string, Tick])[] = [
    ['anchors out of order', 'bad-anchors', spoilt({}, [...anchors].reverse())],
    ['a ledger twice', 'bad-anchors', spoilt({}, [...anchors.slice(0, 1), ...anchors.slice(0, 1)])],
    ['content of other anchors', 'bad-content', { ...valid, anchors: anchors.slice(1) }],
    ['content of nothing', 'bad-content', spoilt({ content: ZERO_HASH })],
    ['the leaf itself as content', 'bad-content', spoilt({ content: leaf }, anchors.slice(0, 1))],
    ['height', 'bad-height', spoilt({ height: 4 })],
    ['an easier target', 'bad-target', spoilt({ target: target + 1n })],
    ['a harder target', 'bad-target', spoilt({ target: target - 1n })],
    ['no proof of work', 'high-hash', { ...valid, header: mineHeader(valid.header, false) }],
    ["the parent's time", 'time-too-old', spoilt({ time: parent.time })],
    ['another parent', 'unknown-parent', spoilt({ parent: 'ab'.repeat(32) as Hash })],
    ['the same once more', 'known', decodedTick(ticksOf(good)[2])],
  ]
  for (const [title, code, made] of faults) {
    t.equal(codeOf(own.accept(made, Number.MAX_SAFE_INTEGER)), code, `${title}, by us`)
    const fault = new RegExp(`hand\\.log, record 3 \\(tick\\) at byte \\d+: ${code}`)
    t.match(await stored(encode(tickCodec, made)), fault, title)
  }
  t.equal(await stored(encode(tickCodec, valid)), '', 'the tick itself is good')
  t.match(await stored(new Uint8Array([...encode(tickCodec, valid), 0])), /\(tick\) .* bad-encoding/)
  t.match(await stored(encode(handGenesis, hand.genesis), 1), /\(hand\) .* not a tick/)
  t.match(await stored(encode(tickCodec, valid), 3), /\(3\) .* not a tick/)

  const replaced = async (name: string, of: Hand) => {
    const at = join(folder, name)
    mkdirSync(at)
    writeFileSync(join(at, 'chain.log'), readFileSync(join(folder, 'chain.log')))
    new HandStore(openLogFile(join(at, HAND_FILE)), of).close()
    return (await verifyLedger(at)).stderr
  }
  t.equal(await replaced('own', hand), '')
  t.match(await replaced('other', testHand({ name: 'other' })), /hand\.log: another slow hand/)

  const genesisFault = async (name: string, overrides: Partial<Genesis>) => {
    const bytes = encode(genesis, handedGenesis(overrides))
    appendTo(join(folder, name), { kind: RECORD.genesis, bytes })
    return (await verifyLedger(join(folder, name))).stderr
  }
  const { genesis: facts } = hand
  t.equal(await genesisFault('good', {}), '')
  t.match(await genesisFault('none', { slowRatio: 0 }), /bad-genesis: slowRatio/)
  const each = { slowRatio: 1, hand: { ...facts, interval: chain.network.genesis.interval } }
  t.match(await genesisFault('each', each), /bad-genesis: slowRatio/)
  t.match(await genesisFault('ratio', { slowRatio: 5 }), /bad-genesis: hand: interval/)
  t.match(await genesisFault('life', { hand: { ...facts, halfLife: 0 } }), /bad-genesis: hand: halfLife/)
  t.match(await genesisFault('zero', { hand: { ...facts, target: 0n } }), /bad-genesis: hand: target/)
  const above = { ...facts, target: facts.targetMax + 1n }
  t.match(await genesisFault('above', { hand: above }), /bad-genesis: hand: target/)
  t.equal(ticks.slow.tip.hash, parent.hash)
})

/** Payloads of a log, by record. */
function ticksOf(bytes: Uint8Array): Uint8Array[] {
  const disk = new MemoryDisk(new Map([[HAND_FILE, bytes]]))
  return [...audit(disk.open(HAND_FILE))].map((each) => (each.ok ? each.value.bytes : new Uint8Array()))
}

function decodedTick(bytes: Uint8Array | undefined): Tick {
  const decoded = decode(tickCodec, bytes ?? new Uint8Array(), 1000)
  if (!decoded.ok) throw new Error(decoded.fault.message)
  return decoded.value
}
