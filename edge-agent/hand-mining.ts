/**
 * The slow hand's miner: a share of this machine's hashing goes into ticks that say which blocks were there.
 *
 * It has threads of its own and a duty, so that neither hand waits for the other. It rests without a connection, while others
 * have a better hand, and while the clock is not synchronised, since a tick says when it was made.
 */
import { tickTemplate } from '../ledger/hand.ts'
import type { Clock } from '../node/clock.ts'
import type { HandNode } from '../node/hand-node.ts'
import type { Session } from '../node/session.ts'
import { short } from '../schemas/hex.ts'
import { type Tick, tick as tickCodec } from '../schemas/tick.ts'
import type { MinerOptions } from './miner.ts'
import { TemplateMining, type TemplateModules } from './template-mining.ts'

export interface HandMiningModules extends TemplateModules {
  readonly hand: HandNode
  readonly session: Session
  readonly clock: Clock
}

export class HandMining extends TemplateMining<Tick> {
  readonly #modules: HandMiningModules

  constructor(options: MinerOptions, modules: HandMiningModules) {
    super(options, modules, tickCodec)
    this.#modules = modules
  }

  protected override template(): Tick | undefined {
    const { hand, session, clock } = this.#modules
    if (!session.connected || !clock.synchronised() || !hand.inSync) return undefined
    const { slow } = hand
    return tickTemplate(slow.hand, slow.tip, hand.anchors(), clock.now())
  }

  protected override take({ header: { height }, anchors }: Tick, encoded: Uint8Array): boolean {
    const { hand, log, onFatal } = this.#modules
    const outcome = hand.accept(encoded)
    if (!outcome.ok) {
      log.info('a tick of ours came too late', { height, code: outcome.fault.code })
      return false
    }
    log.info('found a tick', { height, hash: short(outcome.value.entry.hash), anchors: anchors.length })
    void hand.publish(encoded).catch(onFatal)
    return true
  }
}
