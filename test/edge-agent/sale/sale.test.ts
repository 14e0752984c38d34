import t from 'tap'
import { AGAIN_BLOCKS } from '../../../edge-agent/block-walk.ts'
import { COIN } from '../../../ledger/amount.ts'
import { type Sealed, sealTransaction } from '../../../ledger/transaction.ts'
import { block } from '../../../schemas/block.ts'
import { encode } from '../../../schemas/codec.ts'
import { paymentName, writeSellerMemo } from '../../../schemas/receipt-memo.ts'
import { alice, bob, carol, TestChain, testNetwork } from '../../helpers/ledger.ts'
import { PowerCut } from '../../helpers/memory-disk.ts'
import { bytes32, lock, open as openChannel, share } from '../../helpers/trade.ts'
import { type Answered, GOODS, lab, TERMS } from './lab.ts'

/** Between two blocks of the test chain. */
const STEP_MS = testNetwork().genesis.interval

/** Short words: who gets what, and for topics and outputs how many seconds from `nowMs`. */
const words = (answers: readonly Answered[]): string[] =>
  answers.map(({ memo, amount }) =>
    memo.type === 'sold' ? `sold ${memo.item.kind} ${memo.item.name}` : `${memo.code} ${amount}`,
  )

t.test(
  'a payment is settled when it is as deep as its item asks, once, and the receipt names it',
  async (t) => {
    const { test, mine, pay, answers, lamp, state } = lab()
    const payment = pay('on lamp', 60)
    mine([payment])
    t.strictSame(answers(), [], 'in one block')
    mine()
    const until = test.chain.tip.time + 60_000
    t.strictSame(answers(), [
      {
        memo: { type: 'sold', payment: paymentName(payment.id), item: { kind: 'on', name: 'lamp' }, until },
        to: alice.account,
        amount: 0,
      },
    ])
    t.equal(lamp(), 60)
    t.equal(state.sold, 1, 'and who switches is told')
    mine([], 5)
    t.equal(answers().length, 1)
    t.equal(test.nonceOf(carol.account), 1, 'it stands on the ledger')
  },
)

t.test('each item has its own depth, and what cannot be sold waits for the deepest', async (t) => {
  const { mine, pay, answers } = lab()
  mine([pay('topic soil', 60), pay('on toaster', 60, alice, 1), pay('on fan', 60, alice, 2)])
  t.strictSame(words(answers()), ['sold topic soil'])
  mine()
  t.strictSame(words(answers()), ['sold topic soil', 'unknown-item 60', 'not-for-sale 60'])
})

t.test('a sensor that is sold by the reading only has no time to sell', async (t) => {
  const air = { name: 'air', sell: { ...TERMS, perMinute: undefined } }
  const { mine, pay, answers } = lab({ goods: { ...GOODS, sensors: [air] } })
  mine([pay('topic air', 60)], 2)
  t.strictSame(words(answers()), ['not-for-sale 60'])
})

t.test('other memos are gifts, and so is what others are paid', async (t) => {
  const { test, mine, pay, answers } = lab()
  mine([
    pay('a coffee', 60),
    pay('on', 60, alice, 1),
    pay('sold 0123456789abcdef on lamp until 2026-01-01T00:00:00Z', 0, alice, 2),
    test.transfer(alice, bob.account, 60, { memo: 'on lamp', nonce: 3 }),
  ])
  mine([], 3)
  t.strictSame(answers(), [])
})

t.test('only our own receipts count: who signs one for itself gets nothing by it', async (t) => {
  const { test, mine, pay, answers, lamp, sale } = lab()
  const item = { kind: 'on', name: 'lamp' } as const
  const payment = pay('on lamp', 60)
  const memo = writeSellerMemo({
    ...{ type: 'sold', payment: paymentName(payment.id), item },
    until: test.chain.tip.time + 100_000,
  })
  mine([payment, pay(memo, 0, alice, 1), test.transfer(bob, alice.account, 0, { memo })])
  t.equal(lamp(), 0)
  mine()
  t.strictSame(words(answers()), ['sold on lamp'], "nor does it keep anybody's payment from being answered")
  t.equal(lamp(), 60)
  sale.tick()
  t.equal(lamp(), 60)
})

