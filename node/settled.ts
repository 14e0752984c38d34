/**
 * Blocks below the window as parents of somebody's branch: their place, and how much work lies below them.
 *
 * The archive has their headers but not their work: it is counted down from the base, once for each group of headers.
 * Source: docs/PROTOCOL.md section 4.
 */
import type { Chain } from '../ledger/chain.ts'
import { nextTarget, workOf } from '../ledger/difficulty.ts'
import { HEADER_GROUP, headerHash, type Position, position0 } from '../ledger/header.ts'
import type { Timers } from './timers.ts'

export class Settled {
  readonly #chain: Chain
  readonly #timers: Timers
  /** Work of the chain up to a multiple of HEADER_GROUP, of all such heights from the lowest one counted. */
  readonly #works = new Map<number, bigint>()
  #lowest: number | undefined

  constructor(chain: Chain, timers: Timers) {
    this.#chain = chain
    this.#timers = timers
  }

  /** The place of our block at a height from 0 to below the base's; its work is counted from itself, 0. */
  position(height: number): Position {
    const { network } = this.#chain
    if (height === 0) return position0(network)
    const header = this.#chain.header(height)
    return {
      hash: headerHash(network.hashing, header),
      height,
      time: header.time,
      target: header.target,
      childTarget: nextTarget(
        network.genesis,
        header.target,
        header.time - this.#chain.header(height - 1).time,
      ),
      work: 0n,
    }
  }

  /** Work of our chain up to a height from 0 to the base's. Reads every header from there up to what is counted already. */
  async work(height: number): Promise<bigint> {
    if (height === 0) return 0n
    const { base } = this.#chain
    const above = Math.ceil(height / HEADER_GROUP) * HEADER_GROUP
    const counted = this.#works.get(above)
    let at = base.height
    let { work } = base
    if (counted !== undefined && above < base.height) {
      at = above
      work = counted
    } else if (this.#lowest !== undefined && above < this.#lowest) {
      at = this.#lowest
      work = this.#works.get(at) ?? work
    }
    while (at > height) {
      work -= workOf(this.#chain.header(at).target)
      at--
      if (at % HEADER_GROUP !== 0) continue
      this.#works.set(at, work)
      this.#lowest = Math.min(at, this.#lowest ?? at)
      await this.#timers.turn()
    }
    return work
  }
}
