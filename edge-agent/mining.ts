/**
 * Mines blocks, with the newest tip and transactions, and says why it rests.
 *
 * It mines only when connected, in sync and with a synchronised clock that is not far behind the chain: a Pi that thinks it is
 * 1970 would make blocks that everybody refuses. On an enrolled network it rests until an authority has admitted its account.
 */
import { FUTURE_INTERVALS_MAX } from '../ledger/header.ts'
import { mayMine } from '../ledger/membership.ts'
import { buildTemplate } from '../ledger/template.ts'
import type { Clock } from '../node/clock.ts'
import type { LedgerNode } from '../node/ledger-node.ts'
import type { Signer } from '../node/signing.ts'
import { type Block, block as blockCodec } from '../schemas/block.ts'
import { short } from '../schemas/hex.ts'
import type { MinerOptions } from './miner.ts'
import { TemplateMining, type TemplateModules } from './template-mining.ts'

export interface MiningModules extends TemplateModules {
  readonly node: LedgerNode
  readonly signer: Signer
  readonly clock: Clock
}

export class Mining extends TemplateMining<Block> {
  readonly #modules: MiningModules
  readonly #share: number
  #resting: string | undefined
  #isMining = false

  constructor(options: MinerOptions, modules: MiningModules) {
    super(options, modules, blockCodec)
    this.#modules = modules
    this.#share = options.duty
  }

  protected override template(): Block | undefined {
    const { node, clock, signer, log } = this.#modules
    const rest = this.#reasonToRest()
    if (rest !== this.#resting) log.info(rest === undefined ? 'mining' : 'not mining', { reason: rest })
    this.#resting = rest
    this.#isMining = rest === undefined && this.#share > 0
    if (rest !== undefined) return undefined
    const { chain } = node
    return buildTemplate(chain.network, chain, node.mempool.ordered(), signer, clock.now(), node.hand?.newest)
  }

  #reasonToRest(): string | undefined {
    const { node, clock, signer } = this.#modules
    if (!clock.synchronised()) {
      return 'the clock is not synchronised: switch a time service on (sudo timedatectl set-ntp true) and let this machine reach a time server; pinledger doctor says what is missing'
    }
    if (!node.inSync) return node.session.connected ? 'catching up' : 'no connection'
    const { network, state, tip } = node.chain
    // What we would make has to be later than the tip, and would be too early for ourselves: this clock or the tip's is wrong.
    if (tip.time >= clock.now() + FUTURE_INTERVALS_MAX * network.genesis.interval)
      return 'the clock is far behind the newest block: it has to be set, or the block was made by one that is ahead'
    if (mayMine(network, state, signer.account)) return undefined
    return `not admitted: an authority of the network has to run pinledger admit ${signer.account}`
  }

  /** Whether it has a job, and a share of the processor for it. */
  get isMining(): boolean {
    return this.#isMining
  }

  protected override take(block: Block, encoded: Uint8Array): boolean {
    const { node, log } = this.#modules
    const outcome = node.accept(encoded)
    if (!outcome.ok) {
      log.info('a block of ours came too late', { height: block.header.height, code: outcome.fault.code })
      return false
    }
    const { height, hash } = outcome.value.added.entry
    log.info('found a block', { height, hash: short(hash), transactions: block.transactions.length })
    void node.publish('block', encoded, { hash, ...(blockCodec.toJson(block) as object) })
    return true
  }
}
