/** `pay`, `account` and `watch` against a real broker and validators. */
import { join } from 'node:path'
import t from 'tap'
import { feeFor } from '../../cli/pay-fee.ts'
import { COIN } from '../../ledger/amount.ts'
import { createKey } from '../../node/key-file.ts'
import type { Requests } from '../../node/requests.ts'
import { alice, bob, testNetwork } from '../helpers/ledger.ts'
import { parsed, pinledger, run, temporary } from '../helpers/processes.ts'
import { Rig } from '../helpers/rig.ts'
import { waitUntil } from '../helpers/wait-until.ts'

async function lab(t: Parameters<typeof run>[0], genesis: Parameters<typeof Rig.start>[1] = {}) {
  const rig = await Rig.start(t, genesis)
  const running = await rig.validator()
  const key = join(temporary(t), 'key.json')
  const payer = createKey(key)
  const pay = (...args: string[]): string[] => [
    ...['pay', '--key', key, '--broker', rig.url, '--to', bob.account],
    ...args,
  ]
  return { rig, running, node: running.validator.node, payer, pay }
}

t.test('a payment is refused when uncovered, confirmed when covered, and shows in the views', async (t) => {
  const { rig, running, node, payer, pay } = await lab(t)
  const unknown = await run(t, ['account', payer.account, '--broker', rig.url])
  t.equal(unknown.code, 1)
  t.match(unknown.out, 'it has no coins and has sent nothing')
  const poor = await run(t, pay('--amount', '1', '--json'))
  t.equal(poor.code, 1)
  t.match(JSON.parse(poor.out), { status: 'refused', reason: 'the account has 0 coins and needs 1' })
  t.equal(node.mempool.size, 0, 'nothing was sent')

  await rig.mine([running], [rig.chain.transfer(alice, payer.account, 2 * COIN)])
  const watch = pinledger(t, ['watch', '--broker', rig.url, '--json'])
  await watch.line('it watches', (line) => parsed(line)?.event === 'presence')
  const paying = pinledger(t, pay('--amount', '1.5', '--memo', 'a coffee', '--json'))
  await waitUntil('the payment waits', () => node.mempool.size === 1)
  await rig.mine([running], node.mempool.ordered())
  t.strictSame(await paying.ended, { code: 0, signal: null })
  t.match(parsed(paying.out.at(-1) ?? ''), { status: 'confirmed', height: 2, fee: 0 })

  const event = parsed(await watch.line('people see it', (line) => parsed(line)?.event === 'payment'))
  t.match(event, { amount: 1.5 * COIN, memo: 'a coffee', height: 2 })
  const view = await run(t, ['account', payer.account, '--broker', rig.url, '--json'])
  t.equal(view.code, 0)
  t.match(JSON.parse(view.out), {
    account: payer.account,
    views: [{ balance: 0.5 * COIN, nonce: 1, height: 2 }],
  })
  t.match((await run(t, ['account', payer.account, '--broker', rig.url])).out, '0.5 coins')
  watch.child.kill('SIGINT')
  t.strictSame(await watch.ended, { code: 0, signal: null })
})

t.test(
  'a payment that no block takes is told as unconfirmed, and for another network not made',
  async (t) => {
    const { rig, running, node, payer, pay } = await lab(t)
    await rig.mine([running], [rig.chain.transfer(alice, payer.account, COIN)])
    const late = await run(t, pay('--amount', '0.5', '--wait', '0.5'))
    t.equal(late.code, 1)
    t.match(late.out, /unconfirmed.*it may still be confirmed until block \d+/)
    const other = await run(t, pay('--amount', '0.1', '--network', '0badcafe'))
    t.equal(other.code, 3)
    t.match(other.err, 'tells of a network 0badcafe')
    t.equal(node.mempool.size, 1)
  },
)

t.test('without --fee it pays what the validator has seen full blocks ask for', async (t) => {
  const { rig, running, node, payer, pay } = await lab(t, { feeFloor: 1_000 })
  await rig.mine([running], [rig.chain.transfer(alice, payer.account, 2 * COIN, { fee: 1_000 })])
  const dear = rig.chain.transfer(alice, bob.account, 1, { fee: 20_000 })
  const bytes = new Uint8Array(rig.genesis.blockBytesMax)
  const full = { block: rig.chain.block(), bytes, transactions: [dear] }
  node.fees.update({ disconnected: [], connected: Array(60).fill(full) }, () => true)
  const paying = pinledger(t, pay('--amount', '1.5', '--json'))
  await waitUntil('the payment waits', () => node.mempool.size === 1)
  const fee = node.mempool.ordered()[0]?.transaction.fee
  t.ok(fee !== undefined && fee > 20_000 && fee < 20_010, `${fee} is just above what got in`)
  await rig.mine([running], node.mempool.ordered())
  t.strictSame(await paying.ended, { code: 0, signal: null })
  t.match(parsed(paying.out.at(-1) ?? ''), { status: 'confirmed', fee })
})

t.test('an estimate is bounded on both sides, and without one the floor is paid', async (t) => {
  const network = testNetwork({ feeFloor: 10 })
  const fees = { type: 'fees', id: 1, floor: 10, next: 1, later: 1 } as const
  const fee = (soon: number | undefined, amount: number, on = network) => {
    const answer =
      soon === undefined
        ? ({ ok: false, fault: { code: 'timeout', message: '' } } as const)
        : ({ ok: true, value: { ...fees, soon } } as const)
    const requests = { ask: async () => answer } as unknown as Pick<Requests, 'ask'>
    return feeFor(on, { bytes: 200, amount }, requests, bob.account)
  }
  t.equal(await fee(undefined, 1e9), 10)
  t.equal(await fee(5, 1e9), 10)
  t.equal(await fee(501, 1e9), 101, 'in proportion, rounded up')
  t.equal(await fee(1e9, 500), 1_000, '100 floors')
  t.equal(await fee(1e9, 1e6), 10_000, 'a hundredth of the amount')
  t.equal(await fee(1e9, 50, testNetwork({ feeFloor: 0 })), 0)
})
