import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { type LogEntry, openAppendLog } from '../../node/append-log.ts'
import { ChainStore } from '../../node/chain-store.ts'
import { openDisk, openLogFile, openLogFileReadOnly } from '../../node/disk.ts'
import { RECORD } from '../../node/records.ts'
import { type Verification, verifyStore } from '../../node/verify.ts'
import { type Block, block as blockCodec } from '../../schemas/block.ts'
import { encode } from '../../schemas/codec.ts'
import { genesis as genesisCodec } from '../../schemas/genesis.ts'
import { invariant } from '../../schemas/result.ts'
import { alice, bob, carol, TestChain, testGenesis } from '../helpers/ledger.ts'
import { temporary } from '../helpers/processes.ts'

const FAR_MS = Number.MAX_SAFE_INTEGER

function verify(path: string): Verification & { progress: number[] } {
  const file = openLogFileReadOnly(path)
  const steps = verifyStore(file)
  const progress: number[] = []
  for (;;) {
    const step = steps.next()
    if (step.done === true) {
      file.close()
      return { ...step.value, progress }
    }
    progress.push(step.value)
  }
}

function write(t: Test, records: readonly LogEntry[]): string {
  const path = join(temporary(t), 'chain.log')
  const log = openAppendLog(openLogFile(path))
  if (records.length > 0) log.append(records)
  log.close()
  return path
}

const genesisRecord = { kind: RECORD.genesis, bytes: encode(genesisCodec, testGenesis()) }
const blockRecord = (block: Block) => ({ kind: RECORD.block, bytes: encode(blockCodec, block) })

t.test('counts what the ledger holds, over reorganisations, and tells how far it is', (t) => {
  const path = join(temporary(t), 'chain.log')
  const store = new ChainStore(openDisk(dirname(path)), testGenesis())
  const [test, fork] = [new TestChain(), new TestChain()]
  const save = (chain: TestChain, block: Block): void => {
    chain.accept(block)
    const outcome = store.chain.accept(encode(blockCodec, block), FAR_MS)
    invariant(outcome.ok, 'valid')
    store.save(outcome.value)
  }
  save(test, test.block([test.transfer(alice, bob.account, 1), test.reading(bob)]))
  save(test, test.block())
  for (let height = 1; height <= 100; height++)
    save(fork, fork.block(height === 1 ? [fork.batch(carol, 5)] : [], { miner: carol }))
  const { chain } = store
  t.strictSame(verify(path), {
    height: 100,
    tip: chain.tip.hash,
    stateRoot: chain.state.root(),
    transactions: 1,
    readings: 5,
    supply: 6_000 * 1e8,
    ok: true,
    progress: [100],
  })
  store.close()
  t.end()
})

t.test('a store must begin with its genesis', (t) => {
  t.match(verify(write(t, [])), { ok: false, fault: 'the store has no genesis' })
  const block = blockRecord(new TestChain().block())
  t.match(verify(write(t, [block])), { ok: false, fault: /^record 0 \(block\).*begins with its genesis/ })
  const broken = { ...genesisRecord, bytes: genesisRecord.bytes.slice(1) }
  t.match(verify(write(t, [broken])), { ok: false, fault: /^record 0 \(genesis\)/ })
  t.end()
})

t.test('what follows from no block, or is missing behind one, is a fault', (t) => {
  const block = blockRecord(new TestChain().block())
  t.match(verify(write(t, [genesisRecord, block])), {
    ok: false,
    fault: 'the changes of the last block is missing',
  })
  t.match(verify(write(t, [genesisRecord, genesisRecord])), {
    ok: false,
    fault: /^record 1 \(genesis\) .*follows from no block/,
  })
  t.match(verify(write(t, [genesisRecord, block, block])), { ok: false, fault: /^record 2 \(block\)/ })
  t.end()
})

t.test('a stored block that breaks a rule is a fault, however it came there', (t) => {
  const test = new TestChain()
  const greedy = test.block([], { coinbase: { reward: 50e8 + 1 } })
  t.match(verify(write(t, [genesisRecord, blockRecord(greedy)])), {
    ok: false,
    height: 0,
    fault: /^record 1 \(block\) at offset \d+: bad-reward/,
  })
  t.end()
})

t.test('a genesis that breaks a rule is a fault and no crash', (t) => {
  const bytes = encode(genesisCodec, testGenesis({ maturity: 0 }))
  const outcome = verify(write(t, [{ kind: RECORD.genesis, bytes }]))
  t.match(outcome, { ok: false, fault: /^record 0 \(genesis\)/ })
  t.end()
})
