/**
 * A miner in virtual time: finds come as a Poisson process at its rate, the proof of work itself is real.
 *
 * Hashing has no memory, so a new tip or a rest only draws the next find anew. Blocks and ticks are mined alike.
 */
import { workOf } from '../ledger/difficulty.ts'
import { tickTemplate } from '../ledger/hand.ts'
import type { HeaderRules } from '../ledger/header.ts'
import { mayMine } from '../ledger/membership.ts'
import type { Network } from '../ledger/network.ts'
import { buildTemplate } from '../ledger/template.ts'
import type { HandNode } from '../node/hand-node.ts'
import type { LedgerNode } from '../node/ledger-node.ts'
import type { Signer } from '../node/signing.ts'
import type { Cancel, Timers } from '../node/timers.ts'
import { type Block, HEADER_NONCE_OFFSET, type Header, header as headerCodec } from '../schemas/block.ts'
import { encode } from '../schemas/codec.ts'
import { fromHex } from '../schemas/hex.ts'
import type { Tick } from '../schemas/tick.ts'
import type { SimClock } from './clock.ts'
import type { Rng } from './random.ts'

/** What a miner works on. */
export interface SimWork<T> {
  /** That of the next find. */
  readonly target: () => bigint
  /** Whether it may, and is in sync: it rests else. */
  readonly mines: () => boolean
  /** The find, with its proof of work. */
  readonly find: () => T
}

export interface SimMinerModules<T> {
  readonly work: SimWork<T>
  readonly timers: Timers
  readonly random: Rng
  /** Hashes per virtual millisecond. */
  readonly rate: () => number
  readonly onFound: (found: T) => void
}

export class SimMiner<T> {
  readonly #modules: SimMinerModules<T>
  #cancel: Cancel = () => {}

  constructor(modules: SimMinerModules<T>) {
    this.#modules = modules
  }

  /** Draws the time of the next find on the tip as it is now. */
  refresh(): void {
    this.#cancel()
    const { work, timers, random, rate, onFound } = this.#modules
    const hashes = Number(workOf(work.target()))
    this.#cancel = timers.after(Math.min(random.exponential(hashes / rate()), 1e12), () => {
      if (work.mines()) onFound(work.find())
      else this.refresh()
    })
  }
}

export interface SimWorkModules {
  readonly node: LedgerNode
  readonly signer: Signer
  readonly clock: SimClock
  readonly random: Rng
  /** Mines on an enrolled network whether it was admitted or not. */
  readonly intrudes: () => boolean
}

export function blockWork({ node, signer, clock, random, intrudes }: SimWorkModules): SimWork<Block> {
  const { chain } = node
  return {
    target: () => chain.tip.childTarget,
    mines() {
      const { network, state } = chain
      return clock.synchronised() && node.inSync && (intrudes() || mayMine(network, state, signer.account))
    },
    find() {
      const network = intrudes() ? asIfOpen(chain.network) : chain.network
      const { mempool, hand } = node
      const block = buildTemplate(network, chain, mempool.ordered(), signer, clock.now(), hand?.newest)
      return solve(network, block, random)
    },
  }
}

/** As edge-agent/hand-mining.ts has it. */
export function tickWork(
  hand: HandNode,
  { node, clock, random }: Pick<SimWorkModules, 'node' | 'clock' | 'random'>,
): SimWork<Tick> {
  const { slow } = hand
  return {
    target: () => slow.tip.childTarget,
    mines: () => node.session.connected && clock.synchronised() && hand.inSync,
    find: () => solve(slow.hand, tickTemplate(slow.hand, slow.tip, hand.anchors(), clock.now()), random),
  }
}

/** The network as who has no business there would have it: its blocks are well made, but for their miner. */
export const asIfOpen = (network: Network): Network => ({
  ...network,
  genesis: { ...network.genesis, authorities: [] },
})

/** The block or tick with a nonce that meets its target. */
export function solve<T extends { readonly header: Header }>(
  { hashing }: Pick<HeaderRules, 'hashing'>,
  made: T,
  random: Rng,
): T {
  const bytes = encode(headerCodec, made.header)
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  view.setUint32(HEADER_NONCE_OFFSET, random.whole(0, 0xffffffff))
  const target = fromHex(made.header.target.toString(16).padStart(64, '0'))
  for (let nonce = 0; ; nonce++) {
    view.setUint32(HEADER_NONCE_OFFSET + 4, nonce)
    if (Buffer.compare(hashing.double(bytes), target) > 0) continue
    return { ...made, header: { ...made.header, nonce: bytes.slice(HEADER_NONCE_OFFSET) } }
  }
}