t.test('coins in a channel or under a lock buy no time, whatever their memo', async (t) => {
  const { test, mine, answers, lamp } = lab()
  const memo = 'on lamp'
  const deadline = { height: 100, time: test.nowMs + 1_000_000 }
  mine([
    openChannel(test, alice, carol, 60, { memo }),
    lock(test, alice, carol, 60, bytes32(1), deadline, { memo, nonce: 1 }),
  ])
  mine([], 3)
  t.strictSame([answers(), lamp()], [[], 0])
})

t.test('two buyers of an output add up, of a topic each has its own time', async (t) => {
  const test = new TestChain(
    testNetwork({ allocations: [alice, bob].map(({ account }) => ({ account, amount: COIN })) }),
  )
  const { mine, pay, lamp, running } = lab({ test })
  const soil = { kind: 'topic', name: 'soil' } as const
  mine([pay('on lamp', 60), pay('topic soil', 60, alice, 1)])
  mine([pay('on lamp', 30, bob), pay('topic soil', 30, bob, 1)])
  t.equal(lamp(), 60)
  t.equal(running.of(soil, alice.account).remainingMs, 60_000)
  t.equal(running.of(soil, bob.account).remainingMs, 30_000)
  mine()
  t.equal(lamp(), 90)
})

t.test('with what was sold still running, more time adds to it', async (t) => {
  const { test, mine, pay, answers, time } = lab()
  mine([pay('on lamp', 60)])
  mine()
  time.monotonic += 20_000
  mine([pay('on lamp', 30)])
  mine()
  const [, second] = answers()
  t.match(second?.memo, { type: 'sold', until: test.chain.tip.time + 70_000 })
})

t.test('what comes late, too little or too much is given back as the rule says', async (t) => {
  const { mine, pay, answers, time } = lab()
  mine([pay('on lamp', 9), pay('on lamp', 400, alice, 1)])
  mine()
  t.strictSame(words(answers()), ['underpaid 9', 'sold on lamp', 'overpaid 100'])
  mine([pay('on lamp', 60)])
  time.aheadMs = 121_000
  mine()
  t.strictSame(words(answers()).slice(3), ['late 60'])
})

t.test('an agent that was away gives back what it missed, and serves what is fresh', async (t) => {
  const { mine, pay, answers, state, sale } = lab()
  state.inSync = false
  mine([pay('on lamp', 60)])
  mine([], 40) // 4 s each
  mine([pay('on lamp', 30)])
  mine()
  t.strictSame(answers(), [], 'while it catches up it does nothing')
  state.inSync = true
  for (let second = 0; second < 3; second++) sale.tick()
  t.strictSame(words(answers()), ['late 60', 'sold on lamp'])
})

t.test('nobody pays for a refund but who gets it, and what does not cover it is kept', async (t) => {
  const test = new TestChain(testNetwork({ feeFloor: 5 }))
  const { mine, pay, answers } = lab({ test })
  const paid = (memo: string, amount: number, ahead: number) =>
    test.transfer(alice, carol.account, amount, { memo, nonce: test.nonceOf(alice.account) + ahead, fee: 5 })
  mine([paid('on lamp', 9, 0), paid('on lamp', 5, 1), paid('a gift', 1_000, 2)])
  mine()
  t.strictSame(words(answers()), ['underpaid 4'])
  mine()
  t.equal(test.chain.state.account(carol.account).balance, 9 + 5 + 1_000 - 4 - 5)
  t.equal(pay('', 0).transaction.nonce, 3)
})

