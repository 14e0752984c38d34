import { join } from 'node:path'
import t, { type Test } from 'tap'
import { FileKeys } from '../../../edge-agent/files/file-keys.ts'
import { Settling } from '../../../edge-agent/files/settling.ts'
import { Outbox } from '../../../edge-agent/outbox.ts'
import type { Desk } from '../../../edge-agent/trade.ts'
import type { Sealed } from '../../../ledger/transaction.ts'
import { replaceableLog } from '../../../node/replaceable-log.ts'
import { hashing } from '../../../node/signing.ts'
import { fileMemo } from '../../../schemas/file-message.ts'
import { hashFromBytes } from '../../../schemas/hex.ts'
import { alice, bob, TestChain, testNetwork } from '../../helpers/ledger.ts'
import { temporary } from '../../helpers/processes.ts'
import { recordingLog } from '../../helpers/rig.ts'

const PRICE = 500
const OPTIONS = { confirmations: 2, deadlineBlocks: 20, marginBlocks: 4, marginMinutes: 1 }

/** Bob sells, Alice pays; a deadline is so many blocks and milliseconds ahead. */
function lab(t: Test) {
  const test = new TestChain(testNetwork({ allocations: [{ account: alice.account, amount: 10_000 }] }))
  const { chain, network } = test
  const keys = new FileKeys(network, bob)
  const outbox = new Outbox(replaceableLog(join(temporary(t), 'outbox.log')), chain, bob)
  t.teardown(() => outbox.close())
  const { log, lines } = recordingLog()
  const state = { inSync: true, isFull: false, nowMs: 0, isSynchronised: false }
  const desk = {
    ...{ chain, signer: bob, outbox, log },
    get inSync() {
      return state.inSync
    },
    clock: { now: () => state.nowMs, synchronised: () => state.isSynchronised, monotonic: () => 0 },
    act: (drafts: Parameters<Desk['act']>[0]) => (state.isFull ? [] : outbox.add(drafts)),
  } as unknown as Desk
  const settling = new Settling(OPTIONS, desk, {
    keyOf: (sale) => keys.keyOf(sale),
    sha256: (bytes) => keys.sha256(bytes),
    prices: [PRICE],
  })
  const file = keys.fileOf(hashing.plain(Buffer.from('a file')))
  const take = (outcome: ReturnType<TestChain['accept']>): void => {
    if (!outcome.ok) throw new Error(outcome.fault.message)
    outbox.update(outcome.value)
    settling.update(outcome.value)
  }
  return {
    test,
    outbox,
    lines,
    state,
    settling,
    take,
    pay: (change: object = {}): Sealed =>
      test.sign(alice, {
        ...{ type: 'hashlock', to: bob.account, amount: PRICE, memo: fileMemo(file) },
        lock: hashFromBytes(keys.sha256(keys.keyOf({ buyer: alice.account, price: PRICE, file }))),
        ...{ height: chain.next.height + 20, time: test.nowMs + 10 * 60_000, ...change },
      }),
    mine(...transactions: Sealed[]) {
      take(test.accept(test.block(transactions)))
    },
    /** Locks whose key is on its way. */
    claimed: () =>
      outbox.unconfirmed.map(({ transaction: tx }) => (tx.type === 'hashlockClaim' ? tx.hashlock : tx.type)),
  }
}

t.test('a key is given once the payment is deep enough, and once', async (t) => {
  const { pay, mine, claimed, settling } = lab(t)
  const paid = pay()
  mine(paid)
  t.strictSame(claimed(), [])
  mine()
  t.strictSame(claimed(), [paid.id])
  settling.settle()
  mine()
  t.strictSame(claimed(), [paid.id])
})

t.test('nothing is decided before we have caught up', async (t) => {
  const { pay, mine, claimed, settling, state } = lab(t)
  const paid = pay()
  state.inSync = false
  mine(paid)
  mine()
  t.strictSame(claimed(), [])
  state.inSync = true
  settling.settle()
  t.strictSame(claimed(), [paid.id])
})

t.test('our clock counts only while it is known to be right', async (t) => {
  for (const isSynchronised of [false, true]) {
    const { pay, mine, claimed, state, lines } = lab(t)
    Object.assign(state, { nowMs: 2 ** 47, isSynchronised })
    const paid = pay()
    mine(paid)
    mine()
    t.strictSame(claimed(), isSynchronised ? [] : [paid.id])
    t.strictSame(
      lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields.code),
      isSynchronised ? ['too-late'] : [],
    )
  }
})

t.test('a payment that is refused is told of once, and what asks for no file not at all', async (t) => {
  const { pay, mine, claimed, lines } = lab(t)
  mine(pay({ amount: PRICE - 1 }), pay({ memo: 'a present', nonce: 1 }))
  mine()
  mine()
  t.strictSame(claimed(), [])
  t.strictSame(
    lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields.code),
    ['underpaid'],
  )
})

t.test('when the outbox is full the key waits for room, and nobody is told that it was sold', async (t) => {
  const { pay, mine, claimed, settling, state, lines } = lab(t)
  const paid = pay()
  state.isFull = true
  mine(paid)
  mine()
  t.notOk(lines.some(({ event }) => event === 'sold a file'))
  state.isFull = false
  settling.settle()
  t.strictSame(claimed(), [paid.id])
  t.equal(lines.filter(({ event }) => event === 'sold a file').length, 1)
})

t.test(
  'a key that is out is told again when its lock comes back, whatever is left of the deadline',
  async (t) => {
    const { test, pay, mine, take, claimed, outbox } = lab(t)
    const paid = pay({ height: test.chain.next.height + 8 })
    const other = new TestChain(test.network)
    mine(paid)
    mine()
    t.strictSame(claimed(), [paid.id])
    // Another branch without the payment: its claim is cancelled. Then it is paid there, with less than the margin left.
    other.grow(4)
    for (let height = 1; height <= 4; height++) {
      const hash = other.chain.at(height)?.hash ?? test.chain.tip.hash
      take(test.acceptBytes(other.archive.block(hash), Number.MAX_SAFE_INTEGER))
    }
    t.equal(test.chain.tip.hash, other.chain.tip.hash)
    outbox.pending(64)
    t.strictSame(claimed(), ['transfer'], 'its lock is gone')
    mine(paid)
    t.strictSame(claimed(), ['transfer', paid.id])
  },
)
