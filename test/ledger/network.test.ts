import t from 'tap'
import { targetFor } from '../../ledger/difficulty.ts'
import { headerHash } from '../../ledger/header.ts'
import { createNetwork } from '../../ledger/network.ts'
import { hashing, signatures } from '../../node/signing.ts'
import { BLOCK_BYTES_MAX, BLOCK_TRANSACTIONS_MAX } from '../../schemas/block.ts'
import type { Genesis } from '../../schemas/genesis.ts'
import type { Account } from '../../schemas/hex.ts'
import { handedGenesis, handGenesis } from '../helpers/hand.ts'
import { alice, bob, coinsIn, signer, testGenesis, testNetwork } from '../helpers/ledger.ts'

const create = (overrides: Partial<Genesis>) => createNetwork(testGenesis(overrides), { hashing, signatures })
const smallOrder = `01${'00'.repeat(31)}` as Account
const nonCanonical = `f0${'ff'.repeat(30)}7f` as Account
const give = (amount: number, account = alice.account) => ({ account, amount })

const active = (...types: readonly number[]) => types.map((type) => ({ type, height: 0 }))

const REFUSED: readonly [string, Partial<Genesis>, string][] = [
  ['an interval below 100 ms', { interval: 99 }, 'interval'],
  ['half-life 0', { halfLife: 0 }, 'halfLife'],
  ['target 0', { target: 0n }, 'target'],
  ['a target above targetMax', { target: targetFor(16) + 1n, targetMax: targetFor(16) }, 'target'],
  ['maturity 0', { maturity: 0 }, 'maturity'],
  ['blocks below 4096 bytes', { blockBytesMax: 4095 }, 'blockBytesMax'],
  ['blocks above the MQTT limit', { blockBytesMax: BLOCK_BYTES_MAX + 1 }, 'blockBytesMax'],
  ['one signature a block', { blockSignaturesMax: 1 }, 'blockSignaturesMax'],
  ['too many signatures', { blockSignaturesMax: BLOCK_TRANSACTIONS_MAX + 1 }, 'blockSignaturesMax'],
  ['an account twice', { allocations: [give(1), give(2)] }, 'allocations.1'],
  ['an allocation of nothing', { allocations: [give(1), give(0, bob.account)] }, 'allocations.1.amount'],
  ['a key of small order', { allocations: [give(1, smallOrder)] }, 'allocations'],
  ['a key that is not canonical', { allocations: [give(1, nonCanonical)] }, 'allocations'],
  ['a subsidy for ever', { halvingInterval: 0 }, 'subsidy'],
  ['an authority twice', { authorities: [bob.account, bob.account] }, 'authorities'],
  ['a signer twice', { checkpointSigners: [bob.account, bob.account] }, 'checkpointSigners'],
  ['an authority that is no key', { authorities: [smallOrder], activations: active(1, 4, 5) }, 'authorities'],
  ['an enrolled network without types 4 and 5', { authorities: [bob.account] }, 'activations'],
  ['without revocation', { authorities: [bob.account], activations: active(1, 4) }, 'activations'],
  ['without admission', { authorities: [bob.account], activations: active(1, 5) }, 'activations'],
  ['admission on an open network', { activations: active(1, 4) }, 'activations'],
  ['revocation on an open network', { activations: active(1, 5) }, 'activations'],
  ['signers without a threshold', { checkpointSigners: [bob.account] }, 'checkpointThreshold'],
  ['a threshold above the signers', { checkpointThreshold: 1 }, 'checkpointThreshold'],
  ['blocks for each tick of no slow hand', { slowRatio: 16 }, 'slowRatio'],
  ['a slow hand in version 1', { slowRatio: 4, hand: handGenesis() }, 'hand'],
  ['version 2 without a slow hand', { version: 2 }, 'hand'],
  ['a type that this version does not know', { activations: active(13) }, 'activations'],
  ['the coinbase as a type', { activations: [{ type: 0, height: 0 }] }, 'activations'],
  [
    'a type twice',
    {
      activations: [
        { type: 1, height: 0 },
        { type: 1, height: 9 },
      ],
    },
    'activations',
  ],
]

for (const [title, overrides, field] of REFUSED) {
  t.test(`bad-genesis: ${title}`, async (t) => {
    t.match(create(overrides), { ok: false, fault: { code: 'bad-genesis', field } })
  })
}

const UNHANDED: readonly [string, Partial<Genesis>, string][] = [
  ['no ratio', { slowRatio: 0 }, 'slowRatio'],
  ['a tick for each block', { slowRatio: 1, hand: handGenesis({ interval: 4000 }) }, 'slowRatio'],
  ['an interval a little longer', { hand: handGenesis({ interval: 16_001 }) }, 'hand.interval'],
  ['the interval of another ratio', { slowRatio: 5 }, 'hand.interval'],
  ['the interval of other blocks', { interval: 8000 }, 'hand.interval'],
  ['half-life 0', { hand: handGenesis({ halfLife: 0 }) }, 'hand.halfLife'],
  ['target 0', { hand: handGenesis({ target: 0n }) }, 'hand.target'],
  ['a target above targetMax', { hand: handGenesis({ target: targetFor(4) + 1n }) }, 'hand.target'],
]

