/**
 * docs/PROTOCOL.md, our code, and programs written from the document alone agree.
 *
 * The document's tables are read and used: its layouts encode values, its numbers are compared. The Python programs
 * beside the vectors share no code with ours. Source of the vectors: test/vectors/make_vectors.py.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { nextTarget, workOf } from '../../ledger/difficulty.ts'
import { VERDICTS } from '../../ledger/fault.ts'
import { linkMessage } from '../../ledger/finality.ts'
import { anchorLeaf, anchorsRoot, createHand, type Hand } from '../../ledger/hand.ts'
import { Hashing, TAGS } from '../../ledger/hashing.ts'
import { headerHash } from '../../ledger/header.ts'
import { MEMPOOL_DEFAULTS } from '../../ledger/mempool-limits.ts'
import { checkOffer } from '../../ledger/offer.ts'
import { PRESETS } from '../../ledger/preset.ts'
import { type Change, change, KIND, provenAccount, State } from '../../ledger/state.ts'
import { subsidyAt } from '../../ledger/subsidy.ts'
import type { Sealed } from '../../ledger/transaction.ts'
import { audit, openAppendLog } from '../../node/append-log.ts'
import { ChainStore, networkOf } from '../../node/chain-store.ts'
import { openDisk, openLogFile, openLogFileReadOnly } from '../../node/disk.ts'
import { HAND_FILE, HandStore } from '../../node/hand-store.ts'
import { changesRecord, RECORD, tipRecord } from '../../node/records.ts'
import { createSigner, hashing, type Signer } from '../../node/signing.ts'
import { writeSnapshot } from '../../node/snapshot.ts'
import { type Verification, verifyStore } from '../../node/verify.ts'
import { type Block, block, header } from '../../schemas/block.ts'
import { type Certificate, certificate, certificates, link, vote } from '../../schemas/checkpoint.ts'
import { type Codec, decode, encode } from '../../schemas/codec.ts'
import { fileMessage, REFUSAL_CODES } from '../../schemas/file-message.ts'
import { type Genesis, genesis, handGenesis } from '../../schemas/genesis.ts'
import { grant } from '../../schemas/grant.ts'
import { fromHex, type Hash, toHex, ZERO_HASH } from '../../schemas/hex.ts'
import { labTower } from '../../schemas/lab-message.ts'
import { loginMessage } from '../../schemas/login.ts'
import {
  accountView,
  batchedSample,
  handTip,
  receipt,
  reply,
  request,
  status,
  tip,
} from '../../schemas/message.ts'
import { OFFER_KINDS, type Offer, offer, offerItem } from '../../schemas/offer.ts'
import { balanceProof, inclusionProof, stateProof } from '../../schemas/proof.ts'
import { keyMessage, paidMessage, soldReading } from '../../schemas/sealed.ts'
import { type Anchor, type Tick, tick as tickCodec } from '../../schemas/tick.ts'
import { KINDS } from '../../schemas/topic.ts'
import {
  channelProof,
  coinbase,
  sample,
  type TransactionType,
  TYPE_NUMBERS,
  transaction,
} from '../../schemas/transaction.ts'
import { handedGenesis, mineHeader, mineTick, TestHand, testHand } from '../helpers/hand.ts'
import { alice, bob, carol, codeOf, mine, remake, TestChain, testNetwork } from '../helpers/ledger.ts'
import { longChain, SMALL, storeOf } from '../helpers/long-chain.ts'
import { MemoryDisk } from '../helpers/memory-disk.ts'
import { verifyLedger } from '../helpers/python.ts'
import { fromRoot } from '../helpers/root.ts'
import { agrees, fields, layout, limits, limitsInText, rowsOf } from './protocol-tables.ts'

/** The messages of section 8 and the records of section 10, by their names in the vectors. */
const laidOut = {
  ...{ tip, accountView, receipt, batchedSample, status, inclusionProof, balanceProof },
  ...{ vote, certificate, certificates, grant, soldReading, paidMessage, offer },
}
const named: Readonly<Record<string, Codec<unknown>>> = {
  ...laidOut,
  stateProof,
  request,
  reply,
  keyMessage,
  fileMessage,
  changesRecord,
  tipRecord,
  handTip,
}

