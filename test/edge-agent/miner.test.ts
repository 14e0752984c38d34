import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import {
  type Job,
  MINER_DEFAULTS,
  Miner,
  type MinerModules,
  type MinerOptions,
} from '../../edge-agent/miner.ts'
import { createLog } from '../../node/log.ts'
import { HEADER_BYTES, HEADER_NONCE_OFFSET } from '../../schemas/block.ts'
import { waitUntil } from '../helpers/wait-until.ts'

const EASY = 2n ** 256n - 1n
const IMPOSSIBLE = 0n

interface Find {
  readonly header: Uint8Array
  readonly job: Job
}

/** A started miner that ends with the test, and what it found and logged. */
function startMiner(t: Tap, options: Partial<MinerOptions> = {}, modules: Partial<MinerModules> = {}) {
  const finds: Find[] = []
  const lines: string[] = []
  const log = createLog({
    name: 'test',
    format: 'text',
    level: 'debug',
    write: (line) => lines.push(line),
    now: Date.now,
  })
  const onFound = (header: Uint8Array, job: Job): void => void finds.push({ header, job })
  const fixed = { log, onFound, nonceStart: () => 0n, random: () => 0 }
  const miner = new Miner({ ...MINER_DEFAULTS, duty: 1, ...options }, { ...fixed, ...modules })
  t.teardown(() => miner.stop())
  miner.start()
  return { miner, finds, lines }
}
type Tap = Pick<typeof t, 'teardown'>

const jobOf = (target: bigint, fill = 7): Job => ({ header: new Uint8Array(HEADER_BYTES).fill(fill), target })
const hashing = (miner: Miner) => waitUntil('it hashes', () => miner.stats().hashes > 0)
const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()
const nonceOf = (header: Uint8Array): bigint => Buffer.from(header).readBigUInt64BE(HEADER_NONCE_OFFSET)

t.test('it finds a header whose double SHA-256 meets the target, and changes only the nonce', async (t) => {
  const { miner, finds } = startMiner(t)
  const job = jobOf(EASY >> 12n)
  miner.mine(job)
  await waitUntil('found', () => finds.length === 1)
  const [find] = finds as [Find]
  t.equal(find.job, job)
  t.strictSame(find.header.slice(0, HEADER_NONCE_OFFSET), job.header.slice(0, HEADER_NONCE_OFFSET))
  t.ok(BigInt(`0x${sha256(sha256(find.header)).toString('hex')}`) <= job.target)
})

t.test('a job is found at most once, however many threads find it', async (t) => {
  const { miner, finds } = startMiner(t, { threads: 2 })
  for (let round = 1; round <= 20; round++) {
    miner.mine(jobOf(EASY))
    await waitUntil('found', () => finds.length === round)
  }
  const { hashes } = miner.stats()
  t.equal(finds.length, 20)
  t.ok(hashes >= 20 && hashes <= 40, 'after a find all threads rest')
})

t.test('threads begin evenly apart, from the given first nonce, modulo 2^64', async (t) => {
  const starts = new Set<bigint>()
  const nonceStart = () => 2n ** 64n - 5n
  const { miner, finds } = startMiner(t, { threads: 2 }, { nonceStart })
  // With any hash good enough the first nonce of the faster thread is found; sooner or later each is the faster.
  for (let round = 1; round <= 500 && starts.size < 2; round++) {
    miner.mine(jobOf(EASY))
    await waitUntil('found', () => finds.length === round)
    starts.add(nonceOf((finds[round - 1] as Find).header))
  }
  t.strictSame(starts, new Set([2n ** 64n - 5n, 2n ** 63n - 5n]))
})

t.test('a new job interrupts the old one within milliseconds, and the delay is measured', async (t) => {
  const { miner, finds } = startMiner(t)
  t.equal(miner.stats().interruptMsP50, undefined)
  miner.mine(jobOf(IMPOSSIBLE))
  await hashing(miner)
  for (let round = 0; round < 20; round++) {
    miner.mine(jobOf(IMPOSSIBLE, round))
    await sleep(10)
  }
  const last = jobOf(EASY)
  miner.mine(last)
  await waitUntil('found', () => finds.length === 1)
  t.equal((finds[0] as Find).job, last)
  const { interruptMsP50 = -1, interruptMsP95 = -1, interruptMsMax = -1 } = miner.stats()
  t.ok(interruptMsP50 > 0 && interruptMsP50 <= interruptMsP95 && interruptMsP95 <= interruptMsMax)
  t.ok(interruptMsP50 < 20, `half of the interrupts take less than 20 ms: ${interruptMsP50}`)
})

t.test('after a pause not one more hash is counted, until the next job', async (t) => {
  const { miner, finds } = startMiner(t)
  miner.mine(jobOf(IMPOSSIBLE))
  await hashing(miner)
  miner.pause()
  await waitUntil('interrupted', () => miner.stats().interruptMsP50 !== undefined)
  const { hashes } = miner.stats()
  await sleep(50)
  t.equal(miner.stats().hashes, hashes)
  miner.mine(jobOf(EASY))
  await waitUntil('found', () => finds.length === 1)
})

