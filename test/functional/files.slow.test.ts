/** A file is sold over a real broker: the built program as broker, validators, agents and buyer, with blocks every second. */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parse, stringify } from 'yaml'
import { openBenchNetwork } from '../../cli/bench-network.ts'
import { createKey, loadKey } from '../../node/key-file.ts'
import { parsed, pinledger, run, temporary } from '../helpers/processes.ts'
import { foundQuickNetwork } from '../helpers/quick-network.ts'

const PORTS = ['--mqtt-port', '0', '--ws-port', '0', '--http-port', '0']
const BYTES = Buffer.from(
  Uint8Array.from({ length: 3_000_000 }, (_, at) => (at * 7 + Math.floor(at / 251)) % 256),
)

/** A network whose first agent sells files, and a visitor who has coins. */
async function startMarket(t: Test) {
  const data = temporary(t)
  const key = join(data, 'visitor.json')
  foundQuickNetwork(data, {}, [createKey(key).account])
  const network = await openBenchNetwork(data, 'bench')
  mkdirSync(join(data, 'shelf'))
  writeFileSync(join(data, 'shelf', 'day.bin'), BYTES)
  const [config = ''] = network.agentConfigs
  const files = {
    ...{ directory: 'shelf', price: '0.5', quietSeconds: 0, confirmations: 2 },
    ...{ deadlineBlocks: 240, deadlineMinutes: 1, marginBlocks: 4, marginMinutes: 0.1 },
  }
  writeFileSync(config, stringify({ ...(parse(readFileSync(config, 'utf8')) as object), files }))
  const up = pinledger(t, ['up', '--data', data, '--duration', '100', ...PORTS])
  const where = await up.line('it says where', (line) => line.includes('MQTT '))
  await up.line('a block is found', (line) => line.includes(' block '), 40_000)
  const broker = /mqtt:\/\/[\d.:]+/.exec(where)?.[0] ?? ''
  const seller = loadKey(join(data, 'agent-1', 'key.json')).account
  const purchases = join(data, 'purchases')
  const buy = (...more: string[]): string[] => [
    ...['buy', 'file', 'day.bin', '--of', seller, '--key', key, '--broker', broker],
    ...['--purchases', purchases, '--out', join(data, 'bought.bin'), ...more],
  ]
  return { data, broker, key, purchases, buy }
}

t.test('a visitor sees the price, buys a file from an agent, and does not pay for it twice', async (t) => {
  const { data, broker, key, purchases, buy } = await startMarket(t)
  const price = await run(t, buy())
  t.equal(price.code, 1)
  t.match(price.out, 'not bought, it costs 0.5 coins: to buy it, add  --max-coins 0.5')
  const bought = await run(t, buy('--max-coins', '0.5'))
  t.equal(bought.code, 0, `${bought.out}\n${bought.err}`)
  t.match(bought.err, /quote .* 3\.00 MB for 0\.5 coins/)
  t.match(bought.err, 'what is in it, only the seller says')
  t.match(bought.err, /fetching +#{20} 100 %/)
  t.match(bought.err, /paying +0\.5 coins under a lock, transaction [0-9a-f]{64}/)
  t.match(bought.out, `bought, ${join(data, 'bought.bin')}`)
  t.ok(readFileSync(join(data, 'bought.bin')).equals(BYTES))
  t.equal(statSync(purchases).mode & 0o777, 0o700)
  const [directory = ''] = readdirSync(purchases)
  t.equal(statSync(join(purchases, directory)).mode & 0o777, 0o700)
  t.equal(statSync(join(purchases, directory, 'purchase.json')).mode & 0o777, 0o600)
  const again = await run(t, buy('--max-coins', '0.5'))
  t.equal(again.code, 2)
  t.match(again.err, 'is already there, and is never replaced')
  const refund = await run(t, ['buy', 'refund', '--key', key, '--broker', broker, '--purchases', purchases])
  t.equal(refund.code, 0)
  t.match(refund.out, 'is open', 'there is nothing to give back')
})

t.test('a buyer that is killed once it has paid gets its file by --resume', async (t) => {
  const { data, broker, key, purchases, buy } = await startMarket(t)
  const first = pinledger(t, buy('--max-coins', '0.5', '--json'))
  await first.line('it has paid', (line) => parsed(line)?.event === 'paying', 60_000)
  first.child.kill('SIGKILL')
  t.match(await first.ended, { signal: 'SIGKILL' })
  const resume = ['buy', 'file', '--resume', '--key', key, '--broker', broker, '--purchases', purchases]
  const second = await run(t, [...resume, '--json'])
  t.equal(second.code, 0, `${second.out}\n${second.err}`)
  t.match(parsed(second.out.split('\n').at(-1) ?? ''), { status: 'bought' })
  t.ok(readFileSync(join(data, 'bought.bin')).equals(BYTES))
})
