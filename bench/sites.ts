/**
 * What one more site costs those that share a slow hand: bytes and processor time of a tick, and of what is carried; and what order it
 * gives between events of different sites.
 *
 *     node dist/bench/sites.js [SEED]
 *
 * Ticks are real, with so many anchors; the order is simulated: each site finds blocks and ticks by its share of the hashing, hears of
 * the others' newest blocks and ticks a second late; pairs of blocks of two random sites are looked at.
 */
import { checkAnchors, createHand, decodeTick, tickTemplate } from '../ledger/hand.ts'
import { position0 } from '../ledger/header.ts'
import { hashing } from '../node/signing.ts'
import { encode } from '../schemas/codec.ts'
import type { Hash } from '../schemas/hex.ts'
import { type HandTip, handTip } from '../schemas/message.ts'
import { type Anchor, tick as tickCodec } from '../schemas/tick.ts'
import { order } from '../sim/lab/sites.ts'

const T_SECONDS = 10
const RATIO = 16
const seed = Number(process.argv[2] ?? 1)

const genesis = {
  ...{ name: 'sites', time: 0, interval: RATIO * T_SECONDS * 1000, halfLife: 64 },
  ...{ target: (1n << 255n) - 1n, targetMax: (1n << 255n) - 1n },
}
const hand = createHand(genesis, hashing)
const name = (index: number): Hash => index.toString(16).padStart(64, '0') as Hash
const anchorOf = (index: number): Anchor => ({
  ledger: name(index),
  height: 1_000_000 + index,
  block: name(index + 7),
})

const said: HandTip = {
  ...{ height: 1, hash: name(1), time: 1, target: 1n, work: 1n },
  newest: anchorOf(1),
}
const tipBytes = encode(handTip, said).length
console.log(
  `T ${T_SECONDS} s, R ${RATIO}: a tick every ${RATIO * T_SECONDS} s; a hand tip has ${tipBytes} bytes, one for each tick and each fourth block of each site; seed ${seed}`,
)
console.log(
  'sites  tick bytes  check ms  of an interval  ticks/day MB  tips/day MB  ordered by ticks after, s: half of all, 95 %',
)
let before: { bytes: number; ms: number; sites: number } | undefined
for (const sites of [1, 2, 10, 100, 1000]) {
  const anchors = Array.from({ length: sites }, (_, index) => anchorOf(index))
  const bytes = encode(tickCodec, tickTemplate(hand, position0(hand), anchors, 1))
  const rounds = Math.max(5, Math.round(4000 / sites))
  const startedMs = process.cpuUsage().user / 1000
  for (let round = 0; round < rounds; round++) {
    const decoded = decodeTick(bytes)
    if (!decoded.ok || !checkAnchors(hand, decoded.value).ok) throw new Error('a tick of ours parses')
  }
  const ms = (process.cpuUsage().user / 1000 - startedMs) / rounds
  const day = 86_400
  const { half, most } = order({
    seed,
    sites,
    tickSeconds: RATIO * T_SECONDS,
    delaySeconds: 1,
    pairs: 20_000,
  })
  const cells = [
    String(sites).padStart(5),
    String(bytes.length).padStart(10),
    ms.toFixed(2).padStart(8),
    `${((ms / genesis.interval) * 100).toFixed(4)} %`.padStart(14),
    ((bytes.length * day) / (RATIO * T_SECONDS) / 1e6).toFixed(2).padStart(12),
    ((tipBytes * sites * day * (1 / 4 + 1 / RATIO)) / T_SECONDS / 1e6).toFixed(1).padStart(11),
    `${half.toFixed(0)}, ${most.toFixed(0)}`.padStart(20),
  ]
  console.log(cells.join('  '))
  if (before !== undefined && sites === 1000)
    console.log(
      `each further site: ${((bytes.length - before.bytes) / (sites - before.sites)).toFixed(0)} bytes and ${(((ms - before.ms) / (sites - before.sites)) * 1000).toFixed(1)} us a tick`,
    )
  before = { bytes: bytes.length, ms, sites }
}
