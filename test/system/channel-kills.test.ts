/**
 * A seller and a buyer of readings, real processes over a real broker, killed with -9 again and again while they trade over channels,
 * one sensor paid by words and one by signatures: what is on both disks and on the ledger never differs by more than a reading.
 *
 * Random moments come from a seed that is printed; PINLEDGER_SEED=<number> plays one again (as far as processes can be).
 */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { COIN } from '../../ledger/amount.ts'
import { audit } from '../../node/append-log.ts'
import { CHANNEL_LOG, parseRecord } from '../../node/channel/channel-log.ts'
import type { ChannelRecord } from '../../node/channel/records.ts'
import { openLogFileReadOnly } from '../../node/disk.ts'
import type { Hash } from '../../schemas/hex.ts'
import type { Sample } from '../../schemas/transaction.ts'
import { seeded, signer } from '../helpers/ledger.ts'
import { kill, type Program, pinledger, temporary } from '../helpers/processes.ts'
import { foundQuickNetwork } from '../helpers/quick-network.ts'
import { countingScript } from '../helpers/shop.ts'
import { EASY, LabMiner, startBroker } from './lab.ts'

const SEED = Number(process.env.PINLEDGER_SEED ?? Date.now() % 2 ** 32)
const KILLS = Number(process.env.PINLEDGER_KILLS ?? 30)
const INTERVAL_MS = 500
const FUNDS = 100 * COIN
const PRICE = 0.01 * COIN
/** Readings that a channel pays: it is renewed while all this happens. */
const READINGS = 20
/** Blocks that a buyer waits at the end for a channel of which its seller has not heard. */
const DELAY = 40
const MINER = signer(76)
const ENOUGH_MS = 60_000
const LOOK_MS = 100
/** Share of kills at any moment of the first so many ms of a process; the others come so soon after trade has gone on. */
const EARLY = { share: 0.35, withinMs: 2_000 } as const
const LATE_MS_MAX = 1_000
const SIDES = ['seller', 'buyer'] as const
const MODES = { words: 'payword', signatures: 'signed' } as const
type Side = (typeof SIDES)[number]

/** What a side's log says of one channel, from its beginning. */
interface Trail {
  /** By reading number: what the seller delivered, or the buyer has. */
  readonly readings: Map<number, string>
  /** All of them, also two under one number. */
  readonly texts: Set<string>
  /** Highest number that is proven to the seller, or paid by the buyer. */
  paid: number
}

/** Every record, without a lock: an agent may run. */
function* recordsIn(directory: string): Generator<ChannelRecord> {
  const path = join(directory, CHANNEL_LOG)
  if (!existsSync(path)) return
  const file = openLogFileReadOnly(path)
  try {
    for (const outcome of audit(file)) {
      if (outcome.ok) yield parseRecord(outcome.value.bytes, outcome.value.position)
      else if (!outcome.fault.unfinished) throw new Error(`${path}: ${outcome.fault.message}`)
    }
  } finally {
    file.close()
  }
}

const textOf = ({ sensor, sequence, value }: Sample): string => `${sensor} ${sequence} ${value.mantissa}`

function trails(directory: string): ReadonlyMap<Hash, Trail> {
  const found = new Map<Hash, Trail>()
  const channels = new Map<number, Hash>()
  const trail = (channel: Hash): Trail => {
    const known = found.get(channel) ?? { readings: new Map(), texts: new Set(), paid: 0 }
    found.set(channel, known)
    return known
  }
  const note = ({ readings, texts }: Trail, index: number, sample: Sample): void => {
    readings.set(index, textOf(sample))
    texts.add(textOf(sample))
  }
  for (const record of recordsIn(directory)) {
    if (record.type === 'delivered') note(trail(record.channel), record.index, record.sample)
    if (record.type === 'proven') trail(record.channel).paid = record.index
    if (record.type === 'opened') channels.set(record.number, record.channel)
    if (record.type === 'paid') {
      const own = trail(channels.get(record.number) as Hash)
      own.paid = Math.max(own.paid, record.index)
      for (const sample of record.sample) note(own, record.index, sample)
    }
  }
  return found
}

const NOTHING: Trail = { readings: new Map(), texts: new Set(), paid: 0 }
const total = (of: ReadonlyMap<Hash, Trail>): number =>
  [...of.values()].reduce((sum, { paid }) => sum + paid, 0)

