/** `pinledger genesis` and the slow hand: of its own, none, or that of another network. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { firstWorks } from '../../cli/first-works.ts'
import { SLOW_RATIO_MAX } from '../../cli/options.ts'
import { SLOW_SHARE } from '../../edge-agent/miner.ts'
import { workOf } from '../../ledger/difficulty.ts'
import { networkOf } from '../../node/chain-store.ts'
import { readGenesis } from '../../node/genesis-file.ts'
import { MOMENT_HEADERS_MAX } from '../../schemas/moment.ts'
import { inProcess } from '../helpers/in-process.ts'
import { temporary } from '../helpers/processes.ts'

let count = 0

async function found(t: Test, ...options: readonly string[]) {
  const out = join(temporary(t), 'genesis.json')
  const name = options.includes('--name') ? [] : ['--name', `lab${count++}`]
  const work =
    options.includes('--first-work') || options.includes('--measured') ? [] : ['--first-work', '5000']
  const asked = options.filter((each) => each !== '--measured')
  const said = await inProcess('genesis', '--out', out, ...name, ...work, ...asked)
  const network = said.code === 0 ? networkOf(readGenesis(out)) : undefined
  return { ...said, file: out, network, hand: network?.hand }
}

t.test('--slow-ratio 0: no slow hand, and a genesis of version 1 as before', async (t) => {
  const { network, hand, out } = await found(t, '--slow-ratio', '0')
  t.equal(hand, undefined)
  t.match(network?.genesis, { version: 1, slowRatio: 0 })
  t.match(out, /^ {2}slow hand {4}none$/m)
  const json = await found(t, '--slow-ratio', '0', '--json')
  t.match(JSON.parse(json.out), { slowHand: null })
})

t.test('--slow-ratio 16, or nothing said: a tick for every 16 blocks', async (t) => {
  for (const options of [['--slow-ratio', '16'], []]) {
    const { network, hand, out, file } = await found(
      t,
      '--preset',
      'field',
      '--first-work',
      '5000',
      ...options,
    )
    t.match(network?.genesis, { version: 2, slowRatio: 16 })
    t.match(hand?.genesis, { interval: 160_000, halfLife: 64, time: network?.genesis.time })
    t.match(
      out,
      new RegExp(`^ {2}slow hand {4}${hand?.id}: a tick for every 16 blocks, which is every 160 s$`, 'm'),
    )
    t.match(JSON.parse(readFileSync(file, 'utf8')), { version: 2, hand: { interval: 160_000 } })
    t.equal(workOf(network?.genesis.target ?? 0n), 5000n)
    t.equal(workOf(hand?.genesis.target ?? 0n), 20_000n, 'from what was said of the first block')
  }
  const { out, hand, network } = await found(t, '--slow-ratio', '2', '--json', '--preset', 'bench')
  t.match(JSON.parse(out), { slowHand: hand?.genesisHash, hash: network?.genesisHash })
  t.equal(hand?.genesis.interval, 8_000)
})

t.test('a ratio that is none: exit code 2', async (t) => {
  for (const ratio of ['1', '70000', '65536', '-2', '1.5', 'x', '']) {
    const { code, err } = await found(t, '--slow-ratio', ratio)
    t.equal(code, 2)
    t.match(err, /expected 2 to 1024 blocks per tick, such as 16, or 0 for no slow hand/)
  }
})

t.test(
  'a ratio up to a quarter of the blocks that a proof holds; above that exit code 2 says why',
  async (t) => {
    t.equal(SLOW_RATIO_MAX, MOMENT_HEADERS_MAX / 4)
    const most = await found(t, '--preset', 'bitcoin', '--slow-ratio', '1024')
    t.equal(most.hand?.genesis.interval, 1024 * 600_000)
    const reason = new RegExp(`a proof of when something happened holds at most ${MOMENT_HEADERS_MAX} blocks`)
    for (const command of ['genesis', 'up']) {
      const folder = temporary(t)
      const out =
        command === 'genesis' ? ['--name', 'a', '--out', join(folder, 'g.json')] : ['--data', folder]
      const { code, err } = await inProcess(command, ...out, '--slow-ratio', '1025')
      t.equal(code, 2, err)
      t.match(err, /expected 2 to 1024 blocks per tick/)
      t.match(err, reason)
    }
    const { code, err } = await found(t, '--preset', 'bench', '--slow-hand', most.file)
    t.equal(code, 2, err)
    t.match(err, /not 2 to 1024 blocks of 4000 ms/)
    t.match(err, reason)
  },
)

t.test('--slow-hand: the hand of another network, by its hash, also of another preset', async (t) => {
  const home = await found(t, '--name', 'home', '--preset', 'bench', '--slow-ratio', '20')
  const barn = await found(t, '--name', 'barn', '--preset', 'field', '--slow-hand', home.file)
  t.equal(barn.code, 0, barn.err)
  t.equal(barn.hand?.genesisHash, home.hand?.genesisHash)
  t.not(barn.network?.genesisHash, home.network?.genesisHash)
  t.match([home.network?.genesis.slowRatio, barn.network?.genesis.slowRatio], [20, 8])
  t.match(
    barn.out,
    new RegExp(`^ {2}slow hand {4}${home.hand?.id}: a tick for every 8 blocks, which is every 80 s$`, 'm'),
  )
  const json = await found(t, '--name', 'yard', '--slow-hand', home.file, '--json')
  t.match(JSON.parse(json.out), { slowHand: home.hand?.genesisHash })
})

t.test('--slow-hand that cannot be: no multiple, too fast, none, no file', async (t) => {
  const home = await found(t, '--preset', 'bench', '--slow-ratio', '16')
  const fast = await found(t, '--preset', 'bench', '--slow-ratio', '2')
  const equal = await found(t, '--preset', 'bench', '--slow-ratio', '150')
  const none = await found(t, '--slow-ratio', '0')
  const cases: [string, string, RegExp][] = [
    [
      home.file,
      'field',
      /--slow-hand: its ticks come every 64000 ms, which is not 2 to 1024 blocks of 10000 ms/,
    ],
    [fast.file, 'bitcoin', /not 2 to 1024 blocks of 600000 ms/],
    [equal.file, 'bitcoin', /not 2 to 1024 blocks of 600000 ms/],
    [none.file, 'field', /is the genesis of a network without a slow hand/],
    [`${home.file}x`, 'field', /cannot read genesis/],
  ]
  for (const [file, preset, reason] of cases) {
    const { code, err } = await found(t, '--preset', preset, '--slow-hand', file)
    t.equal(code, 2)
    t.match(err, reason)
  }
})

t.test('what is hashed in an interval is shared between the first block and the first tick', async (t) => {
  t.strictSame(firstWorks(1000, 0), { firstWork: 1000 })
  t.strictSame(firstWorks(1000, 16), {
    firstWork: 1000 * (1 - SLOW_SHARE),
    slow: { ratio: 16, hand: { firstWork: 1000 * SLOW_SHARE * 16 } },
  })
  t.strictSame(firstWorks(0, 2), { firstWork: 1, slow: { ratio: 2, hand: { firstWork: 1 } } })
  const { network, hand } = await found(t, '--measured', '--slow-ratio', '16', '--preset', 'bitcoin')
  const [block, tick] = [network?.genesis.target ?? 0n, hand?.genesis.target ?? 0n].map((each) =>
    Number(workOf(each)),
  )
  t.ok(
    Math.abs((tick as number) / (block as number) / 4 - 1) < 0.01,
    `${tick} for a tick, ${block} for a block`,
  )
})