t.test('a refund may take the last coin, with its fee; a receipt needs none', async (t) => {
  const test = new TestChain(testNetwork({ feeFloor: 5 }))
  const { mine, answers, outbox } = lab({ test })
  const paid = (memo: string, amount: number) =>
    test.transfer(alice, carol.account, amount, { memo, nonce: test.nonceOf(alice.account), fee: 5 })
  mine([paid('on lamp', 9)])
  mine()
  t.strictSame(words(answers()), ['underpaid 4'])
  mine()
  t.equal(test.chain.state.account(carol.account).balance, 0)
  mine([paid('on lamp', 60)])
  outbox.add([{ draft: { type: 'transfer', to: bob.account, amount: 55, memo: 'rent' }, key: 'rent' }])
  mine()
  t.strictSame(words(answers()).slice(1), ['sold on lamp'])
})

t.test('coins that wait to be spent are not there to be given back', async (t) => {
  const { mine, pay, answers, state, outbox, sale } = lab()
  state.inSync = false
  mine([pay('on lamp', 9)], 2)
  outbox.add([{ draft: { type: 'transfer', to: bob.account, amount: 9, memo: 'rent' }, key: 'rent' }])
  state.inSync = true
  for (let second = 0; second < 3; second++) sale.tick()
  t.strictSame(answers(), [])
})

/** Mines payments that nobody has the coins for: a stored block is not checked again, and a thousand signatures would take long. */
function unsigned({ test, pay, mine, sale }: ReturnType<typeof lab>, memo: string) {
  const { transaction } = pay(memo, 1_000)
  return (count: number, nonce: number): readonly Sealed[] => {
    const payments = Array.from({ length: count }, (_, at) =>
      sealTransaction(test.network, { ...transaction, nonce: nonce + at }),
    )
    mine([], 1, false)
    test.archive.blocks.set(test.chain.tip.hash, encode(block, test.block([], { forced: payments })))
    sale.tick()
    return payments
  }
}
const SOIL = { outputs: [], sensors: [{ name: 'soil', sell: { ...TERMS, confirmations: 1 } }] }

t.test('while 1,000 payments wait for room in the outbox no more are looked at', async (t) => {
  const the = lab({ test: new TestChain(testNetwork({ blockBytesMax: 1 << 20 })), goods: SOIL })
  const { mine, pay, answers, state } = the
  const mineUnsigned = unsigned(the, 'topic soil')
  state.room = 1 // and what is over takes two
  mineUnsigned(999, 0)
  mine([pay('topic soil', 60)])
  t.strictSame(words(answers()), ['sold topic soil'])
  mineUnsigned(1, 999)
  mine([pay('topic soil', 60)])
  t.strictSame(words(answers()), ['sold topic soil'])
  state.room = 2
  mine()
  t.strictSame(words(answers()), ['sold topic soil', 'sold topic soil'])
})

t.test(
  'while 1,000 refunds wait for coins sales go on, and for one more the oldest is given up',
  async (t) => {
    const the = lab({ test: new TestChain(testNetwork({ blockBytesMax: 1 << 20 })), goods: SOIL })
    const { mine, pay, answers, lines } = the
    const mineUnsigned = unsigned(the, 'topic air')
    const [first] = mineUnsigned(1_000, 0)
    mine([pay('topic soil', 60)])
    t.strictSame(words(answers()), ['sold topic soil'])
    const givenUp = () => lines.filter(({ event }) => event.startsWith('gave up a refund'))
    t.equal(givenUp().length, 0)
    mineUnsigned(1, 1_000)
    t.strictSame(
      givenUp().map(({ fields }) => fields?.payment),
      [paymentName(first?.id ?? '')],
    )
    mine([pay('a gift', 940)])
    t.strictSame(words(answers()), ['sold topic soil', 'unknown-item 1000'])
  },
)

t.test('a refund waits a day for its coins, and then holds up nothing any more', async (t) => {
  const { test, mine, pay, answers, lines, time, outbox, sale } = lab()
  mine([pay('on lamp', 9)])
  outbox.add([{ draft: { type: 'transfer', to: bob.account, amount: 9, memo: 'rent' }, key: 'rent' }])
  mine([], 3)
  const waits = () => [
    outbox.marked === test.chain.tip.height,
    lines.some(({ event }) => /gave up/.test(event)),
  ]
  time.aheadMs = 86_400_000 - 2 * STEP_MS
  sale.tick()
  t.strictSame(waits(), [false, false])
  time.aheadMs++
  sale.tick()
  t.strictSame(waits(), [true, true])
  mine([pay('a gift', 100)], 3)
  t.strictSame(answers(), [])
})

