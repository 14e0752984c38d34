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

function createNetworkHash(name: PresetName): string {
  const network = createNetwork(genesisFrom(name, choices), { hashing, signatures })
  return network.ok ? network.value.genesisHash : ''
}
