import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Draft, OUTBOX_ENTRIES_MAX, Outbox, SETTLED_DEPTH } from '../../edge-agent/outbox.ts'
import { parseBlock } from '../../ledger/block.ts'
import type { Sealed } from '../../ledger/transaction.ts'
import { type LogFile, openAppendLog } from '../../node/append-log.ts'
import { replaceableLog } from '../../node/replaceable-log.ts'
import { encode } from '../../schemas/codec.ts'
import { struct } from '../../schemas/compound.ts'
import { freeText } from '../../schemas/field.ts'
import type { Transaction } from '../../schemas/transaction.ts'
import { alice, bob, carol, TestChain, testNetwork } from '../helpers/ledger.ts'
import { temporary } from '../helpers/processes.ts'
import { bytes32, claim, close, lock, open as openChannel, signedFor, tell } from '../helpers/trade.ts'

const reading = (sequence: number): { draft: Draft; key: string } => ({
  draft: {
    type: 'reading',
    sample: {
      sensor: 'soil',
      sequence,
      value: { mantissa: sequence, exponent: 0 },
      unit: '%',
      time: 1,
      synchronised: true,
    },
  },
  key: '',
})
const payment = (key: string, amount = 5): { draft: Draft; key: string } => ({
  draft: { type: 'transfer', to: carol.account, amount, memo: key },
  key,
})
const nonces = (list: readonly Sealed[]): number[] => list.map(({ transaction: tx }) => tx.nonce)
const memoOf = (tx: Transaction): string => (tx.type === 'transfer' ? tx.memo : '')

/** Alice's outbox on a chain that bob mines; `reopen` is what a crash and a new start come to. */
function lab(t: Test, test = new TestChain(), rewriteBytes?: number) {
  const files = replaceableLog(join(temporary(t), 'outbox.log'))
  const open = (): Outbox => new Outbox(files, test.chain, alice, rewriteBytes)
  let outbox = open()
  const mine = (transactions: readonly Sealed[] = [], count = 1): void => {
    for (let done = 0; done < count; done++) {
      const outcome = test.accept(test.block(done === 0 ? transactions : []))
      if (outcome.ok) outbox.update(outcome.value)
      else t.fail(outcome.fault.message)
    }
  }
  t.teardown(() => outbox.close())
  return {
    test,
    files,
    mine,
    get outbox() {
      return outbox
    },
    reopen() {
      outbox.close()
      outbox = open()
      return outbox
    },
    /** Payments on the chain whose memo is `memo`. */
    paid(memo: string): number {
      let count = 0
      for (let height = 1; height <= test.chain.tip.height; height++) {
        const hash = test.chain.at(height)?.hash ?? test.network.block0Hash
        const block = parseBlock(test.network, test.archive.block(hash))
        if (!block.ok) t.fail(block.fault.message)
        else count += block.value.block.transactions.filter((tx) => memoOf(tx) === memo).length
      }
      return count
    },
  }
}

t.test('what was stored and never sent is there after a crash, byte for byte', (t) => {
  const { outbox, reopen } = lab(t)
  const added = outbox.add([reading(0), payment('a'), reading(1)])
  t.strictSame(nonces(added), [0, 1, 2])
  const again = reopen()
  t.strictSame(
    again.pending(64).map(({ bytes }) => [...bytes]),
    added.map(({ bytes }) => [...bytes]),
  )
  t.strictSame(nonces(again.pending(2)), [0, 1], 'at most as many as asked for, in order')
  t.equal(again.waiting, 3)
  t.equal(again.committed, 5)
  t.end()
})

t.test('a write that fails takes no nonce; a torn one is as if it had not been', (t) => {
  const test = new TestChain()
  const files = replaceableLog(join(temporary(t), 'outbox.log'))
  let full = false
  const failing = (file: LogFile): LogFile => ({
    ...file,
    get size() {
      return file.size
    },
    append(bytes) {
      if (!full) return file.append(bytes)
      // As a crash in the middle of a write: some of it is on the disk.
      file.append(bytes.subarray(0, 20))
      throw new Error('no space left')
    },
    truncate(size) {
      if (!full) file.truncate(size)
      else throw new Error('no space left')
    },
  })
  const outbox = new Outbox({ ...files, open: () => failing(files.open()) }, test.chain, alice)
  outbox.add([reading(0)])
  full = true
  t.throws(() => outbox.add([payment('a')]), { code: 'store-write' })
  t.equal(outbox.has('a'), false)
  t.equal(outbox.waiting, 1)
  outbox.close()
  const again = new Outbox(files, test.chain, alice)
  t.equal(again.has('a'), false)
  t.strictSame(nonces(again.add([payment('a')])), [1])
  again.close()
  t.end()
})

