import t from 'tap'
import { Outbox } from '../../edge-agent/outbox.ts'
import { SplitSetting, sharesOf } from '../../edge-agent/split-setting.ts'
import type { Desk } from '../../edge-agent/trade.ts'
import { WorldError } from '../../node/error.ts'
import type { Account } from '../../schemas/hex.ts'
import { alice, bob, carol, TestChain, testNetwork } from '../helpers/ledger.ts'
import { MemoryDisk } from '../helpers/memory-disk.ts'
import { recordingLog } from '../helpers/rig.ts'
import { share } from '../helpers/trade.ts'

const HALF = [{ account: bob.account, percent: 50 }]

/** Carol's agent on a chain in memory. */
function agent(config: Parameters<typeof sharesOf>[0], test = new TestChain()) {
  const disk = new MemoryDisk()
  const fresh = () => ({ file: disk.open('new'), commit: () => disk.rename('new', 'outbox.log') })
  const outbox = new Outbox({ open: () => disk.open('outbox.log'), fresh }, test.chain, carol)
  const { log, lines } = recordingLog()
  const state = { inSync: true }
  const desk = {
    ...{ chain: test.chain, signer: carol, outbox, log, act: outbox.add.bind(outbox) },
    get inSync() {
      return state.inSync
    },
  } as Pick<Desk, 'chain' | 'signer' | 'outbox' | 'log' | 'act' | 'inSync'> as Desk
  const setting = new SplitSetting(desk, sharesOf(config))
  return {
    ...{ test, state, lines, outbox, setting },
    mine(transactions = outbox.pending(9)) {
      const outcome = test.accept(test.block(transactions))
      t.equal(outcome.ok, true)
      if (outcome.ok) outbox.update(outcome.value)
      setting.tick()
    },
    split: () => test.chain.state.split(carol.account),
  }
}

t.test(
  'an agent sets the split of its configuration, once, and again when somebody has changed it',
  async (t) => {
    const { test, outbox, setting, mine, split, state } = agent(HALF)
    state.inSync = false
    setting.tick()
    t.equal(outbox.waiting, 0, 'what counts is not known yet')
    state.inSync = true
    for (let second = 0; second < 3; second++) setting.tick()
    t.equal(outbox.waiting, 1)
    mine([])
    t.equal(outbox.waiting, 1, 'nor does it send another while the first waits')
    mine()
    t.strictSame(split(), [{ account: bob.account, parts: 5_000 }])
    for (let block = 0; block < 3; block++) mine()
    t.equal(test.nonceOf(carol.account), 1)
    mine([share(test, carol, [])])
    mine()
    t.strictSame(split(), [{ account: bob.account, parts: 5_000 }])
  },
)

t.test('an empty one ends what is there, and nothing is sent where nothing is', async (t) => {
  const { test, outbox, mine, split } = agent([])
  mine()
  t.equal(outbox.waiting, 0)
  mine([share(test, carol, [[bob.account, 1]])])
  mine()
  t.strictSame(split(), [])
})

t.test('without coins for the fee it waits, since everything else would wait behind it', async (t) => {
  const test = new TestChain(testNetwork({ feeFloor: 5 }))
  const { outbox, mine, lines, split } = agent(HALF, test)
  for (let block = 0; block < 3; block++) mine()
  t.equal(outbox.waiting, 0)
  t.equal(lines.filter(({ event }) => event === 'cannot set the split yet').length, 1)
  mine([test.transfer(alice, carol.account, 5, { fee: 5 })])
  mine()
  t.equal(split().length, 1)
})

t.test('one that the ledger would never take is a mistake in the configuration', async (t) => {
  const wrong = [carol.account, 'f'.repeat(64) as Account]
  for (const account of wrong) t.throws(() => agent([{ account, percent: 1 }]), WorldError)
  t.throws(() => agent([{ account: carol.account, percent: 1 }]), /split: shares.0.account: not the sender/)
})

t.test('percents are ten thousandths', async (t) => {
  const parts = sharesOf([0.01, 0.29, 12.5, 57.19].map((percent) => ({ account: bob.account, percent })))
  t.strictSame(
    parts.map((each) => each.parts),
    [1, 29, 1_250, 5_719],
  )
})
