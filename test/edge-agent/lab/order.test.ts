import t from 'tap'
import {
  checkOrder,
  handsOf,
  LAB_STORE_BYTES_MAX,
  ORDER_MS_MAX,
  planFault,
  signOrder,
  storedTickBytes,
} from '../../../edge-agent/lab/order.ts'
import { encode } from '../../../schemas/codec.ts'
import { fromHex, toHex } from '../../../schemas/hex.ts'
import {
  LAB_AGENTS_MAX,
  LAB_ORDER_BYTES_MAX,
  LAB_ROUNDS_MAX,
  type LabPlan,
  type LabStart,
  labOrder,
} from '../../../schemas/lab-message.ts'
import { alice, bob, carol, START_MS, signer, testNetwork } from '../../helpers/ledger.ts'

const network = testNetwork()
const plan: LabStart = {
  ...{ type: 'start', mode: 'rounds', rounds: 20, timeoutMs: 60_000 },
  agents: [
    { account: alice.account, difficulty: 3 },
    { account: bob.account, difficulty: 2 },
  ],
}
const made = (more: { sequence?: number; time?: number; plan?: LabPlan } = {}, by = carol) =>
  signOrder(network, { sequence: 7, time: START_MS, plan, ...more }, (message) => by.sign(message))
const to = { owner: carol.account, sequence: 6, nowMs: START_MS, mayBeLate: false }

t.test('sequence, time, plan, signature', async (t) => {
  const { bytes, order } = made()
  const agents = `0002${alice.account}03${bob.account}02`
  const expected = `0000000000000007${START_MS.toString(16).padStart(12, '0')}0102${'00000014'}0000ea60${agents}`
  t.equal(toHex(bytes), expected + toHex(order.signature))
  const stop = made({ plan: { type: 'stop' } })
  t.equal(toHex(stop.bytes).slice(28, 30), '02')
  t.equal(stop.bytes.length, 8 + 6 + 1 + 64)
  const many = Array.from({ length: LAB_AGENTS_MAX }, (_, index) => ({
    ...{ account: signer(index + 1).account, difficulty: 1 },
  }))
  t.equal(made({ plan: { ...plan, agents: many } }).bytes.length, LAB_ORDER_BYTES_MAX)
})

t.test('an order of the owner is taken once; its hash is what the signature is over', async (t) => {
  const order = made()
  t.match(checkOrder(network, to, order.bytes), { ok: true, value: { hash: order.hash } })
  t.match(checkOrder(network, { ...to, sequence: 7 }, order.bytes), {
    fault: { sequence: 7, reason: /^old-sequence/ },
  })
  t.match(checkOrder(network, to, made({}, bob).bytes), { fault: { reason: /^bad-signature/ } })
  t.match(checkOrder(testNetwork({ name: 'other' }), to, order.bytes), {
    fault: { reason: /^bad-signature/ },
  })
  t.match(checkOrder(network, to, order.bytes.subarray(1)), { fault: { reason: /^bad-encoding/ } })
  t.match(checkOrder(network, to, new Uint8Array(LAB_ORDER_BYTES_MAX + 1)), {
    fault: { reason: /^bad-encoding/ },
  })
})

t.test('what an owner signs as wires is no order', async (t) => {
  const { order } = made()
  const body = encode(labOrder, order).subarray(0, -64)
  const { hashing, genesisHash } = network
  const signature = carol.sign(hashing.tagged('wiring', fromHex(genesisHash), body))
  t.match(checkOrder(network, to, encode(labOrder, { ...order, signature })), {
    fault: { reason: /^bad-signature/ },
  })
})

t.test(
  'an order that is an hour off is refused; a clock that may be late does not judge the future',
  async (t) => {
    const at = (ms: number, mayBeLate = false) =>
      checkOrder(network, { ...to, mayBeLate }, made({ time: START_MS + ms }).bytes).ok
    t.ok(at(1 - ORDER_MS_MAX))
    t.notOk(at(-ORDER_MS_MAX))
    t.notOk(at(-ORDER_MS_MAX, true))
    t.ok(at(ORDER_MS_MAX - 1))
    t.notOk(at(ORDER_MS_MAX))
    t.ok(at(10 * ORDER_MS_MAX, true))
    t.notOk(at(11 * 365 * 86_400_000, true), 'no Pi was off for so long')
    const old = made({ time: START_MS - 10 * ORDER_MS_MAX, plan: { type: 'stop' } })
    t.ok(checkOrder(network, to, old.bytes).ok, 'an end that the broker has kept')
    const early = made({ time: START_MS + ORDER_MS_MAX, plan: { type: 'stop' } })
    t.notOk(checkOrder(network, to, early.bytes).ok, 'its number would be above those of all orders to come')
  },
)

t.test('a plan is within what an agent can bear', async (t) => {
  const [first] = plan.agents
  const fault = (more: Partial<LabStart>) => planFault({ ...plan, ...more })
  t.equal(fault({}), undefined)
  t.equal(fault({ mode: 'alone', agents: plan.agents.slice(1) }), undefined)
  t.match(fault({ agents: plan.agents.slice(1) }), /at least 2 agents/)
  t.match(fault({ mode: 'alone', agents: [] }), /at least 1 agents/)
  t.match(fault({ agents: [...plan.agents, ...(first === undefined ? [] : [first])] }), /each agent once/)
  for (const difficulty of [0, 16])
    t.match(
      fault({ agents: plan.agents.map((each) => ({ ...each, difficulty })) }),
      /difficulty from 1 to 15/,
    )
  t.match(fault({ rounds: 0 }), /1 to 100000 rounds/)
  t.match(fault({ rounds: LAB_ROUNDS_MAX + 1, timeoutMs: 1_000 }), /1 to 100000 rounds/)
  t.match(fault({ timeoutMs: 999 }), /time-out from 1000/)
  t.match(fault({ rounds: 1, timeoutMs: 86_400_001 }), /time-out from 1000/)
  t.match(fault({ rounds: 8, timeoutMs: 86_400_000 }), /seven days/)
  const agents = Array.from({ length: LAB_AGENTS_MAX }, (_, index) => ({
    ...{ account: signer(index + 1).account, difficulty: 1 },
  }))
  const rounds = Math.floor(LAB_STORE_BYTES_MAX / LAB_AGENTS_MAX / storedTickBytes(LAB_AGENTS_MAX))
  t.equal(fault({ agents, rounds, timeoutMs: 1_000 }), undefined)
  t.match(fault({ agents, rounds: rounds + 1, timeoutMs: 1_000 }), /bytes, expected at most 67108864/)
  const order = made({ plan: { ...plan, rounds: 0 } })
  t.match(checkOrder(network, to, order.bytes), { fault: { sequence: 7, reason: /^bad-plan: / } })
})

t.test('each agent has a hand of its own in each experiment', async (t) => {
  const [one, two] = [made(), made({ sequence: 8 })].map(({ order, hash }) => handsOf(order, plan, hash))
  const hashes = [...(one ?? []), ...(two ?? [])].map(({ genesisHash }) => genesisHash)
  t.equal(new Set(hashes).size, 4)
  t.match(
    one?.map(({ genesis }) => genesis.name),
    [/^a-[0-9a-f]{16}$/, /^b-[0-9a-f]{16}$/],
  )
  t.strictSame(
    one?.map(({ genesis }) => genesis.target),
    [2n ** 244n - 1n, 2n ** 248n - 1n],
  )
})