/** What must not be, in words. The seller's log as it was before the buyer's was read, and after. */
function misfits(
  before: ReadonlyMap<Hash, Trail>,
  buyer: ReadonlyMap<Hash, Trail>,
  after: ReadonlyMap<Hash, Trail>,
): string[] {
  const wrong: string[] = []
  const must = (holds: boolean, what: string): void => {
    if (!holds) wrong.push(what)
  }
  for (const [channel, { paid: proven }] of before) {
    const { paid } = buyer.get(channel) ?? NOTHING
    must(proven <= paid, `${channel}: ${proven} are proven, the buyer knows of ${paid}`)
  }
  for (const [channel, { readings: received, texts, paid }] of buyer) {
    const { readings: delivered, paid: proven } = after.get(channel) ?? NOTHING
    // One more would be lost at most; by processes that die on a machine that lives, none is.
    must(paid === received.size, `${channel}: the buyer paid ${paid} and has ${received.size}`)
    must(paid <= proven + 1, `${channel}: the buyer paid ${paid}, ${proven} are proven`)
    for (const [index, text] of received)
      must(delivered.get(index) === text, `${channel} ${index}: ${text} here, ${delivered.get(index)} there`)
    must(texts.size === received.size, `${channel}: ${texts.size} readings under ${received.size} numbers`)
  }
  for (const [channel, { texts, paid: proven }] of after)
    must(texts.size <= proven + 1, `${channel}: ${texts.size} are delivered, ${proven} proven`)
  return wrong
}

/** Looks now and then, since looking through logs and blocks takes some time. */
async function eventually(what: string, condition: () => boolean, lookMs = LOOK_MS): Promise<void> {
  for (let waitedMs = 0; !condition(); waitedMs += lookMs) {
    if (waitedMs > ENOUGH_MS) throw new Error(`waited ${ENOUGH_MS} ms in vain until ${what}`)
    await sleep(lookMs)
  }
}

