/** Wires over a real broker: an owner changes them while the agent runs, nobody else can, and people see how they stand. */
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { resetWires, setWires } from '../../cli/wires-set.ts'
import { showWires } from '../../cli/wires-show.ts'
import { tryWires } from '../../cli/wires-try.ts'
import { Agent } from '../../edge-agent/agent.ts'
import { MINER_DEFAULTS } from '../../edge-agent/miner.ts'
import { Outbox } from '../../edge-agent/outbox.ts'
import { Outputs } from '../../edge-agent/outputs/outputs.ts'
import { wiresConfig } from '../../edge-agent/wires/config.ts'
import type { WireState, WiresState } from '../../edge-agent/wires/state.ts'
import { WiresTrade } from '../../edge-agent/wires/trade.ts'
import { WiresLog } from '../../edge-agent/wires/wires-log.ts'
import { WIRES_FILE } from '../../node/backup.ts'
import { ChainStore } from '../../node/chain-store.ts'
import { openDisk } from '../../node/disk.ts'
import { replaceableLog } from '../../node/replaceable-log.ts'
import type { Signer } from '../../node/signing.ts'
import { systemTimers } from '../../node/timers.ts'
import { mirror, topic } from '../../schemas/topic.ts'
import { alice, bob, carol } from '../helpers/ledger.ts'
import { temporary } from '../helpers/processes.ts'
import { Rig, recordingLog } from '../helpers/rig.ts'
import { runAgent } from '../helpers/running-agent.ts'
import { waitUntil } from '../helpers/wait-until.ts'
import { sample } from '../helpers/wires-lab.ts'

const when = { device: bob.account, sensor: 'soil' }
const first = { when, pay: '0.01', for: 'soil' }

/** Alice's agent; carol owns it. */
async function startAgent(t: Test, rig: Rig, data: string) {
  const { log, lines } = recordingLog()
  const store = new ChainStore(openDisk(data), rig.genesis)
  const outbox = new Outbox(replaceableLog(join(data, 'outbox.log')), store.chain, alice)
  const wiresLog = new WiresLog(replaceableLog(join(data, WIRES_FILE)))
  const wired = { wires: wiresConfig.parse([first]), owner: carol.account, sensors: ['rain'] }
  const still = { start: () => {}, drive: () => {}, stop: async () => {} }
  const agent = new Agent(
    {
      session: { url: rig.url, backoff: { baseMs: 20, capMs: 100, stableMs: 1_000 } },
      name: 'agent',
      software: 'test',
      signer: alice,
      sensors: [],
      mining: { ...MINER_DEFAULTS, duty: 0 },
    },
    {
      store,
      outbox,
      outputs: new Outputs([], { lines: still, clock: rig.clock(), timers: systemTimers, log }),
      trades: [(desk) => new WiresTrade(desk, wired, wiresLog)],
      clock: rig.clock(),
      random: Math.random,
      log,
      onFatal: (error) => t.fail('the agent failed', { error }),
    },
  )
  const stop = await runAgent(t, agent, store)
  return { store, outbox, lines, stop }
}

function wiresFile(t: Test, wires: readonly object[]): string {
  const file = join(temporary(t), 'wires.yaml')
  writeFileSync(file, JSON.stringify({ wires }))
  return file
}

