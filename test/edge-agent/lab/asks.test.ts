import t from 'tap'
import { Asks } from '../../../edge-agent/lab/asks.ts'
import { alice, bob, carol } from '../../helpers/ledger.ts'

t.test('who asks for everything all the time keeps nobody from an answer', async (t) => {
  const asks = new Asks()
  const answers: (number | undefined)[] = []
  asks.ask(alice.account, 0)
  asks.ask(bob.account, 500)
  asks.ask(carol.account, 800)
  for (let turn = 0; turn < 4; turn++) {
    const above = asks.next()
    answers.push(above)
    if (above !== undefined) asks.answered(above, above + 256)
    asks.ask(alice.account, 0)
  }
  t.strictSame(answers, [0, 500, 800, 0])
})

t.test('an answer is one to all who lack some of it', async (t) => {
  const asks = new Asks()
  asks.ask(alice.account, 3)
  asks.ask(alice.account, 5)
  asks.ask(bob.account, 4)
  asks.ask(carol.account, 7)
  asks.ask('self', 2)
  t.equal(asks.next(), 3, 'the one who lacks most of what he asked for')
  asks.answered(3, 7)
  t.strictSame([asks.next(), asks.next(), asks.next()], [7, 2, undefined])
})