const path = (name: string) => fromRoot('test/vectors', name)
const vectors = (name: string) => JSON.parse(readFileSync(path(name), 'utf8'))
const encoding = vectors('encoding.json')
const ledger = vectors('ledger.json')
const spoken = vectors('messages.json').messages as { codec: string; json: unknown; bytes: string }[]
interface Typed {
  readonly type: TransactionType
  readonly proof?: { readonly type: string }
}
const ofCodec = (name: string) => spoken.filter(({ codec }) => codec === name)
const [sold] = ofCodec('offer').map(({ json }) => offer.json.parse(json)) as [Offer]

function python(script: string, ...options: string[]) {
  const { error, ...outcome } = spawnSync('python3', ['-B', path(script), ...options], { encoding: 'utf8' })
  if (error !== undefined)
    throw new Error('python3 checks the protocol: install it (apt-get install python3)')
  return outcome
}

t.test('the layouts of the document are those of the codecs', async (t) => {
  const head = layout(3, 'Number 13 is reserved').filter(({ Field }) => Field !== 'own fields')
  for (const [name, type] of Object.entries({ transfer: 'transfer', reading: 'reading', batch: 'batch' })) {
    const { json } = encoding.transactions[name]
    const numbered = { ...json, type: TYPE_NUMBERS[type as 'batch'] }
    agrees(t, type, [...head, ...layout(3, `\`${type}\``)], transaction, json, numbered)
  }
  for (const type of ['admission', 'revocation'] as const) {
    const { json } = encoding.transactions[type]
    const rows = [...head, ...layout(3, '`admission` and `revocation`')]
    agrees(t, type, rows, transaction, json, { ...json, type: TYPE_NUMBERS[type] })
  }
  for (const [title, { json }] of Object.entries(encoding.transactions) as [string, { json: Typed }][]) {
    const { type } = json
    if (TYPE_NUMBERS[type] < TYPE_NUMBERS.channelOpen) continue
    const rows = [...head, ...layout(3, `\`${type}\`, own fields`)]
    agrees(t, title, rows, transaction, json, { ...json, type: TYPE_NUMBERS[type] })
  }
  agrees(t, 'sample', layout(3, '`sample`'), sample, encoding.transactions.reading.json.sample)
  agrees(t, 'header', layout(4), header, encoding.header.json)
  const { source, target } = ledger.checkpoint
  agrees(t, 'link', layout(5, 'multiple of 8'), link, { source, target })
  agrees(t, 'coinbase', layout(5, 'The coinbase:'), coinbase, encoding.coinbase.json)
  const whole = decode(block, fromHex(ledger.blocks[0].bytes), 1 << 20)
  agrees(t, 'block', layout(5, 'bytes ('), block, whole.ok && block.toJson(whole.value))
  agrees(t, 'genesis', layout(6), genesis, ledger.genesis.json)
  limits(t, 'genesis', layout(6), genesis.fields)
  const [version, ...rules] = layout(6)
  const second = [{ ...version, Type: 'constant 2' }, ...rules, { Field: 'hand', Type: 'hand' }]
  agrees(t, 'genesis of version 2', second, genesis, ledger.handed.genesis.json)
  for (const { json } of [encoding.hand, ledger.handed.hand])
    agrees(t, 'hand', layout(14, '`hand`'), handGenesis, json)
  for (const { json } of encoding.ticks) agrees(t, 'tick', layout(14, '`tick`'), tickCodec, json)
  limits(t, 'tick', layout(14, '`tick`'), tickCodec.fields)
  t.equal(ofCodec('handTip').length, 1)
  for (const { json } of ofCodec('handTip')) agrees(t, 'handTip', layout(14, '`handTip`'), handTip, json)
  const tower = {
    ...{ order: ZERO_HASH, term: 1, round: 2, leftMs: 3, signature: '0'.repeat(128) },
    tips: [1, 2].map((height) => ({ height, hash: ZERO_HASH })),
  }
  agrees(t, 'labTower', layout(16, '`labTower`'), labTower, tower)
  limits(t, 'labTower', layout(16, '`labTower`'), labTower.fields)
  for (const [name, codec] of Object.entries(laidOut)) {
    const rows = layout(8, `\`${name}\``)
    for (const { json } of ofCodec(name)) agrees(t, name, rows, codec, json)
    limits(t, name, rows, codec.fields)
  }
  for (const { json } of ofCodec('stateProof'))
    agrees(t, 'stateProof', layout(5, 'that path'), stateProof, json)
  limits(t, 'stateProof', layout(5, 'that path'), stateProof.fields)
  const [record] = ofCodec('changesRecord')
  const stored = record?.json as { changes: unknown[] } | undefined
  agrees(t, 'change', layout(10, '`change`'), change, stored?.changes[0])
})