t.test(
  "wires are changed by their owner's signature and by no other, shown, and tried on a ledger",
  async (t) => {
    const rig = await Rig.start(t)
    const running = await rig.validator()
    const { mempool } = running.validator.node
    const data = temporary(t)
    const agent = await startAgent(t, rig, data)
    const { log } = recordingLog()
    const ask = async (run: (out: (text: string) => void) => Promise<number> | number) => {
      let said = ''
      const code = await run((text) => {
        said += text
      })
      return { code, said }
    }
    const set = (by: Signer, wires: readonly object[], more = {}) =>
      ask((out) =>
        setWires(
          { url: rig.url },
          by,
          { file: wiresFile(t, wires), agent: alice.account, wait: 5, json: false, ...more },
          log,
          out,
        ),
      )

    await rig.mine([running], [rig.chain.reading(bob, { sample: sample(1, '21.5') })])
    await waitUntil('the reading is paid', () => mempool.size === 1)
    await rig.mine([running], mempool.ordered())

    const above = {
      when: { ...when, above: 21 },
      pay: '0.02',
      to: { device: bob.account, output: 'lamp', minutes: 2 },
    }
    const stranger = await set(bob, [above], { wait: 1 })
    t.match(stranger, {
      code: 1,
      said: `no answer from agent ${alice.account.slice(0, 8)}: its owner is ${carol.account}`,
    })
    t.match(await set(carol, [above], { sequence: 7 }), {
      code: 0,
      said: /^set, 1 wires:\n {2}when soil of .* is above 21/,
    })
    t.match(await set(carol, [first], { sequence: 7 }), {
      code: 1,
      said: /^refused: old-sequence: expected more than 7/,
    })
    t.match(await set(carol, [{ ...first, to: bob.account, when: { sensor: 'sun' } }]), {
      code: 1,
      said: /^refused: bad-wires: wires\[0\]\.when\.sensor: expected a sensor of this agent/,
    })

    await rig.mine([running], [rig.chain.reading(bob, { sample: sample(2, '21.5') })]) // 21.5
    await waitUntil('the lamp is paid', () => mempool.size === 1)
    t.match(mempool.ordered()[0]?.transaction, { to: bob.account, amount: 2_000_000, memo: 'on lamp' })
    await rig.mine([running], mempool.ordered())

    await agent.stop()
    const again = await startAgent(t, rig, data)
    await rig.mine([running], [rig.chain.reading(bob, { sample: sample(3, '21.5') })])
    await waitUntil('it is paid after a restart', () => mempool.size === 1)
    t.match(mempool.ordered()[0]?.transaction, { memo: 'on lamp' }, 'by the wires that the owner has set')
    await rig.mine([running], mempool.ordered())
    await waitUntil('the agent follows', () => again.outbox.waiting === 0)
    const ledger = dirname(running.path)
    let told = ''
    while (!/0\.04 in all \(2\)/.test(told)) told = (await shown()).said
    async function shown() {
      return ask((out) => showWires({ url: rig.url }, { data: ledger, json: false }, log, out))
    }
    t.match(await shown(), {
      code: 0,
      said: /1 wires set by its owner \(sequence 7\).*earned by these wires:\n {2}8139770e on lamp: 0\.04 \(2\)/s,
    })

    const trial = wiresFile(t, [
      { ...first, perHourMax: 2 },
      { when: { ...when, below: 20 }, pay: '1', for: 'cold' },
    ])
    t.match(await ask((out) => tryWires({ file: trial, data: ledger, hours: 24, json: false }, out)), {
      code: 0,
      said: /^6 blocks from .*looked 3 times, would have paid 2 times: 0\.02 coins\n {4}kept from it 1 times, first at .*: perHourMax\n.*would have paid 0 times.*in all 0\.02 coins/s,
    })

    const bare = join(temporary(t), 'wires.yaml')
    writeFileSync(bare, JSON.stringify([first]))
    t.throws(() => tryWires({ file: bare, data: ledger, hours: 24, json: false }, () => {}), {
      code: 'config',
      message: /got a list\. Put a line "wires:" above/,
    })

    t.throws(() => resetWires({ data: '/dev/null/x', json: false }, () => {}), { code: 'store-write' })
    await again.stop()
    t.match(await ask((out) => resetWires({ data, json: true }, out)), { said: '{"status":"reset"}\n' })
    t.match(await ask((out) => resetWires({ data, json: true }, out)), { said: '{"status":"unchanged"}\n' })
    const back = await startAgent(t, rig, data)
    await rig.mine([running], [rig.chain.reading(bob, { sample: sample(4, '21.5') })])
    await waitUntil('the first wire pays again', () => mempool.size > 0)
    t.match(mempool.ordered()[0]?.transaction, { memo: /^soil / })
    t.notOk(back.lines.some(({ event }) => /owner/.test(event)))
  },
)

t.test('a warning about an offer is shown, and nothing in it steers the terminal', async (t) => {
  const rig = await Rig.start(t)
  const { client } = await rig.device(bob)
  const spent = { payments: 0, coins: '0' }
  const wire: WireState = {
    ...{
      words: 'every hour pay 0.02 for lamp',
      to: carol.account,
      memo: 'on lamp',
      device: null,
      sensor: null,
    },
    ...{ lastPaid: null, day: spent, all: spent, waiting: spent, why: null, answer: null },
    offer: 'a minute of lamp costs 0.03\u001b[2J',
  }
  const state: WiresState = {
    ...{ agent: bob.account, at: '2026-01-01T00:00:00Z', owner: null, sequence: 0, from: 'configuration' },
    ...{ text: null, refused: null, wires: [wire, { ...wire, offer: null }] },
  }
  const name = mirror(topic(rig.chain.network.id, 'wires', bob.account))
  await client.publishAsync(name, JSON.stringify(state), { qos: 1, retain: true })
  let said = ''
  const code = await showWires({ url: rig.url }, { json: false }, recordingLog().log, (text) => {
    said += text
  })
  t.equal(code, 0)
  t.strictSame(
    said.match(/beware: .*/g),
    ['beware: a minute of lamp costs 0.03\ufffd[2J'],
    'of one wire only',
  )
})

t.test(
  'an agent without an owner takes wires from nobody, and who sends them is told so at once',
  async (t) => {
    const rig = await Rig.start(t)
    await rig.validator()
    const { client } = await rig.device(alice)
    const state = { agent: alice.account, at: '', owner: null, sequence: 0, from: 'configuration' }
    const name = mirror(topic(rig.chain.network.id, 'wires', alice.account))
    const said = JSON.stringify({ ...state, text: null, wires: [], refused: null })
    await client.publishAsync(name, said, { retain: true, qos: 1 })
    const { log } = recordingLog()
    let out = ''
    const setting = { file: wiresFile(t, [first]), agent: alice.account, wait: 60, json: false }
    const started = performance.now()
    const code = await setWires({ url: rig.url }, carol, setting, log, (text) => {
      out += text
    })
    t.ok(performance.now() - started < 60_000)
    t.equal(code, 1)
    t.match(out, new RegExp(`^refused: agent .* has no owner.*owner: ${carol.account}`))
  },
)
