/** When a miner of templates works, and what follows a find. */
import t, { type Test } from 'tap'
import { MINER_DEFAULTS } from '../../edge-agent/miner.ts'
import { TemplateMining } from '../../edge-agent/template-mining.ts'
import { tickTemplate } from '../../ledger/hand.ts'
import { position0 } from '../../ledger/header.ts'
import { type Tick, tick as tickCodec } from '../../schemas/tick.ts'
import { testHand } from '../helpers/hand.ts'
import { recordingLog } from '../helpers/rig.ts'
import { waitUntil } from '../helpers/wait-until.ts'

/** Counts what it is asked for. */
class Counting extends TemplateMining<Tick> {
  target: bigint | undefined
  templates = 0
  readonly taken: Tick[] = []
  /** Templates that each find was followed by at once. */
  readonly next: number[] = []
  readonly fatal: unknown[]
  /** What becomes of the finds, in order; no template follows the last. */
  readonly outcomes: (boolean | Error)[]

  constructor(outcomes: (boolean | Error)[], target: bigint, fatal: unknown[] = []) {
    const onFatal = (error: unknown) => void fatal.push(error)
    super(
      { ...MINER_DEFAULTS, duty: 0.3 },
      { log: recordingLog().log, random: Math.random, onFatal },
      tickCodec,
    )
    this.outcomes = outcomes
    this.target = target
    this.fatal = fatal
  }

  protected override template(): Tick | undefined {
    this.templates++
    if (this.target === undefined) return undefined
    const hand = testHand()
    const tick = tickTemplate(hand, position0(hand), [], hand.genesis.time + 1)
    return { ...tick, header: { ...tick.header, target: this.target } }
  }

  protected override take(found: Tick): boolean {
    const before = this.templates
    this.taken.push(found)
    // After the find has been dealt with, before any timer.
    queueMicrotask(() => this.next.push(this.templates - before))
    const outcome = this.outcomes.shift() ?? false
    if (this.outcomes.length === 0) this.target = undefined
    if (outcome instanceof Error) throw outcome
    return outcome
  }
}

const EASY = 2n ** 255n
const NEVER = 1n

function started(t: Test, mining: Counting): Counting {
  t.teardown(() => mining.stop())
  mining.start()
  mining.refresh()
  return mining
}

t.test('it hashes while there is a template, and rests while there is none', async (t) => {
  const mining = started(t, new Counting([], NEVER))
  const rest = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
  await waitUntil('it hashes', () => mining.stats().hashes > 0)
  mining.target = undefined
  mining.refresh()
  await rest(200)
  const { hashes } = mining.stats()
  await rest(300)
  t.equal(mining.stats().hashes, hashes)
  mining.target = NEVER
  await waitUntil('it finds out by itself that there is one', () => mining.stats().hashes > hashes)
})

t.test('a find has its nonce; one that came too late is followed by the next job at once', async (t) => {
  const mining = started(t, new Counting([true, false, new Error('no space'), true], EASY))
  await waitUntil('all are found', () => mining.next.length === 4)
  t.strictSame(mining.next, [0, 1, 0, 0])
  t.match(mining.fatal, [{ message: 'no space' }])
  t.equal(mining.fatal.length, 1)
  t.ok(mining.taken.every(({ header }) => header.nonce.some((byte) => byte !== 0)))
})
