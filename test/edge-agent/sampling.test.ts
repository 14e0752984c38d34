import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Outbox } from '../../edge-agent/outbox.ts'
import { type AgentSensor, Sampling, withProofs } from '../../edge-agent/sampling.ts'
import { checkMerklePath } from '../../ledger/merkle.ts'
import { replaceableLog } from '../../node/replaceable-log.ts'
import { hashing } from '../../node/signing.ts'
import { encode } from '../../schemas/codec.ts'
import { fromHex, type Hash } from '../../schemas/hex.ts'
import { batchedSample } from '../../schemas/message.ts'
import { invariant } from '../../schemas/result.ts'
import { sample as sampleCodec } from '../../schemas/transaction.ts'
import { alice, TestChain } from '../helpers/ledger.ts'
import { temporary } from '../helpers/processes.ts'

const value = (mantissa: number) => ({ mantissa, exponent: 0 })
const id = 'cd'.repeat(32) as Hash

/** A sensor that is never started: the test gives its values. */
const sensor = (name: string, batch: number): AgentSensor => ({
  name,
  driver: 'script',
  batch,
  sensor: { unit: '%', start: async () => {}, stop: async () => {} },
})

/** Sampling with an outbox on disk and a clock that the test sets; `restart` forgets what was not stored. */
function lab(t: Test, ...sensors: AgentSensor[]) {
  const test = new TestChain()
  const files = replaceableLog(join(temporary(t), 'outbox.log'))
  const clock = { ms: 1_000, synchronised: true }
  const open = () => {
    const outbox = new Outbox(files, test.chain, alice)
    const sampling = new Sampling(sensors, outbox, {
      now: () => clock.ms,
      monotonic: () => clock.ms,
      synchronised: () => clock.synchronised,
    })
    return { outbox, sampling }
  }
  let parts = open()
  t.teardown(() => parts.outbox.close())
  return {
    test,
    clock,
    take: (of: AgentSensor, mantissa = 1) => parts.sampling.take(of, value(mantissa)).sample,
    free: (of: AgentSensor) => parts.sampling.take(of, value(1)).free,
    gather: () => parts.sampling.gather(),
    /** Gathers, signs and stores, as the agent does every second. */
    flush: () => parts.outbox.add(parts.sampling.gather().map(({ draft }) => ({ draft, key: '' }))),
    restart() {
      parts.outbox.close()
      parts = open()
    },
  }
}

t.test('a sample has its number, its time, its unit, and whether the clock was right', async (t) => {
  const soil = sensor('soil', 1)
  const { take, clock } = lab(t, soil)
  t.strictSame(take(soil, 41), {
    sensor: 'soil',
    sequence: 0,
    value: value(41),
    unit: '%',
    time: 1_000,
    synchronised: true,
  })
  clock.ms = 2_500
  clock.synchronised = false
  t.match(take(soil), { sequence: 1, time: 2_500, synchronised: false })
  clock.ms = -5
  t.match(take(soil), { time: 0 }, 'before 1970 there is no time')
})

t.test('each sensor counts for itself, over what was gathered too', async (t) => {
  const [soil, light] = [sensor('soil', 1), sensor('light', 1)]
  const { take, flush } = lab(t, soil, light)
  const numbers = [take(soil), take(soil), take(light)].map(({ sequence }) => sequence)
  flush()
  numbers.push(take(soil).sequence, take(light).sequence)
  t.strictSame(numbers, [0, 1, 0, 2, 1])
})

t.test('after a restart the numbers go on from what the outbox has stored, single or batched', async (t) => {
  const [soil, fast] = [sensor('soil', 1), sensor('fast', 3)]
  const { take, flush, restart } = lab(t, soil, fast)
  for (let each = 0; each < 2; each++) take(soil)
  for (let each = 0; each < 7; each++) take(fast)
  t.equal(flush().length, 4)
  take(soil)
  restart()
  t.equal(take(soil).sequence, 2, 'a number that was never signed is given again')
  t.equal(take(fast).sequence, 6, 'the seventh waited for its batch')
})

t.test('one sample is a transaction of its own, with nothing that travels beside it', async (t) => {
  const soil = sensor('soil', 1)
  const { take, gather } = lab(t, soil)
  const samples = [take(soil, 1), take(soil, 2)]
  t.strictSame(
    gather(),
    samples.map((sample) => ({ draft: { type: 'reading', sample }, samples: [] })),
  )
  t.strictSame(gather(), [], 'once')
})

