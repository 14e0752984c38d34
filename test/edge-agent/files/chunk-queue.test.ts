import t from 'tap'
import { ChunkQueue } from '../../../edge-agent/files/chunk-queue.ts'

const BYTES = 1_000
const FAST = { perSale: 1e12, overall: 1e12 }

/** What goes out from now on, up to the first wait. */
function drain(queue: ChunkQueue, nowMs: number): { sent: string[]; waitMs: number | undefined } {
  const sent: string[] = []
  for (;;) {
    const next = queue.next(BYTES, nowMs)
    if (next === undefined) return { sent, waitMs: undefined }
    if ('waitMs' in next) return { sent, waitMs: next.waitMs }
    sent.push(`${next.sale}${next.index}`)
  }
}

t.test('sales take turns, each chunk goes out once, in the order asked', async (t) => {
  const queue = new ChunkQueue(FAST)
  t.equal(queue.add('a', 0, 3), 3)
  t.equal(queue.add('a', 1, 3), 3, 'two of them wait already')
  t.equal(queue.add('b', 7, 2), 2)
  t.equal(queue.size, 6)
  t.strictSame(drain(queue, 0), { sent: ['a0', 'b7', 'a1', 'b8', 'a2', 'a3'], waitMs: undefined })
  t.equal(queue.size, 0)
  queue.add('a', 0, 1)
  t.strictSame(drain(queue, 0).sent, ['a0'], 'what is asked for again is sent again')
})

t.test('what waits is bounded, for each sale and in all', async (t) => {
  const queue = new ChunkQueue(FAST)
  t.equal(queue.add('a', 0, 300), 256)
  t.equal(queue.add('a', 1_000, 1), 0)
  for (let sale = 0; sale < 20; sale++) queue.add(`b${sale}`, 0, 256)
  t.equal(queue.size, 4_096)
  t.equal(queue.add('c', 0, 1), 0)
  queue.drop('a')
  t.equal(queue.size, 4_096 - 256)
  t.equal(queue.add('c', 0, 1), 1)
  queue.drop('never there')
  t.equal(queue.size, 4_096 - 255)
})

t.test('a sale keeps to its rate, and another one is not held up by it', async (t) => {
  const queue = new ChunkQueue({ perSale: 10_000, overall: 1e12 })
  queue.add('a', 0, 256)
  const first = drain(queue, 0)
  t.equal(first.sent.length, 3, 'a burst of a quarter of a second, and what is begun is sent')
  t.equal(first.waitMs, 50)
  queue.add('b', 0, 1)
  t.strictSame(drain(queue, 10).sent, ['b0'])
  let sent = 0
  for (let nowMs = 10; nowMs <= 10_000; nowMs += 10) sent += drain(queue, nowMs).sent.length
  t.ok(sent >= 98 && sent <= 101, `${sent} chunks of 1,000 bytes in 10 s at 10,000 bytes a second`)
})

t.test('all together keep to theirs', async (t) => {
  const queue = new ChunkQueue({ perSale: 1e12, overall: 10_000 })
  for (const sale of ['a', 'b', 'c']) queue.add(sale, 0, 256)
  const counts: Record<string, number> = {}
  for (let nowMs = 0; nowMs <= 10_000; nowMs += 10)
    for (const each of drain(queue, nowMs).sent) counts[each[0] ?? ''] = (counts[each[0] ?? ''] ?? 0) + 1
  const total = Object.values(counts).reduce((sum, each) => sum + each, 0)
  t.ok(total >= 100 && total <= 105, `${total}`)
  t.ok(Math.max(...Object.values(counts)) - Math.min(...Object.values(counts)) <= 1, JSON.stringify(counts))
  t.ok((queue.next(BYTES, 10_000) as { waitMs: number }).waitMs > 0)
})