t.test('a new job wakes a thread that sleeps for its duty, and its sleep goes on', async (t) => {
  const { miner } = startMiner(t, { duty: 0.001, sliceMs: 5 })
  miner.mine(jobOf(IMPOSSIBLE))
  await hashing(miner)
  await sleep(30) // the slice is over, some 5 s of sleep begin
  const { hashes } = miner.stats()
  for (let round = 0; round < 5; round++) miner.mine(jobOf(IMPOSSIBLE, round))
  await waitUntil('interrupted', () => miner.stats().interruptMsMax !== undefined, 1000)
  t.equal(miner.stats().interruptMsMax, 0, 'asleep: its last hash was before the order')
  t.equal(miner.stats().hashes, hashes, 'jobs do not raise the duty')
})

t.test('the processor time used is near the duty', async (t) => {
  const { miner } = startMiner(t, { duty: 0.3 })
  miner.mine(jobOf(IMPOSSIBLE))
  await hashing(miner)
  await sleep(100)
  const before = process.cpuUsage()
  const startMs = performance.now()
  await sleep(1200)
  const { user, system } = process.cpuUsage(before)
  const used = (user + system) / 1000 / (performance.now() - startMs)
  t.ok(used > 0.1 && used < 0.45, `used ${used} of a core`)
  t.ok(miner.stats().hashesPerSecond > 0)
})

t.test('a duty of zero starts no thread and mines nothing', async (t) => {
  const spawn = (): Worker => t.fail('spawned') as never
  const { miner } = startMiner(t, { duty: 0 }, { spawn })
  miner.mine(jobOf(EASY))
  miner.pause()
  t.match(miner.stats(), { hashes: 0, hashesPerSecond: 0, restarts: 0 })
})

t.test('a find for a job replaced in that instant names the old job, an older one is dropped', async (t) => {
  const worker = (): Worker =>
    new Worker(
      `const { parentPort } = require('node:worker_threads')
       parentPort.on('message', ({ stop, job }) => {
         if (stop) parentPort.close()
         else if (job?.number === 3)
           for (const number of [1, 2, 2]) parentPort.postMessage({ type: 'found', job: number, header: job.header })
         else if (job?.number === 4) parentPort.postMessage({ type: 'found', job: 4, header: job.header })
       })`,
      { eval: true },
    )
  const { miner, finds } = startMiner(t, {}, { spawn: worker })
  const jobs = [1, 2, 3, 4].map((fill) => jobOf(EASY, fill)) as [Job, Job, Job, Job]
  for (const job of jobs.slice(0, 3)) miner.mine(job)
  await waitUntil('found', () => finds.length === 1)
  miner.mine(jobs[3])
  await waitUntil('found', () => finds.length === 2)
  t.equal(finds[0]?.job, jobs[1])
  t.equal(finds[1]?.job, jobs[3])
})

t.test('a thread that dies is logged, started again after a wait and given the job', async (t) => {
  let spawned = 0
  const real = new URL('../../edge-agent/mining/worker.ts', import.meta.url)
  const spawn: NonNullable<MinerModules['spawn']> = (workerData) =>
    ++spawned <= 2
      ? new Worker('throw new Error("out of luck")', { eval: true })
      : new Worker(real, { workerData })
  const restart = { baseMs: 20, capMs: 1000, stableMs: 1000 }
  const { miner, finds, lines } = startMiner(t, { restart }, { spawn, random: () => 0.5 })
  miner.mine(jobOf(EASY))
  await waitUntil('found', () => finds.length === 1)
  t.equal(miner.stats().restarts, 2)
  t.match(lines, [/mining thread died thread=0 cause="out of luck" restartMs=10/, /restartMs=20/])
})

t.test('stop ends threads at work, asleep, waiting and dead, and twice', async (t) => {
  const dying = startMiner(
    t,
    {},
    { spawn: () => new Worker('process.exit(1)', { eval: true }), random: () => 1 },
  )
  await waitUntil('died', () => dying.miner.stats().restarts === 1)
  const atWork = startMiner(t)
  atWork.miner.mine(jobOf(IMPOSSIBLE))
  const asleep = startMiner(t, { duty: 0.001 })
  asleep.miner.mine(jobOf(IMPOSSIBLE))
  await Promise.all([hashing(atWork.miner), hashing(asleep.miner)])
  const waiting = startMiner(t)
  const miners = [dying, atWork, asleep, waiting].map(({ miner }) => miner)
  const startMs = performance.now()
  await Promise.all(miners.map((miner) => miner.stop()))
  await Promise.all(miners.map((miner) => miner.stop()))
  t.ok(performance.now() - startMs < 1000)
  const { hashes } = atWork.miner.stats()
  atWork.miner.mine(jobOf(EASY))
  await sleep(20)
  t.equal(atWork.miner.stats().hashes, hashes)
  t.equal(atWork.finds.length, 0)
})

t.test('a thread that does not listen is ended all the same', async (t) => {
  const { miner, lines } = startMiner(t, {}, { spawn: () => new Worker('for (;;);', { eval: true }) })
  await miner.stop()
  t.strictSame(lines, [])
})

t.test('options out of range and a header of another length are our own faults', async (t) => {
  const { miner } = startMiner(t, { duty: 0 })
  t.throws(() => miner.mine({ header: new Uint8Array(80), target: EASY }), /115 bytes/)
  for (const options of [{ threads: 0 }, { threads: 65 }, { duty: -0.1 }, { duty: 1.1 }]) {
    t.throws(() => startMiner(t, options), /invariant/)
  }
})
