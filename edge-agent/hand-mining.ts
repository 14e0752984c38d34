/**
 * The slow hand's miner: a share of this machine's hashing goes into ticks that say which blocks were there.
 *
 * It has threads of its own and a duty, so that neither hand waits for the other. It rests without a connection, while others
 * have a better hand, and while the clock is not synchronised, since a tick says when it was made.
 */
import { tickTemplate } from '../ledger/hand.ts'
import type { Clock } from '../node/clock.ts'
import type { HandNode } from '../node/hand-node.ts'
import type { Log } from '../node/log.ts'
import type { Session } from '../node/session.ts'
import { HEADER_BYTES, header as headerCodec } from '../schemas/block.ts'
import { decode, encode } from '../schemas/codec.ts'
import { short } from '../schemas/hex.ts'
import { invariant } from '../schemas/result.ts'
import { type Tick, tick as tickCodec } from '../schemas/tick.ts'
import { type Job, Miner, type MinerOptions, type MinerStats } from './miner.ts'

/** How old a template's time and anchors may get. */
const TEMPLATE_MS_MAX = 1_000

export interface HandMiningModules {
  readonly hand: HandNode
  readonly session: Session
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  readonly onFatal: (error: unknown) => void
}

export class HandMining {
  readonly #modules: HandMiningModules
  readonly #miner: Miner
  readonly #templates = new WeakMap<Job, Tick>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: MinerOptions, modules: HandMiningModules) {
    this.#modules = modules
    const { log, random } = modules
    this.#miner = new Miner(options, {
      log,
      random,
      onFound: (header, job) => this.#found(header, job),
      nonceStart: () => BigInt(Math.floor(random() * 2 ** 48)) << 16n,
    })
  }

  start(): void {
    this.#miner.start()
    this.#timer = setInterval(() => this.refresh(), TEMPLATE_MS_MAX)
  }

  /** Takes the newest tick and blocks; called on every new tick. */
  refresh(): void {
    const { hand, session, clock } = this.#modules
    if (!session.connected || !clock.synchronised() || !hand.inSync) {
      this.#miner.pause()
      return
    }
    const { slow } = hand
    const tick = tickTemplate(slow.hand, slow.tip, hand.anchors(), clock.now())
    const job = { header: encode(headerCodec, tick.header), target: tick.header.target }
    this.#templates.set(job, tick)
    this.#miner.mine(job)
  }

  stats(): MinerStats {
    return this.#miner.stats()
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#miner.stop()
  }

  #found(bytes: Uint8Array, job: Job): void {
    const { hand, log, onFatal } = this.#modules
    const template = this.#templates.get(job)
    const header = decode(headerCodec, bytes, HEADER_BYTES)
    invariant(template !== undefined && header.ok, 'a find belongs to a template')
    const encoded = encode(tickCodec, { ...template, header: header.value })
    try {
      const outcome = hand.accept(encoded)
      if (!outcome.ok) {
        log.info('a tick of ours came too late', { height: header.value.height, code: outcome.fault.code })
        this.refresh()
        return
      }
      log.info('found a tick', {
        height: header.value.height,
        hash: short(outcome.value.entry.hash),
        anchors: template.anchors.length,
      })
      void hand.publish(encoded).catch(onFatal)
    } catch (error) {
      onFatal(error)
    }
  }
}
