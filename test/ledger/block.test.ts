import t from 'tap'
import { COIN } from '../../ledger/amount.ts'
import { checkBody, connectBlock, executeBlock, parseBlock, sealBlock } from '../../ledger/block.ts'
import type { FaultCode } from '../../ledger/fault.ts'
import { StateView } from '../../ledger/state.ts'
import { type Sealed, SignatureCache } from '../../ledger/transaction.ts'
import { type Block, block as blockCodec, HEADER_BYTES } from '../../schemas/block.ts'
import { encode } from '../../schemas/codec.ts'
import { type Account, type Hash, type Network, ZERO_HASH } from '../../schemas/hex.ts'
import { alice, bob, carol, codeOf, coinsIn, TestChain, testNetwork } from '../helpers/ledger.ts'

const test = new TestChain()
test.grow(1)
const subsidy = 50 * COIN
const other = 'ab'.repeat(32) as Hash
const give = (nonce: number, fee = 0) => test.transfer(alice, carol.account, 5, { nonce, fee })

/** The code of every rule of a block but its header's, on the tip of `on`. */
function judge(block: Block, on = test): FaultCode | 'ok' {
  const parsed = parseBlock(on.network, encode(blockCodec, block))
  if (!parsed.ok) return parsed.fault.code
  const checked = checkBody(on.network, parsed.value, new SignatureCache())
  if (!checked.ok) return checked.fault.code
  return codeOf(connectBlock(on.network, on.chain.state, parsed.value, on.chain.next.medianTime))
}
const coinbase = (changes: Partial<Block['coinbase']>) => judge(test.block([], { coinbase: changes }))
const forced = (...list: Sealed[]) => judge(test.block([], { forced: list }))

t.test('an honest block is accepted, empty or full', async (t) => {
  t.equal(judge(test.block()), 'ok')
  t.equal(judge(test.block([give(0), give(1, 9), test.reading(bob), test.batch(carol, 3)])), 'ok')
})

t.test('bad-coinbase: wrong height or parent', async (t) => {
  t.equal(coinbase({ height: 1 }), 'bad-coinbase')
  t.equal(coinbase({ height: 3 }), 'bad-coinbase')
  t.equal(coinbase({ parent: other }), 'bad-coinbase')
})

t.test('wrong-network: a coinbase of another network', async (t) => {
  t.equal(coinbase({ network: '00000000' as Network }), 'wrong-network')
})

t.test('bad-tick: a tick on a network without a slow hand', async (t) => {
  t.equal(coinbase({ tick: other }), 'bad-tick')
})

t.test('bad-reward: one unit above subsidy and fees; less is allowed and burnt', async (t) => {
  const { stateRoot } = test.block().coinbase
  t.equal(coinbase({ reward: subsidy + 1, stateRoot }), 'bad-reward')
  t.equal(coinbase({ reward: Number.MAX_SAFE_INTEGER }), 'bad-reward')
  const withFee = (reward: number) => judge(test.block([give(0, 7)], { coinbase: { reward } }))
  t.equal(withFee(subsidy + 8), 'bad-reward')
  t.equal(withFee(subsidy + 7), 'ok')
  t.equal(withFee(subsidy + 6), 'bad-state-root', 'allowed by the reward rule, another state')
})

t.test('bad-signature: a coinbase that its miner did not sign', async (t) => {
  t.equal(coinbase({ signature: new Uint8Array(64) }), 'bad-signature')
  t.equal(coinbase({ from: carol.account }), 'bad-signature', "signed by another's key")
})

t.test('bad-account: a miner whose key is of small order', async (t) => {
  const from = `01${'00'.repeat(31)}` as Account
  const signature = new Uint8Array([1, ...new Uint8Array(63)])
  t.equal(coinbase({ from, signature }), 'bad-account')
})

t.test('bad-content: any changed byte of the coinbase, so nobody can take the reward over', async (t) => {
  const bytes = encode(blockCodec, test.block())
  const codes = new Set<string>()
  for (let at = HEADER_BYTES; at < bytes.length - 2; at++) {
    const spoilt = bytes.slice()
    spoilt[at] = (spoilt[at] as number) ^ 1
    codes.add(codeOf(parseBlock(test.network, spoilt)))
  }
  t.strictSame([...codes].sort(), ['bad-content', 'bad-encoding'])
  const stolen = test.block()
  t.equal(judge({ ...stolen, coinbase: test.block([], { miner: carol }).coinbase }), 'bad-content')
})

