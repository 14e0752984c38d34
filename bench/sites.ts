/**
 * What one more site costs those that share a slow hand: messages, bytes and processor time at each site; and what order the hand gives
 * between events of different sites.
 *
 *     node dist/bench/sites.js [SEED]
 *
 * Who says what when, and what ticks name, is simulated (sim/lab/sites.ts); the messages are real, and checked by the code that a
 * validator has for it: a tick with its proof of work, a name with the table into which it goes.
 */
import { createHand, type Hand, tickTemplate } from '../ledger/hand.ts'
import { SlowHand } from '../ledger/slow-hand.ts'
import { jsonBytes } from '../node/json-bytes.ts'
import { Newest } from '../node/newest.ts'
import { hashing } from '../node/signing.ts'
import { decode, encode } from '../schemas/codec.ts'
import type { Account, Hash } from '../schemas/hex.ts'
import { type HandTip, handTip, MESSAGE_BYTES_MAX } from '../schemas/message.ts'
import { type Anchor, tick as tickCodec } from '../schemas/tick.ts'
import { Sites, type SitesOptions } from '../sim/lab/sites.ts'
import { solve } from '../sim/miner.ts'
import { Rng } from '../sim/random.ts'

const T_SECONDS = 10
const RATIO = 16
const TICK_SECONDS = RATIO * T_SECONDS
const HOP_SECONDS = 0.1
const DAY = 86_400
const seed = Number(process.argv[2] ?? 1)

const genesis = {
  ...{ name: 'sites', time: 0, interval: TICK_SECONDS * 1000, halfLife: 64 },
  ...{ target: (1n << 255n) - 1n, targetMax: (1n << 255n) - 1n },
}
const hand: Hand = createHand(genesis, hashing)
const random = new Rng(`bench sites ${seed}`)
const name = (index: number): Hash => index.toString(16).padStart(64, '0') as Hash
const anchorOf = (index: number): Anchor => ({
  ledger: name(index),
  height: 1_000_000 + index,
  block: name(index + 7),
})
const said = (index: number): HandTip => ({
  ...{ height: 1, hash: name(1), time: 1, target: 1n, work: 1n },
  newest: anchorOf(index),
})

/** Milliseconds of this processor that it takes to run so often, for one. */
function measured(rounds: number, run: (round: number) => void): number {
  const startedMs = process.cpuUsage().user / 1000
  for (let round = 0; round < rounds; round++) run(round)
  return (process.cpuUsage().user / 1000 - startedMs) / rounds
}

/** Bytes of a tick with so many anchors, those of its mirror, and the milliseconds in which it is checked. */
function tickOf(sites: number): { readonly bytes: number; readonly mirror: number; readonly ms: number } {
  const anchors = Array.from({ length: sites }, (_, index) => anchorOf(index))
  const { tip } = new SlowHand(hand)
  const tick = solve(hand, tickTemplate(hand, tip, anchors, 1), random)
  const bytes = encode(tickCodec, tick)
  const text = jsonBytes({ hash: name(1), ...(tickCodec.toJson(tick) as object) }).length
  const ms = measured(Math.max(20, Math.round(20_000 / sites)), () => {
    if (!new SlowHand(hand).accept(bytes, 1).ok) throw new Error('a tick of ours is taken')
  })
  return { bytes: bytes.length, mirror: text <= MESSAGE_BYTES_MAX ? text : 0, ms }
}

/** Microseconds in which a name is read and remembered, when there are so many. */
function nameUs(sites: number): number {
  let nowMs = 0
  const newest = new Newest({
    monotonic: () => nowMs,
    random: () => random.next(),
    interval: genesis.interval,
  })
  const messages = Array.from({ length: sites }, (_, index) => encode(handTip, said(index)))
  const us = measured(40_000, (round) => {
    nowMs += 1000
    const decoded = decode(handTip, messages[round % sites] as Uint8Array, MESSAGE_BYTES_MAX)
    if (!decoded.ok || !newest.hear(name(0) as string as Account, decoded.value.newest))
      throw new Error('a name is heard')
  })
  return us * 1000
}

const tipBytes = encode(handTip, said(1)).length
console.log(
  `T ${T_SECONDS} s, R ${RATIO}: a tick every ${TICK_SECONDS} s; a name has ${tipBytes} bytes; ${HOP_SECONDS} s for each carrier; seed ${seed}`,
)
console.log(
  'sites  joined      named  lost  tick bytes  check ms  name us  messages/day   MB/day  check s/day  ordered after, s: half, 95 %',
)

interface Cost {
  readonly sites: number
  readonly messages: number
  readonly bytes: number
  readonly checkMs: number
}

function row(sites: number, joined: SitesOptions['joined']): Cost {
  const simulated = new Sites({
    ...{ seed, sites, joined, blockSeconds: T_SECONDS, ratio: RATIO, hopSeconds: HOP_SECONDS },
    ...{ ticks: 1024, pairs: 100_000 },
  })
  const { named, lost, passed, half, most } = simulated.figures()
  const tick = tickOf(Math.round(named))
  const us = nameUs(sites)
  // Ticks that lose are carried and checked, too; each message of a tick has a mirror beside it.
  const ticks = DAY / TICK_SECONDS / (1 - lost)
  const names = (sites - 1) * passed * (DAY / TICK_SECONDS)
  const messages = names + 2 * ticks
  const bytes = names * tipBytes + ticks * (tick.bytes + tick.mirror)
  const checkMs = (names * us) / 1000 + ticks * tick.ms
  const cells = [
    String(sites).padStart(5),
    joined.padEnd(10),
    named.toFixed(1).padStart(6),
    `${(lost * 100).toFixed(0)} %`.padStart(4),
    String(tick.bytes).padStart(10),
    tick.ms.toFixed(2).padStart(8),
    us.toFixed(1).padStart(7),
    messages.toFixed(0).padStart(12),
    (bytes / 1e6).toFixed(1).padStart(7),
    (checkMs / 1000).toFixed(1).padStart(11),
    `${half.toFixed(0)}, ${most.toFixed(0)}`.padStart(29),
  ]
  console.log(cells.join('  '))
  return { sites, messages, bytes, checkMs }
}

row(1, 'around-one')
const few = row(2, 'around-one')
row(10, 'around-one')
row(64, 'around-one')
row(100, 'around-one')
const many = row(1000, 'around-one')
row(10, 'ring')
row(1000, 'ring')
const added = (what: (cost: Cost) => number): number => (what(many) - what(few)) / (many.sites - few.sites)
console.log(
  `each further site, at every site: ${added(({ messages }) => messages).toFixed(0)} messages, ${(added(({ bytes }) => bytes) / 1e6).toFixed(2)} MB and ${added(({ checkMs }) => checkMs).toFixed(0)} ms of checking a day; 68 bytes of each tick`,
)
