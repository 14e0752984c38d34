/**
 * A device whose clock jumps by an hour while it runs, by libfaketime: nobody follows what it makes meanwhile, it rests and says so
 * where it can tell, and once its clock is right again it is on the others' chain and mines.
 */
import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { stringify } from 'yaml'
import { targetFor } from '../../ledger/difficulty.ts'
import type { Account } from '../../schemas/hex.ts'
import { parsed, pinledger, startProgram, temporary } from '../helpers/processes.ts'
import { foundQuickNetwork } from '../helpers/quick-network.ts'
import { fromRoot } from '../helpers/root.ts'
import { waitUntil } from '../helpers/wait-until.ts'
import { listen, startBroker } from './lab.ts'
import { notInstalled } from './machine.ts'

const MAIN = fromRoot('dist/cli/main.js')
const ENOUGH_MS = 60_000
/** Blocks that the others make while the clock is wrong. */
const BLOCKS = 10

/** Debian's library for the machine's own architecture. */
function libfaketime(): string | undefined {
  for (const name of existsSync('/usr/lib') ? readdirSync('/usr/lib') : []) {
    const path = join('/usr/lib', name, 'faketime', 'libfaketimeMT.so.1')
    if (existsSync(path)) return path
  }
  return undefined
}

async function jump(t: Test, offset: string): Promise<void> {
  const library = libfaketime()
  if (library === undefined) {
    notInstalled(t, 'libfaketime', 'libfaketime')
    return
  }
  const data = temporary(t)
  const found = foundQuickNetwork(data, { target: targetFor(50_000) })
  const [validator] = found.validators as [Account]
  const { url } = await startBroker(t, found.validators)
  const announced = await listen(t, url)
  pinledger(t, [
    ...['validator', '--name', 'validator', '--data', join(data, 'validator-1')],
    ...['--genesis', found.genesisFile, '--broker', url, '--json'],
  ])
  const [clock, next] = [join(data, 'clock'), join(data, 'clock.new')]
  const set = (to: string): void => {
    writeFileSync(next, `${to}\n`)
    renameSync(next, clock)
  }
  set('+0')
  const agent = (index: number, duty: number, environment: readonly string[]) => {
    const name = `agent-${index + 1}`
    const file = join(data, `${name}.yaml`)
    const config = {
      name,
      broker: { url },
      data: join(data, name),
      genesis: found.genesisFile,
      mine: { duty },
    }
    writeFileSync(file, stringify(config))
    return startProgram(t, 'env', [
      ...environment,
      process.execPath,
      MAIN,
      'agent',
      '--config',
      file,
      '--json',
    ])
  }
  agent(0, 0.1, [])
  // Weaker than the other: what it makes on its own is soon outweighed.
  const odd = agent(1, 0.05, [
    `LD_PRELOAD=${library}`,
    `FAKETIME_TIMESTAMP_FILE=${clock}`,
    ...['FAKETIME_NO_CACHE=1', 'FAKETIME_DONT_FAKE_MONOTONIC=1', 'DONT_FAKE_MONOTONIC=1'],
  ])
  const { tips } = announced(validator)
  const minersOf = (from: number): Set<string> => new Set(tips.slice(from).map(({ miner }) => miner))
  const [right, wrong] = found.agents as [Account, Account]
  const both = (from: number) => () => minersOf(from).has(right) && minersOf(from).has(wrong)
  await waitUntil('both mine', both(0), ENOUGH_MS)

  const rests = (): number =>
    odd.out.filter((line) => /clock is far behind/.test(String(parsed(line)?.reason))).length
  set(offset)
  const [seen, rested] = [tips.length, rests()]
  if (offset.startsWith('-')) {
    await waitUntil('it rests, since it can tell that its clock is wrong', () => rests() > rested, ENOUGH_MS)
    const finds = odd.out.length
    await waitUntil(
      'it says that its clock is behind, by blocks that it cannot take',
      () => odd.out.some((line) => /clock is 60 min behind/.test(String(parsed(line)?.reason))),
      ENOUGH_MS,
    )
    await waitUntil('the others go on', () => tips.length >= seen + BLOCKS, ENOUGH_MS)
    t.notOk(
      odd.out.slice(finds).some((line) => /found a block|came too late/.test(line)),
      'it finds nothing while it rests',
    )
  } else await waitUntil('the others go on', () => tips.length >= seen + BLOCKS, ENOUGH_MS)
  t.strictSame([...minersOf(seen + 2)], [right], 'without it')
  t.notOk(
    tips.some(({ time }) => time > Date.now() + 9 * found.genesis.interval),
    'and follow no block that is ahead of time',
  )

  set('+0')
  const [back, corrected] = [tips.length, performance.now()]
  await waitUntil('both mine on one chain again', both(back), ENOUGH_MS)
  t.pass(`both mine again ${Math.round(performance.now() - corrected)} ms after the clock was set`)
  odd.child.kill('SIGINT')
  t.strictSame(await odd.ended, { code: 0, signal: null })
}

t.test('a clock that jumps an hour ahead and back again', (t) => jump(t, '+3600'))

t.test('a clock that jumps an hour back and forward again', (t) => jump(t, '-3600'))
