/** Our code agrees with the vectors of docs/PROTOCOL.md section 13, and they are what test/vectors/make_vectors.py makes. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { nextTarget, workOf } from '../../ledger/difficulty.ts'
import { linkMessage } from '../../ledger/finality.ts'
import { Hashing } from '../../ledger/hashing.ts'
import { checkOffer } from '../../ledger/offer.ts'
import { PRESETS } from '../../ledger/preset.ts'
import { type Change, provenAccount, State } from '../../ledger/state.ts'
import { subsidyAt } from '../../ledger/subsidy.ts'
import { ChainStore, networkOf } from '../../node/chain-store.ts'
import { openDisk } from '../../node/disk.ts'
import { changesRecord, tipRecord } from '../../node/records.ts'
import { createSigner, hashing } from '../../node/signing.ts'
import { header } from '../../schemas/block.ts'
import { type Codec, decode, encode } from '../../schemas/codec.ts'
import { fileMessage } from '../../schemas/file-message.ts'
import { genesis } from '../../schemas/genesis.ts'
import { fromHex, type Hash, toHex } from '../../schemas/hex.ts'
import { loginMessage } from '../../schemas/login.ts'
import { handTip, reply, request } from '../../schemas/message.ts'
import { stateProof } from '../../schemas/proof.ts'
import { keyMessage } from '../../schemas/sealed.ts'
import { alice } from '../helpers/ledger.ts'
import { tell } from '../helpers/long-chain.ts'
import { python, verifyLedger } from '../helpers/python.ts'
import { encoding, laidOut, ledger, ofCodec, path, sold, spoken } from './protocol-vectors.ts'

const named: Readonly<Record<string, Codec<unknown>>> = {
  ...{ ...laidOut, stateProof, request, reply, keyMessage, fileMessage },
  ...{ changesRecord, tipRecord, handTip },
}

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
    tell(store, [fromHex(bytes)], network.genesis.time + 100_000)
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
    tell(store, [fromHex(bytes)], network.genesis.time + 100_000)
    t.equal(store.chain.state.root(), stateRoot)
  }
  store.close()
  t.equal(toHex(readFileSync(log)), expected, 'the log is the same to the byte')
  const { status, stdout, stderr } = await verifyLedger(log)
  t.equal(status, 0, stderr)
  t.match(JSON.parse(stdout), { height: 3, stateRoot: blocks[2].stateRoot, transactions: 2 })
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