for (const [title, overrides, field] of UNHANDED) {
  t.test(`bad-genesis: a slow hand with ${title}`, async (t) => {
    t.match(create(handedGenesis(overrides)), { ok: false, fault: { code: 'bad-genesis', field } })
  })
}

t.test('a slow hand at the limits is allowed', async (t) => {
  const least = { halfLife: 1, target: 1n, targetMax: 1n }
  t.ok(create(handedGenesis({ slowRatio: 2, hand: handGenesis({ ...least, interval: 8000 }) })).ok)
  t.ok(create(handedGenesis({ hand: handGenesis({ target: targetFor(4) }) })).ok)
  const slowest = { slowRatio: 65_535, hand: handGenesis({ interval: 65_535 * 4000 }) }
  t.ok(create(handedGenesis(slowest)).ok)
})

t.test('networks share a slow hand of which they have the same bytes', async (t) => {
  const [one, other] = [
    testNetwork(handedGenesis()),
    testNetwork(handedGenesis({ name: 'other', interval: 2000, slowRatio: 8 })),
  ]
  t.equal(one.hand?.genesisHash, other.hand?.genesisHash)
  t.not(one.genesisHash, other.genesisHash)
  t.equal(testNetwork().hand, undefined)
})

t.test('a genesis that is refused for its membership says what to do', async (t) => {
  const message = (overrides: Partial<Genesis>) => {
    const outcome = create(overrides)
    return outcome.ok ? 'ok' : outcome.fault.message
  }
  t.match(
    message({ authorities: [bob.account], activations: active(1, 4) }),
    /activate type 5, or leave authorities empty/,
  )
  t.match(message({ activations: active(4, 5) }), /name authorities, or leave the type out/)
})

t.test('the limits themselves are allowed', async (t) => {
  for (const overrides of [
    { interval: 100 },
    { halfLife: 1 },
    { target: 1n },
    { target: targetFor(4) },
    { maturity: 1 },
    { blockBytesMax: 4096 },
    { blockBytesMax: BLOCK_BYTES_MAX },
    { blockSignaturesMax: 2 },
    { blockSignaturesMax: BLOCK_TRANSACTIONS_MAX },
    { subsidy: 0, halvingInterval: 0 },
    { activations: [] },
    { authorities: [bob.account], activations: active(4, 5) },
    { authorities: Array.from({ length: 64 }, (_, at) => signer(at + 1).account), activations: active(4, 5) },
  ]) {
    t.ok(
      create(overrides).ok,
      JSON.stringify(overrides, (_, value) => (typeof value === 'bigint' ? 'big' : value)),
    )
  }
})

t.test('allocations and all rewards together are at most 2^53 - 1', async (t) => {
  const most = Number.MAX_SAFE_INTEGER
  const none = { subsidy: 0, halvingInterval: 0 }
  t.ok(create({ ...none, allocations: [give(most)] }).ok)
  t.ok(create({ ...none, allocations: [give(most - 1), give(1, bob.account)] }).ok)
  t.notOk(create({ ...none, allocations: [give(most), give(1, bob.account)] }).ok)
  t.notOk(create({ ...none, allocations: [give(most), give(most, bob.account)] }).ok)
  const minted = { subsidy: 1, halvingInterval: 10 }
  t.ok(create({ ...minted, allocations: [give(most - 10)] }).ok)
  t.notOk(create({ ...minted, allocations: [give(most - 9)] }).ok)
})

t.test('block 0 commits to the genesis and to the allocations', async (t) => {
  const network = testNetwork()
  const { block0, genesis, genesisHash, state0 } = network
  t.equal(block0.parent, genesisHash)
  t.equal(block0.content, state0.root())
  t.equal(block0.height, 0)
  t.equal(block0.time, genesis.time)
  t.equal(network.block0Hash, headerHash(hashing, block0))
  t.equal(network.id, genesisHash.slice(0, 8))
  t.equal(coinsIn(state0), state0.totals().supply)
  t.equal(state0.totals().supply, genesis.allocations[0]?.amount)
})

t.test('networks that differ in any parameter have different genesis hashes', async (t) => {
  const changed: readonly Partial<Genesis>[] = [
    {},
    { name: 'other' },
    { time: 1 },
    { interval: 5000 },
    { halfLife: 65 },
    { target: targetFor(17) },
    { targetMax: targetFor(5) },
    { subsidy: 1 },
    { halvingInterval: 1 },
    { feeFloor: 1 },
    { maturity: 6 },
    { blockBytesMax: 5000 },
    { blockSignaturesMax: 3 },
    { activations: [{ type: 1, height: 1 }] },
    { allocations: [give(1)] },
    { allocations: [give(1, bob.account)] },
    handedGenesis(),
    handedGenesis({ hand: handGenesis({ name: 'other' }) }),
    { authorities: [alice.account], activations: active(4, 5) },
    { authorities: [bob.account], activations: active(4, 5) },
  ]
  t.equal(new Set(changed.map((overrides) => testNetwork(overrides).genesisHash)).size, changed.length)
})