t.test('nonces and sequence numbers go on over restarts and confirmations', (t) => {
  const { outbox, mine, reopen } = lab(t)
  mine(outbox.add([reading(0), reading(1)]))
  t.equal(outbox.waiting, 0)
  t.strictSame(nonces(outbox.add([reading(2)])), [2])
  const again = reopen()
  t.equal(again.waiting, 1, 'confirmed ones are found on the chain')
  t.equal(again.nextSequence('soil'), 3)
  t.strictSame(nonces(again.add([reading(3)])), [3])
  mine(again.pending(64), SETTLED_DEPTH + 1)
  const later = reopen()
  t.equal(later.waiting, 0)
  t.equal(later.nextSequence('soil'), 4, 'also when all is settled')
  t.strictSame(nonces(later.add([reading(4)])), [4])
  t.end()
})

t.test('a key acts once: again, after a restart, and once it is settled', (t) => {
  const { outbox, mine, reopen } = lab(t)
  const first = outbox.add([payment('soil 1')])
  t.strictSame(outbox.add([payment('soil 1'), payment('soil 2')]).length, 1)
  mine(first, SETTLED_DEPTH + 2)
  t.equal(reopen().has('soil 1'), true)
  t.strictSame(reopen().add([payment('soil 1')]), [])
  t.end()
})

t.test('what a reorganisation disconnects waits again', (t) => {
  const { outbox, test } = lab(t)
  const other = new TestChain(test.network)
  const [sealed] = outbox.add([payment('a')])
  const one = test.accept(test.block(sealed === undefined ? [] : [sealed]))
  if (one.ok) outbox.update(one.value)
  t.equal(outbox.waiting, 0)
  other.grow(2, [], carol)
  for (const height of [1, 2]) {
    const outcome = test.acceptBytes(
      other.archive.block(other.chain.at(height)?.hash ?? test.network.block0Hash),
    )
    if (outcome.ok) outbox.update(outcome.value)
  }
  t.equal(test.chain.tip.hash, other.chain.tip.hash)
  t.strictSame(nonces(outbox.pending(64)), [0])
  t.end()
})

t.test('also high up on the chain, as long as it is not confirmed for good', (t) => {
  const { outbox, test, mine } = lab(t)
  mine([], SETTLED_DEPTH + 5)
  const other = new TestChain(test.network)
  other.follow(test)
  mine(outbox.add([payment('a')]), 3)
  other.grow(4, [], carol)
  for (let height = SETTLED_DEPTH + 6; height <= other.chain.tip.height; height++) {
    const hash = other.chain.at(height)?.hash ?? test.network.block0Hash
    const outcome = test.acceptBytes(other.archive.block(hash), Number.MAX_SAFE_INTEGER)
    if (outcome.ok) outbox.update(outcome.value)
    else t.fail(outcome.fault.message)
  }
  t.equal(test.chain.tip.hash, other.chain.tip.hash)
  t.strictSame(nonces(outbox.pending(64)), [0])
  t.end()
})

t.test('one that expires is signed again under the same nonce, and paid once', (t) => {
  const { outbox, test, mine, reopen, paid } = lab(t)
  const [first] = outbox.add([payment('slow')])
  const expiry = first?.transaction.expiry ?? 0
  mine([], expiry - 1)
  t.equal(outbox.pending(64)[0]?.id, first?.id, 'it is valid in one more block')
  mine()
  const [second] = outbox.pending(64)
  t.not(second?.id, first?.id)
  t.equal(second?.transaction.nonce, 0)
  t.ok((second?.transaction.expiry ?? 0) > test.chain.tip.height)
  t.equal(reopen().pending(64)[0]?.id, second?.id, 'the new signature is stored')
  mine(second === undefined ? [] : [second], SETTLED_DEPTH + 1)
  t.strictSame(outbox.pending(64), [])
  t.equal(paid('slow'), 1)
  t.end()
})