t.test('batches are whole; what is left waits for the next', async (t) => {
  const fast = sensor('fast', 3)
  const { take, gather, clock } = lab(t, fast)
  const takeOne = () => {
    clock.ms += 10
    return take(fast)
  }
  const samples = Array.from({ length: 8 }, takeOne)
  const [first, second, none] = gather()
  t.match(first?.draft, { type: 'batch', sensor: 'fast', sequence: 0, count: 3, unit: '%' })
  t.match(first?.draft, { firstTime: 1_010, lastTime: 1_030, synchronised: true })
  t.match(second?.draft, { sequence: 3, count: 3, firstTime: 1_040, lastTime: 1_060 })
  t.equal(none, undefined)
  t.strictSame([first?.samples, second?.samples], [samples.slice(0, 3), samples.slice(3, 6)])
  t.strictSame(gather(), [])
  samples.push(takeOne())
  const [third] = gather()
  t.strictSame(third?.samples, samples.slice(6))
})

t.test('a batch is only as right about its time as its worst sample', async (t) => {
  const fast = sensor('fast', 3)
  const { take, gather, clock } = lab(t, fast)
  take(fast)
  clock.synchronised = false
  take(fast)
  clock.synchronised = true
  take(fast)
  t.match(gather(), [{ draft: { synchronised: false } }])
})

t.test('a clock set back within a batch does not make one that ends before it begins', async (t) => {
  const fast = sensor('fast', 2)
  const { take, flush, clock, test } = lab(t, fast)
  take(fast)
  clock.ms = 400
  take(fast)
  const sealed = flush()
  t.match(sealed[0]?.transaction, { type: 'batch', firstTime: 1_000, lastTime: 1_000 })
  t.equal(test.accept(test.block(sealed)).ok, true)
  t.equal(test.chain.state.totals().readings, 2, 'the ledger takes it')
})

for (const count of [2, 3, 4, 7, 16]) {
  t.test(`${count} samples: each has a proof to the root, for itself and its place alone`, async (t) => {
    const fast = sensor('fast', count)
    const { take, gather } = lab(t, fast)
    for (let each = 0; each < count; each++) take(fast, each)
    const [gathered] = gather()
    invariant(gathered?.draft.type === 'batch', 'one batch')
    const root = fromHex(gathered.draft.root)
    const proofs = withProofs(id, gathered.samples)
    const holds = (of: (typeof proofs)[number], index = of.index): boolean =>
      checkMerklePath(
        hashing,
        root,
        hashing.tagged('sample', encode(sampleCodec, of.sample)),
        index,
        of.count,
        of.path.map(fromHex),
      )
    t.strictSame(
      proofs.map((proof) => [proof.index, proof.count, proof.transaction, proof.sample.sequence]),
      gathered.samples.map((_, index) => [index, count, id, index]),
    )
    t.ok(proofs.every((proof) => holds(proof)))
    t.notOk(
      proofs.some((proof) => holds(proof, (proof.index + 1) % count)),
      'in another place',
    )
    t.notOk(
      proofs.some((proof) => holds({ ...proof, sample: { ...proof.sample, value: value(99) } })),
      'with another value',
    )
    t.ok(
      proofs.every((proof) => encode(batchedSample, proof).length > 0),
      'they can be sent',
    )
  })
}

t.test(
  'of a sensor that is sold, the ledger has what is free; the full rate counts for itself',
  async (t) => {
    const soil = { ...sensor('soil', 1), sell: { freeEverySeconds: 1 } }
    const { take, free, flush, clock } = lab(t, soil)
    const first = take(soil)
    t.equal(first.sequence, first.time, 'from the time of the start on')
    clock.ms += 500
    t.equal(take(soil).sequence, first.sequence + 1)
    t.equal(free(soil), undefined)
    clock.ms += 460
    t.match(free(soil), { sequence: 1, time: clock.ms }, 'a little early is on time')
    t.equal(flush().length, 2)
    const secret = { ...sensor('secret', 1), sell: { freeEverySeconds: 0 } }
    t.equal(free(secret), undefined)
  },
)
