import t from 'tap'
import type { Mirror } from '../../cli/reader.ts'
import { type TradeEvent, TradeLines, tradeWords } from '../../cli/trade-lines.ts'
import { alice, bob, carol, testNetwork } from '../helpers/ledger.ts'

const { id: network } = testNetwork()
const CHANNEL = '5a'.repeat(32)
const UNTIL = Date.UTC(2026, 10, 29, 20, 1, 30)

function watch() {
  const events: TradeEvent[] = []
  const lines = new TradeLines(
    (event) => events.push(event),
    (account) => (account === bob.account ? 'probe' : 'guest'),
  )
  const hear = (kind: Mirror['kind'], value: unknown, rest: readonly string[] = [], retain = false): void =>
    lines.receive({ network, kind, publisher: bob.account, rest, retain, value })
  return { events, hear, words: () => events.map(tradeWords) }
}

t.test('an output is told when it is switched, and not again when it says the same', async (t) => {
  const { hear, words } = watch()
  const lamp = (on: boolean | null, reason: string) => ({ name: 'lamp', on, since: 0, reason, safe: 'off' })
  hear('output', lamp(false, 'nobody has paid'), ['lamp'], true)
  hear('output', lamp(false, 'nobody has paid'), ['lamp'])
  hear('output', lamp(true, 'paid until 20:01:30'), ['lamp'])
  hear('output', lamp(true, 'paid until 20:02:30'), ['lamp'])
  hear('output', lamp(null, 'the guard ended'), ['lamp'])
  t.strictSame(words(), [
    'probe lamp is on: paid until 20:01:30',
    'probe lamp is not driven: the guard ended',
  ])
})

t.test(
  'a topic opens once for several validators, is prolonged, and closes when the grant is gone',
  async (t) => {
    const { hear, words } = watch()
    const levels = [bob.account, alice.account]
    const grant = (until: number) => ({
      seller: bob.account,
      buyer: alice.account,
      height: 7,
      sensors: [{ sensor: 'soil', until }],
    })
    hear('grant', grant(UNTIL), levels)
    hear('grant', grant(UNTIL), levels)
    hear('grant', grant(UNTIL + 60_000), levels)
    hear('grant', undefined, levels)
    hear('grant', undefined, levels)
    t.strictSame(words(), [
      'soil of probe is open to guest until 20:01:30',
      'soil of probe is open to guest until 20:02:30',
      'soil of probe is closed to guest: its time is over',
    ])
  },
)

t.test('a channel is told as its payee has more, by readings or by coins', async (t) => {
  const { hear, words } = watch()
  const word = (steps: number) => ({ channel: CHANNEL, proof: { type: 'word', steps, word: CHANNEL } })
  hear('claim', word(3), [CHANNEL])
  hear('claim', word(3), [CHANNEL])
  hear('claim', { channel: CHANNEL, proof: { type: 'signed', payer: carol.account, amount: 150_000_000 } }, [
    CHANNEL,
  ])
  t.strictSame(words(), [
    'probe has been paid 3 readings off the ledger (5a5a5a5a5a5a)',
    'probe has been paid 1.5 coins off the ledger (5a5a5a5a5a5a)',
  ])
})

t.test('what is no such message is not told', async (t) => {
  const { events, hear } = watch()
  for (const kind of ['output', 'grant', 'claim'] as const) hear(kind, { nonsense: true }, ['a', 'b'])
  t.strictSame(events, [])
})