t.test('an earlier signature that is confirmed counts: the same is not done again', (t) => {
  // The fee floor comes within reach after the first signature, which then may still be mined by ourselves.
  const test = new TestChain(
    testNetwork({ feeFloor: 10, allocations: [{ account: bob.account, amount: 5_000 }] }),
  )
  const { outbox, mine, reopen } = lab(t, test)
  const poor = outbox.add([reading(0)])
  t.equal(poor[0]?.transaction.fee, 0)
  mine([test.transfer(bob, alice.account, 1_000, { fee: 10 })])
  const [rich] = outbox.pending(64)
  t.equal(rich?.transaction.fee, 10, 'it can pay its fee now')
  t.equal(rich?.transaction.nonce, 0)
  const outcome = test.accept(test.block(poor, { miner: alice }))
  if (outcome.ok) outbox.update(outcome.value)
  else t.fail(outcome.fault.message)
  t.equal(outbox.waiting, 0)
  mine([], SETTLED_DEPTH + 2)
  t.strictSame(outbox.pending(64), [])
  t.strictSame(reopen().pending(64), [])
  t.end()
})

/** A fee is 10, and that is all that Alice has. */
function poorLab(t: Test, amount = 10) {
  const allocations = [
    ...(amount === 0 ? [] : [{ account: alice.account, amount }]),
    { account: bob.account, amount: 5_000 },
  ]
  const test = new TestChain(testNetwork({ feeFloor: 10, allocations }))
  return { ...lab(t, test), test }
}
const fees = (list: readonly Sealed[]): number[] => list.map(({ transaction: tx }) => tx.fee)

t.test('a fee is paid by who can, to the last unit; who cannot signs once and not again and again', (t) => {
  const test = new TestChain(
    testNetwork({ feeFloor: 10, allocations: [{ account: bob.account, amount: 5_000 }] }),
  )
  const { outbox, mine, files } = lab(t, test)
  const size = (): number => {
    const file = files.open()
    const bytes = file.size
    file.close()
    return bytes
  }
  const give = (amount: number) => mine([test.transfer(bob, alice.account, amount, { fee: 10 })])
  outbox.add([reading(0)])
  give(9)
  const before = size()
  t.equal(outbox.pending(64)[0]?.transaction.fee, 0)
  t.equal(size(), before, 'nothing is written anew')
  give(1)
  t.equal(outbox.pending(64)[0]?.transaction.fee, 10)
  t.equal(outbox.add([reading(1)])[0]?.transaction.fee, 10)
  mine()
  const paying = size()
  t.strictSame(fees(outbox.pending(64)), [10, 10])
  t.equal(size(), paying, 'nor does who just can')
  t.end()
})

t.test(
  'what those before it left no fee for goes without one into a block of ours, or waits for coins',
  (t) => {
    const { test, outbox, mine, reopen } = poorLab(t)
    const added = outbox.add([reading(0), reading(1), reading(2)])
    t.strictSame(fees(added), [10, 10, 10], 'each could pay, but not all')
    mine(added.slice(0, 1))
    t.equal(test.chain.state.account(alice.account).balance, 0)
    const poor = outbox.pending(64)
    t.strictSame(
      [nonces(poor), fees(poor)],
      [
        [1, 2],
        [0, 0],
      ],
    )
    t.strictSame(
      reopen()
        .pending(64)
        .map(({ id }) => id),
      poor.map(({ id }) => id),
      'stored, and signed once',
    )
    mine([test.transfer(bob, alice.account, 10, { fee: 10 })], 50)
    t.strictSame(fees(reopen().pending(64)), [10, 10])
    mine(reopen().pending(1))
    const last = reopen().pending(64)
    t.strictSame([nonces(last), fees(last)], [[2], [0]])
    const outcome = test.accept(test.block(last, { miner: alice }))
    t.ok(outcome.ok)
    t.equal(reopen().waiting, 0)
    t.end()
  },
)

t.test(
  'what pays somebody keeps a fee that it cannot pay, and is cancelled when it has waited for long',
  (t) => {
    const { outbox, mine } = poorLab(t, 15)
    outbox.add([reading(0), payment('dear')])
    mine(outbox.pending(1))
    t.strictSame(fees(outbox.pending(64)), [10])
    mine([], SETTLED_DEPTH)
    t.match(outbox.pending(64), [{ transaction: { memo: 'cancelled: not covered', fee: 0 } }])
    t.end()
  },
)

t.test('a fee stays as long as the ledger is not as far as it was when it was signed', (t) => {
  const { test, files, outbox, mine } = poorLab(t, 0)
  mine([test.transfer(bob, alice.account, 10, { fee: 10 })])
  t.strictSame(fees(outbox.add([reading(0)])), [10])
  const young = new TestChain(test.network)
  const again = new Outbox(files, young.chain, alice)
  t.teardown(() => again.close())
  t.strictSame(fees(again.pending(64)), [10], 'the coins may come with the next block')
  young.grow(2)
  t.strictSame(fees(again.pending(64)), [0])
  t.end()
})

