/**
 * What must hold of the slow hand at every moment of a simulation; docs/SIMULATOR.md lists it by name.
 */
import type { Chain, Entry } from '../ledger/chain.ts'
import type { Hand } from '../ledger/hand.ts'
import type { SlowHand, TickEntry } from '../ledger/slow-hand.ts'
import { openAppendLog } from '../node/append-log.ts'
import { HAND_FILE, HAND_RECORD, HandStore } from '../node/hand-store.ts'
import type { Block } from '../schemas/block.ts'
import { Reader } from '../schemas/codec.ts'
import { type Hash, short } from '../schemas/hex.ts'
import { type Tick, tick as tickCodec } from '../schemas/tick.ts'
import type { Invariants } from './invariants.ts'
import type { SimNode } from './node.ts'
import { TickOracle } from './oracle-ticks.ts'

/** Ticks at the tip about which nodes may still differ when all is well. */
const UNSETTLED_TICKS = 2

export class HandInvariants {
  readonly #hand: Hand
  readonly #ledger: Hash
  readonly #oracle: TickOracle
  readonly #fail: Invariants['fail']
  /** What a node's disk must still know after a crash. */
  readonly #saved = new Map<SimNode, TickEntry>()

  /** `ledger`: genesis hash of the network. */
  constructor(hand: Hand, ledger: Hash, fail: Invariants['fail']) {
    this.#hand = hand
    this.#ledger = ledger
    this.#oracle = new TickOracle(hand, ledger)
    this.#fail = fail
  }

  /** A node's miner has made a tick, and nobody has it yet. */
  found(node: SimNode, { header, anchors }: Tick): void {
    const chain = node.ledger?.chain
    if (chain === undefined) return
    const anchor = anchors.find(({ ledger }) => ledger === this.#ledger)
    const named = anchor && chain.entry(anchor.block)
    const where = `tick ${header.height} names block ${anchor?.height} ${anchor && short(anchor.block)}`
    if (named === undefined || named.height !== anchor?.height || !chain.isBest(named)) {
      this.#fail('anchors', node, `${where}, which is not of its best chain`)
      return
    }
    const block = this.#oracle.named(header.parent)
    const before = block && chain.entry(block)
    if (before !== undefined && before.work > named.work && isAllowed(chain, before))
      this.#fail('anchors', node, `${where}, and the tick before it one with more work, ${before.height}`)
  }

  /** A node has connected a block. */
  connected(node: SimNode, { coinbase: { height, tick } }: Block): void {
    if (!this.#oracle.has(tick))
      this.#fail('anchors', node, `block ${height} names ${short(tick)}, a tick that nobody had`)
  }

  /** After each change of a node's best hand, which is on its disk by then. */
  updated(node: SimNode): void {
    const hand = node.ledger?.hand
    if (hand === undefined) return
    const { slow } = hand
    const { tip } = slow
    const fresh: TickEntry[] = []
    for (let at: TickEntry | undefined = tip; at !== undefined && !this.#oracle.has(at.hash); at = at.parent)
      fresh.unshift(at)
    try {
      for (const { height } of fresh) this.#judge(node, hand.tick(height))
    } catch (error) {
      this.#fail('durable', node, `tick ${tip.height} was announced and is not stored: ${String(error)}`)
    }
    if (!this.#oracle.has(tip.hash))
      this.#fail('durable', node, `tick ${tip.height} was announced, and another is stored`)
    const aheadMs = tip.time - node.clock.now()
    if (aheadMs > this.#hand.genesis.interval)
      this.#fail('tick-rules', node, `took tick ${tip.height}, ${aheadMs} ms ahead of its clock`)
    this.#saved.set(node, tip)
  }

  /** A node's process has opened its disk again. */
  started(node: SimNode): void {
    const saved = this.#saved.get(node)
    const slow = node.ledger?.hand?.slow
    if (saved === undefined || slow === undefined) return
    const { height, hash, work } = saved
    if (slow.entry(hash) === undefined && slow.heightOf(hash) === undefined)
      this.#fail('durable', node, `tick ${height} ${short(hash)} was announced and is gone`)
    if (slow.tip.work < work)
      this.#fail('durable', node, `the hand was announced at tick ${height}, and is at ${slow.tip.height}`)
  }

  /** All must be on one hand but for its last few ticks. */
  oneHand(nodes: readonly SimNode[]): void {
    const hands = handsOf(nodes)
    const heights = hands.map(({ slow }) => slow.tip.height)
    const height = Math.max(0, Math.min(...heights) - UNSETTLED_TICKS)
    const highest = Math.max(...heights)
    const [first] = hands
    for (const { node, slow } of hands) {
      if (slow.hashAt(height) !== first?.slow.hashAt(height))
        this.#fail('one-hand', node, `its hand and that of ${first?.node.name} differ at tick ${height}`)
      if (highest - slow.tip.height > UNSETTLED_TICKS)
        this.#fail('one-hand', node, `its hand is at tick ${slow.tip.height}, others are at ${highest}`)
    }
  }

  /** Every disk, opened anew, has the best hand that was in memory, and on no branch a tick that breaks a rule. */
  sameStores(nodes: readonly SimNode[]): void {
    for (const { node, slow: live } of handsOf(nodes)) {
      node.disk.restart()
      try {
        const stored = new HandStore(node.disk.open(HAND_FILE), this.#hand)
        if (stored.slow.tip.hash !== live.tip.hash)
          this.#fail(
            'same-store',
            node,
            `on its disk the hand is at ${stored.slow.tip.height}, else at ${live.tip.height}`,
          )
        openAppendLog(node.disk.open(HAND_FILE), {
          onRecord: (kind, bytes) => {
            if (kind === HAND_RECORD.tick) this.#judge(node, bytes)
          },
        })
      } catch (error) {
        this.#fail('same-store', node, `its hand does not open: ${String(error)}`)
      }
    }
  }

  #judge(node: SimNode, bytes: Uint8Array): void {
    const tick = tickCodec.read(new Reader(bytes))
    const fault = this.#oracle.judge(tick)
    if (fault !== undefined)
      this.#fail('tick-rules', node, `stored tick ${tick.header.height}, which has ${fault}`)
  }
}

const handsOf = (nodes: readonly SimNode[]): { readonly node: SimNode; readonly slow: SlowHand }[] =>
  nodes.flatMap((node) => {
    const slow = node.ledger?.hand?.slow
    return slow === undefined ? [] : [{ node, slow }]
  })

/** Whether no checkpoint keeps a node from following a block that it has. */
function isAllowed({ justified }: Chain, entry: Entry): boolean {
  let at: Entry | undefined = entry
  while (at !== undefined && at.height > justified.height) at = at.parent
  return at === justified
}
