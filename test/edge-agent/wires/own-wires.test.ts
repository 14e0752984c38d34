import t from 'tap'
import { COIN } from '../../../ledger/amount.ts'
import { bob, carol, START_MS } from '../../helpers/ledger.ts'
import { sample, WiresLab } from '../../helpers/wires-lab.ts'

const MINUTE_MS = 60_000
const to = { to: bob.account, pay: '1', for: 'water' }
const lamp = { device: carol.account, output: 'lamp', minutes: 1 }
const own = (when: object, rest: object = to) =>
  new WiresLab({ wires: [{ when: { sensor: 'soil', ...when }, ...rest }], sensors: ['soil'] })
const paid = (lab: WiresLab): number => lab.outbox.unconfirmed.length

t.test('a live sample pays at once, and its number stands in the memo', async (t) => {
  const lab = own({})
  lab.say(sample(7, '1'), { ...sample(8, '1'), sensor: 'light' })
  t.match(
    lab.pay().map(({ transaction: tx }) => tx),
    [{ type: 'transfer', to: bob.account, amount: COIN, memo: 'water 7' }],
  )
  t.strictSame(lab.memos(), [])
})

t.test(
  'readings of our own on the ledger are no occasion, nor are samples one for wires on others',
  async (t) => {
    const lab = new WiresLab({
      wires: [
        { when: { sensor: 'soil' }, ...to },
        { when: { device: bob.account, sensor: 'soil' }, ...to, for: 'soil' },
      ],
      sensors: ['soil'],
    })
    lab.say(sample(0, '1'))
    lab.mine()
    t.strictSame(
      lab.outbox.unconfirmed.map(({ transaction: tx }) => tx.type === 'transfer' && tx.memo),
      ['water 0'],
    )
  },
)

t.test('above and below hold for each sample beyond, and not at the threshold', async (t) => {
  const above = own({ above: 20 })
  above.say(sample(0, '20'), sample(1, '20.000000000001'), sample(2, '-30'), sample(3, '21'))
  t.strictSame(above.memos(), ['water 1', 'water 3'])
  const below = own({ below: -1.5 })
  below.say(sample(0, '-1.5'), sample(1, '-2'), sample(2, '0'))
  t.strictSame(below.memos(), ['water 1'])
})

t.test('of a sensor that says more than can be looked at the newest is left out', async (t) => {
  const above = own({ above: 20 })
  for (let sequence = 0; sequence < 9_999; sequence++) above.say(sample(sequence, '1'))
  above.say(sample(9_999, '21'), sample(10_000, '21'))
  t.strictSame(above.memos(), ['water 9999'])
})

t.test('an edge pays once, with hysteresis only after the way back', async (t) => {
  const rises = own({ rises: 20, hysteresis: 2 })
  const values = ['25', '19', '25', '18', '20', '21', '22', '17', '23']
  rises.say(...values.map((value, at) => sample(at, value)))
  t.strictSame(rises.memos(), ['water 5', 'water 8'], 'the first is none: nobody saw it rise')
  const falls = own({ falls: 20 })
  falls.say(...['25', '20', '19', '20', '19'].map((value, at) => sample(at, value)))
  t.strictSame(falls.memos(), ['water 2', 'water 4'])
})

t.test('the first value may lie between the threshold and the way back to it', async (t) => {
  const rises = own({ rises: 20, hysteresis: 5 })
  rises.say(sample(0, '18'), sample(1, '21'))
  t.strictSame(rises.memos(), ['water 1'])
})

t.test(
  'what happens while the agent is cut off is not paid later; an edge is seen with the next sample',
  async (t) => {
    const each = own({})
    each.inSync = false
    each.say(sample(0, '1'))
    each.inSync = true
    t.strictSame(each.memos(), [])
    const rises = own({ rises: 20 })
    rises.say(sample(0, '1'))
    rises.pay()
    rises.inSync = false
    rises.say(sample(1, '30'))
    rises.inSync = true
    t.strictSame(rises.memos(), [])
    rises.say(sample(2, '30'))
    t.strictSame(rises.memos(), ['water 2'])
  },
)

t.test(
  'an edge that was paid before a crash is not paid again after it, though the log never heard of it',
  async (t) => {
    for (const goal of [to, { ...to, to: lamp }]) {
      const lab = own({ rises: 20 }, goal)
      lab.say(sample(0, '1'))
      lab.pay()
      lab.say(sample(1, '30'))
      lab.diesAfterPaying = true
      t.equal(lab.pay().length, 1)
      lab.restart()
      // The same number again, as the sample was never signed; it is still high.
      lab.say(sample(1, '31', START_MS + 99))
      t.equal(lab.pay().length, 0)
      lab.say(sample(2, '1'), sample(3, '32'))
      t.equal(lab.pay().length, 1, 'the next edge is another')
    }
  },
)

