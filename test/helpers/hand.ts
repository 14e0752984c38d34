/** A slow hand whose ticks take some 16 hashes, with a clock of its own that goes one interval a tick. */

import { targetFor } from '../../ledger/difficulty.ts'
import { anchorsRoot, createHand, type Hand, tickTemplate } from '../../ledger/hand.ts'
import type { Position } from '../../ledger/header.ts'
import { SlowHand } from '../../ledger/slow-hand.ts'
import { hashing } from '../../node/signing.ts'
import { type Header, header as headerCodec } from '../../schemas/block.ts'
import { encode } from '../../schemas/codec.ts'
import type { Genesis, HandGenesis } from '../../schemas/genesis.ts'
import { toHex } from '../../schemas/hex.ts'
import { invariant } from '../../schemas/result.ts'
import { type Anchor, type Tick, tick as tickCodec } from '../../schemas/tick.ts'
import { START_MS, testGenesis } from './ledger.ts'

export const handGenesis = (overrides: Partial<HandGenesis> = {}): HandGenesis => ({
  ...{ name: 'test', time: START_MS, interval: 16_000, halfLife: 64 },
  ...{ target: targetFor(16), targetMax: targetFor(4) },
  ...overrides,
})

export const testHand = (overrides: Partial<HandGenesis> = {}): Hand =>
  createHand(handGenesis(overrides), hashing)

/** The test network with a slow hand. */
export const handedGenesis = (overrides: Partial<Genesis> = {}): Genesis =>
  testGenesis({ version: 2, slowRatio: 4, hand: handGenesis(), ...overrides })

/** Finds a nonce by trying; with `meets` false one whose hash is above the target. */
export function mineHeader(header: Header, meets = true): Header {
  const bytes = encode(headerCodec, header)
  const view = new DataView(bytes.buffer)
  for (let nonce = 0; ; nonce++) {
    view.setUint32(111, nonce)
    if (BigInt(`0x${toHex(hashing.double(bytes))}`) <= header.target === meets)
      return { ...header, nonce: bytes.slice(107) }
  }
}

/** A tick on `parent`, mined; `header` may spoil it before. Anchors stand as given, in whatever order. */
export function mineTick(
  hand: Hand,
  parent: Position,
  anchors: readonly Anchor[] = [],
  header: Partial<Header> = {},
): Tick {
  const template = tickTemplate(hand, parent, [], parent.time + hand.genesis.interval)
  const content = anchorsRoot(hashing, anchors)
  return { header: mineHeader({ ...template.header, content, ...header }), anchors }
}

export class TestHand {
  readonly slow: SlowHand

  constructor(hand = testHand(), window?: number) {
    this.slow = new SlowHand(hand, window)
  }

  get nowMs(): number {
    return this.slow.tip.time + this.slow.hand.genesis.interval
  }

  tick(
    anchors: readonly Anchor[] = [],
    header: Partial<Header> = {},
    parent: Position = this.slow.tip,
  ): Tick {
    return mineTick(this.slow.hand, parent, anchors, header)
  }

  accept(tick: Tick, nowMs = this.nowMs) {
    return this.slow.accept(encode(tickCodec, tick), nowMs)
  }

  /** Mines and accepts `count` ticks; what was added. */
  grow(count: number) {
    return Array.from({ length: count }, () => {
      const outcome = this.accept(this.tick())
      invariant(outcome.ok, outcome.ok ? '' : outcome.fault.message)
      return outcome.value
    })
  }
}
