import t from 'tap'
import type { Signer } from '../../../node/signing.ts'
import { encode } from '../../../schemas/codec.ts'
import { fromHex } from '../../../schemas/hex.ts'
import { wiring, wiringParts } from '../../../schemas/wiring.ts'
import { alice, bob, carol, TestChain, testNetwork } from '../../helpers/ledger.ts'
import { sample, WiresLab } from '../../helpers/wires-lab.ts'

const own = { when: { sensor: 'soil' }, to: bob.account, pay: '1', for: 'water' }
const more = { ...own, pay: '2', for: 'more' }
const lab = (options = {}) =>
  new WiresLab({ wires: [own], owner: carol.account, sensors: ['soil'], ...options })

function message(
  wires: unknown,
  sequence: number,
  { by = carol, agent = alice.account, network = testNetwork() } = {},
): Uint8Array {
  const text = new TextEncoder().encode(typeof wires === 'string' ? wires : JSON.stringify(wires))
  const parts = wiringParts(agent, { sequence, text })
  const signature = by.sign(network.hashing.tagged('wiring', fromHex(network.genesisHash), ...parts))
  return encode(wiring, { sequence, text, signature })
}

function send(to: WiresLab, bytes: Uint8Array, { by = carol as Signer, json = false } = {}): void {
  const { id } = to.test.network
  to.receive({ network: id, kind: 'wiring', publisher: by.account, rest: [alice.account], json }, bytes)
}
const memos = (of: WiresLab, sequence: number): string[] => {
  of.say(sample(sequence, '1'))
  return of.memos()
}

t.test("the owner's wires count at once, and after a restart instead of the configuration's", async (t) => {
  const agent = lab()
  t.strictSame(agent.trade.filters, [
    `pinledger/${agent.test.network.id}/wiring/${carol.account}/${alice.account}`,
  ])
  t.strictSame(memos(agent, 0), ['water 0'])
  send(agent, message([more], 5))
  t.strictSame(memos(agent, 1), ['more 1'])
  t.match(agent.states.at(-1), { sequence: 5, from: 'owner', wires: [{ memo: 'more' }], refused: null })
  agent.restart()
  t.match(agent.lines.at(-1), { event: "the owner's wires are used, not those of the configuration" })
  t.strictSame(memos(agent, 2), ['more 2'])
  send(agent, message([], 6))
  t.strictSame(memos(agent, 3), [], 'no wires are wires too')
})

t.test('refused, with a reason that is published: whoever else signs, whatever else is signed', async (t) => {
  const agent = lab()
  const other = new TestChain(testNetwork({ name: 'other' })).network
  const changed = message([more], 1)
  changed[12] = (changed[12] ?? 0) ^ 1
  const cases: readonly [bytes: Uint8Array, sequence: number | null, reason: RegExp][] = [
    [message([more], 1, { by: bob }), 1, /^bad-signature: not signed by the owner/],
    [message([more], 1, { agent: bob.account }), 1, /^bad-signature/],
    [message([more], 1, { network: other }), 1, /^bad-signature/],
    [changed, 1, /^bad-signature/],
    [changed.subarray(0, 40), null, /^bad-encoding: text: /],
    [message('[{', 1), 1, /^bad-wires: the text is not JSON/],
    [message({}, 1), 1, /^bad-wires: .*expected a list/],
    [message([{ ...own, pay: 1 }], 1), 1, /^bad-wires: wires\[0\]\.pay: .*in quotes/],
    [
      message([{ ...own, when: { sensor: 'rain' } }], 1),
      1,
      /wires\[0\]\.when\.sensor: expected a sensor of this agent/,
    ],
    [message([own, own], 1), 1, /wires\[1\]: expected each pair/],
  ]
  for (const [bytes, sequence, reason] of cases) {
    send(agent, bytes)
    t.match(agent.states.at(-1), { sequence: 0, refused: { sequence, reason, message: /^[0-9a-f]{16}$/ } })
  }
  t.strictSame(memos(agent, 0), ['water 0'])
  send(agent, message([more], 1), { by: bob })
  t.strictSame(memos(agent, 1), ['water 1'], "on another's topic")
  send(agent, message([more], 1), { json: true })
  t.strictSame(memos(agent, 2), ['water 2'], 'as a mirror')
})

t.test(
  'an old message is taken once: not again, not an older one, not after a restart or a reset',
  async (t) => {
    const agent = lab()
    const first = message([more], 7)
    send(agent, first)
    send(agent, message([own], 8))
    const refusals = () => agent.states.at(-1)?.refused?.reason
    send(agent, first)
    t.match(refusals(), /^old-sequence: expected more than 8, got 7/)
    send(agent, message([more], 8))
    t.match(refusals(), /^old-sequence/)
    agent.restart()
    send(agent, first)
    t.match(refusals(), /^old-sequence/)
    const { wiring: last } = agent.log
    t.ok(last)
    if (last !== undefined) agent.log.setWiring({ ...last, active: false })
    agent.restart()
    t.strictSame(memos(agent, 0), ['water 0'], "the configuration's again")
    send(agent, first)
    t.match(refusals(), /^old-sequence/)
    send(agent, message([more], 9))
    t.strictSame(memos(agent, 1), ['more 1'])
  },
)

t.test('wires that come later do not pay for what was before them, also not after a restart', async (t) => {
  const agent = lab({ wires: [] })
  const wires = [{ when: { device: bob.account, sensor: 'soil' }, pay: '1', for: 'soil' }]
  agent.mine(agent.readings('1'))
  send(agent, message(wires, 1))
  t.strictSame(agent.memos(), [])
  agent.restart()
  t.strictSame(agent.memos(), [])
  agent.mine(agent.readings('2'))
  t.equal(agent.outbox.unconfirmed.length, 1)
})

t.test('without an owner, or with another one since, nothing that was sent counts', async (t) => {
  const nobody = new WiresLab({ wires: [own], sensors: ['soil'] })
  t.strictSame(nobody.trade.filters, [])
  send(nobody, message([more], 1))
  t.strictSame(memos(nobody, 0), ['water 0'])
  const agent = lab()
  send(agent, message([more], 1))
  const heir = new WiresLab({ wires: [own], owner: bob.account, sensors: ['soil'] })
  heir.disk = agent.disk.after()
  heir.restart()
  t.match(heir.lines.at(-1)?.event, /those set were of another owner/)
  t.strictSame(memos(heir, 0), ['water 0'])
})

t.test(
  "stored wires that no longer fit the sensors give way to the configuration's, and the log says so",
  async (t) => {
    const agent = lab()
    send(agent, message([more], 1))
    const smaller = new WiresLab({
      wires: [{ ...own, when: { every: { minutes: 60 } } }],
      owner: carol.account,
    })
    smaller.disk = agent.disk.after()
    smaller.restart()
    t.match(smaller.lines.at(-1), {
      level: 'warn',
      event: /do not fit/,
      fields: { reason: /wires\[0\]\.when\.sensor/ },
    })
    t.match(smaller.memos(), [/^water 2026/])
  },
)

t.test('a log that has grown large is rewritten with what counts', async (t) => {
  const agent = lab()
  const filling = Array.from({ length: 60 }, (_, at) => ({ ...own, for: `${'x'.repeat(55)} ${at}` }))
  for (let sequence = 1; sequence <= 200; sequence++) send(agent, message(filling, sequence))
  const size = agent.disk.files.get('wires.log')?.length ?? 0
  t.ok(size > 8_000 && size < (1 << 20) + 40_000, `${size} bytes`)
  agent.restart()
  t.match(agent.log.wiring, { sequence: 200, active: true })
})
