import t from 'tap'
import { TYPE_NUMBERS } from '../../schemas/transaction.ts'
import { SimDisk } from '../../sim/disk.ts'
import { drawFaults, FAULT_KINDS, type Fault } from '../../sim/faults.ts'
import { minimise } from '../../sim/minimise.ts'
import { Rng } from '../../sim/random.ts'
import { Scheduler } from '../../sim/scheduler.ts'
import { type SimOptions, World } from '../../sim/world.ts'

const options: SimOptions = { seed: 2, nodes: 6, hours: 0.2, kinds: new Set(FAULT_KINDS), intervalMs: 10_000 }

t.test('events run by time, then in the order in which they were asked for, each to its end', async (t) => {
  const scheduler = new Scheduler()
  const seen: string[] = []
  scheduler.at(20, () => seen.push('later'))
  scheduler.at(10, () => {
    seen.push('first')
    scheduler.settle()
    void Promise.resolve()
      .then(() => {})
      .then(() => seen.push('what follows from the first'))
  })
  scheduler.at(10, () => seen.push('second'))
  const cancel = scheduler.at(15, () => seen.push('never'))
  cancel()
  await scheduler.run(12, () => false)
  t.strictSame(seen, ['first', 'what follows from the first', 'second'])
  t.equal(scheduler.nowMs, 12)
  await scheduler.run(100, () => false)
  t.equal(seen.at(-1), 'later')
  t.equal(scheduler.nowMs, 100)
})

t.test('a stream of random numbers depends on its name alone', async (t) => {
  const draw = (random: Rng): number[] => Array.from({ length: 5 }, () => random.next())
  const seed = new Rng('seed 1')
  const before = draw(seed.fork('a'))
  seed.next()
  t.strictSame(draw(seed.fork('a')), before)
  t.notSame(draw(seed.fork('b')), before)
  const many = Array.from({ length: 20_000 }, () => seed.exponential(3))
  const mean = many.reduce((sum, value) => sum + value, 0) / many.length
  t.ok(Math.abs(mean - 3) < 0.1, `the mean of an exponential is ${mean}`)
})

t.test('a disk keeps what was written, tears what was being written, and cuts off the dead', async (t) => {
  for (let seed = 0; seed < 50; seed++) {
    const disk = new SimDisk(new Rng(`disk ${seed}`))
    const file = disk.open('a')
    file.append(Buffer.from('kept'))
    disk.cutAfter(0)
    t.throws(() => file.append(Buffer.alloc(2000, 'x')), { message: /power cut/ })
    disk.restart()
    const again = disk.open('a')
    t.equal(Buffer.from(again.read(0, 4)).toString(), 'kept')
    t.ok(again.size >= 4 && again.size <= 2004)
    t.throws(() => file.append(Buffer.from('late')), { message: /dead process/ })
  }
  const full = new SimDisk(new Rng('full'))
  full.full = true
  t.throws(() => full.open('a').append(Buffer.alloc(10)), { code: 'ENOSPC' })
})

t.test(
  "machines buy another's readings, files and lamp, and all of them come back from crashes",
  async (t) => {
    const report = await new World({ ...options, hours: 0.5, kinds: new Set(['crash', 'disk']) }).run()
    t.equal(report.violation, undefined)
    t.ok(report.restarts > 5, `${report.restarts} restarts`)
    t.ok(report.readings > 12, `${report.readings} readings`)
    t.ok(report.files > 3, `${report.files} keys of files`)
    t.ok(report.lamp > 0, `${report.lamp} answers for the lamp`)
    t.ok((report.types.hashlockRefund ?? 0) > 0, 'what was not sold came back')
    t.ok((report.types.channelClose ?? 0) > 1, `${report.types.channelClose} channels are closed`)
  },
)

t.test('the same options give the same run, other seeds another', async (t) => {
  const once = await new World(options).run()
  t.equal(once.violation, undefined)
  t.ok(once.height > 30, `${once.height} blocks`)
  t.equal((await new World(options).run()).digest, once.digest)
  t.not((await new World({ ...options, seed: 3 }).run()).digest, once.digest)
})

t.test('a network has a slow hand unless it is left out', async (t) => {
  const calm: SimOptions = { ...options, hours: 0.5, kinds: new Set() }
  const { ticks, violation } = await new World(calm).run()
  t.equal(violation, undefined)
  t.ok(ticks > 25 && ticks < 65, `${ticks} ticks, 45 expected`)
  const without = new World({ ...calm, slowHand: false })
  t.equal(without.network.genesis.version, 1)
  const report = await without.run()
  t.equal(report.violation, undefined)
  t.equal(report.ticks, 0)
})

t.test('machines also open, claim and close channels, lock and settle hashlocks, and share', async (t) => {
  const { types, violation } = await new World({
    ...options,
    nodes: 8,
    seed: 7,
    hours: 1.2,
    kinds: new Set(),
  }).run()
  t.equal(violation, undefined)
  const missing = Object.keys(TYPE_NUMBERS).filter((type) => !Object.keys(types).includes(type))
  // Sensors are not simulated, and this network is open.
  t.strictSame(missing, ['reading', 'batch', 'admission', 'revocation'])
})

t.test('faults are drawn from the seed, in order, and leave the end alone', async (t) => {
  const draw = (kinds: SimOptions['kinds']): Fault[] =>
    drawFaults(new Rng('x'), { nodes: 20, adversaries: [7, 9], endMs: 9_000_000, kinds, intervalMs: 10_000 })
  const all = draw(new Set(FAULT_KINDS))
  t.strictSame(new Set(all.map(({ kind }) => kind)), new Set(FAULT_KINDS))
  t.ok(all.every(({ atMs, untilMs }) => atMs < 9_000_000 && untilMs <= 9_000_000 && untilMs >= atMs))
  t.strictSame(
    draw(new Set(['clock'])),
    all.filter(({ kind }) => kind === 'clock'),
    'a kind is drawn the same with and without the others',
  )
})

t.test('what breaks an invariant is found again with fewer faults', async (t) => {
  // Nobody is left to mine: there is no progress, whatever else happens.
  const dead: Fault[] = Array.from({ length: 6 }, (_, node) => ({
    what: 'hash-rate',
    kind: 'power',
    node,
    factor: 1e-9,
    atMs: 1_000,
    untilMs: 720_000,
  }))
  const noise: Fault[] = [1, 2, 3, 4].map((node) => ({
    what: 'power-cut',
    kind: 'disk',
    node,
    writes: 1,
    atMs: 2_000 * node,
    untilMs: 2_000 * node,
  }))
  const broken: SimOptions = { ...options, seed: 1, faults: [...noise, ...dead] }
  const report = await new World(broken).run()
  t.equal(report.violation?.invariant, 'progress')
  const { only, report: smallest } = await minimise(broken, report, 60, () => {})
  t.equal(smallest.violation?.invariant, 'progress')
  t.ok(only.length < 10 && only.every((index) => index >= 4), `left: ${only.join(',')}`)
})
