/** One bit of damage anywhere in a stored ledger: `verify` fails and names the record, and a start refuses the store. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { audit, type LogFile, openAppendLog } from '../../node/append-log.ts'
import { ChainStore } from '../../node/chain-store.ts'
import { openDisk, openLogFile } from '../../node/disk.ts'
import { recordName } from '../../node/records.ts'
import { type Verification, verifyStore } from '../../node/verify.ts'
import { invariant } from '../../schemas/result.ts'
import { alice, bob, carol, TestChain, testGenesis } from '../helpers/ledger.ts'
import { run, temporary } from '../helpers/processes.ts'

/** A store of a few blocks with transfers and a reorganisation, as bytes. */
function storeOf(t: Test): { path: string; bytes: Buffer } {
  const path = join(temporary(t), 'chain.log')
  const store = new ChainStore(openDisk(dirname(path)), testGenesis())
  const test = new TestChain()
  const fork = new TestChain()
  const add = (chain: TestChain, block: ReturnType<TestChain['block']>): void => {
    const outcome = chain.accept(block)
    invariant(outcome.ok, 'the block is valid')
    const stored = store.chain.accept(outcome.value.added.bytes, chain.nowMs)
    invariant(stored.ok, 'the store takes it')
    store.save(stored.value)
  }
  add(test, test.block([test.transfer(alice, bob.account, 5)]))
  add(fork, fork.block([fork.transfer(alice, carol.account, 7)], { miner: carol }))
  add(fork, fork.block([], { miner: carol }))
  store.close()
  return { path, bytes: readFileSync(path) }
}

/** A file in memory that only reads. */
const memory = (bytes: Uint8Array): LogFile => ({
  path: 'memory',
  size: bytes.length,
  read: (offset, length) => bytes.subarray(offset, offset + length),
  append: () => t.fail('verify writes'),
  truncate: () => t.fail('verify cuts'),
  close: () => {},
})

function verify(bytes: Uint8Array): Verification {
  const steps = verifyStore(memory(bytes))
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

t.test('the whole store verifies, and holds every kind of record and a reorganisation', (t) => {
  const { bytes } = storeOf(t)
  t.match(verify(bytes), { ok: true, height: 2, transactions: 1 })
  const kinds = [...audit(memory(bytes))].map((read) => (read.ok ? recordName(read.value.kind) : 'fault'))
  t.strictSame([...new Set(kinds)].sort(), ['block', 'changes', 'genesis', 'tip'])
  t.end()
})

t.test('a bit flipped in any byte of any record is found and the record is named', (t) => {
  const { bytes } = storeOf(t)
  const records = [...audit(memory(bytes))].flatMap((read) => (read.ok ? [read.value] : []))
  const silent: string[] = []
  const unnamed: string[] = []
  const misnamed: string[] = []
  // Bits by a fixed rule, so that a failure can be seen again; over the bytes all eight take their turn.
  for (let at = 0; at < bytes.length; at++) {
    const bit = (at * 5 + 3) % 8
    const damaged = Uint8Array.from(bytes)
    damaged[at] = (damaged[at] ?? 0) ^ (1 << bit)
    const { ok, fault } = verify(damaged)
    const where = `byte ${at}, bit ${bit}`
    if (ok) silent.push(where)
    else {
      const record = records.filter(({ position }) => position <= at).at(-1)?.record ?? 0
      const named = /^record (\d+) /.exec(fault ?? '')?.[1]
      if (named === undefined) unnamed.push(`${where}: ${fault}`)
      else if (Number(named) !== record) misnamed.push(`${where}: ${fault}, expected record ${record}`)
    }
  }
  t.strictSame(silent, [], `all ${bytes.length} flips are found`)
  t.strictSame(unnamed, [], 'each names a record')
  t.strictSame(misnamed, [], 'the one that was damaged')
  t.end()
})

t.test('every bit of a tip record, one by one', (t) => {
  const { bytes } = storeOf(t)
  const tip = [...audit(memory(bytes))].flatMap((read) => (read.ok ? [read.value] : [])).at(-1)
  t.equal(recordName(tip?.kind ?? 0), 'tip')
  const silent: number[] = []
  for (let at = tip?.position ?? 0; at < bytes.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const damaged = Uint8Array.from(bytes)
      damaged[at] = (damaged[at] ?? 0) ^ (1 << bit)
      if (verify(damaged).ok) silent.push(at)
    }
  }
  t.strictSame(silent, [])
  t.end()
})

