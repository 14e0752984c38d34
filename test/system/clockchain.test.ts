/**
 * Ten minutes of a real network with T = 2 s and a slow hand of R = 16: every confirmed reading that is older than a tick has a proof of when it
 * happened that checks with nothing but the genesis, and of ten thousand spoilt proofs none does.
 *
 * PINLEDGER_CLOCK_MINUTES makes it another time; the seed of the spoiling is 1.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ledgerBlocks } from '../../cli/ledger-blocks.ts'
import { targetFor } from '../../ledger/difficulty.ts'
import { checkMoment } from '../../ledger/sandwich.ts'
import { networkOf } from '../../node/chain-store.ts'
import { readGenesis } from '../../node/genesis-file.ts'
import { buildMoment } from '../../node/moment.ts'
import { withHand } from '../../node/open-hand.ts'
import { Reader } from '../../schemas/codec.ts'
import { tick as tickCodec } from '../../schemas/tick.ts'
import { seeded } from '../helpers/ledger.ts'
import { pinledger, run, temporary } from '../helpers/processes.ts'
import { foundQuickNetwork } from '../helpers/quick-network.ts'

const MINUTES = Number(process.env.PINLEDGER_CLOCK_MINUTES ?? 10)
const SPOILT = 10_000
const [T_MS, RATIO] = [2_000, 16]
/** Three agents at a tenth of a core each; what is wrong by a factor settles within some ticks. */
const WORK = 300_000

t.test('a live network', { timeout: (MINUTES + 6) * 60_000 }, async (t) => {
  const data = temporary(t)
  const hand = {
    ...{ name: 'quick', time: Date.now(), interval: RATIO * T_MS, halfLife: 64 },
    ...{ target: targetFor(WORK * RATIO * 0.25), targetMax: targetFor(1_000) },
  }
  foundQuickNetwork(data, { version: 2, slowRatio: RATIO, interval: T_MS, target: targetFor(WORK), hand })
  const ports = ['--mqtt-port', '0', '--ws-port', '0', '--http-port', '0']
  const up = pinledger(t, ['up', '--data', data, '--no-guest', '--duration', String(MINUTES * 60), ...ports])
  await up.ended
  t.match(up.out.join('\n'), /tick +\d+ of the slow hand/, 'ticks are among the live lines')

  const genesis = join(data, 'genesis.json')
  const network = networkOf(readGenesis(genesis))
  const validator = join(data, 'validator-1')
  const readings = [...ledgerBlocks(validator)].flatMap(({ height, transactions }) =>
    transactions.flatMap(({ id, transaction: { type } }) => (type === 'reading' ? [{ id, height }] : [])),
  )
  const proofs: Uint8Array[] = []
  withHand(validator, (store, handStore) => {
    const { tip } = handStore.slow
    const { anchors } = tickCodec.read(new Reader(handStore.tick(tip.height)))
    const named = anchors.find(({ ledger }) => ledger === network.genesisHash)
    t.ok(
      named !== undefined && store.chain.at(named.height)?.hash === named.block,
      'the last tick names a block',
    )
    const old = readings.filter(({ height }) => height <= (named?.height ?? 0))
    t.ok(old.length > 50 * MINUTES && tip.height > MINUTES / 2, `${old.length} readings, ${tip.height} ticks`)
    for (const { id, height } of old) {
      const built = buildMoment(store, handStore, { height, transaction: id })
      if (!built.ok) throw new Error(`${id} in block ${height}: ${built.fault}`)
      const checked = checkMoment(network, built.value)
      if (!checked.ok) throw new Error(`${id} in block ${height}: ${checked.fault.message}`)
      const { after, before } = checked.value
      if (checked.value.id !== id || after.height >= before.height)
        throw new Error(`${id}: a proof of something else`)
      proofs.push(built.value)
    }
    t.equal(proofs.length, old.length, 'each has a proof that checks')
  })

  const random = seeded(1)
  const below = (count: number): number => Math.floor(random() * count)
  const codes = new Map<string, number>()
  for (let tested = 0; tested < SPOILT; ) {
    const proof = proofs[below(proofs.length)] as Uint8Array
    const other = proofs[below(proofs.length)] as Uint8Array
    const spoilt = spoil(proof, other, below)
    if (Buffer.compare(spoilt, proof) === 0 || Buffer.compare(spoilt, other) === 0) continue
    tested++
    const checked = checkMoment(network, spoilt)
    const code = checked.ok ? 'passes' : checked.fault.code
    codes.set(code, (codes.get(code) ?? 0) + 1)
  }
  t.equal(codes.get('passes'), undefined, `${SPOILT} spoilt: ${JSON.stringify(Object.fromEntries(codes))}`)

  const [one] = readings
  const proof = join(data, 'one.moment')
  const when = await run(t, ['clock', 'when', one?.id ?? '', '--data', data, '--out', proof])
  t.equal(when.code, 0, when.err)
  t.comment(when.out)
  const checked = await run(t, ['clock', 'check', proof, '--genesis', genesis, '--json'])
  t.match(JSON.parse(checked.out), { ok: true, id: one?.id })
  t.ok(readFileSync(proof).length < 8_192)
})

/** A bit, a byte, a piece that is gone, doubled or another proof's. */
function spoil(proof: Uint8Array, other: Uint8Array, below: (count: number) => number): Uint8Array {
  const at = below(proof.length)
  const piece = 1 + below(64)
  const copy = proof.slice()
  switch (below(5)) {
    case 0:
      copy[at] = (copy[at] as number) ^ (1 << below(8))
      return copy
    case 1:
      copy[at] = below(256)
      return copy
    case 2:
      return Uint8Array.of(...proof.subarray(0, at), ...proof.subarray(at + piece))
    case 3:
      return Uint8Array.of(...proof.subarray(0, at), ...proof.subarray(at, at + piece), ...proof.subarray(at))
    default:
      return Uint8Array.of(...proof.subarray(0, at), ...other.subarray(at))
  }
}
