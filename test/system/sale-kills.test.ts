/**
 * An agent that sells is killed with -9 again and again while it is paid: on the ledger, each payment has exactly its answers.
 *
 * Random moments come from a seed that is printed; PINLEDGER_SEED=<number> plays one again (as far as processes can be).
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { COIN } from '../../ledger/amount.ts'
import { signTransaction } from '../../ledger/transaction.ts'
import { writeGenesis } from '../../node/genesis-file.ts'
import { createKey } from '../../node/key-file.ts'
import type { Hash } from '../../schemas/hex.ts'
import { parseSellerMemo, paymentName } from '../../schemas/receipt-memo.ts'
import { topic } from '../../schemas/topic.ts'
import { seeded, signer, testGenesis } from '../helpers/ledger.ts'
import { kill, parsed, pinledger, temporary } from '../helpers/processes.ts'
import { waitUntil } from '../helpers/wait-until.ts'
import { EASY, LabMiner, startBroker } from './lab.ts'

const SEED = Number(process.env.PINLEDGER_SEED ?? Date.now() % 2 ** 32)
const KILLS = Number(process.env.PINLEDGER_KILLS ?? 15)
const ENOUGH_MS = 60_000
/** A payment this often, a block this often. */
const LOAD = { payMs: 500, blockMs: 400 } as const
const SECOND = COIN / 100
/** What is paid for, in turn, and what answers it. */
const ORDERS = [
  { memo: 'on lamp', amount: 20 * SECOND, answers: ['sold'] },
  { memo: 'on lamp', amount: SECOND, answers: ['underpaid'] },
  { memo: 'topic soil', amount: 20 * SECOND, answers: ['sold'] },
  { memo: 'on toaster', amount: 20 * SECOND, answers: ['unknown-item'] },
  { memo: 'topic soil', amount: 90_000 * SECOND, answers: ['sold', 'overpaid'] },
  { memo: 'a gift', amount: SECOND, answers: [] },
] as const

t.test(`${KILLS} kills with -9 at random moments: each payment is answered once`, async (t) => {
  t.comment(`seed ${SEED}; again with PINLEDGER_SEED=${SEED}`)
  const random = seeded(SEED)
  const data = temporary(t)
  const visitor = signer(76)
  const genesis = testGenesis({
    ...EASY,
    time: Date.now() - 600_000,
    interval: LOAD.blockMs,
    allocations: [{ account: visitor.account, amount: 100_000 * COIN }],
  })
  const { url } = await startBroker(t, [signer(201).account])
  const home = join(data, 'agent')
  mkdirSync(home, { mode: 0o700 })
  const shop = createKey(join(home, 'key.json')).account
  writeGenesis(join(data, 'genesis.json'), genesis)
  writeFileSync(join(data, 'soil.yaml'), 'steps: [{ after: 1, value: 5 }]\nrepeat: true\n')
  // Nothing is late here: what counts is once.
  const sell =
    'sell: { perMinute: "0.6", secondsMin: 5, secondsMax: 86400, lateSeconds: 86400, confirmations: 2 }'
  writeFileSync(
    join(data, 'agent.yaml'),
    [
      'name: shop',
      `broker: { url: "${url}" }`,
      `data: ${home}`,
      'genesis: genesis.json',
      'mine: { duty: 0 }',
      'sensors:',
      `  - { name: soil, driver: script, file: soil.yaml, unit: "%", ${sell} }`,
      'outputs:',
      `  - { name: lamp, file: lamp, when: { paid: true }, ${sell} }`,
      '',
    ].join('\n'),
  )
  const lab = new LabMiner(join(data, 'lab'), genesis, url, visitor, visitor.account)
  t.teardown(() => lab.stop())
  lab.start(LOAD.blockMs, 0)
  await waitUntil('the miner is connected', () => lab.node.session.connected)

  const paid = new Map<string, (typeof ORDERS)[number]>()
  const pay = (order: (typeof ORDERS)[number]): void => {
    const { chain, mempool } = lab.node
    const { network, tip } = chain
    const nonce = mempool.nextNonce(chain.state, visitor.account)
    const head = { network: network.id, from: visitor.account, nonce, fee: 0, expiry: tip.height + 10_000 }
    const { memo, amount } = order
    const sealed = signTransaction(
      network,
      { type: 'transfer', to: shop, amount, memo, ...head },
      visitor.sign,
    )
    if (!lab.node.add(sealed.bytes, visitor.account).ok) return
    paid.set(sealed.id, order)
    const name = topic(network.id, 'tx', visitor.account)
    void lab.node.session.publish(name, sealed.bytes, { qos: 1, retain: false })
  }
  let turn = 0
  const paying = setInterval(() => pay(ORDERS[turn++ % ORDERS.length] ?? ORDERS[0]), LOAD.payMs)
  t.teardown(() => clearInterval(paying))

  const start = () => pinledger(t, ['agent', '--config', join(data, 'agent.yaml'), '--json'])
  const is = (event: string) => (line: string) => parsed(line)?.event === event
  for (let round = 0; round < KILLS; round++) {
    const agent = start()
    // Most of them once it is there and settles, some while it starts.
    if (random() < 0.8) await agent.line('it is connected', is('connected'), ENOUGH_MS)
    await sleep(random() * 1_500)
    kill(agent.pid, 'SIGKILL')
    const { signal } = await agent.ended
    if (signal !== 'SIGKILL') t.fail(`kill ${round}: it had ended: ${agent.err.join('\n')}`)
    const words = [...agent.out, ...agent.err].join('\n')
    if (/store-corrupt|is damaged|bug in pinledger/.test(words)) t.fail(`kill ${round}: ${words}`)
  }
  clearInterval(paying)

  /** Codes of the answers on the ledger, by payment. */
  const answers = (): Map<string, string[]> => {
    const found = new Map<string, string[]>()
    for (const { transaction: tx } of lab.confirmed()) {
      const memo = tx.type === 'transfer' && tx.from === shop ? parseSellerMemo(tx.memo) : undefined
      if (memo === undefined) continue
      const code = memo.type === 'sold' ? 'sold' : memo.code
      found.set(memo.payment, [...(found.get(memo.payment) ?? []), code])
    }
    return found
  }
  const expected = [...paid].flatMap(([id, order]) =>
    order.answers.length === 0 ? [] : [[paymentName(id as Hash), [...order.answers].sort()] as const],
  )
  const agent = start()
  // Looking through all blocks holds up the miner in this process: not too often.
  for (let waitedMs = 0; answers().size < expected.length && waitedMs < 2 * ENOUGH_MS; waitedMs += 2_000)
    await sleep(2_000)
  // Whatever would come twice has some blocks to come.
  const height = lab.node.chain.tip.height
  await waitUntil('ten more blocks', () => lab.node.chain.tip.height > height + 10, ENOUGH_MS)
  const found = answers()
  t.ok(expected.length > KILLS, `${expected.length} payments`)
  const wrong = expected
    .map(([payment, codes]) => ({ payment, codes, got: [...(found.get(payment) ?? [])].sort() }))
    // Once much runs, what does not fit below the most that can be bought comes back, in part or whole: each at most once.
    .filter(({ codes, got }) => {
      const fine = codes.includes('sold') ? ['sold', 'overpaid,sold', 'overpaid'] : [codes.join()]
      return !fine.includes(got.join())
    })
  t.strictSame(wrong, [])
  t.equal(found.size, expected.length, 'and nothing else is')
  kill(agent.pid, 'SIGKILL')
  await waitUntil('the lamp is safe', () => readFileSync(join(data, 'lamp'), 'utf8') === '0\n')
})
