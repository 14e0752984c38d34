/** The examples of docs/TRADE.md, section Wires, do what it says. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { parse } from 'yaml'
import { bob, carol, TestChain, testNetwork } from '../helpers/ledger.ts'
import { fromRoot } from '../helpers/root.ts'
import { sample, WiresLab } from '../helpers/wires-lab.ts'

const text = readFileSync(fromRoot('docs/TRADE.md'), 'utf8')
const section = text.split(/^## /m).find((part) => part.startsWith('Wires\n')) ?? ''
/** One example is a whole file, the others are wires alone. */
const listOf = (value: object[] | { readonly wires: object[] }): object[] =>
  Array.isArray(value) ? value : value.wires
const examples = [...section.matchAll(/```yaml\n(.*?)```/gs)].map(([, yaml = '']) => listOf(parse(yaml)))

const SECOND = 60_000
const lab = (example: number, sensors: readonly string[] = []) =>
  new WiresLab({
    wires: examples[example] ?? [],
    sensors,
    test: new TestChain(testNetwork({ interval: SECOND })),
  })
const payments = (of: WiresLab) =>
  of.outbox.unconfirmed.map(({ transaction: tx }) =>
    tx.type === 'transfer' ? [tx.to, tx.amount / 1e8, tx.memo.replace(/[0-9a-f]{16}$/, 'READING')] : [],
  )

t.test('there are four', async (t) => {
  t.equal(examples.length, 4)
})

t.test('each reading, two blocks deep, and no more than a coin a day', async (t) => {
  const buyer = lab(0)
  buyer.mine(buyer.readings(...Array<string>(60).fill('30')))
  t.strictSame(payments(buyer), [])
  buyer.mine(buyer.readings(...Array<string>(60).fill('30')))
  buyer.mine()
  t.strictSame(payments(buyer)[0], [bob.account, 0.01, 'soil moisture READING'])
  t.equal(payments(buyer).length, 100)
})

t.test('a pump for each time that it gets dry', async (t) => {
  const buyer = lab(1)
  for (const value of ['30', '19', '18', '21', '19', '26', '12']) buyer.mine(buyer.readings(value))
  t.strictSame(payments(buyer), [
    [carol.account, 0.04, 'on pump'],
    [carol.account, 0.04, 'on pump'],
  ])
})

t.test('water by the litre', async (t) => {
  const buyer = lab(2, ['water-used'])
  const litres = ['12.5', '0', '3', '10000']
  buyer.say(...litres.map((value, at) => ({ ...sample(at, value), sensor: 'water-used' })))
  buyer.pay()
  t.strictSame(payments(buyer), [
    [carol.account, 0.025, 'water 0'],
    [carol.account, 0.006, 'water 2'],
    [carol.account, 5, 'water 3'],
  ])
})

t.test('rent, once a day', async (t) => {
  const buyer = lab(3)
  buyer.now = Date.UTC(2026, 0, 1, 12)
  for (const hours of [0, 6, 12, 18]) {
    buyer.now = Date.UTC(2026, 0, 1, 12 + hours)
    buyer.pay()
  }
  t.strictSame(payments(buyer), [
    [carol.account, 0.5, 'rent 2026-01-01T00:00'],
    [carol.account, 0.5, 'rent 2026-01-02T00:00'],
  ])
})
