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
import { bound } from '../helpers/bound.ts'
import { waitUntil } from '../helpers/wait-until.ts'

const EASY = 2n ** 256n - 1n
const IMPOSSIBLE = 0n
/** For a busy machine: a thread starts in a fraction of a second on a free core. */
const START_MS_MAX = 30_000
const SLICE_MS = 300

interface Find {
  readonly header: Uint8Array
  readonly job: Job
}

/** A started miner that ends with the file, and what it found and logged. */
function startMiner(options: Partial<MinerOptions> = {}, modules: Partial<MinerModules> = {}) {
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
  const fixed = { log, onFound, nonceStart: () => 2n ** 64n - 5n, random: () => 0 }
  const miner = new Miner({ ...MINER_DEFAULTS, duty: 1, ...options }, { ...fixed, ...modules })
  t.teardown(() => miner.stop())
  miner.start()
  return { miner, finds, lines }
}

const jobOf = (target: bigint, fill = 7): Job => ({ header: new Uint8Array(HEADER_BYTES).fill(fill), target })
const hashing = (miner: Miner) => waitUntil('it hashes', () => miner.stats().hashes > 0, START_MS_MAX)
/** Its hashes once it has stopped hashing. */
async function atRest(miner: Miner): Promise<number> {
  for (let before = -1; ; before = miner.stats().hashes) {
    await sleep(50)
    if (miner.stats().hashes === before) return before
  }
}
const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()
const nonceOf = (header: Uint8Array): bigint => Buffer.from(header).readBigUInt64BE(HEADER_NONCE_OFFSET)

// Starting a thread takes a while, so these serve several.
const full = startMiner({ threads: 2, sliceMs: SLICE_MS })
/** Sleeps for longer than any test waits: what it does before was not waited for. */
const sleepy = startMiner({ duty: 0.00001, sliceMs: 5 })
const part = startMiner({ duty: 0.3 })
/** Waits for a find beyond those that were there. */
const another = async (job: Job): Promise<Find> => {
  const { length } = full.finds
  full.miner.mine(job)
  await waitUntil('found', () => full.finds.length > length, START_MS_MAX)
  return full.finds[length] as Find
}

t.test('it finds a header whose double SHA-256 meets the target, and changes only the nonce', async (t) => {
  const job = jobOf(EASY >> 12n)
  const find = await another(job)
  t.equal(find.job, job)
  t.strictSame(find.header.slice(0, HEADER_NONCE_OFFSET), job.header.slice(0, HEADER_NONCE_OFFSET))
  t.ok(BigInt(`0x${sha256(sha256(find.header)).toString('hex')}`) <= job.target)
})

t.test('a job is found at most once, however many threads find it', async (t) => {
  const before = full.miner.stats().hashes
  const { length } = full.finds
  for (let round = 0; round < 20; round++) await another(jobOf(EASY))
  await sleep(20)
  const hashes = full.miner.stats().hashes - before
  t.equal(full.finds.length - length, 20)
  t.ok(hashes >= 20 && hashes <= 40, 'after a find all threads rest')
})

t.test('threads begin evenly apart, from the given first nonce, modulo 2^64', async (t) => {
  const starts = new Set<bigint>()
  // With any hash good enough the first nonce of the faster thread is found; sooner or later each is the faster.
  for (let round = 0; round < 500 && starts.size < 2; round++) {
    starts.add(nonceOf((await another(jobOf(EASY))).header))
  }
  t.strictSame(starts, new Set([2n ** 64n - 5n, 2n ** 63n - 5n]))
})

t.test('a new job interrupts the old one within milliseconds, and the delay is measured', async (t) => {
  for (let round = 0; round < 30; round++) {
    full.miner.mine(jobOf(IMPOSSIBLE, round))
    await sleep(10)
  }
  const last = jobOf(EASY)
  t.equal((await another(last)).job, last)
  const { interruptMsP50 = -1, interruptMsP95 = -1, interruptMsMax = -1 } = full.miner.stats()
  // The median may be 0: on a busy machine we run when the threads are preempted, and so not hashing.
  t.ok(interruptMsP50 >= 0 && interruptMsP50 <= interruptMsP95 && interruptMsP95 <= interruptMsMax)
  t.ok(interruptMsMax > 0)
  t.ok(interruptMsP50 < bound(20), `half of the interrupts take less than 20 ms: ${interruptMsP50}`)
})

t.test('after a pause not one more hash is counted, until the next job', async (t) => {
  full.miner.mine(jobOf(IMPOSSIBLE))
  await sleep(20)
  full.miner.pause()
  const hashes = await atRest(full.miner)
  await sleep(50)
  t.equal(full.miner.stats().hashes, hashes)
  await another(jobOf(EASY))
})