t.test('bad-transactions-root: a transaction changed, added, left out or moved', async (t) => {
  const block = test.block([give(0), give(1)])
  const [first, second] = block.transactions as [Block['transactions'][0], Block['transactions'][0]]
  const withList = (transactions: Block['transactions']) => judge({ ...block, transactions })
  t.equal(withList([first, second]), 'ok')
  t.equal(withList([second, first]), 'bad-transactions-root')
  t.equal(withList([first]), 'bad-transactions-root')
  t.equal(withList([first, second, second]), 'bad-transactions-root', 'CVE-2012-2459')
  t.equal(withList([first, { ...second, fee: 1 }]), 'bad-transactions-root')
  t.equal(withList([first, { ...second, signature: new Uint8Array(64) }]), 'bad-transactions-root')
})

t.test('bad-encoding: a second coinbase in the place of a transaction', async (t) => {
  const block = test.block([give(0)])
  const bytes = encode(blockCodec, block)
  const at = bytes.length - give(0).bytes.length
  t.equal(bytes[at], 1, 'the type number of the transaction')
  bytes[at] = 0
  t.equal(codeOf(parseBlock(test.network, bytes)), 'bad-encoding')
})

t.test('bad-state-root: any other root than that of the state after the block', async (t) => {
  t.equal(coinbase({ stateRoot: other }), 'bad-state-root')
  t.equal(coinbase({ stateRoot: ZERO_HASH }), 'bad-state-root')
  t.equal(coinbase({ stateRoot: test.chain.state.root() }), 'bad-state-root', 'the one before')
})

t.test('nonce-too-low: the same transaction twice in a block', async (t) => {
  t.equal(forced(give(0), give(0)), 'nonce-too-low')
})

t.test("a block is refused for any of its transactions' faults", async (t) => {
  t.equal(forced(give(0), give(2)), 'nonce-gap')
  t.equal(forced(test.transfer(alice, carol.account, 1001 * COIN)), 'insufficient-balance')
  t.equal(forced(test.transfer(alice, carol.account, Number.MAX_SAFE_INTEGER, { fee: 1 })), 'amount-overflow')
  t.equal(forced(test.transfer(alice, carol.account, 1, { expiry: 1 })), 'expired')
  t.equal(forced(test.transfer(alice, `01${'00'.repeat(31)}` as Account, 1)), 'bad-account')
  t.equal(forced(test.batch(alice, 0)), 'bad-batch')
  t.equal(
    forced(test.sign(alice, { ...test.reading(alice).transaction, network: '00000000' })),
    'wrong-network',
  )
  const { transaction, ...rest } = give(0)
  t.equal(forced({ ...rest, transaction: { ...transaction, amount: 6 } as never }), 'bad-transactions-root')
  const later = new TestChain(testNetwork({ activations: [{ type: 1, height: 2 }] }))
  const early = later.transfer(alice, carol.account, 1)
  t.equal(judge(later.block([], { forced: [early] }), later), 'type-not-active')
  later.grow(1)
  t.equal(judge(later.block([early]), later), 'ok')
})

t.test("fee-too-low: another's free transaction under a floor; the miner's own is allowed", async (t) => {
  const floor = new TestChain(testNetwork({ feeFloor: 10 }))
  t.equal(judge(floor.block([], { forced: [floor.reading(carol)] }), floor), 'fee-too-low')
  t.equal(judge(floor.block([floor.reading(bob)]), floor), 'ok')
})

t.test('block-too-large: one byte above the limit', async (t) => {
  const small = new TestChain(testNetwork({ blockBytesMax: 4096 }))
  const tx = (nonce: number, memo = '') => small.transfer(alice, carol.account, 1, { nonce, memo } as never)
  const list: Sealed[] = []
  const size = () => encode(blockCodec, small.block([], { forced: list })).length
  while (size() + tx(0).bytes.length <= 4096) list.push(tx(list.length))
  const room = 4096 - size()
  const last = list.length - 1
  list[last] = tx(last, 'm'.repeat(Math.min(80, room)))
  const before = list.length - 2
  list[before] = tx(before, 'm'.repeat(Math.max(0, room - 80)))
  t.equal(size(), 4096)
  t.equal(
    judge(small.block([], { forced: list }), small),
    'bad-state-root',
    'only the root, which was not made for it',
  )
  t.equal(judge(small.block(list), small), 'ok')
  list[0] = tx(0, 'm')
  t.equal(size(), 4097)
  t.equal(judge(small.block([], { forced: list }), small), 'block-too-large')
})

t.test('too-many-signatures: one above the limit, the coinbase counted', async (t) => {
  const few = new TestChain(testNetwork({ blockSignaturesMax: 3 }))
  const readings = [0, 1, 2].map((nonce) => few.reading(alice, { nonce }))
  t.equal(judge(few.block([], { forced: readings }), few), 'too-many-signatures')
  t.equal(judge(few.block(readings.slice(0, 2)), few), 'ok')
})