t.test('who has a share of what the seller earns cannot drain it by payments that come back', async (t) => {
  const { test, mine, pay, answers } = lab()
  const balance = () => test.chain.state.account(carol.account).balance
  mine([pay('a gift', 1_000), share(test, carol, [[alice.account, 5_000]])])
  for (let round = 0; round < 3; round++) mine([pay('on nothing', 90)], 4)
  t.strictSame(words(answers()), ['unknown-item 45', 'unknown-item 45', 'unknown-item 45'])
  mine()
  t.equal(balance(), 1_000)
  mine([pay('on lamp', 400)], 3)
  t.strictSame(words(answers()).slice(3), ['sold on lamp', 'overpaid 50'])
  mine()
  t.equal(balance(), 1_150, 'and its share of the price is its own')
})

t.test('what comes back is by the split that counted where the payment stands', async (t) => {
  type Lab = ReturnType<typeof lab>
  const half = ({ test }: Lab, nonce: number) => share(test, carol, [[bob.account, 5_000]], { nonce })
  const none = ({ test }: Lab, nonce: number) => share(test, carol, [], { nonce })
  const days: readonly (readonly [string, string, (the: Lab) => readonly (readonly Sealed[])[]])[] = [
    ['set later', 'underpaid 9', (the) => [[the.pay('on lamp', 9)], [half(the, 0)]]],
    ['set behind it', 'underpaid 9', (the) => [[the.pay('on lamp', 9), half(the, 0)]]],
    ['set before it', 'underpaid 5', (the) => [[half(the, 0), the.pay('on lamp', 9)]]],
    ['set and cleared', 'underpaid 5', (the) => [[half(the, 0)], [the.pay('on lamp', 9)], [none(the, 1)]]],
    [
      'set and cleared around it',
      'underpaid 5',
      (the) => [[half(the, 0), the.pay('on lamp', 9), none(the, 1)]],
    ],
    [
      'cleared and set around it',
      'underpaid 9',
      (the) => [[half(the, 0)], [none(the, 1), the.pay('on lamp', 9), half(the, 2)]],
    ],
  ]
  for (const [name, expected, play] of days) {
    for (const restarts of [false, true]) {
      const the = lab()
      the.state.inSync = !restarts
      for (const transactions of play(the)) the.mine(transactions)
      if (restarts) the.restart()
      the.state.inSync = true
      the.mine([], 2)
      t.strictSame(words(the.answers()), [expected], `${name}${restarts ? ', and a restart' : ''}`)
    }
  }
})

t.test('also on the branch that wins', async (t) => {
  const { test, mine, pay, answers, reorganise, state } = lab()
  const [payment, split] = [pay('on lamp', 9), share(test, carol, [[bob.account, 5_000]])]
  state.inSync = false
  mine([payment])
  mine([split])
  const other = new TestChain(test.network)
  other.grow(1, [split, payment], carol)
  other.grow(2, [], carol)
  reorganise(other)
  state.inSync = true
  mine()
  t.strictSame(words(answers()), ['underpaid 5'])
})

t.test('without the coins for a refund it waits for them, also over a restart', async (t) => {
  const the = lab()
  const { test, mine, pay, answers, lines } = the
  mine([pay('on lamp', 9)])
  the.outbox.add([{ draft: { type: 'transfer', to: bob.account, amount: 9, memo: 'rent' }, key: 'rent' }])
  mine([], 160)
  t.strictSame(answers(), [])
  t.equal(lines.filter(({ event }) => event === 'cannot answer a payment yet').length, 1)
  the.restart()
  for (let second = 0; second < 10; second++) the.sale.tick()
  t.strictSame(answers(), [])
  mine([test.transfer(alice, carol.account, 100, { memo: 'a gift' })])
  t.strictSame(words(answers()), ['late 9'])
  mine([], 3)
  t.equal(answers().length, 1)
})

