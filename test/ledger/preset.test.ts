import t from 'tap'
import { workOf } from '../../ledger/difficulty.ts'
import { createNetwork } from '../../ledger/network.ts'
import { genesisFrom, PRESETS, type PresetName } from '../../ledger/preset.ts'
import { totalSubsidy } from '../../ledger/subsidy.ts'
import { hashing, signatures } from '../../node/signing.ts'
import { alice, START_MS } from '../helpers/ledger.ts'

const names = Object.keys(PRESETS) as PresetName[]
const choices = {
  name: 'home',
  time: START_MS,
  firstWork: 100_000,
  allocations: [{ account: alice.account, amount: 5 }],
}

for (const name of names) {
  t.test(`${name} makes a network that this software can check`, async (t) => {
    const network = createNetwork(genesisFrom(name, choices), { hashing, signatures })
    t.ok(network.ok)
    t.equal(workOf(genesisFrom(name, choices).target), 100_000n)
    t.equal(
      genesisFrom(name, { ...choices, firstWork: 1 }).target,
      PRESETS[name].targetMax,
      'never easier than targetMax',
    )
  })

  t.test(`${name}: a block of signatures at 4 ms each verifies in a quarter of the interval`, async (t) => {
    const { blockSignaturesMax, interval } = PRESETS[name]
    t.ok(blockSignaturesMax * 4 <= interval / 4)
  })
}

t.test('the presets have the numbers that the documentation names', async (t) => {
  t.match(PRESETS, {
    bench: { interval: 4_000, feeFloor: 0 },
    field: { interval: 10_000, feeFloor: 1_000 },
    bitcoin: { interval: 600_000, subsidy: 5_000_000_000, halvingInterval: 210_000, maturity: 100 },
  })
  t.equal(totalSubsidy(PRESETS.bitcoin), 2_099_999_997_690_000)
  t.equal(new Set(names.map((name) => createNetworkHash(name))).size, names.length)
})

const GOLDEN: Readonly<Record<PresetName, string>> = {
  bench: '68082c9d073ff016c7647946192cb50d4f825ce18795cad0b71b8812698e38c8',
  field: '8732ac5362c31a266664d4c129debde026b6bdd9c7928132262a41fc7e622e4d',
  bitcoin: '2abd04239100e86cc78a67dac9452d36d6f892ac02bceafa41fee4b56e2a3194',
}

t.test('an open network keeps the genesis hash that version 0.1.0 gave it', async (t) => {
  for (const name of names) {
    t.equal(createNetworkHash(name), GOLDEN[name], name)
    t.strictSame(genesisFrom(name, { ...choices, authorities: [] }), genesisFrom(name, choices))
  }
})

t.test('authorities make an enrolled network, with admission and revocation from the start', async (t) => {
  for (const name of names) {
    const genesis = genesisFrom(name, { ...choices, authorities: [alice.account] })
    t.ok(createNetwork(genesis, { hashing, signatures }).ok)
    t.strictSame(
      genesis.activations,
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map((type) => ({ type, height: 0 })),
    )
  }
})

function createNetworkHash(name: PresetName): string {
  const network = createNetwork(genesisFrom(name, choices), { hashing, signatures })
  return network.ok ? network.value.genesisHash : ''
}