t.test('signatures are counted before any is verified', async (t) => {
  const few = new TestChain(testNetwork({ blockSignaturesMax: 2 }))
  const block = few.block([], {
    forced: [few.reading(alice), few.reading(carol)],
    coinbase: { signature: new Uint8Array(64) },
  })
  t.equal(judge(block, few), 'too-many-signatures')
})

t.test('bad-encoding: cut at any byte or extended', async (t) => {
  const bytes = encode(blockCodec, test.block([give(0)]))
  const codes = new Set<string>()
  for (let length = 0; length < bytes.length; length++)
    codes.add(codeOf(parseBlock(test.network, bytes.subarray(0, length))))
  codes.add(codeOf(parseBlock(test.network, Uint8Array.of(...bytes, 0))))
  t.strictSame([...codes], ['bad-encoding'])
})

t.test('fees go to the miner, and what it does not claim is gone', async (t) => {
  const chain = new TestChain(testNetwork({ maturity: 1 }))
  const fees = [
    chain.transfer(alice, carol.account, 5, { fee: 3 }),
    chain.reading(alice, { nonce: 1, fee: 4 }),
  ]
  chain.grow(1, fees)
  t.equal(chain.chain.state.maturing(bob.account, 1, 1), subsidy + 7)
  t.equal(chain.chain.state.totals().supply, 1000 * COIN + subsidy)
  // A miner that claims 10 units less: the state root comes from a block executed with that reward.
  const { state } = chain.chain
  const modest = chain.block()
  const sealed = sealBlock(chain.network, { ...modest, coinbase: { ...modest.coinbase } })
  t.ok(sealed.ok)
  if (!sealed.ok) return
  const outcome = connectBlock(
    chain.network,
    state,
    {
      ...sealed.value,
      block: { ...modest, coinbase: { ...modest.coinbase, reward: subsidy - 10 } },
    },
    chain.chain.next.medianTime,
  )
  t.match(outcome, { ok: false, fault: { code: 'bad-state-root' } })
  const root = outcome.ok ? '' : /leads to ([0-9a-f]{64})/.exec(outcome.fault.message)?.[1]
  t.ok(chain.accept(chain.block([], { coinbase: { reward: subsidy - 10, stateRoot: root as Hash } })).ok)
  t.equal(chain.chain.state.totals().supply, 1000 * COIN + 2 * subsidy - 10)
  t.equal(coinsIn(chain.chain.state), chain.chain.state.totals().supply)
})

t.test('a reward of 0 is allowed and leaves no entry', async (t) => {
  const none = new TestChain(testNetwork({ subsidy: 0, halvingInterval: 0, maturity: 2 }))
  none.grow(3)
  t.equal([...none.chain.state.values()].length, 2, 'one account and the totals')
  t.equal(none.block().coinbase.reward, 0)
})

t.test('a reward is spendable from exactly `maturity` blocks after its own', async (t) => {
  const chain = new TestChain(testNetwork({ maturity: 3 }))
  chain.grow(1)
  const spend = () => chain.transfer(bob, carol.account, subsidy, { nonce: 0 })
  chain.grow(1, [], carol)
  t.equal(
    judge(chain.block([], { forced: [spend()], miner: carol }), chain),
    'insufficient-balance',
    'in block 3',
  )
  chain.grow(1, [], carol)
  t.equal(chain.chain.state.account(bob.account).balance, 0)
  // The block 1 + 3 itself may spend it: rewards mature before the block's transactions.
  t.equal(judge(chain.block([], { forced: [spend()], miner: carol }), chain), 'bad-state-root', 'in block 4')
  chain.grow(1, [], carol)
  t.equal(chain.chain.state.account(bob.account).balance, subsidy)
})

t.test('totals count transactions without coinbases, and readings with those of batches', async (t) => {
  const chain = new TestChain()
  chain.grow(2, [chain.transfer(alice, carol.account, 1), chain.reading(bob), chain.batch(carol, 3)])
  t.match(chain.chain.state.totals(), { transactions: 3, readings: 4 })
  chain.grow(1, [chain.reading(bob)])
  t.match(chain.chain.state.totals(), { transactions: 4, readings: 5 })
})

t.test('amount-overflow: a count of the totals would exceed 2^53 - 1', async (t) => {
  const { state } = test.chain
  const full = (counts: { transactions: number; readings: number }) => {
    const view = new StateView(state)
    view.setTotals({ ...state.totals(), ...counts })
    const before = state.with(view.changes(), 'after')
    return codeOf(
      executeBlock(test.network, before, { ...test.chain.next, miner: bob.account, reward: 0 }, [
        test.reading(bob),
      ]),
    )
  }
  const most = Number.MAX_SAFE_INTEGER
  t.equal(full({ transactions: most - 1, readings: most - 1 }), 'ok')
  t.equal(full({ transactions: most, readings: 0 }), 'amount-overflow')
  t.equal(full({ transactions: 0, readings: most }), 'amount-overflow')
})