t.test('requests, replies and log records are those of the document', async (t) => {
  for (const [title, codec] of [
    ['Request', request],
    ['Reply', reply],
  ] as const) {
    const rows = rowsOf(8, `Number ${title} Fields`)
    t.equal(rows.length, ofCodec(title.toLowerCase()).length, `every ${title} has a vector`)
    for (const { json, bytes } of ofCodec(title.toLowerCase())) {
      const value = (codec as Codec<unknown>).json.parse(json) as { type: string }
      const row = rows.find((each) => each[title] === value.type)
      const number = toHex(Uint8Array.of(Number(row?.Number)))
      t.equal(number + toHex(encode(fields(row?.Fields ?? ''), value)), bytes, `${title} ${value.type}`)
    }
  }
  const proofs = rowsOf(3, 'Number Proof Fields')
  for (const [title, { json }] of Object.entries(encoding.transactions) as [string, { json: Typed }][]) {
    const row = proofs.find(({ Proof }) => Proof === json.proof?.type)
    if (json.proof === undefined || row === undefined) continue
    const value = channelProof.json.parse(json.proof)
    const documented = toHex(encode(fields(row.Fields ?? ''), value))
    t.equal(toHex(Uint8Array.of(Number(row.Number))) + documented, toHex(encode(channelProof, value)), title)
  }
  t.equal(proofs.length, 2)
  const messages = rowsOf(8, 'Number Message Fields')
  t.equal(messages.length, ofCodec('keyMessage').length, 'every message on key/ has a vector')
  for (const { json, bytes } of ofCodec('keyMessage')) {
    const { type, code } = json as { type: string; code?: string }
    const row = messages.find((each) => each.Message === type)
    const number = toHex(Uint8Array.of(Number(row?.Number)))
    // A code stands in words in JSON, and in the text under the table.
    const coded = row?.Fields?.replace('code choice', 'code u8') ?? ''
    const value = code === undefined ? json : { ...(json as object), code: code === 'not-paid' ? 1 : 2 }
    const codec = fields(coded)
    const { type: _, ...facts } = value as { type: string }
    t.equal(number + toHex(encode(codec, codec.json.parse(facts))), bytes, `on key/: ${type}`)
  }
  const items = rowsOf(8, 'Number Item Fields')
  for (const value of sold.items) {
    const row = items.find(({ Item }) => Item === value.type)
    const number = toHex(Uint8Array.of(Number(row?.Number)))
    t.equal(
      number + toHex(encode(fields(row?.Fields ?? ''), value)),
      toHex(encode(offerItem, value)),
      value.type,
    )
  }
  t.strictSame(
    items.map(({ Item }) => Item),
    OFFER_KINDS,
  )
  const about = rowsOf(8, 'Number File message Fields')
  t.equal(about.length, ofCodec('fileMessage').length, 'every message about a file has a vector')
  for (const { json, bytes } of ofCodec('fileMessage')) {
    const { type, ...facts } = json as { type: string; code?: keyof typeof REFUSAL_CODES }
    const row = about.find((each) => each['File message'] === type)
    const number = toHex(Uint8Array.of(Number(row?.Number)))
    const codec = fields(row?.Fields?.replace('code choice', 'code u8') ?? '')
    const coded = facts.code === undefined ? facts : { ...facts, code: REFUSAL_CODES[facts.code] }
    t.equal(number + toHex(encode(codec, codec.json.parse(coded))), bytes, `about a file: ${type}`)
  }
  const records = rowsOf(10, 'Kind Record Payload').map(({ Kind, Record = '' }) => [Record, Number(Kind)])
  t.same(Object.fromEntries(records), RECORD)
  const reserved = rowsOf(12, 'Reserved Numbers')[0]?.Numbers?.match(/\d+/g)
  t.same(reserved, ['13'])
  for (const number of reserved ?? []) {
    const bytes = fromHex(encoding.transactions.transfer.bytes)
    bytes[0] = Number(number)
    t.notOk(decode(transaction, bytes, 1024).ok, `type ${number} is refused`)
  }
})