t.test(`${KILLS} kills with -9 at random moments, of either side or both`, async (t) => {
  t.comment(`seed ${SEED}; again with PINLEDGER_SEED=${SEED}`)
  const random = seeded(SEED)
  const data = temporary(t)
  const found = foundQuickNetwork(data, { interval: INTERVAL_MS, ...EASY }, [MINER.account])
  const { url } = await startBroker(t, found.validators)
  const lab = new LabMiner(join(data, 'lab'), found.genesis, url, MINER, MINER.account)
  t.teardown(() => lab.stop())
  lab.start(INTERVAL_MS, 0)
  // Whose tip tells the agents at once that they are where the network is.
  pinledger(t, [
    ...['validator', '--name', 'validator-1', '--data', join(data, 'validator-1')],
    ...['--genesis', found.genesisFile, '--broker', url, '--json'],
  ])
  const [seller, buyer] = found.agents
  if (seller === undefined || buyer === undefined) throw new Error('the network has two agents')
  const directories = { seller: join(data, 'agent-1'), buyer: join(data, 'agent-2') }
  const sell = { perReading: '0.01', claimAboveCoins: '0.2', delayBlocksMin: 10 }
  const sensors = Object.keys(MODES).map((name) => ({
    ...{ name, driver: 'script', file: countingScript(t, 0.05), unit: '%', batch: 64, sell },
  }))
  const buys = Object.entries(MODES).map(([sensor, mode]) => ({
    ...{
      from: seller,
      sensor,
      mode,
      perReadingMax: '0.01',
      deposit: `${READINGS / 100}`,
      delayBlocks: DELAY,
    },
  }))
  const configure = (side: Side, parts: object): void => {
    const common = { name: side, broker: { url }, data: directories[side], genesis: found.genesisFile }
    writeFileSync(join(data, `${side}.yaml`), JSON.stringify({ ...common, mine: { duty: 0 }, ...parts }))
  }
  configure('seller', { sensors })
  configure('buyer', { buys })
  const programs: Program[] = []
  const start = (side: Side): Program => {
    const program = pinledger(t, ['agent', '--config', join(data, `${side}.yaml`), '--json'])
    programs.push(program)
    return program
  }

  const most = { seller: new Map<Hash, number>(), buyer: new Map<Hash, number>() }
  /** Both logs beside each other, and beside what they said before. */
  const compare = (when: string): void => {
    const before = trails(directories.seller)
    const bought = trails(directories.buyer)
    const after = trails(directories.seller)
    for (const each of misfits(before, bought, after)) t.fail(`${when}: ${each}`)
    for (const [side, now] of [['seller', after] as const, ['buyer', bought] as const]) {
      for (const [channel, paid] of most[side])
        if ((now.get(channel)?.paid ?? 0) < paid) t.fail(`${when}: the ${side} forgot payments on ${channel}`)
      for (const [channel, { paid }] of now) most[side].set(channel, paid)
    }
  }
  const bought = (): number => total(trails(directories.buyer))
  const goesOn = (when: string): Promise<void> => {
    const before = bought()
    return eventually(`trade goes on, ${when}`, () => bought() > before).catch((error: unknown) => {
      compare(when)
      for (const side of SIDES) t.comment(`${side}:\n${running[side].out.slice(-8).join('\n')}`)
      throw error
    })
  }

  let running = { seller: start('seller'), buyer: start('buyer') }
  await goesOn('for the first time')
  const counts = { seller: 0, buyer: 0, both: 0 }
  for (let count = 1; count <= KILLS; count++) {
    const victims: readonly Side[] = random() < 0.25 ? SIDES : random() < 0.5 ? ['seller'] : ['buyer']
    counts[victims.length > 1 ? 'both' : (victims[0] as Side)]++
    if (random() < EARLY.share) await sleep(random() * EARLY.withinMs)
    else {
      await goesOn(`before kill ${count}`)
      await sleep(random() * LATE_MS_MAX)
    }
    for (const side of victims) kill(running[side].pid, 'SIGKILL')
    for (const side of victims) {
      const { signal } = await running[side].ended
      if (signal !== 'SIGKILL')
        t.fail(`kill ${count}: the ${side} had ended: ${running[side].err.join('\n')}`)
    }
    compare(`kill ${count} of ${victims.join(' and ')}`)
    for (const side of victims) running = { ...running, [side]: start(side) }
  }
  await goesOn('after all')
  compare('after all')
  t.comment(`killed: ${JSON.stringify(counts)}`)

  // The buyer wants no more: all that is left comes back.
  running.buyer.child.kill('SIGINT')
  t.strictSame(await running.buyer.ended, { code: 0, signal: null }, 'the buyer stops')
  configure('buyer', {})
  running = { ...running, buyer: start('buyer') }
  const opens = () =>
    lab
      .confirmed()
      .flatMap(({ transaction: tx, id }) =>
        tx.type === 'channelOpen' && tx.from === buyer ? [{ id, memo: tx.memo, amount: tx.amount }] : [],
      )
  const { chain } = lab.node
  const left = () => opens().filter(({ id }) => chain.state.channel(id) !== undefined)
  // Looking through all blocks holds up the miner in this process.
  await eventually('all channels are closed', () => left().length === 0, 2_000).catch((error: unknown) => {
    t.comment(
      `at height ${chain.tip.height}:`,
      left().map(({ id }) => [id, chain.state.channel(id)]),
    )
    throw error
  })
  for (const side of SIDES) running[side].child.kill('SIGINT')
  for (const side of SIDES)
    t.strictSame(await running[side].ended, { code: 0, signal: null }, `the ${side} stops`)
  compare('at the end')

  const [sales, purchases] = [trails(directories.seller), trails(directories.buyer)]
  const [proven, paid] = [total(sales), total(purchases)]
  t.comment(`${paid} readings paid on ${purchases.size} channels, ${proven} proven`)
  for (const sensor of Object.keys(MODES)) {
    const texts = [...purchases.values()].flatMap(({ readings }) => [...readings.values()])
    const own = texts.filter((text) => text.startsWith(`${sensor} `)).length
    t.ok(own >= KILLS / 2, `there was trade by ${sensor}: ${own} readings`)
  }
  const memos = opens().map(({ memo }) => memo)
  t.equal(new Set(memos).size, memos.length, `${memos.length} channels on the ledger, none opened twice`)
  t.ok(
    [...purchases.keys()].every((channel) => opens().some(({ id }) => id === channel)),
    'all that was paid on are among them',
  )
  // No fees on this network, and neither of them mines.
  const earned = chain.state.account(seller).balance - FUNDS
  t.equal(earned, proven * PRICE, 'the seller has earned what it can prove')
  t.equal(chain.state.account(buyer).balance, FUNDS - earned, 'and the buyer has all the rest')
  for (const line of programs.flatMap(({ out, err }) => [...out, ...err]))
    if (
      /bug in pinledger|store-corrupt|is damaged|broke the rules|bad-(proof|index|reading)|before all was claimed/.test(
        line,
      )
    )
      t.fail(line)
})