t.test('a nonce that another program used is replaced once that is for good, and not before', (t) => {
  const { outbox, test, mine, paid, reopen } = lab(t)
  mine([], SETTLED_DEPTH + 5)
  const [ours] = outbox.add([payment('lost')])
  mine([], SETTLED_DEPTH + 5)
  t.strictSame(nonces(outbox.pending(64)), [0], 'however long it has been waiting')
  mine([test.transfer(alice, bob.account, 1, { memo: 'stranger' })])
  const early: number[] = []
  for (let depth = 1; depth < SETTLED_DEPTH; depth++) {
    early.push(...nonces(outbox.pending(64)))
    mine()
  }
  t.strictSame(early, [], 'meanwhile it holds up nobody')
  mine()
  const [renewed] = outbox.pending(64)
  t.equal(renewed?.transaction.nonce, 1)
  t.not(renewed?.id, ours?.id)
  mine(renewed === undefined ? [] : [renewed])
  // On disk its old signature is still there, whose nonce is the stranger's.
  const again = reopen()
  mine([], SETTLED_DEPTH + 1)
  t.strictSame([again.pending(64), again.overtaken], [[], 0])
  t.equal(paid('lost'), 1)
  t.end()
})

t.test('a stranger reorganised away does not cost the entry its nonce', (t) => {
  const { outbox, test } = lab(t)
  const other = new TestChain(test.network)
  const [ours] = outbox.add([payment('ours')])
  const follow = (block: ReturnType<TestChain['block']>): void => {
    const outcome = test.accept(block)
    if (outcome.ok) outbox.update(outcome.value)
    else t.fail(outcome.fault.message)
  }
  follow(test.block([test.transfer(alice, bob.account, 1)]))
  for (let depth = 2; depth < SETTLED_DEPTH; depth++) follow(test.block())
  other.grow(1, ours === undefined ? [] : [ours], carol)
  other.grow(SETTLED_DEPTH, [], carol)
  for (let height = 1; height <= other.chain.tip.height; height++) {
    const bytes = other.archive.block(other.chain.at(height)?.hash ?? test.network.block0Hash)
    const outcome = test.acceptBytes(bytes, Number.MAX_SAFE_INTEGER)
    if (outcome.ok) outbox.update(outcome.value)
  }
  t.equal(test.chain.tip.hash, other.chain.tip.hash)
  t.strictSame(outbox.pending(64), [], 'it is confirmed, and nothing else waits')
  t.end()
})

t.test('a lost entry is not forgotten when a later one is settled before it', (t) => {
  const { outbox, test, mine, reopen } = lab(t)
  outbox.add([payment('lost')])
  const [later] = outbox.add([reading(0)])
  mine([test.transfer(alice, bob.account, 1)])
  mine(later === undefined ? [] : [later], SETTLED_DEPTH - 5)
  // A restart begins to count anew for the lost one; the confirmed one's depth stands on the chain.
  reopen()
  mine([], 10)
  const now = reopen()
  now.add([reading(1)])
  const again = reopen()
  mine(again.pending(64), SETTLED_DEPTH + 1)
  t.match(
    again.pending(64).map(({ transaction: tx }) => memoOf(tx)),
    ['lost'],
  )
  t.end()
})

t.test('a payment that is no longer covered is cancelled, so that it holds up nobody', (t) => {
  const test = new TestChain(testNetwork({ allocations: [{ account: alice.account, amount: 100 }] }))
  const { outbox, mine, paid, reopen } = lab(t, test)
  outbox.add([payment('dear', 90)])
  // Another program of ours spends the money under a nonce of its own that comes first.
  mine([test.transfer(alice, bob.account, 50)])
  mine([], SETTLED_DEPTH + 1)
  t.strictSame(nonces(outbox.pending(64)), [1], 'it has a new nonce')
  mine([], SETTLED_DEPTH - 2)
  t.match(outbox.pending(64), [{ transaction: { amount: 90 } }], 'the coins may come back')
  mine()
  const [cancelled] = outbox.pending(64)
  t.match(cancelled?.transaction, { nonce: 1, to: alice.account, amount: 0, memo: 'cancelled: not covered' })
  const behind = outbox.add([reading(0)])
  mine([...(cancelled === undefined ? [] : [cancelled]), ...behind], SETTLED_DEPTH + 1)
  t.equal(outbox.waiting, 0)
  t.equal(paid('dear'), 0)
  t.equal(reopen().has('dear'), true, 'and it is not paid later either')
  t.end()
})

