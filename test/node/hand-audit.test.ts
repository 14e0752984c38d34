/** Stored hands are believed from their bytes alone; docs/PROTOCOL.md section 14. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { createHand, type Hand } from '../../ledger/hand.ts'
import { headerHash, type Position, place, position0 } from '../../ledger/header.ts'
import { openAppendLog } from '../../node/append-log.ts'
import { auditHands, handOfJson, handOfLog, type StoredHand } from '../../node/hand-audit.ts'
import { HAND_RECORD, HandStore } from '../../node/hand-store.ts'
import { hashing } from '../../node/signing.ts'
import { encode } from '../../schemas/codec.ts'
import { handGenesis } from '../../schemas/genesis.ts'
import { type Hash, ZERO_HASH } from '../../schemas/hex.ts'
import { invariant } from '../../schemas/result.ts'
import { type Anchor, type Tick, tick as tickCodec } from '../../schemas/tick.ts'
import { mineTick, testHand } from '../helpers/hand.ts'
import { MemoryDisk } from '../helpers/memory-disk.ts'
import { fromRoot } from '../helpers/root.ts'

/** A chain of ticks on a hand; each names what is given for it. */
class Chain {
  readonly hand: Hand
  readonly ticks: Tick[] = []
  readonly positions: Position[]

  constructor(name: string) {
    this.hand = testHand({ name })
    this.positions = [position0(this.hand)]
  }

  grow(...anchors: readonly (readonly Anchor[])[]): this {
    for (const each of anchors) {
      const parent = this.positions.at(-1) as Position
      const tick = mineTick(this.hand, parent, each)
      this.ticks.push(tick)
      this.positions.push(place(this.hand, headerHash(hashing, tick.header), tick.header, parent))
    }
    return this
  }

  at(height: number): Anchor {
    return { ledger: this.hand.genesisHash, height, block: this.positions[height]?.hash as Hash }
  }
}

/** The log that has such records, whatever they are. */
function logOf(genesis: Uint8Array, ticks: readonly Uint8Array[], name = 'hand.log') {
  const disk = new MemoryDisk()
  const log = openAppendLog(disk.open(name))
  log.append([{ kind: HAND_RECORD.hand, bytes: genesis }])
  for (const bytes of ticks) log.append([{ kind: HAND_RECORD.tick, bytes }])
  log.close()
  return disk.open(name)
}

const stored = (chain: Chain, ticks: readonly Tick[] = chain.ticks): StoredHand => {
  const file = logOf(
    encode(handGenesis, chain.hand.genesis),
    ticks.map((tick) => encode(tickCodec, tick)),
    `${chain.hand.genesis.name}.log`,
  )
  const opened = handOfLog(file)
  invariant(opened.ok, opened.ok ? '' : opened.fault)
  return opened.value
}

t.test('hands that name each other are sound, and what they come to is told', async (t) => {
  const a = new Chain('a').grow([])
  const b = new Chain('b').grow([a.at(0)], [a.at(1)])
  a.grow([b.at(2)], [b.at(2), { ledger: ZERO_HASH, height: 7, block: ZERO_HASH }].reverse())
  const audited = auditHands([stored(a), stored(b)])
  t.ok(audited.ok)
  if (!audited.ok) return
  const [ofA, ofB] = audited.value
  t.match(ofA, { stored: 3, unjudged: 1, from: a.positions[1]?.time, to: a.positions[3]?.time })
  t.equal(ofA?.slow.tip.hash, a.positions[3]?.hash)
  t.equal(ofA?.named.get(b.hand.genesisHash), 2)
  t.equal(ofB?.named.get(a.hand.genesisHash), 2)
})

t.test('a log of node/hand-store.ts is read, and its unfinished end is no fault', async (t) => {
  const chain = new Chain('a').grow([], [])
  const disk = new MemoryDisk()
  const store = new HandStore(disk.open('hand.log'), chain.hand)
  for (const tick of chain.ticks) {
    const added = store.slow.accept(encode(tickCodec, tick), Number.POSITIVE_INFINITY)
    invariant(added.ok, 'it holds')
    store.save([added.value])
  }
  store.close()
  const file = disk.open('hand.log')
  file.truncate(file.size - 5)
  const hand = handOfLog(file)
  t.ok(hand.ok)
  const audited = hand.ok ? auditHands([hand.value]) : undefined
  t.ok(audited?.ok && audited.value[0]?.stored === 1 && audited.value[0].torn > 0)
})

t.test('a tampered tick is refused by its number', async (t) => {
  const chain = new Chain('a').grow([], [], [])
  const [first, second, third] = chain.ticks as [Tick, Tick, Tick]
  const cases: readonly [what: string, ticks: readonly Tick[], tick: number, code: string][] = [
    [
      'another time',
      [first, { ...second, header: { ...second.header, time: second.header.time + 1 } }],
      2,
      'high-hash',
    ],
    ['an easier target', [{ ...first, header: { ...first.header, target: 2n ** 255n } }], 1, 'bad-target'],
    ['a tick that is missing', [first, third], 3, 'unknown-parent'],
    [
      'an anchor put in later',
      [first, { ...second, anchors: [{ ledger: ZERO_HASH, height: 1, block: ZERO_HASH }] }],
      2,
      'bad-content',
    ],
    ['the same twice', [first, second, second], 2, 'known'],
  ]
  for (const [what, ticks, tick, code] of cases) {
    const audited = auditHands([stored(chain, ticks)])
    const [record, height] = [ticks.length, ticks.length - 1]
    t.match(audited, { ok: false, fault: { path: 'a.log', record, tick, code, height } }, what)
  }
})