t.test('a new job wakes a thread that sleeps for its duty, and its sleep goes on', async (t) => {
  const { miner } = sleepy
  t.equal(miner.stats().interruptMsP50, undefined)
  miner.mine(jobOf(IMPOSSIBLE))
  await hashing(miner)
  const hashes = await atRest(miner) // the slice is over, minutes of sleep begin
  for (let round = 0; round < 5; round++) miner.mine(jobOf(IMPOSSIBLE, round))
  await waitUntil('interrupted', () => miner.stats().interruptMsMax !== undefined, bound(1_000))
  t.equal(miner.stats().interruptMsMax, 0, 'asleep: its last hash was before the order')
  t.equal(miner.stats().hashes, hashes, 'jobs do not raise the duty')
})

t.test('the processor time used is near the duty', async (t) => {
  const { miner } = part
  miner.mine(jobOf(IMPOSSIBLE))
  await hashing(miner)
  await sleep(100)
  const before = process.cpuUsage()
  const startMs = performance.now()
  await sleep(1200)
  const { user, system } = process.cpuUsage(before)
  const used = (user + system) / 1000 / (performance.now() - startMs)
  t.ok(used > 0.03 && used < 0.45, `used ${used} of a core`)
  t.ok(miner.stats().hashesPerSecond > 0)
})

t.test('a duty of zero starts no thread and mines nothing', async (t) => {
  const spawn = (): Worker => t.fail('spawned') as never
  const { miner } = startMiner({ duty: 0 }, { spawn })
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
  const { miner, finds } = startMiner({}, { spawn: worker })
  const jobs = [1, 2, 3, 4].map((fill) => jobOf(EASY, fill)) as [Job, Job, Job, Job]
  for (const job of jobs.slice(0, 3)) miner.mine(job)
  await waitUntil('found', () => finds.length === 1)
  miner.mine(jobs[3])
  await waitUntil('found', () => finds.length === 2)
  t.equal(finds[0]?.job, jobs[1])
  t.equal(finds[1]?.job, jobs[3])
})

t.test('a thread that dies is logged, started again after a wait and given the job', async (t) => {
  const answer = `require('node:worker_threads').parentPort.on('message', ({ stop, job }) =>
    stop ? process.exit() : job && require('node:worker_threads').parentPort.postMessage({ type: 'found', job: job.number, header: job.header }))`
  let spawned = 0
  const spawn = (): Worker =>
    new Worker(++spawned <= 2 ? 'throw new Error("out of luck")' : answer, { eval: true })
  const restart = { baseMs: 20, capMs: 1000, stableMs: 10_000 }
  const { miner, finds, lines } = startMiner({ restart }, { spawn, random: () => 0.5 })
  miner.mine(jobOf(EASY))
  await waitUntil('found', () => finds.length === 1)
  t.equal(miner.stats().restarts, 2)
  t.match(lines, [/mining thread died thread=0 cause="out of luck" restartMs=10/, /restartMs=20/])
})

t.test('stop ends threads at work, asleep, waiting and dead, and twice', async (t) => {
  const restart = { baseMs: 3_600_000, capMs: 3_600_000, stableMs: 1 }
  const dying = startMiner(
    { restart },
    { spawn: () => new Worker('process.exit(1)', { eval: true }), random: () => 1 },
  )
  await waitUntil('died', () => dying.miner.stats().restarts === 1)
  const before = full.miner.stats().hashes
  full.miner.mine(jobOf(IMPOSSIBLE))
  part.miner.pause()
  await waitUntil('it hashes', () => full.miner.stats().hashes > before)
  const { length } = full.finds
  const miners = [dying, full, sleepy, part].map(({ miner }) => miner)
  // None waits for a sleep of minutes or a restart in an hour, or this test would not end.
  const startMs = performance.now()
  await Promise.all(miners.map((miner) => miner.stop()))
  await Promise.all(miners.map((miner) => miner.stop()))
  t.ok(performance.now() - startMs < bound(1_000))
  const { hashes } = full.miner.stats()
  full.miner.mine(jobOf(EASY))
  await sleep(20)
  t.equal(full.miner.stats().hashes, hashes)
  t.equal(full.finds.length, length)
})

t.test('a thread that does not listen is ended all the same', async (t) => {
  const { miner, lines } = startMiner({}, { spawn: () => new Worker('for (;;);', { eval: true }) })
  await miner.stop()
  t.strictSame(lines, [])
})

t.test('options out of range and a header of another length are our own faults', async (t) => {
  const { miner } = startMiner({ duty: 0 })
  t.throws(() => miner.mine({ header: new Uint8Array(80), target: EASY }), /115 bytes/)
  for (const options of [{ threads: 0 }, { threads: 65 }, { duty: -0.1 }, { duty: 1.1 }]) {
    t.throws(() => startMiner(options), /invariant/)
  }
})