t.test('what the account just covers is left alone, and so is a reading, which pays nobody', (t) => {
  const allocations = [{ account: alice.account, amount: 100 }]
  const exact = lab(t, new TestChain(testNetwork({ allocations })))
  exact.outbox.add([payment('all', 100)])
  exact.mine([], SETTLED_DEPTH + 5)
  t.strictSame(
    exact.outbox.pending(64).map(({ transaction: tx }) => memoOf(tx)),
    ['all'],
  )
  const test = new TestChain(testNetwork({ feeFloor: 10, allocations }))
  const poor = lab(t, test)
  poor.mine([test.transfer(alice, bob.account, 80, { fee: 10 })])
  const [ours] = poor.outbox.add([reading(0)])
  t.match(ours?.transaction, { nonce: 1, fee: 10 })
  const other = new TestChain(test.network)
  other.grow(1, [test.transfer(alice, bob.account, 81, { fee: 10, nonce: 0 })], carol)
  other.grow(SETTLED_DEPTH + 5, [], carol)
  for (let height = 1; height <= other.chain.tip.height; height++) {
    const bytes = other.archive.block(other.chain.at(height)?.hash ?? test.network.block0Hash)
    const outcome = test.acceptBytes(bytes, Number.MAX_SAFE_INTEGER)
    if (outcome.ok) poor.outbox.update(outcome.value)
  }
  t.equal(test.chain.state.account(alice.account).balance, 9, 'less than its fee')
  t.match(poor.outbox.pending(64), [{ transaction: { type: 'reading' } }])
  t.end()
})

t.test('a rewrite keeps what counts and leaves the rest', (t) => {
  const { outbox, files, mine, reopen } = lab(t, new TestChain(), 20_000)
  let sequence = 0
  const sizes: number[] = []
  const size = (): number => {
    const file = files.open()
    const bytes = file.size
    file.close()
    return bytes
  }
  outbox.add([payment('early')])
  mine(outbox.pending(64))
  for (let round = 0; round < 12; round++) {
    outbox.add(Array.from({ length: 10 }, () => reading(sequence++)))
    mine(outbox.pending(64), 10)
    sizes.push(size())
  }
  t.ok(
    sizes.some((bytes, at) => bytes < (sizes[at - 1] ?? 0)),
    `it was rewritten: ${sizes.join(' ')}`,
  )
  const waiting = outbox.add([reading(sequence++), payment('late')])
  const again = reopen()
  t.equal(again.nextSequence('soil'), sequence)
  t.equal(again.has('early'), true, 'keys whose entries are settled')
  t.equal(again.has('late'), true)
  t.strictSame(
    again.pending(64).map(({ id }) => id),
    waiting.map(({ id }) => id),
  )
  t.strictSame(nonces(again.add([reading(sequence++)])), [(waiting.at(-1)?.transaction.nonce ?? 0) + 1])
  t.end()
})

t.test('a rewrite waits until there is much to leave behind', (t) => {
  const test = new TestChain()
  const files = replaceableLog(join(temporary(t), 'outbox.log'))
  let rewrites = 0
  const fresh = () => {
    rewrites++
    return files.fresh()
  }
  const outbox = new Outbox({ ...files, fresh }, test.chain, alice, 3_000)
  t.teardown(() => outbox.close())
  const confirm = (): void => {
    const outcome = test.accept(test.block(outbox.pending(64)))
    if (outcome.ok) outbox.update(outcome.value)
    else t.fail(outcome.fault.message)
  }
  for (let sequence = 0; sequence < 60; sequence++) {
    outbox.add([reading(sequence)])
    if (sequence % 2 === 0) confirm()
  }
  t.ok(rewrites <= 4, `${rewrites} times, nearly all that was written still counting`)
  for (let more = 0; more <= SETTLED_DEPTH; more++) confirm()
  const before = rewrites
  for (let sequence = 60; sequence < 80; sequence++) {
    outbox.add([reading(sequence)])
    for (let more = 0; more <= SETTLED_DEPTH; more++) confirm()
  }
  t.ok(rewrites - before <= 2, `${rewrites - before} times, nothing that was written counting for long`)
  t.end()
})

