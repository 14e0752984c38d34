import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { type LogFile, openAppendLog } from '../../node/append-log.ts'
import { ChainStore } from '../../node/chain-store.ts'
import { openDisk, openLogFile } from '../../node/disk.ts'
import { inBatches, RECORD, recordName } from '../../node/records.ts'
import { type Block, block as blockCodec } from '../../schemas/block.ts'
import { encode } from '../../schemas/codec.ts'
import { invariant } from '../../schemas/result.ts'
import { alice, bob, carol, TestChain, testGenesis } from '../helpers/ledger.ts'
import { temporary } from '../helpers/processes.ts'

const FAR_MS = Number.MAX_SAFE_INTEGER

/** A store in a file of its own, and a chain in memory that is told the same blocks. */
function lab(t: Test) {
  const path = join(temporary(t), 'chain.log')
  const test = new TestChain()
  let store = new ChainStore(openDisk(dirname(path)), testGenesis())
  t.teardown(() => store.close())
  return {
    path,
    test,
    get store() {
      return store
    },
    /** Puts a block of `chain` into the store. */
    save(chain: TestChain, block: Block): void {
      const outcome = chain.accept(block)
      invariant(outcome.ok, 'the block is valid')
      const stored = store.chain.accept(encode(blockCodec, block), FAR_MS)
      invariant(stored.ok, 'the store takes it')
      store.save(stored.value)
    },
    reopen(): ChainStore {
      store.close()
      store = new ChainStore(openDisk(dirname(path)), undefined)
      return store
    },
  }
}

/** What two chains must have in common to be the same. */
const facts = ({ chain }: Pick<ChainStore, 'chain'>) => ({
  tip: chain.tip.hash,
  work: chain.tip.work,
  childTarget: chain.tip.childTarget,
  miner: chain.tip.miner,
  root: chain.state.root(),
  totals: chain.state.totals(),
  locator: chain.locator(),
  headers: chain.headersAfter([], 1_000),
})

t.test('a store that is opened again is what it was in memory', (t) => {
  const { test, save, reopen, store } = lab(t)
  for (let height = 1; height <= 8; height++)
    save(test, test.block([test.transfer(alice, bob.account, height), test.reading(carol)]))
  const before = facts(store)
  t.strictSame(facts(test), before)
  const again = reopen()
  t.strictSame(facts(again), before)
  t.equal(again.torn, 0)
  for (let height = 1; height <= 8; height++) {
    const hash = again.chain.at(height)?.hash
    invariant(hash !== undefined, 'there are eight blocks')
    t.strictSame(again.block(hash), test.archive.block(hash))
    t.strictSame(again.changes(hash), test.archive.changes(hash))
  }
  t.end()
})

t.test('it goes on after a restart, and again after the next', (t) => {
  const { test, save, reopen } = lab(t)
  for (let round = 0; round < 4; round++) {
    save(test, test.block([test.transfer(alice, bob.account, 1)]))
    save(test, test.block())
    t.strictSame(facts(reopen()), facts(test))
  }
  t.end()
})

t.test('a reorganisation and a side branch persist', (t) => {
  const { test, save, reopen } = lab(t)
  const fork = new TestChain()
  save(test, test.block([test.transfer(alice, bob.account, 5)]))
  save(test, test.block())
  const abandoned = test.chain.tip.hash
  save(fork, fork.block([fork.transfer(alice, carol.account, 7)], { miner: carol }))
  t.equal(reopen().chain.tip.hash, abandoned, 'less work: a side branch')
  save(fork, fork.block([], { miner: carol }))
  save(fork, fork.block([], { miner: carol }))
  const store = reopen()
  t.strictSame(facts(store), facts(fork))
  const side = store.chain.entry(abandoned)
  t.ok(side !== undefined && !store.chain.isBest(side), 'the abandoned branch is in the tree')
  t.equal(store.chain.state.account(carol.account).balance, 7)
  // And back again, over blocks whose changes are stored already.
  save(test, test.block())
  save(test, test.block())
  t.strictSame(facts(reopen()), facts(test))
  t.equal(reopen().chain.state.account(carol.account).balance, 0)
  t.end()
})

t.test('cut at any byte, what was whole before is there and the rest is as if it had not been', (t) => {
  const { path, test, save, store } = lab(t)
  const ends = [store.size]
  const tips = [store.chain.tip.hash]
  for (let height = 1; height <= 3; height++) {
    save(test, test.block([test.transfer(alice, bob.account, 1)]))
    ends.push(store.size)
    tips.push(store.chain.tip.hash)
  }
  const bytes = readFileSync(path)
  const cut = join(temporary(t), 'chain.log')
  const wrong: number[] = []
  for (let size = ends[0] ?? 0; size <= bytes.length; size += 7) {
    writeFileSync(cut, bytes.subarray(0, size))
    const opened = new ChainStore(openDisk(dirname(cut)), undefined)
    const whole = ends.filter((end) => end <= size).length - 1
    if (opened.chain.tip.hash !== tips[whole] || opened.torn !== size - (ends[whole] ?? 0)) wrong.push(size)
    opened.close()
  }
  t.strictSame(wrong, [])
  t.end()
})

