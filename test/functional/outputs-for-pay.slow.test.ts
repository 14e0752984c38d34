/** A visitor's key pays a lamp: a real broker, a validator, and an agent as it runs, with its guard and a lamp that is a file. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { buyOutput, type Step } from '../../cli/buying.ts'
import { findSeller } from '../../cli/seller.ts'
import { COIN } from '../../ledger/amount.ts'
import { systemClock } from '../../node/clock.ts'
import { createKey } from '../../node/key-file.ts'
import type { Account } from '../../schemas/hex.ts'
import { alice } from '../helpers/ledger.ts'
import { parsed, run, temporary } from '../helpers/processes.ts'
import { Rig, recordingLog } from '../helpers/rig.ts'
import { keepMining, openShop } from '../helpers/shop.ts'
import { waitUntil } from '../helpers/wait-until.ts'

const SELL = { perMinute: '0.6', secondsMin: 2, secondsMax: 60, confirmations: 2 }
const SECOND = COIN / 100

async function site(t: Test) {
  const rig = await Rig.start(t)
  const running = await rig.validator()
  const file = join(temporary(t), 'lamp')
  const config = {
    outputs: [
      { name: 'lamp', file, when: { paid: true }, sell: SELL },
      { name: 'fan', file: `${file}.fan`, when: { agent: 'connected' } },
    ],
  }
  const open = (data?: string) =>
    openShop(t, { url: rig.url, genesis: rig.genesis, clock: rig.clock() }, config, data)
  const shop = await open()
  const lamp = (): string => (existsSync(file) ? readFileSync(file, 'utf8').trim() : '')
  await waitUntil('the lamp is driven', () => lamp() === '0')
  const { log } = recordingLog()
  /** Buys as the command does; what it said and its exit code. */
  const buy = async (name: string, amount: number, seller: Account = shop.account) => {
    const steps: Step[] = []
    const purchase = {
      item: { kind: 'on', name },
      seller,
      amount,
      network: undefined,
      waitSeconds: 30,
    } as const
    const code = await buyOutput({ url: rig.url }, alice, purchase, (step) => void steps.push(step), log)
    return { code, steps, said: steps.map(({ step }) => step) }
  }
  const balance = (): number => rig.chain.chain.state.account(alice.account).balance
  return { rig, running, open, shop, lamp, buy, balance, log }
}

t.test('it is on for the time paid, and the payer has a receipt in a block', async (t) => {
  const { rig, running, shop, lamp, buy, balance, log } = await site(t)
  await keepMining(t, rig, running)
  t.equal(await findSeller({ url: rig.url }, 'shop', log), shop.account, 'by its name')
  await t.rejects(findSeller({ url: rig.url }, 'shp', log), { code: 'usage', message: /there is .*shop/ })
  const before = balance()
  const bought = buy('lamp', 4 * SECOND)
  await waitUntil('it is on', () => lamp() === '1')
  const startedMs = performance.now()
  const { code, said, steps } = await bought
  t.equal(code, 0)
  t.strictSame(said, ['paid', 'accepted', 'confirmed', 'sold', 'recorded'])
  const sold = steps.find(({ step }) => step === 'sold')
  const recorded = steps.find(({ step }) => step === 'recorded')
  t.equal(sold?.step === 'sold' && sold.receipt, recorded?.step === 'recorded' && recorded.transaction)
  await waitUntil('it is off', () => lamp() === '0')
  const ms = performance.now() - startedMs
  t.ok(ms > 3_000 && ms < 15_000, `on for ${Math.round(ms)} ms`)
  t.equal(before - balance(), 4 * SECOND)
})

t.test('what buys too little, too much or nothing comes back', async (t) => {
  const { rig, running, lamp, buy, balance } = await site(t)
  await keepMining(t, rig, running)
  const before = balance()
  const little = await buy('lamp', SECOND)
  t.match(little, { code: 1, said: ['paid', 'accepted', 'confirmed', 'refunded', 'recorded'] })
  t.match(little.steps[3], { code: 'underpaid', amount: SECOND })
  t.match((await buy('toaster', 9 * SECOND)).steps[3], { code: 'unknown-item', amount: 9 * SECOND })
  t.match((await buy('fan', 9 * SECOND)).steps[3], { code: 'not-for-sale', amount: 9 * SECOND })
  t.equal(balance(), before)
  t.equal(lamp(), '0')
  const much = await buy('lamp', 100 * SECOND)
  t.match(much, {
    code: 0,
    said: ['paid', 'accepted', 'confirmed', 'sold', 'refunded', 'recorded', 'recorded'],
  })
  t.match(much.steps[4], { code: 'overpaid', amount: 40 * SECOND })
  t.equal(before - balance(), 60 * SECOND)
  t.equal(lamp(), '1')
})

t.test('an agent that is started anew goes on by its receipts, once it is in sync', async (t) => {
  const { rig, running, open, shop, lamp, buy } = await site(t)
  const stopMining = await keepMining(t, rig, running)
  await buy('lamp', 60 * SECOND)
  await stopMining()
  await waitUntil('it is on', () => lamp() === '1')
  await shop.stop()
  t.equal(lamp(), '0', 'safe when the agent stops')
  const again = await open(shop.data)
  await waitUntil('it is on again', () => lamp() === '1')
  t.equal(again.lines.filter(({ event }) => event === 'sold').length, 0, 'nothing is sold twice')
})

t.test(
  'minutes are enough: the price is the one that is offered, and what is not offered is not paid',
  async (t) => {
    const directory = temporary(t)
    const key = join(directory, 'visitor.json')
    const visitor = createKey(key).account
    // Offers are good by everybody's clock, so the network is of now.
    const rig = await Rig.start(t, {
      time: Date.now() - 600_000,
      allocations: [alice.account, visitor].map((account) => ({ account, amount: COIN })),
    })
    const running = await rig.validator()
    await keepMining(t, rig, running, 500)
    const sell = { ...SELL, confirmations: 1, lateSeconds: 86_400 }
    const outputs = [{ name: 'lamp', file: join(directory, 'lamp'), when: { paid: true }, sell }]
    await openShop(t, { url: rig.url, genesis: rig.genesis, clock: systemClock() }, { outputs })
    const buy = (...words: string[]) =>
      run(t, ['buy', 'output', 'lamp', '--of', 'shop', '--key', key, '--broker', rig.url, ...words])
    const balance = (): number => rig.chain.chain.state.account(visitor).balance
    for (const [words, code, expected] of [
      [['--seconds', '1'], 2, /shop sells 2 s of lamp at least, not 1 s/],
      [['--minutes', '1.5'], 2, /shop sells 60 s of lamp at most, not 90 s/],
      [['--minutes', '1', '--max-coins', '0.59'], 1, /refused: 60 s cost 0\.6 coins, more than 0\.59/],
    ] as const) {
      const refused = await buy(...words)
      t.equal(refused.code, code, refused.err)
      t.match(refused.out + refused.err, expected)
    }
    t.equal(balance(), COIN, 'nothing was paid')
    const bought = await buy('--minutes', '0.5', '--max-coins', '0.3', '--json')
    t.equal(bought.code, 0, bought.out + bought.err)
    const steps = bought.out.trim().split('\n').map(parsed)
    t.strictSame(
      steps.map((line) => line?.step),
      ['offered', 'paid', 'accepted', 'confirmed', 'sold', 'recorded'],
    )
    t.match(steps[0], { name: 'shop', seconds: 30, perMinute: 0.6 * COIN, amount: 0.3 * COIN })
    t.equal(COIN - balance(), 0.3 * COIN)
  },
)