t.test('an anchor of another hand that is given has to be there, and never goes back', async (t) => {
  const b = new Chain('b').grow([], [], [])
  const wrong = (...anchors: readonly Anchor[][]) =>
    auditHands([stored(new Chain('a').grow(...anchors)), stored(b)])
  t.ok(wrong([b.at(1)], [b.at(1)], [], [b.at(3)]).ok)
  t.match(wrong([b.at(1)], [{ ...b.at(2), height: 4 }]), {
    fault: { tick: 2, code: 'unknown-anchor', message: /tick 4 .* of hand b, which is not there/ },
  })
  t.match(wrong([{ ...b.at(2), height: 1 }]), { fault: { tick: 1, code: 'unknown-anchor' } })
  t.match(wrong([b.at(1)], [b.at(3)], [b.at(2)]), {
    fault: {
      tick: 3,
      code: 'anchor-goes-back',
      message: /names tick 2 of hand b; a tick before it has named 3/,
    },
  })
})

t.test(
  'a log that has to be of a certain hand may have nothing whole in it, but no other hand',
  async (t) => {
    const [own, other] = [new Chain('a').grow([]), new Chain('b').grow([])]
    const { hand } = own
    const whole = logOf(encode(handGenesis, hand.genesis), [])
    const bytes = whole.read(0, whole.size)
    for (let length = 0; length < bytes.length; length++) {
      const file = new MemoryDisk(new Map([['hand.log', bytes.slice(0, length)]])).open('hand.log')
      const opened = handOfLog(file, hand)
      const audited = opened.ok ? auditHands([opened.value]) : opened
      if (!(audited.ok && audited.value[0]?.slow.tip.height === 0)) t.fail(`${length} bytes`)
      if (handOfLog(file).ok) t.fail(`${length} bytes are of no hand that we do not know`)
    }
    t.match(handOfLog(whole, hand), { ok: true, value: { hand: { genesisHash: hand.genesisHash } } })
    t.match(handOfLog(whole, other.hand), {
      ok: false,
      fault: `it is of another slow hand, ${hand.genesisHash}`,
    })
  },
)

t.test('damage, and files that are no hand', async (t) => {
  const chain = new Chain('a').grow([], [], [])
  const genesis = encode(handGenesis, chain.hand.genesis)
  const ticks = chain.ticks.map((tick) => encode(tickCodec, tick))
  const cut = auditHands([
    (() => {
      const hand = handOfLog(logOf(genesis, [ticks[0] as Uint8Array, new Uint8Array([1, 2, 3])]))
      invariant(hand.ok, 'its genesis is sound')
      return hand.value
    })(),
  ])
  t.match(cut, { ok: false, fault: { code: 'bad-encoding' } })
  // In the last batch, which a power cut could have left so: here nobody vouches for it.
  const flipped = logOf(genesis, ticks)
  const bytes = flipped.read(0, flipped.size).slice()
  bytes[bytes.length - 20] = (bytes[bytes.length - 20] ?? 0) ^ 1
  const disk = new MemoryDisk(new Map([['hand.log', bytes]]))
  const damaged = handOfLog(disk.open('hand.log'))
  t.match(damaged.ok && auditHands([damaged.value]), { ok: false, fault: { code: 'store-corrupt' } })
  t.match(handOfLog(new MemoryDisk().open('empty')), { ok: false, fault: /empty/ })
  t.match(handOfLog(logOf(new Uint8Array(3), [])), { ok: false, fault: /no.* genesis/ })
  for (const wrong of [{ interval: 0 }, { halfLife: 0 }, { target: 0n }, { target: 2n ** 255n }])
    t.match(handOfLog(logOf(encode(handGenesis, { ...chain.hand.genesis, ...wrong }), [])), { ok: false })
  t.match(handOfJson('x', '{'), { ok: false, fault: /no JSON/ })
  t.match(handOfJson('x', '{"hand":1}'), { ok: false, fault: /^hand: / })
})

t.test('as JSON: computed anew, so hashes that were made up are found out', async (t) => {
  const chain = new Chain('a').grow([], [], [])
  const json = (hashes: readonly string[]) =>
    JSON.stringify({
      hand: handGenesis.toJson(chain.hand.genesis),
      ticks: chain.ticks.map((tick, index) => ({ hash: hashes[index], tick: tickCodec.toJson(tick) })),
    })
  const audited = (text: string) => {
    const hand = handOfJson('hand.json', text)
    return hand.ok ? auditHands([hand.value]) : hand
  }
  const hashes = chain.positions.slice(1).map(({ hash }) => hash)
  t.ok(audited(json(hashes)).ok)
  t.match(audited(json(hashes.with(1, ZERO_HASH))), { ok: false, fault: { tick: 2, code: 'bad-hash' } })
  const book = readFileSync(fromRoot('test', 'vectors', 'made-up-hand', 'hand.json'), 'utf8')
  t.match(audited(book), {
    ok: false,
    fault: { tick: 1, code: 'bad-hash', message: /says that its hash is 0000a1a1/ },
  })
  // With the true hash in its place it is still no proof of work.
  const first = JSON.parse(book)
  const genesis = handGenesis.json.parse(first.hand)
  first.ticks[0].hash = headerHash(
    createHand(genesis, hashing).hashing,
    tickCodec.json.parse(first.ticks[0].tick).header,
  )
  t.match(audited(JSON.stringify(first)), { ok: false, fault: { tick: 1, code: 'high-hash' } })
})