t.test('with a full outbox nothing is sold before it has room', async (t) => {
  const { mine, pay, answers, state, lamp } = lab()
  state.room = 1
  mine([pay('on lamp', 400)])
  mine([pay('on lamp', 9)])
  t.strictSame(words(answers()), [], 'receipt and refund of one payment go together')
  t.equal(lamp(), 0)
  mine()
  t.strictSame(words(answers()), ['underpaid 9'], 'what fits is answered')
  state.room = 2
  mine()
  t.strictSame(words(answers()), ['underpaid 9', 'sold on lamp', 'overpaid 100'])
  t.equal(lamp(), 300)
})

t.test('what waited for room is answered once, and the time that it bought does not grow', async (t) => {
  const { test, mine, pay, answers, state, lamp, sale, outbox } = lab()
  state.room = 0
  mine([pay('on lamp', 60)])
  mine()
  t.equal(lamp(), 0)
  state.room = 9
  for (let second = 0; second < 3; second++) sale.tick()
  t.strictSame([words(answers()), lamp(), state.sold], [['sold on lamp'], 60, 1])
  t.equal(outbox.marked, test.chain.tip.height, 'and so far a start need not look again')
})

t.test('a payment that a reorganisation takes away before it is settled is not settled', async (t) => {
  const { test, mine, pay, answers, reorganise } = lab()
  const other = new TestChain(test.network)
  mine([pay('on lamp', 60)])
  other.grow(3, [], carol)
  reorganise(other)
  mine([], 3)
  t.strictSame(answers(), [])
})

t.test('one that comes back is settled once, before or after', async (t) => {
  for (const settled of [false, true]) {
    const { test, mine, pay, answers, reorganise, state, lamp } = lab()
    const payment = pay('on lamp', 60)
    mine([payment], settled ? 2 : 1)
    t.equal(answers().length, settled ? 1 : 0)
    const other = new TestChain(test.network)
    other.grow(2, [], carol)
    other.grow(2, [payment], carol)
    reorganise(other)
    t.strictSame(words(answers()), ['sold on lamp'])
    mine([], AGAIN_BLOCKS)
    t.strictSame(words(answers()), ['sold on lamp'])
    t.strictSame([state.sold, lamp()], [1, 60], 'its time is sold once, too')
  }
})

t.test(
  'a payment that stands only on the branch which wins, as deep as we have looked, is settled',
  async (t) => {
    const { test, mine, pay, answers, reorganise } = lab()
    const payment = pay('on lamp', 60)
    mine([], 4)
    const other = new TestChain(test.network)
    other.grow(5, [payment], carol)
    reorganise(other)
    t.strictSame(words(answers()), ['sold on lamp'])
  },
)

t.test(
  'a receipt that a reorganisation takes back before it is for good: the time that was added to it ends when it said',
  async (t) => {
    for (const restarts of [false, true]) {
      const the = lab()
      const { test, time, mine, pay, answers } = the
      /** A block, and the time that it took. */
      const next = (transactions: readonly Sealed[] = []): void => {
        time.monotonic += STEP_MS
        mine(transactions)
      }
      const untils = () => answers().map(({ memo }) => (memo.type === 'sold' ? memo.until : 0))
      const [first, second] = [pay('on lamp', 60), pay('on lamp', 30, alice, 1)]
      next([first])
      next()
      const other = new TestChain(test.network)
      for (const height of [1, 2])
        other.acceptBytes(test.archive.block(test.chain.at(height)?.hash ?? test.chain.tip.hash))
      next([second])
      next()
      const [one = 0, two = 0] = untils()
      t.equal(two, one + 30_000, 'the second adds to what the first has left')
      t.equal(test.nonceOf(carol.account), 1, 'the receipt of the first is in a block')
      other.grow(3, [], carol)
      // The other branch is a block longer.
      time.monotonic += STEP_MS
      the.reorganise(other)
      t.equal(test.nonceOf(carol.account), 0, 'and now in none, nor is the second payment')
      if (restarts) the.restart()
      t.strictSame(
        [untils(), the.running.output('lamp').until],
        [[one, two], two],
        'it is on as long as it said',
      )
      next([second])
      for (let block = 0; block < 3; block++) next()
      t.equal(test.nonceOf(carol.account), 2, 'both receipts are in blocks again')
      t.strictSame([untils(), the.running.output('lamp').until], [[one, two], two], 'nothing is sold twice')
      const leftMs = (): number => two - the.running.now()
      const pass = (ms: number): void => {
        time.monotonic += ms
        time.aheadMs += ms
      }
      pass(leftMs() - 1)
      t.equal(the.running.output('lamp').remainingMs, 1)
      pass(1)
      t.equal(the.running.output('lamp').remainingMs, 0, 'then it ends')
    }
  },
)