t.test('an empty file needs a genesis; a store refuses that of another network', (t) => {
  const path = join(temporary(t), 'chain.log')
  t.throws(() => new ChainStore(openDisk(dirname(path)), undefined), { code: 'config' })
  new ChainStore(openDisk(dirname(path)), testGenesis()).close()
  t.throws(() => new ChainStore(openDisk(dirname(path)), testGenesis({ name: 'other' })), {
    code: 'config',
    message: /belongs to network [0-9a-f]{8}/,
  })
  t.throws(() => new ChainStore(openDisk(temporary(t)), testGenesis({ maturity: 0 })), {
    code: 'config',
    message: /genesis: maturity/,
  })
  t.end()
})

t.test('records that check and still make no chain are damage, and said so', (t) => {
  const { path, test, save, store } = lab(t)
  save(test, test.block([test.transfer(alice, bob.account, 1)]))
  save(test, test.block())
  store.close()
  const records: { kind: number; bytes: Uint8Array }[] = []
  openAppendLog(openLogFile(path), { onRecord: (kind, bytes) => void records.push({ kind, bytes }) }).close()
  const names = records.map(({ kind }) => recordName(kind))
  t.strictSame(names, ['genesis', 'block', 'changes', 'tip', 'block', 'changes', 'tip'])
  const withRecords = (list: typeof records): void => {
    const forged = join(temporary(t), 'chain.log')
    const log = openAppendLog(openLogFile(forged))
    log.append(list)
    log.close()
    new ChainStore(openDisk(dirname(forged)), undefined).close()
  }
  t.doesNotThrow(() => withRecords(records))
  const without = (index: number) => records.filter((_, at) => at !== index)
  t.throws(() => withRecords(without(1)), { code: 'store-corrupt', message: /is not stored before/ })
  t.throws(() => withRecords([...records, { kind: 99, bytes: new Uint8Array(1) }]), {
    code: 'store-corrupt',
    message: /unknown kind 99 .*newer version/,
  })
  t.throws(() => withRecords([...records, { kind: RECORD.tip, bytes: new Uint8Array(3) }]), {
    code: 'store-corrupt',
  })
  const back = Uint8Array.of(0, 0, 0, 9, 0, 0)
  t.throws(() => withRecords([...records, { kind: RECORD.tip, bytes: back }]), {
    code: 'store-corrupt',
    message: /more blocks than there are/,
  })
  const swapped = records.map((each, at) => (at === 5 ? { ...each, bytes: spoilt(each.bytes) } : each))
  t.throws(() => withRecords(swapped), {
    code: 'store-corrupt',
    message: /state's root is .*pinledger verify/,
  })
  t.end()
})

/** Changes a balance in a record of changes. */
function spoilt(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice()
  copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 1
  return copy
}

t.test('a disk that is full: the save throws and nothing more is taken', (t) => {
  const path = join(temporary(t), 'chain.log')
  const disk = openDisk(dirname(path))
  let full = false
  const open = (name: string): LogFile => {
    const file = disk.open(name)
    const append = (bytes: Uint8Array): void => {
      if (full) throw new Error('no space left on device')
      file.append(bytes)
    }
    return Object.defineProperty({ ...file, append }, 'size', { get: () => file.size })
  }
  const store = new ChainStore({ ...disk, open }, testGenesis())
  const test = new TestChain()
  full = true
  const outcome = store.chain.accept(encode(blockCodec, test.block()), FAR_MS)
  invariant(outcome.ok, 'the block is valid')
  t.throws(() => store.save(outcome.value), { code: 'store-write', message: /no space left/ })
  store.close()
  const again = new ChainStore(openDisk(dirname(path)), undefined)
  t.equal(again.chain.tip.height, 0)
  again.close()
  t.end()
})

t.test('records too large for one batch are stored in several, in order', async (t) => {
  const records = [20, 10, 2, 1, 32, 33, 1].map((mib) => ({ bytes: new Uint8Array(mib << 20) }))
  t.strictSame(
    inBatches(records).map((batch) => batch.map(({ bytes }) => bytes.length >> 20)),
    [[20, 10, 2], [1], [32], [33], [1]],
  )
  t.strictSame(inBatches([]), [])
})
