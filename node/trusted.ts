/**
 * The block that whoever runs a node knows to be of the network: no chain without it is followed, whatever its work.
 *
 * Until our chain has it, only chains whose headers lead to it are fetched, and no block is taken that comes by itself. From then
 * on nothing undoes it. Proof of work alone cannot do this for a network of small machines: a graphics card makes
 * in hours what they made in a year. Source: docs/CONFIGURATION.md.
 */
import type { Chain } from '../ledger/chain.ts'
import { headerHash } from '../ledger/header.ts'
import type { Checkpoint } from '../schemas/checkpoint.ts'
import { WorldError } from './error.ts'

export class Trusted {
  readonly #chain: Chain
  readonly #block: Checkpoint | undefined
  #isHere: boolean

  constructor(chain: Chain, block: Checkpoint | undefined) {
    this.#chain = chain
    this.#block = block
    this.#isHere = block === undefined
  }

  /** The block, while our chain lacks it. */
  get lacking(): Checkpoint | undefined {
    return this.#isHere ? undefined : this.#block
  }

  /** After the start, and when the chain has moved. Throws WorldError `config` when it has another block at that height. */
  check(): void {
    const { lacking } = this
    const { tip, network } = this.#chain
    if (lacking === undefined || tip.height < lacking.height) return
    const { height, hash } = lacking
    const ours = headerHash(network.hashing, this.#chain.header(height))
    if (ours !== hash)
      throw new WorldError(
        'config',
        `the ledger has block ${ours} at height ${height}, and not the trusted one, ${hash}: if that is right, move the ledger away and start anew`,
      )
    this.#isHere = true
    this.#chain.finalise(hash)
  }
}