t.test(
  'a refund that waits is forgotten with a payment that is gone, and not made twice when it is back',
  async (t) => {
    const { test, mine, pay, answers, reorganise, outbox } = lab()
    const payment = pay('on lamp', 9)
    const rent = {
      draft: { type: 'transfer', to: bob.account, amount: 9, memo: 'rent' },
      key: 'rent',
    } as const
    mine([payment])
    outbox.add([rent])
    mine()
    t.strictSame(answers(), [])
    const other = new TestChain(test.network)
    other.grow(4, [], carol)
    reorganise(other)
    mine([], 2)
    t.strictSame(answers(), [])
    mine([payment, test.transfer(alice, carol.account, 100, { nonce: 1 })], 3)
    t.strictSame(words(answers()), ['underpaid 9'])
  },
)

t.test('whenever it is killed, each payment has exactly its answers', async (t) => {
  /** Plays a day with a power cut at one write, and starts again; how many writes there were. */
  const play = (failAt: number, arrives: number): number => {
    const { test, mine, pay, answers, state, restart } = lab()
    const { disk } = state
    disk.failAt = failAt
    disk.arrives = arrives
    const day: (() => void)[] = [
      () => mine([pay('on lamp', 60), pay('on lamp', 400, alice, 1)]),
      () => mine([pay('topic soil', 30)]),
      () => mine([pay('on toaster', 25)]),
      () => mine([pay('on lamp', 9)]),
      () => mine([pay('a gift', 1_000)], 40),
    ]
    for (const step of day) {
      try {
        step()
      } catch (error) {
        if (!(error instanceof Error && error.cause instanceof PowerCut)) throw error
        restart()
      }
    }
    mine([], 5)
    restart()
    mine([], 3)
    t.strictSame(
      // What is over depends on how long the lamp was on when it was decided.
      words(answers())
        .map((each) => each.replace(/^(overpaid) 1[56]\d$/, '$1'))
        .sort(),
      ['overpaid', 'sold on lamp', 'sold on lamp', 'sold topic soil', 'underpaid 9', 'unknown-item 25'],
      `killed at write ${failAt}, ${arrives / 10} % of it arrived`,
    )
    t.equal(test.nonceOf(carol.account), 6, 'all of it on the ledger')
    return disk.writes
  }
  const writes = play(Number.POSITIVE_INFINITY, 0)
  t.ok(writes > 5, `of ${writes} writes`)
  for (let failAt = 0; failAt < writes; failAt++) for (const arrives of [0, 500, 1_000]) play(failAt, arrives)
})

t.test('also between the block and its payments, and before anything is sent', async (t) => {
  const { mine, pay, answers, state, restart, lamp } = lab()
  mine([pay('on lamp', 60)])
  mine([], 1, false)
  restart()
  state.sends = false
  t.throws(() => mine(), { message: 'before anything is sent' })
  state.sends = true
  restart()
  t.strictSame(words(answers()), ['sold on lamp'], 'it was stored')
  t.equal(lamp(), 60, 'and what it promises runs')
  mine([], 3)
  t.strictSame(words(answers()), ['sold on lamp'])
})

