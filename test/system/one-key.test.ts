/**
 * Two devices with one key, as a copied SD card makes them: the broker lets one in at a time, their transactions collide,
 * both say so, and what lost its number goes to the ledger later, under another one, once.
 */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { stringify } from 'yaml'
import { signer } from '../helpers/ledger.ts'
import { parsed, pinledger, temporary } from '../helpers/processes.ts'
import { foundQuickNetwork } from '../helpers/quick-network.ts'
import { waitUntil } from '../helpers/wait-until.ts'
import { EASY, LabMiner, startBroker } from './lab.ts'

const MINER = signer(76)
const PAYEE = signer(77).account
const TWINS = ['left', 'right'] as const
/** Readings of each: they come faster than the twins change places at the broker. */
const READINGS_MIN = 20
const ENOUGH_MS = 120_000

t.test('both keep running, both learn it, and no reading is there twice', async (t) => {
  const data = temporary(t)
  const found = foundQuickNetwork(data, { interval: 200, ...EASY }, [MINER.account])
  const { url } = await startBroker(t, found.validators)
  const lab = new LabMiner(join(data, 'lab'), found.genesis, url, MINER, PAYEE)
  t.teardown(() => lab.stop())
  lab.start(200, 0)
  const steps = join(data, 'steps.yaml')
  writeFileSync(steps, stringify({ steps: [{ after: 0.5, value: 1 }], repeat: true }))
  const twins = TWINS.map((name) => {
    const [directory, file] = [join(data, name), join(data, `${name}.yaml`)]
    mkdirSync(directory, { mode: 0o700 })
    cpSync(join(data, 'agent-1', 'key.json'), join(directory, 'key.json'))
    const sensors = [{ name, driver: 'script', file: steps, unit: 'count' }]
    const own = {
      name,
      broker: { url },
      data: directory,
      genesis: found.genesisFile,
      mine: { duty: 0 },
      sensors,
    }
    writeFileSync(file, stringify(own))
    return pinledger(t, ['agent', '--config', file, '--json'])
  })
  const warnings = TWINS.map(
    (_, index) => () =>
      (twins[index]?.out ?? []).map((line) => parsed(line) ?? {}).filter(({ level }) => level === 'warn'),
  )
  const cutOff = /another program may be logged in with the same account/
  await waitUntil(
    'one learns from the ledger that another signs with its key',
    () => warnings.some((of) => of().some(({ event }) => event === 'another program signs with our key')),
    ENOUGH_MS,
  )
  await waitUntil(
    'both learn from the broker that another is logged in',
    () => warnings.every((of) => of().some(({ reason }) => cutOff.test(String(reason)))),
    ENOUGH_MS,
  )
  const sequences = (name: string): number[] =>
    lab
      .confirmed()
      .flatMap(({ transaction: tx }) =>
        tx.type === 'reading' && tx.sample.sensor === name ? [tx.sample.sequence] : [],
      )
      .sort((a, b) => a - b)
  const many = (name: string): boolean => sequences(name).length >= READINGS_MIN
  await waitUntil('many readings of both are confirmed', () => TWINS.every(many), ENOUGH_MS)
  t.ok(
    twins.every(({ child }) => child.exitCode === null),
    'both keep running',
  )
  for (const [index, name] of TWINS.entries()) {
    const twin = twins[index]
    twin?.child.kill('SIGINT')
    t.strictSame(await twin?.ended, { code: 0, signal: null })
    const confirmed = sequences(name)
    t.equal(new Set(confirmed).size, confirmed.length, `${name}: ${confirmed.length} readings, none twice`)
    const events = warnings[index]?.().map(({ event }) => event) ?? []
    const [told] = events.filter((event) => event === 'another program signs with our key')
    t.comment(`${name}: ${told ?? 'nothing collided'}; ${events.length} warnings`)
  }
})
