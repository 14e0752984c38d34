/** `pay`, `account` and `watch` against a real broker and validators. */
import { join } from 'node:path'
import t from 'tap'
import { COIN } from '../../ledger/amount.ts'
import { createKey } from '../../node/key-file.ts'
import { alice, bob } from '../helpers/ledger.ts'
import { parsed, pinledger, run, temporary } from '../helpers/processes.ts'
import { Rig } from '../helpers/rig.ts'
import { waitUntil } from '../helpers/wait-until.ts'

async function lab(t: Parameters<typeof run>[0]) {
  const rig = await Rig.start(t)
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
