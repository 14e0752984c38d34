/** `pinledger clock when` and `clock check` over a data directory that the test made. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openDisk } from '../../node/disk.ts'
import { writeGenesis } from '../../node/genesis-file.ts'
import { HAND_FILE } from '../../node/hand-store.ts'
import type { Block } from '../../schemas/block.ts'
import { batchedSample } from '../../schemas/message.ts'
import { handedGenesis, handGenesis } from '../helpers/hand.ts'
import { inProcess } from '../helpers/in-process.ts'
import { alice, bob, testGenesis } from '../helpers/ledger.ts'
import { MomentLab, network, smallLab, storeLab } from '../helpers/moment-lab.ts'
import { temporary } from '../helpers/processes.ts'

const { lab, paid, batch, read } = smallLab()
const waiting = lab.chain.transfer(alice, bob.account, 1)
lab.block([waiting])

function dataOf(t: Test, of: MomentLab = lab) {
  const data = temporary(t)
  const { store, hands } = storeLab(of, openDisk(data))
  store.close()
  hands.close()
  const genesis = join(temporary(t), 'genesis.json')
  writeGenesis(genesis, network.genesis)
  const out = join(temporary(t), 'proof.moment')
  const sample = join(temporary(t), 'sample.json')
  return {
    ...{ data, genesis, out, sample },
    when: (id: string, ...more: string[]) =>
      inProcess('clock', 'when', id, '--data', data, '--out', out, ...more),
    check: (file = out, on = genesis, ...more: string[]) =>
      inProcess('clock', 'check', file, '--genesis', on, ...more),
  }
}

t.test('when says it in words, writes a proof, and check says the same of it', async (t) => {
  const { when, check, out } = dataOf(t)
  const { code, out: said, err } = await when(read.id)
  t.equal(code, 0)
  t.equal(err, '')
  const lines = said.trimEnd().split('\n')
  const hash = (height: number) => lab.hands.slow.hashAt(height).slice(0, 16)
  t.match(lines, [
    /^what {10}soil 21\.5 Cel, number 0 of the sensor$/,
    new RegExp(`^by {12}${alice.account}$`),
    new RegExp(`^transaction {3}${read.id}$`),
    new RegExp(`^block after {3}tick 1 \\(${hash(1)}\\), 2026-01-01 00:00:16 UTC by its miner's clock$`),
    /^in block {6}2, 2026-01-01 00:00:08 UTC by its miner's clock$/,
    new RegExp(`^all before {4}tick 2 \\(${hash(2)}\\), 2026-01-01 00:00:32 UTC by its miner's clock$`),
    /^between {7}1 tick of the slow hand, 16 hashes; 16 s in the mean$/,
    /^on top {8}2 ticks, 32 hashes$/,
    /^hand {10}4 ticks, 64 hashes in all$/,
    /^wall clock {4}the block not before 2026-01-01 00:00:00 UTC unless .*, all of it not after 2026-01-01 00:00:32 UTC if /,
    new RegExp(`^proof {9}${out}, ${readFileSync(out).length} bytes: pinledger clock check `),
  ])
  const checked = await check()
  t.strictSame([checked.code, checked.err], [0, ''])
  const shown = checked.out.trimEnd().split('\n')
  t.strictSame(shown.slice(0, -2), lines.slice(0, -1))
  t.match(shown.slice(-2), [
    /^not shown {5}that this is the slow hand which you mean: with 64 hashes anybody can make one \(--tick, --data\)$/,
    /^not shown {5}that block 2 is on its ledger \(--data\)$/,
  ])
})

t.test('a proof has to be of the hand that is meant, by a tick of it or by a data directory', async (t) => {
  const { when, check, data, genesis, out } = dataOf(t)
  await when(read.id)
  const tick = (height: number) => lab.hands.slow.hashAt(height)
  for (const height of [2, 3, 4]) {
    const { code, out: said } = await check(out, genesis, '--tick', tick(height))
    t.equal(code, 0)
    t.ok(
      said.endsWith(`known         tick ${tick(height)} is one of them
not shown     that block 2 is on its ledger (--data)\n`),
    )
  }
  t.match(await check(out, genesis, '--tick', tick(1)), {
    code: 1,
    err: /ticks: tick [0-9a-f]{64} is tick 1, and anybody may go on from there: tick 2 or a later one has to be known/,
  })
  t.match(await check(out, genesis, '--tick', 'ab'.repeat(32)), {
    code: 1,
    err: /ticks: tick abab.* another hand/,
  })
  const whole = await check(out, genesis, '--data', data)
  t.equal(whole.code, 0)
  t.ok(
    whole.out.endsWith(`known         the slow hand in ${data} goes on from there, 2 ticks so far
known         block 2 is on the ledger there\n`),
  )
  const other = dataOf(t)
  const all = readFileSync(join(other.data, HAND_FILE))
  writeFileSync(join(other.data, HAND_FILE), all.subarray(0, 150))
  t.match(await check(out, genesis, '--data', other.data), {
    code: 1,
    err: /another-hand: tick 2 .* is not on the slow hand in/,
  })
})

t.test(
  'the block has to be on the ledger of the data directory, if that is the ledger of the proof',
  async (t) => {
    const { when, check, out, genesis } = dataOf(t)
    await when(read.id)
    for (const height of [1, 2]) {
      // The same ticks, and of the blocks the first; block 2, if there, is another.
      const fork = new MomentLab()
      const first = lab.blocks[0] as Block
      fork.chain.accept(first)
      fork.blocks.push(first)
      if (height === 2) fork.block()
      fork.ticks.push(...lab.ticks)
      t.match(await check(out, genesis, '--data', dataOf(t, fork).data), {
        code: 1,
        out: '',
        err: new RegExp(
          `another-chain: block 2 [0-9a-f]{64} is not on the ledger in .*, which ends at ${height}\\n$`,
        ),
      })
    }
  },
)

t.test('both say it as JSON', async (t) => {
  const { when, check, out, genesis, data } = dataOf(t)
  const said = await when(paid.id, '--json', '--height', '1')
  const facts = JSON.parse(said.out)
  t.match(facts, {
    ...{ network: network.id, hand: network.hand?.genesisHash, id: paid.id, sample: null, file: out },
    transaction: { type: 'transfer', to: bob.account },
    ...{ block: 1, after: { height: 0 }, before: { height: 1 }, ticks: 1, work: '16' },
    latestMs: lab.ticks[0]?.header.time,
    ...{ blockHash: lab.chain.chain.at(1)?.hash, workAbove: '48', last: { height: 4 } },
  })
  const checked = await check(out, genesis, '--json')
  const { file, ...rest } = facts
  t.strictSame(JSON.parse(checked.out), {
    ...{ ok: true, ...rest },
    known: { tick: null, ticksAbove: null, onLedger: null },
  })
  const whole = await check(out, genesis, '--json', '--data', data)
  t.match(JSON.parse(whole.out), { known: { tick: null, ticksAbove: 3, onLedger: true } })
  t.equal(file, out)
})

t.test('a reading of a batch: its message from the sample/ topic goes into the proof', async (t) => {
  const { when, check, sample } = dataOf(t)
  writeFileSync(sample, JSON.stringify(batchedSample.toJson(batch.samples[3] as never)))
  const { code, out } = await when(batch.sealed.id, '--sample', sample)
  t.equal(code, 0)
  t.match(out, /^what {10}soil 20\.3 Cel, number 3 of the sensor, one of 5 readings in a batch$/m)
  t.match((await check()).out, /one of 5 readings in a batch/)
  t.match((await when(batch.sealed.id)).out, /^what {10}5 readings of soil, from number 0 on$/m)
})

t.test('no proof (yet): exit code 1 and the reason', async (t) => {
  const { when } = dataOf(t)
  const cases: [readonly string[], RegExp][] = [
    [[waiting.id], /^no tick names block 7 or a later one yet: wait for the next tick\n$/],
    [['ab'.repeat(32)], /^no block that is kept in .* holds transaction abab/],
    [[read.id, '--height', '1'], /^block 1 does not hold transaction/],
    [[read.id, '--height', '99'], /^block 99 is not kept here/],
  ]
  for (const [[id = '', ...more], reason] of cases) {
    const { code, out, err } = await when(id, ...more)
    t.strictSame([code, out], [1, ''])
    t.match(err, reason)
  }
})

t.test('wrong usage: exit code 2 and what to do', async (t) => {
  const { when, data, out, sample } = dataOf(t)
  const cases: [string, readonly string[], RegExp][] = [
    ['abc', [], /transaction id/],
    [read.id, ['--height', '0'], /expected a height/],
    [read.id, ['--sample', sample], /--sample: cannot read/],
    [read.id, ['--out', join(out, 'x')], /cannot write .*: name another file with --out/],
    [read.id, ['--data', temporary(t)], /no ledger in/],
  ]
  for (const [id, more, reason] of cases) {
    const { code, err } = await when(id, ...more)
    t.equal(code, 2, err)
    t.match(err, reason)
  }
  const samples: [string, RegExp][] = [
    ['{', /is not JSON/],
    ['{}', /transaction: .*expected a message of a topic sample\//],
    [JSON.stringify(batchedSample.toJson(batch.samples[0] as never)), /is of transaction/],
  ]
  for (const [text, reason] of samples) {
    writeFileSync(sample, text)
    const { code, err } = await when(read.id, '--sample', sample)
    t.equal(code, 2, err)
    t.match(err, reason)
  }
  rmSync(join(data, HAND_FILE))
  const { code, err } = await when(read.id)
  t.equal(code, 2)
  t.match(err, /no hand\.log in .*: its program has not run/)
})

t.test('a sample that its batch does not have is no bug of ours', async (t) => {
  const { when, sample } = dataOf(t)
  const [first, second] = batch.samples.map((each) => batchedSample.toJson(each) as object)
  writeFileSync(sample, JSON.stringify({ ...first, path: (second as { path: unknown }).path }))
  const forged = await when(batch.sealed.id, '--sample', sample)
  t.match(forged, { code: 2, err: /--sample: .*its path does not lead to the batch/ })
  writeFileSync(sample, JSON.stringify({ ...first, transaction: read.id }))
  const single = await when(read.id, '--sample', sample)
  t.match(single, { code: 2, err: /--sample: .*not one of this transaction/ })
})

t.test('a hand that has only just begun to be written, or is of another network, is said', async (t) => {
  const { when, data } = dataOf(t)
  const whole = readFileSync(join(data, HAND_FILE))
  for (const length of [0, 5, 8, 20]) {
    writeFileSync(join(data, HAND_FILE), whole.subarray(0, length))
    const { code, err } = await when(read.id)
    t.strictSame([code, err.includes('wait for the next tick')], [1, true], `${length} bytes: ${err}`)
  }
  const changed = Buffer.from(whole)
  changed[40] = (changed[40] ?? 0) ^ 1
  writeFileSync(join(data, HAND_FILE), changed)
  t.match(await when(read.id), { code: 3, err: /hand\.log is damaged/ })
})

t.test('check refuses with exit code 1 what proves nothing, and with 2 what it cannot read', async (t) => {
  const { when, check, out, genesis } = dataOf(t)
  await when(read.id)
  const other = join(temporary(t), 'other.json')
  writeGenesis(other, handedGenesis({ hand: handGenesis({ name: 'other' }) }))
  const plain = join(temporary(t), 'plain.json')
  writeGenesis(plain, testGenesis())
  t.match(await check(out, other), {
    code: 1,
    out: '',
    err: /proves nothing: bad-proof: ledger: the proof is of network/,
  })
  t.match(await check(out, plain), { code: 1, err: /this network has no slow hand/ })
  const { code, out: json } = await check(out, other, '--json')
  t.match([code, JSON.parse(json)], [1, { ok: false, code: 'bad-proof' }])
  writeFileSync(out, readFileSync(out).subarray(1))
  t.match(await check(), { code: 1, err: /proves nothing: bad-encoding/ })
  t.match(await check(`${out}x`), { code: 2, err: /cannot read/ })
  t.match(await check(out, `${genesis}x`), { code: 2, err: /cannot read genesis/ })
})