t.test('nor one that the log knows of, and one that came while the agent was off is seen', async (t) => {
  const lab = own({ rises: 20 })
  lab.say(sample(0, '1'), sample(1, '30'))
  t.equal(lab.pay().length, 1)
  lab.restart()
  lab.say(sample(2, '30'))
  t.equal(lab.pay().length, 0)
  lab.say(sample(3, '1'))
  lab.pay()
  lab.restart()
  lab.say(sample(4, '30'))
  t.equal(lab.pay().length, 1)
})

t.test('with a log that is lost, edges are counted anew and none is taken for an old one', async (t) => {
  const lab = own({ rises: 20 })
  lab.say(sample(0, '1'), sample(1, '30'))
  t.equal(lab.pay().length, 1)
  lab.mine([], 2)
  lab.restart({ lost: ['wires.log'] })
  lab.say(sample(2, '1'), sample(3, '30'))
  t.equal(lab.pay().length, 1)
})

t.test('a sample that a crash made forgotten gives its number to another, which is paid too', async (t) => {
  const lab = own({})
  lab.say(sample(0, '1', START_MS))
  lab.diesAfterPaying = true
  t.equal(lab.pay().length, 1)
  lab.restart()
  lab.say(sample(0, '2', START_MS + 5_000))
  t.equal(lab.pay().length, 1)
})

t.test('a change is counted from what was paid for, and once, whenever the program dies', async (t) => {
  const lab = own({ changesBy: 1 })
  lab.say(sample(0, '10'), sample(1, '10.9'), sample(2, '11'))
  t.strictSame(lab.memos(), ['water 2'])
  lab.say(sample(3, '10.1'), sample(4, '9.9'))
  lab.diesAfterPaying = true
  t.strictSame(lab.memos(), ['water 4'])
  lab.restart()
  lab.say(sample(5, '9.9'))
  t.strictSame(lab.memos(), [], 'the change from 11 is paid')
  lab.say(sample(6, '11'))
  t.strictSame(lab.memos(), ['water 6'], 'counted from 9.9')
})

t.test("a schedule pays once in each slot, by the ledger's time or a clock that is right", async (t) => {
  const lab = new WiresLab({ wires: [{ when: { every: { minutes: 10 } }, ...to, to: lamp }] })
  lab.now = START_MS + 3 * MINUTE_MS
  t.equal(lab.pay().length, 1, 'as soon as it can')
  t.equal(lab.pay().length, 0)
  lab.restart()
  t.equal(lab.pay().length, 0, 'nor after a restart')
  lab.now = START_MS + 10 * MINUTE_MS - 1
  t.equal(lab.pay().length, 0)
  lab.now++
  t.equal(lab.pay().length, 1)
  lab.now = START_MS
  t.equal(lab.pay().length, 0, 'a clock that is set back makes no new slot')
  lab.now = START_MS + 60 * MINUTE_MS
  t.equal(lab.pay().length, 1, 'slots that were missed are not paid later')
  lab.now = undefined
  t.equal(lab.pay().length, 0, 'without a clock it is the time of the last block')
})

t.test(
  'the memo of a schedule names its slot, and what our chain shows as paid is not paid again',
  async (t) => {
    const wires = [{ when: { every: { minutes: 1_440 } }, ...to, for: 'rent' }]
    const lab = new WiresLab({ wires })
    lab.now = START_MS + 5 * MINUTE_MS
    t.strictSame(lab.memos(), ['rent 2026-01-01T00:00'])
    lab.mine(lab.outbox.unconfirmed)
    lab.restart({ lost: ['outbox.log', 'wires.log'] })
    t.strictSame(lab.memos(), [])
  },
)

t.test('a clock that is behind the ledger makes no slot of its own', async (t) => {
  const lab = new WiresLab({ wires: [{ when: { every: { minutes: 10 } }, ...to, for: 'rent' }] })
  lab.now = START_MS - 60 * MINUTE_MS
  t.strictSame(lab.memos(), ['rent 2026-01-01T00:00'])
})

t.test('a slot that a limit kept from being paid is paid when there is room in it', async (t) => {
  const every = { when: { every: { minutes: 10 } }, ...to, balanceMin: '1500' }
  const lab = new WiresLab({ wires: [every] })
  t.equal(lab.pay().length, 0)
  lab.mine([lab.test.transfer(bob, carol.account, 0)])
  t.equal(paid(lab), 0)
  lab.trade.onConnected()
  t.match(lab.states.at(-1)?.wires[0]?.why, /balanceMin: .* has to keep 1500/)
  lab.restart({ wires: [{ ...every, balanceMin: '999' }] })
  t.equal(lab.pay().length, 1, '1 of 1000 coins')
  lab.restart({ wires: [{ ...every, balanceMin: '999', for: 'more' }] })
  t.equal(lab.pay().length, 0, 'which leaves 999')
})