t.test('without its outbox it finds on the ledger what it has answered and what runs', async (t) => {
  const { mine, pay, answers, restart, lamp } = lab()
  mine([pay('on lamp', 250), pay('on lamp', 9, alice, 1)])
  mine()
  mine([], 10)
  restart({ keepsOutbox: false })
  t.equal(lamp(), 250 - 40, 'a block is 4 s')
  mine([], 5)
  t.equal(answers().length, 2)
})

t.test('of what it sold long ago it finds what still runs, without its outbox', async (t) => {
  const { mine, pay, restart, lamp } = lab()
  mine([pay('on lamp', 280)])
  mine()
  mine([], 40)
  restart({ keepsOutbox: false })
  t.equal(lamp(), 280 - 160)
})

t.test('and what it answered lately, although nothing that it sells runs for so long', async (t) => {
  const sell = { ...TERMS, secondsMax: 12, confirmations: 1 }
  const { mine, pay, answers, restart } = lab({ goods: { outputs: [{ name: 'lamp', sell }], sensors: [] } })
  mine([pay('on lamp', 9), pay('a gift', 100, alice, 1)])
  mine([], 10)
  restart({ keepsOutbox: false })
  mine([], 3)
  t.strictSame(words(answers()), ['underpaid 9'])
})

t.test('without its outbox, and behind: answers that it comes to see in blocks are its own', async (t) => {
  const the = lab()
  const { mine, pay, answers, state } = the
  mine([pay('on lamp', 60)])
  mine()
  const sent = the.outbox.pending(64)
  the.restart({ keepsOutbox: false })
  state.inSync = false
  mine(sent)
  t.equal(the.lamp(), 60 - 4)
  state.inSync = true
  mine([], 2)
  t.strictSame(words(answers()), ['sold on lamp'])
})

t.test('after a start with a clock that is wrong it is the time of the newest block', async (t) => {
  const the = lab()
  the.mine([the.pay('on lamp', 60)])
  the.mine()
  the.time.synchronised = false
  the.time.aheadMs = -1_767_225_600_000 // 1970
  the.restart()
  t.equal(the.lamp(), 60)
})

t.test('after a start it goes on from where everything was stored, however long ago', async (t) => {
  const sell = { ...TERMS, lateSeconds: 86_400 }
  const the = lab({ goods: { ...GOODS, outputs: [{ name: 'lamp', sell }] } })
  const { mine, pay, answers, restart, state } = the
  mine()
  state.inSync = false
  mine([pay('on lamp', 60)], 150)
  restart() // it was killed while it caught up
  t.strictSame(answers(), [])
  state.inSync = true
  for (let second = 0; second < 10; second++) the.sale.tick()
  t.strictSame(words(answers()), ['sold on lamp'])
})

t.test(
  'also when it was killed while it caught up for the first time, and had never dealt with anything',
  async (t) => {
    const sell = { ...TERMS, lateSeconds: 86_400 }
    const the = lab({ goods: { ...GOODS, outputs: [{ name: 'lamp', sell }] } })
    const { mine, pay, answers, restart, state } = the
    state.inSync = false
    mine([pay('on lamp', 60)], 150)
    restart()
    state.inSync = true
    for (let second = 0; second < 10; second++) the.sale.tick()
    t.strictSame(words(answers()), ['sold on lamp'])
  },
)

t.test('what is sold is known with a clock that is right, or once in sync', async (t) => {
  const { sale, time, state, mine } = lab()
  t.equal(sale.isKnown, true)
  time.synchronised = false
  t.equal(sale.isKnown, false)
  state.inSync = false
  mine()
  t.equal(sale.isKnown, false)
  state.inSync = true
  mine()
  t.equal(sale.isKnown, true)
})

t.test('an unsynchronised clock sells from the newest block on', async (t) => {
  const { test, mine, pay, answers, time, lamp } = lab()
  time.synchronised = false
  time.aheadMs = -1_767_225_600_000 // 1970
  mine([pay('on lamp', 60)])
  mine()
  t.match(answers()[0]?.memo, { until: test.chain.tip.time + 60_000 })
  time.monotonic += 59_000
  t.equal(lamp(), 1)
})