t.test('of keys the latest are remembered, not all that there ever were', (t) => {
  const { files, reopen } = lab(t)
  const keyRecord = struct({ key: freeText(200) })
  const file = files.open()
  const log = openAppendLog(file)
  log.append(
    Array.from({ length: 30_001 }, (_, at) => ({ kind: 3, bytes: encode(keyRecord, { key: `k${at}` }) })),
  )
  log.close()
  const outbox = reopen()
  t.strictSame(
    ['k0', 'k1', 'k30000'].map((key) => outbox.has(key)),
    [false, true, true],
  )
  t.end()
})

t.test('a batch takes a number for each of its readings, and none is given again', (t) => {
  const { outbox, mine, reopen } = lab(t)
  const batch: Draft = {
    ...{ type: 'batch', sensor: 'soil', sequence: 0, count: 7, unit: '%', firstTime: 1, lastTime: 2 },
    ...{ synchronised: true, root: bytes32(0) },
  }
  const [first] = outbox.add([{ draft: batch, key: '' }])
  t.equal(outbox.nextSequence('soil'), 7)
  outbox.add([reading(7)])
  mine([], first?.transaction.expiry)
  t.not(outbox.pending(1)[0]?.id, first?.id, 'the batch alone is signed again')
  t.equal(outbox.nextSequence('soil'), 8)
  t.equal(reopen().nextSequence('soil'), 8)
  t.end()
})

t.test('what was confirmed below the window is not done again after a start', (t) => {
  const { outbox, test, mine, reopen } = lab(t)
  outbox.add([payment('once')])
  mine(outbox.pending(64))
  mine([], 10)
  const waits = outbox.add([payment('waits')])
  // Somebody else's nonces say nothing about ours.
  mine([], SETTLED_DEPTH - 10)
  mine([test.transfer(bob, bob.account, 0)], 10)
  // Nothing was stored since the first one was settled; and a snapshot's window begins above all of it.
  test.chain.trim(20)
  const again = reopen()
  t.equal(again.waiting, 1)
  t.equal(again.overtaken, 0)
  t.strictSame(nonces(again.pending(64)), nonces(waits))
  mine(again.pending(64), 2 * SETTLED_DEPTH)
  t.strictSame(again.pending(64), [])
  t.equal(test.chain.state.account(carol.account).balance, 10, 'each was paid once')
  t.equal(test.nonceOf(alice.account), 2)
  t.equal(again.has('once'), true)
  t.end()
})

t.test(
  'an old copy: what was done since stays done, what comes before the ledger has caught up is done later',
  (t) => {
    const { outbox, test, files } = lab(t)
    const old = new TestChain(test.network)
    outbox.add([payment('before')])
    const file = files.open()
    const copy = file.read(0, file.size)
    file.close()
    const blocks: ReturnType<TestChain['block']>[] = []
    for (let height = 1; height <= SETTLED_DEPTH + 3; height++) {
      if (height === 2) outbox.add([payment('after')])
      const block = test.block(outbox.pending(64))
      const outcome = test.accept(block)
      if (outcome.ok) outbox.update(outcome.value)
      blocks.push(block)
    }
    const restored = replaceableLog(join(temporary(t), 'outbox.log'))
    const target = restored.open()
    target.append(copy)
    target.close()
    const late = new Outbox(restored, old.chain, alice)
    t.teardown(() => late.close())
    t.strictSame(nonces(late.add([payment('late')])), [1], 'as far as it knows')
    const tell = (block: ReturnType<TestChain['block']>): void => {
      const outcome = old.accept(block, Number.MAX_SAFE_INTEGER)
      if (outcome.ok) late.update(outcome.value)
      else t.fail(outcome.fault.message)
    }
    for (const block of blocks.slice(0, 5)) tell(block)
    t.equal(late.overtaken, 1)
    t.strictSame(late.pending(64), [])
    for (const block of blocks.slice(5)) tell(block)
    const [renewed] = late.pending(64)
    t.match(renewed?.transaction, { nonce: 2, memo: 'late' })
    for (let more = 0; more <= SETTLED_DEPTH; more++) tell(old.block(late.pending(64)))
    t.equal(old.chain.state.account(carol.account).balance, 15, 'before, after and late: each once')
    t.equal(old.nonceOf(alice.account), 3)
    t.end()
  },
)

