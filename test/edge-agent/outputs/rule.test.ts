import t from 'tap'
import {
  type Condition,
  decide,
  type Facts,
  firstMemory,
  type Memory,
  type Rule,
} from '../../../edge-agent/outputs/rule.ts'

const BELOW: Condition = {
  kind: 'sensor',
  sensor: 'soil',
  compare: 'below',
  threshold: 20,
  hysteresis: 5,
  staleMs: 60_000,
}
const RULE: Rule = { safe: false, condition: BELOW, onMsMax: undefined, lostMsMax: 30_000 }

/** Decides again and again; each step says what is new after how many seconds. */
function follow(rule: Rule) {
  let facts: Facts = {
    nowMs: 1_000,
    reading: undefined,
    lostSinceMs: undefined,
    isMining: false,
    sold: undefined,
  }
  let memory: Memory = firstMemory(1_000)
  return (
    seconds: number,
    news: { soil?: number; lost?: boolean; mining?: boolean; sold?: Facts['sold'] } = {},
  ) => {
    const nowMs = facts.nowMs + seconds * 1000
    facts = {
      nowMs,
      reading: news.soil === undefined ? facts.reading : { value: news.soil, atMs: nowMs },
      lostSinceMs: news.lost === undefined ? facts.lostSinceMs : news.lost ? nowMs : undefined,
      isMining: news.mining ?? facts.isMining,
      sold: 'sold' in news ? news.sold : facts.sold,
    }
    const { on, cause, reason, memory: next } = decide(rule, facts, memory)
    memory = next
    return `${on ? 'on' : 'off'}, ${cause}: ${reason}`
  }
}

t.test('below a value it is on, and stays on until the value is back by the hysteresis', async (t) => {
  const step = follow(RULE)
  t.equal(step(1, { soil: 20 }), 'off, condition: soil 20 is not below 20')
  t.equal(step(1, { soil: 19.9 }), 'on, condition: soil 19.9 is below 20')
  t.equal(step(1, { soil: 24.9 }), 'on, condition: soil 24.9 is below 25')
  t.equal(step(1, { soil: 25 }), 'off, condition: soil 25 is not below 25')
  t.equal(step(1, { soil: 20 }), 'off, condition: soil 20 is not below 20')
})

t.test(
  'above a value likewise, and the threshold in the reason is no float with sixteen digits',
  async (t) => {
    const step = follow({
      ...RULE,
      condition: { ...BELOW, compare: 'above', threshold: 0.3, hysteresis: 0.1 },
    })
    t.equal(step(1, { soil: 0.3 }), 'off, condition: soil 0.3 is not above 0.3')
    t.equal(step(1, { soil: 0.31 }), 'on, condition: soil 0.31 is above 0.3')
    t.equal(step(1, { soil: 0.25 }), 'on, condition: soil 0.25 is above 0.2')
    t.equal(step(1, { soil: 0.2 }), 'off, condition: soil 0.2 is not above 0.2')
  },
)

t.test('without a reading, or with one that is too old, it is safe', async (t) => {
  for (const safe of [false, true]) {
    const step = follow({ ...RULE, safe })
    const state = safe ? 'on' : 'off'
    t.equal(step(0), `${state}, stale: soil has said nothing yet`)
    t.match(step(1, { soil: 10 }), /^on, condition/)
    t.match(step(59.9), /^on, condition/)
    t.equal(step(0.1), `${state}, stale: soil has said nothing for 60 s`)
    t.equal(step(1, { soil: 24 }), 'off, condition: soil 24 is not below 20', 'the hysteresis begins anew')
  }
})

t.test('without the broker for too long it is safe, from the start on too', async (t) => {
  const step = follow(RULE)
  t.match(step(1, { soil: 10 }), /^on/)
  t.match(step(1, { lost: true }), /^on/)
  t.match(step(29.9), /^on/)
  t.equal(step(0.1), 'off, lost: no connection for 30 s')
  t.match(step(1, { lost: false }), /^on, condition/)
  const reading = { value: 1, atMs: 1 }
  const facts = { nowMs: 1, reading, lostSinceMs: -Infinity, isMining: false, sold: undefined }
  t.match(decide(RULE, facts, firstMemory(0)), { on: false, cause: 'lost', reason: 'no connection yet' })
  const keeping = follow({ ...RULE, lostMsMax: undefined })
  t.match(keeping(1, { soil: 10, lost: true }), /^on/)
  t.match(keeping(50), /^on/, 'its rule goes on')
  t.match(keeping(10), /^off, stale/, 'and so does the age of what it knows')
})

t.test('after its longest time it is safe until the condition has been false', async (t) => {
  const step = follow({ ...RULE, onMsMax: 10_000 })
  t.match(step(1, { soil: 10 }), /^on/)
  t.match(step(9.9, { soil: 10 }), /^on/)
  t.equal(step(0.1), 'off, limit: was on for 10 s, its longest time, and soil 10 is below 25')
  t.match(step(30, { soil: 11 }), /^off, limit/)
  t.match(step(60), /^off, stale/)
  t.match(step(60, { soil: 11 }), /^off, limit/, 'silence is no condition that is false')
  t.match(step(1, { soil: 26 }), /^off, condition/)
  t.match(step(1, { soil: 10 }), /^on/)
  t.match(step(9.9), /^on/)
})

t.test('only time on counts, also over a loss in between', async (t) => {
  const step = follow({ ...RULE, onMsMax: 40_000 })
  t.match(step(1, { soil: 10 }), /^on/)
  t.match(step(1, { lost: true }), /^on/)
  t.match(step(30, { soil: 10 }), /^off, lost/)
  t.match(step(300, { soil: 10, lost: false }), /^on/)
  t.match(step(8.9), /^on/, '31 s until the loss was long, and these')
  t.match(step(0.2), /^off, limit/)
})

t.test('a status LED follows the connection or the miner', async (t) => {
  const connected = follow({ ...RULE, condition: { kind: 'agent', state: 'connected' } })
  t.equal(connected(1), 'on, condition: the agent is connected')
  t.equal(connected(1, { lost: true }), 'off, condition: the agent is not connected')
  const mining = follow({ ...RULE, condition: { kind: 'agent', state: 'mining' } })
  t.equal(mining(1), 'off, condition: the agent is not mining')
  t.equal(mining(1, { mining: true }), 'on, condition: the agent is mining')
})

t.test(
  'what is paid for is on while it is sold; safe wins where that is not known, and without the broker',
  async (t) => {
    const until = Date.UTC(2026, 10, 29, 20, 1, 30)
    const sold = (seconds: number) => ({ sold: { remainingMs: seconds * 1000, until } })
    const step = follow({ ...RULE, condition: { kind: 'paid' } })
    t.equal(step(1), 'off, stale: what was sold is not known before the ledger is')
    t.equal(step(1, sold(0)), 'off, condition: nobody has paid')
    t.equal(step(1, sold(60)), 'on, condition: paid until 2026-11-29T20:01:30Z')
    t.equal(step(1, sold(0.001)), 'on, condition: paid until 2026-11-29T20:01:30Z')
    t.equal(step(1, sold(0)), 'off, condition: nobody has paid')
    step(1, sold(60))
    t.match(step(1, { lost: true }), /^on/)
    t.equal(step(30), 'off, lost: no connection for 30 s')
    t.match(step(1, { lost: false, ...sold(20) }), /^on/)
    const heater = follow({ ...RULE, safe: true, condition: { kind: 'paid' } })
    t.match(heater(1), /^on, stale/)
    t.match(heater(1, sold(0)), /^off, condition/)
  },
)