t.test(
  'tags, numbers, faults, topics, presets and limits of the document are those of the code',
  async (t) => {
    const table = (section: number, columns: string, key: string, value: string) =>
      Object.fromEntries(rowsOf(section, columns).map((row) => [row[key], row[value]]))
    t.strictSame(table(2, 'Name Tag', 'Name', 'Tag'), TAGS)
    t.strictSame(table(11, 'Code Verdict', 'Code', 'Verdict'), VERDICTS)
    t.same(table(3, 'Number Type', 'Type', 'Number'), { coinbase: 0, ...TYPE_NUMBERS })
    t.same(table(5, 'Kind Name Key', 'Name', 'Kind'), KIND)
    const kinds = rowsOf(7, 'Kind Publisher').map(({ Kind, Publisher, Retained, Levels, Readers }) => {
      const readers = Readers === 'all' ? {} : { readers: Readers }
      return [
        Kind,
        { publisher: Publisher, retained: Retained === 'yes', levels: Number(Levels), ...readers },
      ]
    })
    t.strictSame(Object.fromEntries(kinds), KINDS)
    for (const { Preset, ...numbers } of rowsOf(6, 'Preset interval')) {
      for (const [name, number] of Object.entries(numbers)) {
        const preset = PRESETS[Preset as keyof typeof PRESETS]
        t.equal(Number(number), preset[name as 'interval'], `${Preset} ${name}`)
      }
    }
    t.same(table(9, 'Constant Value', 'Constant', 'Value'), MEMPOOL_DEFAULTS)
    for (const { sentence, value, found } of limitsInText()) t.equal(found, value, sentence)
  },
)

t.test('the worked examples of the document are vectors', async (t) => {
  for (const row of rowsOf(4, 'Interval Half-life')) {
    const vector = ledger.targets.find(
      (each: { interval: number; halfLife: number; solveTime: number; target: string }) =>
        each.interval === Number(row.Interval) &&
        each.halfLife === Number(row['Half-life']) &&
        each.solveTime === Number(row['Solve time']) &&
        each.target.startsWith(row["Parent's target"]?.replace('...', '') ?? '-'),
    )
    t.ok(vector?.next.startsWith(row.Target?.replace('...', '')), JSON.stringify(row))
  }
  const known = JSON.stringify([encoding, ledger, spoken])
  const hashes = readFileSync(fromRoot('docs/PROTOCOL.md'), 'utf8').match(/\b[0-9a-f]{64}\b/g)
  for (const hash of new Set(hashes)) t.ok(known.includes(hash), `${hash} is in a vector`)
})

t.test('the code agrees with vectors of a whole ledger', async (t) => {
  const network = networkOf(genesis.json.parse(ledger.genesis.json))
  t.equal(toHex(encode(genesis, network.genesis)), ledger.genesis.bytes)
  t.equal(network.genesisHash, ledger.genesis.hash)
  t.equal(network.id, ledger.genesis.network)
  t.equal(network.state0.root(), ledger.genesis.stateRoot)
  t.equal(toHex(encode(header, network.block0)), ledger.genesis.block0)
  t.equal(network.block0Hash, ledger.genesis.block0Hash)

  const log = join(t.testdir(), 'chain.log')
  const store = new ChainStore(openDisk(dirname(log)), network.genesis)
  for (const { bytes, hash, work, stateRoot } of ledger.blocks) {
    const outcome = store.chain.accept(fromHex(bytes), network.genesis.time + 100_000)
    if (!outcome.ok) throw new Error(outcome.fault.message)
    store.save(outcome.value)
    t.strictSame([store.chain.tip.hash, String(store.chain.tip.work)], [hash, work])
    t.equal(store.chain.state.root(), stateRoot)
  }
  store.close()
  t.equal(toHex(readFileSync(log)), ledger.log, 'the log is the same to the byte')
})