t.test('a full outbox takes no more and says so by what it returns', (t) => {
  const { outbox } = lab(t)
  const many = Array.from({ length: OUTBOX_ENTRIES_MAX + 5 }, (_, sequence) => reading(sequence))
  t.equal(outbox.add(many).length, OUTBOX_ENTRIES_MAX)
  t.strictSame(outbox.add([reading(0)]), [])
  t.equal(outbox.waiting, OUTBOX_ENTRIES_MAX)
  t.end()
})

t.test('an outbox of another network is refused', (t) => {
  const { outbox, files } = lab(t)
  outbox.add([reading(0)])
  const other = new TestChain(testNetwork({ name: 'other' }))
  t.throws(() => new Outbox(files, other.chain, alice), { code: 'config', message: /another data directory/ })
  t.end()
})

t.test('an outbox of another key is refused: its numbers would hold up those of this one', (t) => {
  const { outbox, files, test } = lab(t)
  outbox.add([reading(0)])
  t.throws(() => new Outbox(files, test.chain, bob), {
    code: 'config',
    message: /belongs to account 8a88e3dd, and the key to [0-9a-f]{8}: put the key of the outbox back/,
  })
  t.equal(new Outbox(files, test.chain, alice).waiting, 1, 'and stays as it is')
  t.end()
})

t.test(
  'what blocks asked for is marked: with the next write, or alone when it is far above the last mark',
  async (t) => {
    const the = lab(t)
    t.equal(the.outbox.marked, undefined)
    the.outbox.mark(7)
    t.equal(the.reopen().marked, 7, 'the first is stored at once')
    the.outbox.mark(106)
    t.equal(the.outbox.marked, 106)
    t.equal(the.reopen().marked, 7)
    the.outbox.mark(106)
    the.outbox.add([payment('one')])
    t.equal(the.reopen().marked, 106, 'it went with a transaction')
    the.outbox.mark(206)
    t.equal(the.reopen().marked, 206)
    the.outbox.mark(100)
    t.equal(the.reopen().marked, 100, 'also downwards, after a reorganisation')
  },
)

t.test('a mark outlives the rewriting of the log', async (t) => {
  const the = lab(t, new TestChain(), 2_000)
  the.outbox.mark(7)
  for (let each = 0; each < 20; each++) the.outbox.add([payment(`p${each}`)])
  t.equal(the.reopen().marked, 7)
})

t.test('it tells what waits or is not on the ledger for good, and how much room there is', async (t) => {
  const the = lab(t)
  t.equal(the.outbox.room, OUTBOX_ENTRIES_MAX)
  const sealed = the.outbox.add([payment('one'), payment('two')])
  t.strictSame(the.outbox.transactions, sealed)
  t.equal(the.outbox.room, OUTBOX_ENTRIES_MAX - 2)
  t.equal(the.outbox.committed, 10)
  the.mine(sealed)
  t.equal(the.outbox.committed, 0, 'what is in a block is spent')
  t.strictSame(
    [...sealed, the.test.transfer(alice, carol.account, 5, { memo: 'three' })].map((each) =>
      the.outbox.knows(each),
    ),
    [true, true, false],
  )
  the.mine([], SETTLED_DEPTH)
  t.strictSame(the.outbox.transactions, [])
})

t.test('what waits is remembered by its key, however much waits', async (t) => {
  const the = lab(t)
  const keyed = Array.from({ length: OUTBOX_ENTRIES_MAX }, (_, each) => ({
    draft: reading(each).draft,
    key: `event ${each}`,
  }))
  t.equal(the.outbox.add(keyed).length, OUTBOX_ENTRIES_MAX)
  t.ok(keyed.every(({ key }) => the.outbox.has(key)))
})

/** Alice is the payee of a channel of Bob's, and of a lock. */
function trading(t: Test) {
  const allocations = [alice, bob, carol].map(({ account }) => ({ account, amount: 1000 }))
  const test = new TestChain(testNetwork({ allocations, maturity: 100 }))
  const made = lab(t, test)
  const channel = openChannel(test, bob, alice, 100)
  const locked = lock(test, bob, alice, 10, bytes32(5), { height: 4, time: 0 }, { nonce: 1 })
  made.mine([channel, locked])
  const proof = (amount: number) => signedFor(test.network, bob, channel.id, amount)
  const claiming = (amount: number): { draft: Draft; key: string } => ({
    draft: { type: 'channelClaim', channel: channel.id, proof: proof(amount) },
    key: `claim ${amount}`,
  })
  return { ...made, test, channel: channel.id, locked: locked.id, proof, claiming }
}
const memosOf = (list: readonly Sealed[]): string[] =>
  list.map(({ transaction: tx }) => memoOf(tx) || tx.type)