t.test('damage with right checksums is found by the rules', (t) => {
  // Somebody who can write the file can also write checksums: then the ledger's own rules decide.
  const { bytes } = storeOf(t)
  const records = [...audit(memory(bytes))].flatMap((read) => (read.ok ? [read.value] : []))
  for (const { record, kind, bytes: payload } of records) {
    const path = join(temporary(t), 'chain.log')
    const log = openAppendLog(openLogFile(path))
    const forged = records.map((each) => {
      if (each.record !== record) return { kind: each.kind, bytes: each.bytes }
      const spoilt = payload.slice()
      // The last byte of a genesis is the low end of an allocation, of a block a signature, of changes a balance.
      spoilt[spoilt.length - 1] = (spoilt.at(-1) ?? 0) ^ 1
      return { kind, bytes: spoilt }
    })
    log.append(forged)
    log.close()
    const { ok, fault } = verify(readFileSync(path))
    t.equal(ok, false, `${recordName(kind)} ${record}: ${fault}`)
    // A forged genesis is a valid one of another network: the first block does not belong to it.
    t.match(fault, `record ${kind === 1 ? 1 : record} `)
  }
  t.end()
})

t.test('a truncated tail is no fault but is told; a start cuts it off', (t) => {
  const { path, bytes } = storeOf(t)
  const records = [...audit(memory(bytes))].flatMap((read) => (read.ok ? [read.value] : []))
  const lastBatch = records.filter(({ kind }) => recordName(kind) === 'block').at(-1)?.position ?? 0
  for (let size = lastBatch + 1; size < bytes.length; size++) {
    const { ok, torn, height } = verify(bytes.subarray(0, size))
    if (!ok || torn !== size - lastBatch || height !== 1)
      t.fail('a cut inside the last batch', { size, ok, torn, height })
  }
  writeFileSync(path, bytes.subarray(0, bytes.length - 1))
  const store = new ChainStore(openDisk(dirname(path)), undefined)
  t.equal(store.torn, bytes.length - 1 - lastBatch)
  t.equal(store.chain.tip.height, 1)
  store.close()
  t.equal(readFileSync(path).length, lastBatch)
  t.end()
})

t.test('pinledger verify: exit code 0, 1 and 2, the first fault, and the file stays as it is', async (t) => {
  const { path, bytes } = storeOf(t)
  const data = temporary(t)
  mkdirSync(join(data, 'validator-1'))
  const copy = join(data, 'validator-1', 'chain.log')
  copyFileSync(path, copy)
  const good = await run(t, ['verify', '--data', data])
  t.equal(good.code, 0)
  t.match(good.out, /ok\n {2}height 2, tip [0-9a-f]{64}/)

  const damaged = Buffer.from(bytes)
  damaged[bytes.length - 30] = (damaged[bytes.length - 30] ?? 0) ^ 4
  writeFileSync(copy, damaged)
  const bad = await run(t, ['verify', '--data', data, '--json'])
  t.equal(bad.code, 1)
  const outcome = JSON.parse(bad.out)
  t.match(outcome, { ok: false, store: join(data, 'validator-1') })
  t.match(outcome.fault, /^record \d+ \(tip\): bad-payload/)
  t.match((await run(t, ['verify', '--data', data])).out, /FAULT after block .*What to do: /s)
  t.ok(readFileSync(copy).equals(damaged), 'verify changes nothing')

  writeFileSync(copy, bytes.subarray(0, bytes.length - 5))
  const torn = await run(t, ['verify', '--data', data])
  t.equal(torn.code, 0)
  t.match(torn.out, /unfinished write of \d+ bytes/)

  const none = await run(t, ['verify', '--data', join(data, 'nowhere')])
  t.equal(none.code, 2)
  t.match(none.err, 'no ledger in')
})