t.test('the code agrees with vectors of an enrolled network', async (t) => {
  const { genesis: facts, blocks, log: expected } = ledger.enrolled
  const network = networkOf(genesis.json.parse(facts.json))
  t.equal(toHex(encode(genesis, network.genesis)), facts.bytes)
  t.equal(network.genesisHash, facts.hash)
  const log = join(t.testdir(), 'chain.log')
  const store = new ChainStore(openDisk(dirname(log)), network.genesis)
  for (const { bytes, stateRoot } of blocks) {
    const outcome = store.chain.accept(fromHex(bytes), network.genesis.time + 100_000)
    if (!outcome.ok) throw new Error(outcome.fault.message)
    store.save(outcome.value)
    t.equal(store.chain.state.root(), stateRoot)
  }
  store.close()
  t.equal(toHex(readFileSync(log)), expected, 'the log is the same to the byte')
  const { status, stdout, stderr } = await verifyLedger(log)
  t.equal(status, 0, stderr)
  t.match(JSON.parse(stdout), { height: 3, stateRoot: blocks[2].stateRoot, transactions: 2 })
})

t.test('a program written from the document refuses what we refuse of an enrolled network', async (t) => {
  const activations = [1, 2, 3, 4, 5].map((type) => ({ type, height: 0 }))
  const network = testNetwork({ authorities: [alice.account], activations })
  const chain = new TestChain(network)
  const stored = async (name: string, genesisOf: Genesis, made?: Block) => {
    const file = openAppendLog(openLogFile(join(t.testdirName, name)))
    file.append([{ kind: RECORD.genesis, bytes: encode(genesis, genesisOf) }])
    if (made !== undefined) file.append([{ kind: RECORD.block, bytes: encode(block, made) }])
    file.close()
    return (await verifyLedger(join(t.testdirName, name))).stderr
  }
  t.testdir()
  const by = (of: Signer, forced: Sealed) => chain.block([], { miner: of, forced: [forced] })
  const admits = (member: Signer, from = alice) =>
    chain.sign(from, { type: 'admission', member: member.account })
  const taken = remake(network, chain.block([], { miner: alice }), { coinbase: { from: bob.account } }, bob)
  t.match(await stored('miner', network.genesis, mine(network, taken)), /not-admitted/)
  t.match(await stored('authority', network.genesis, by(alice, admits(carol, bob))), /not-authority/)
  t.match(await stored('again', network.genesis, by(alice, admits(alice))), /already-member/)
  const none = chain.sign(alice, { type: 'revocation', member: bob.account })
  t.match(await stored('none', network.genesis, by(alice, none)), /not-member/)
  t.match(await stored('open', { ...network.genesis, authorities: [] }), /bad-genesis: activations/)
  t.match(
    await stored('types', { ...network.genesis, activations: activations.slice(0, 3) }),
    /bad-genesis: activations/,
  )
})

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
  for (const { bytes } of blocks) {
    const outcome = store.chain.accept(fromHex(bytes), network.genesis.time + 100_000)
    if (!outcome.ok) throw new Error(outcome.fault.message)
    store.save(outcome.value)
  }
  store.close()
  t.equal(toHex(readFileSync(join(folder, 'chain.log'))), log, 'the log is the same to the byte')

  const written = new HandStore(disk.open(HAND_FILE), network.hand as Hand)
  for (const { bytes, hash, work, anchors } of ticks) {
    const outcome = written.slow.accept(fromHex(bytes), network.genesis.time + 700_000)
    if (!outcome.ok) throw new Error(outcome.fault.message)
    written.save([outcome.value])
    const { tip } = written.slow
    t.strictSame([tip.hash, String(tip.work)], [hash, work])
    t.same(outcome.value.tick.anchors, anchors)
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

t.test('the code agrees with vectors of targets, subsidies, state roots, messages and a login', async (t) => {
  for (const { target, targetMax, next, solveTime, work, ...rest } of ledger.targets) {
    const parameters = { ...PRESETS.bench, ...rest, targetMax: BigInt(`0x${targetMax}`) }
    const result = nextTarget(parameters, BigInt(`0x${target}`), solveTime)
    t.equal(result.toString(16).padStart(64, '0'), next, `${rest.interval} ms, solved in ${solveTime} ms`)
    t.equal(String(workOf(BigInt(`0x${target}`))), work)
  }
  for (const { height, amount, ...schedule } of ledger.subsidies)
    t.equal(subsidyAt(schedule, height), amount, `${JSON.stringify(schedule)} at ${height}`)
  let built = new State(new Hashing())
  let before: Change[] = []
  for (const { name, entries, root, proofs } of ledger.states) {
    const added: Change[] = entries.map(
      ({ kind, key, value }: { kind: number; key: Hash; value: string }) => ({
        ...{ kind, key, before: new Uint8Array(0), after: fromHex(value) },
      }),
    )
    const state = new State(hashing).with(added, 'after')
    t.equal(state.root(), root, name)
    for (const { account, entry, proof } of proofs) {
      const own = state.accountProof(account)
      t.equal(own && toHex(encode(stateProof, own)), proof, `${name}: proof of ${account}`)
      const shown = own && provenAccount(hashing, root, account, own)
      t.strictSame(shown, state.account(account))
      t.equal(shown?.nonce === 0 && shown.balance === 0, entry === null)
    }
    built = built
      .with(
        before.map((entry) => ({ ...entry, after: entry.before })),
        'after',
      )
      .with(added, 'after')
    t.equal(built.root(), root, `${name}, reached from the state before`)
    before = added
  }
  for (const { codec, json, bytes } of spoken) {
    const own = named[codec] as Codec<unknown>
    t.equal(toHex(encode(own, own.json.parse(json))), bytes, codec)
    const decoded = decode(own, fromHex(bytes), 4096)
    t.same(decoded.ok && own.toJson(decoded.value), json, `${codec} back`)
  }
  const { source, target, message: linked, signature } = ledger.checkpoint
  const network = networkOf(genesis.json.parse(ledger.genesis.json))
  t.equal(toHex(linkMessage(network, { source, target })), linked)
  t.equal(toHex(alice.sign(fromHex(linked))), signature)
  const aGenesis = encoding.genesisHash as Hash
  const keys = { ...network, id: sold.network, genesisHash: aGenesis }
  const seen = checkOffer(keys, fromHex(ofCodec('offer')[0]?.bytes ?? ''), alice.account, sold.time)
  t.equal(seen.ok || seen.fault.message, true, 'an offer')
  const { challenge, clientId, message, password } = ledger.login
  for (const { secret, account } of ledger.signers) t.equal(createSigner(fromHex(secret)).account, account)
  const digest = hashing.tagged('login', loginMessage(challenge, clientId))
  t.equal(toHex(digest), message)
  t.equal(toHex(alice.sign(digest)), password)
})

t.test('the vectors are what make_vectors.py makes', async (t) => {
  const folder = t.testdir()
  const { status, stderr } = python('make_vectors.py', folder)
  t.equal(status, 0, stderr)
  for (const name of ['encoding.json', 'messages.json', 'ledger.json', 'zip215.json'])
    t.equal(readFileSync(join(folder, name), 'utf8'), readFileSync(path(name), 'utf8'), name)
})

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
    const outcome = store.chain.accept(encode(block, made), chain.nowMs)
    if (!outcome.ok) throw new Error(outcome.fault.message)
    store.save(outcome.value)
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
      const outcome = store.chain.accept(chain.archive.block(chain.chain.tip.hash), Number.MAX_SAFE_INTEGER)
      if (!outcome.ok) throw new Error(outcome.fault.message)
      store.save(outcome.value)
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
    if (!moved.ok) throw new Error(moved.fault.message)
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
  const stored = async (name: string, made: Block) => {
    const file = openAppendLog(openLogFile(join(folder, name)))
    file.append([{ kind: RECORD.genesis, bytes: encode(genesis, network.genesis) }])
    file.append([{ kind: RECORD.block, bytes: encode(block, made) }])
    file.close()
    return (await verifyLedger(join(folder, name))).stderr
  }
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
    const outcome = store.chain.accept(chain.archive.block(hash), chain.nowMs)
    if (!outcome.ok) throw new Error(outcome.fault.message)
    store.save(outcome.value)
    return { ledger: network.genesisHash, height, block: hash }
  }
  const tick = (anchors: readonly Anchor[], parent = ticks.slow.tip) => {
    const made = encode(tickCodec, mineTick(hand, parent, anchors))
    const outcome = ticks.slow.accept(made, Number.MAX_SAFE_INTEGER)
    if (!outcome.ok) throw new Error(outcome.fault.message)
    ticks.save([outcome.value])
    return outcome.value.entry
  }
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
    const log = openAppendLog(openLogFile(path))
    log.append([{ kind, bytes }])
    log.close()
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
    const log = openAppendLog(openLogFile(join(folder, name)))
    log.append([{ kind: RECORD.genesis, bytes: encode(genesis, handedGenesis(overrides)) }])
    log.close()
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