t.test('a claim that somebody else has made is cancelled, and what is behind it goes through', (t) => {
  const { test, outbox, mine, channel, proof, claiming } = trading(t)
  outbox.add([claiming(50), payment('behind')])
  t.strictSame(memosOf(outbox.pending(64)), ['channelClaim', 'behind'])
  mine([claim(test, carol, channel, proof(60))])
  const [cancel, behind] = outbox.pending(64)
  t.match(cancel?.transaction, {
    nonce: 0,
    to: alice.account,
    amount: 0,
    memo: 'cancelled: claim-not-higher',
  })
  t.equal(memoOf(behind?.transaction as Transaction), 'behind')
  mine(outbox.pending(64), SETTLED_DEPTH + 1)
  t.equal(outbox.waiting, 0)
  t.equal(test.chain.state.account(carol.account).balance, 1005)
  t.end()
})

t.test(
  'what the state allows only once may be wanted again after it was cancelled, also after a restart',
  (t) => {
    const { test, outbox, mine, channel, proof, claiming, reopen } = trading(t)
    outbox.add([claiming(50)])
    t.ok(outbox.has('claim 50'))
    t.strictSame(outbox.add([claiming(50)]), [], 'not while it waits')
    mine([claim(test, carol, channel, proof(60))])
    outbox.pending(64)
    t.notOk(outbox.has('claim 50'))
    t.notOk(reopen().has('claim 50'))
    t.end()
  },
)

t.test('what can be mined is left alone, also one that expires or waits long', (t) => {
  const { outbox, mine, claiming } = trading(t)
  outbox.add([claiming(50)])
  mine([], SETTLED_DEPTH + 5)
  t.strictSame(memosOf(outbox.pending(64)), ['channelClaim'])
  mine(outbox.pending(64), 1)
  t.strictSame(memosOf(outbox.pending(64)), [])
  t.ok(outbox.has('claim 50'))
  t.end()
})

t.test('coins that come with an earlier transaction of ours cover a later one', (t) => {
  const { test, outbox, mine, claiming } = trading(t)
  mine([test.transfer(alice, bob.account, 1000)])
  outbox.add([claiming(50), payment('with it', 10)])
  mine([], SETTLED_DEPTH + 5)
  t.strictSame(memosOf(outbox.pending(64)), ['channelClaim', 'with it'])
  t.end()
})

t.test(
  'a secret that came too late and a close of what is closed are cancelled, each under its nonce',
  (t) => {
    const { test, outbox, mine, channel, locked } = trading(t)
    outbox.add([
      { draft: { type: 'hashlockClaim', hashlock: locked, preimage: bytes32(5) }, key: 'tell' },
      { draft: { type: 'channelClose', channel }, key: 'close' },
      payment('last', 1),
    ])
    mine([close(test, alice, channel, { nonce: 0 }), tell(test, carol, locked, bytes32(5))])
    // Alice's own other program took nonce 0: the others keep theirs.
    t.strictSame(memosOf(outbox.pending(64)), ['cancelled: unknown-channel', 'last'])
    mine(outbox.pending(64))
    t.equal(outbox.waiting, 1, 'the one whose nonce is taken')
    mine([], SETTLED_DEPTH - 2)
    t.strictSame(memosOf(outbox.pending(64)), [], 'not before the other is for good')
    mine()
    t.strictSame(memosOf(outbox.pending(64)), ['hashlockClaim'], 'it has a new nonce')
    mine()
    t.strictSame(memosOf(outbox.pending(64)), ['cancelled: unknown-hashlock'])
    t.end()
  },
)

t.test('nothing is cancelled on a ledger that is not as far as it was when it was signed', (t) => {
  const { outbox, test, claiming, mine } = trading(t)
  mine([], 3)
  outbox.add([claiming(50)])
  const young = new TestChain(test.network)
  const other = new Outbox(replaceableLog(join(temporary(t), 'outbox.log')), young.chain, alice)
  t.teardown(() => other.close())
  const behind = lab(t, young)
  behind.outbox.add([claiming(50)])
  t.strictSame(
    memosOf(behind.outbox.pending(64)),
    ['channelClaim'],
    'the channel may come with the next block',
  )
  behind.mine()
  t.strictSame(memosOf(behind.outbox.pending(64)), ['cancelled: unknown-channel'])
  t.strictSame(memosOf(outbox.pending(64)), ['channelClaim'])
  t.end()
})
