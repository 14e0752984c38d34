import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import {
  GENERATION,
  type Order,
  type Report,
  SHARED_BYTES,
  sharedViews,
  type WorkerData,
} from '../../../edge-agent/mining/thread.ts'
import { HEADER_BYTES } from '../../../schemas/block.ts'

t.test('a worker takes the newest of waiting orders, counts every hash and ends when told', async (t) => {
  const memory = new SharedArrayBuffer(SHARED_BYTES)
  const { generation, hashes } = sharedViews(memory)
  const workerData: WorkerData = { memory, duty: 1, sliceMs: 10 }
  const worker = new Worker(new URL('../../../edge-agent/mining/worker.js', import.meta.url), { workerData })
  t.teardown(() => worker.terminate())
  const reports: Report[] = []
  worker.on('message', (report: Report) => reports.push(report))
  const send = (order: Order): void => {
    worker.postMessage(order)
    Atomics.add(generation, GENERATION, 1)
    Atomics.notify(generation, GENERATION)
  }
  const sentAtNs = process.hrtime.bigint()
  const job = (number: number, target: bigint) => ({
    sentAtNs,
    job: { number, header: new Uint8Array(HEADER_BYTES), target, nonceStart: 2n ** 64n - 1n },
  })
  send(job(1, 0n))
  send(job(2, 2n ** 256n - 1n))
  await once(worker, 'message')
  if (reports.length < 2) await once(worker, 'message')
  const header = new Uint8Array(HEADER_BYTES)
  header.fill(255, HEADER_BYTES - 8)
  t.strictSame(reports, [
    { type: 'interrupted', delayMs: 0 },
    { type: 'found', job: 2, header },
  ])
  t.equal(Atomics.load(hashes, 0), 1n)
  send({ sentAtNs, stop: true })
  const [code] = await once(worker, 'exit')
  t.equal(code, 0)
})
