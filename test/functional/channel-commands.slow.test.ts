/** Channels from the command line: bought by hand, listed, closed, and claimed for a seller that is away. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { COIN } from '../../ledger/amount.ts'
import { createKey, loadKey } from '../../node/key-file.ts'
import { alice } from '../helpers/ledger.ts'
import { parsed, pinledger, run, temporary } from '../helpers/processes.ts'
import { Rig } from '../helpers/rig.ts'
import { countingScript, keepMining, openShop } from '../helpers/shop.ts'
import { waitUntil } from '../helpers/wait-until.ts'

async function site(t: Parameters<typeof temporary>[0], names: readonly string[]) {
  const directory = temporary(t)
  const keys = names.map((name) => createKey(join(directory, name)).account)
  const allocations = [alice.account, ...keys].map((account) => ({ account, amount: 10 * COIN }))
  const rig = await Rig.start(t, { allocations })
  const running = await rig.validator()
  const stopMining = await keepMining(t, rig, running, 200)
  const sell = { perReading: '0.01', claimAboveCoins: '5', delayBlocksMin: 5 }
  const sensor = { name: 'soil', driver: 'script', file: countingScript(t, 0.1), unit: '%', sell }
  const place = { url: rig.url, genesis: rig.genesis, clock: rig.clock() }
  const shop = await openShop(t, place, { sensors: [sensor] })
  const balance = (index: number): number => rig.chain.chain.state.account(keys[index] as never).balance
  const file = (name: string): string => join(directory, name)
  return { rig, shop, balance, file, stopMining }
}

t.test('a visitor buys five readings, and has what is left back', async (t) => {
  const { rig, shop, balance, file, stopMining } = await site(t, ['visitor.json'])
  const key = ['--key', file('visitor.json'), '--broker', rig.url, '--json']
  const bought = await run(t, [
    ...['buy', 'readings', 'soil', '--of', shop.account, '--count', '5', '--deposit', '0.2'],
    ...['--price', '0.01', '--delay', '40', ...key],
  ])
  t.equal(bought.code, 0, bought.err)
  const lines = bought.out.split('\n').map(parsed)
  const readings = lines.filter((line) => line?.step === 'reading')
  t.equal(readings.length, 5)
  t.match(readings[4], { index: 5, unit: '%' })
  await waitUntil('the seller has claimed and closed', () => balance(0) === 10 * COIN - 0.05 * COIN)
  t.equal(rig.chain.chain.state.account(shop.account).balance, 0.05 * COIN)
  const listed = await run(t, ['channel', 'list', ...key])
  t.match(parsed(listed.out), { side: 'buys', sensor: 'soil', readings: 5, open: false, stopped: 'done' })
  await stopMining()
})

t.test('a channel that is opened by hand is used twice, listed and closed', async (t) => {
  const { rig, shop, file, balance, stopMining } = await site(t, ['visitor.json'])
  const key = ['--key', file('visitor.json'), '--broker', rig.url]
  const open = [
    '--of',
    shop.account,
    '--sensor',
    'soil',
    '--price',
    '0.01',
    '--deposit',
    '0.1',
    '--delay',
    '10',
  ]
  const opened = await run(t, ['channel', 'open', ...open, '--mode', 'signed', ...key])
  t.equal(opened.code, 0, opened.err)
  t.ok(existsSync(`${file('visitor.json')}.channels/channels.log`))
  for (const paid of ['0.02', '0.04']) {
    const { code, out, err } = await run(t, [
      ...['buy', 'readings', 'soil', '--of', shop.account, '--count', '2', '--keep', ...key],
    ])
    t.equal(code, 0, err)
    t.match(out, new RegExp(`${paid} paid in all`))
  }
  const { out } = await run(t, ['channel', 'list', ...key])
  t.match(out, /buys soil from [0-9a-f]{8}: 4 readings for 0.04; deposit 0.1, claimed 0, left 0.1; open/)
  const [id = ''] = out.split(' ')
  t.equal((await run(t, ['channel', 'close', id, ...key])).code, 0)
  await waitUntil('it is closed', () => balance(0) === 10 * COIN - 0.04 * COIN)
  const both = await run(t, ['channel', 'list', ...key, '--data', '/tmp'])
  t.equal(both.code, 2)
  await stopMining()
})

t.test('the seller is away when buyers close: a watcher claims for it, whatever they publish', async (t) => {
  const buyers = ['visitor.json', 'guest.json']
  const { rig, shop, file, balance, stopMining } = await site(t, [...buyers, 'watcher.json'])
  const keyOf = (name: string) => ['--key', file(name), '--broker', rig.url]
  for (const name of buyers) {
    const { code, err } = await run(t, [
      ...['buy', 'readings', 'soil', '--of', shop.account, '--count', '3', '--price', '0.01'],
      ...['--deposit', '0.1', '--delay', '300', '--keep', ...keyOf(name)],
    ])
    t.equal(code, 0, err)
  }
  await shop.stop()
  for (const name of buyers) {
    const [id = ''] = (await run(t, ['channel', 'list', ...keyOf(name)])).out.split(' ')
    const buyer = await rig.device(loadKey(file(name)))
    await buyer.send('claim', Buffer.from('x'), { levels: [id], retain: true, qos: 1 })
    const { code, out } = await run(t, ['channel', 'close', id, ...keyOf(name)])
    t.equal(code, 0, out)
  }
  const watcher = pinledger(t, [
    ...['channel', 'watch', ...keyOf('watcher.json'), '--patience', '0', '--json'],
  ])
  await watcher.line('it claims', (line) => parsed(line)?.event === 'claims')
  await waitUntil(
    'the seller is paid',
    () => rig.chain.chain.state.account(shop.account).balance > 0.03 * COIN,
  )
  t.equal(rig.chain.chain.state.account(shop.account).balance, 0.06 * COIN, 'all that was proven')
  t.equal(balance(2), 10 * COIN, 'the watcher pays the fee, which is 0 here')
  await watcher.line('and tells of both', (line) => parsed(line)?.status === 'confirmed')
  t.strictSame(
    watcher.out.map((line) => parsed(line)?.event).slice(0, 2),
    ['claims', 'claims'],
    'the second does not wait for the first',
  )
  await stopMining()
})
