/**
 * Keeps the miner on the right block: a fresh template on every new tip and every second, a rest when out of step.
 *
 * It mines only when connected, in sync and with a synchronised clock that is not far behind the chain: a Pi that thinks it is
 * 1970 would make blocks that everybody refuses. On an enrolled network it rests until an authority has admitted its account.
 */
import { FUTURE_INTERVALS_MAX } from '../ledger/header.ts'
import { mayMine } from '../ledger/membership.ts'
import { buildTemplate } from '../ledger/template.ts'
import type { Clock } from '../node/clock.ts'
import type { LedgerNode } from '../node/ledger-node.ts'
import type { Log } from '../node/log.ts'
import type { Signer } from '../node/signing.ts'
import { type Block, block as blockCodec, HEADER_BYTES, header as headerCodec } from '../schemas/block.ts'
import { decode, encode } from '../schemas/codec.ts'
import { short } from '../schemas/hex.ts'
import { invariant } from '../schemas/result.ts'
import { type Job, Miner, type MinerOptions, type MinerStats } from './miner.ts'

/** How old a template's time and choice of transactions may get. */
const TEMPLATE_MS_MAX = 1_000

export interface MiningModules {
  readonly node: LedgerNode
  readonly signer: Signer
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  readonly onFatal: (error: unknown) => void
}

export class Mining {
  readonly #modules: MiningModules
  readonly #miner: Miner
  readonly #share: number
  readonly #templates = new WeakMap<Job, Block>()
  #timer: NodeJS.Timeout | undefined
  #resting: string | undefined
  #isMining = false

  constructor(options: MinerOptions, modules: MiningModules) {
    this.#modules = modules
    this.#share = options.duty
    const { log, random } = modules
    this.#miner = new Miner(options, {
      log,
      random,
      onFound: (header, job) => this.#found(header, job),
      nonceStart: () =>
        (BigInt(Math.floor(random() * 2 ** 32)) << 32n) | BigInt(Math.floor(random() * 2 ** 32)),
    })
  }

  start(): void {
    this.#miner.start()
    this.#timer = setInterval(() => this.refresh(), TEMPLATE_MS_MAX)
  }

  /** Takes the newest tip and transactions; called on every new tip. */
  refresh(): void {
    const { node, clock, signer, log } = this.#modules
    const rest = this.#reasonToRest()
    if (rest !== this.#resting) log.info(rest === undefined ? 'mining' : 'not mining', { reason: rest })
    this.#resting = rest
    this.#isMining = rest === undefined && this.#share > 0
    if (rest !== undefined) {
      this.#miner.pause()
      return
    }
    const { chain } = node
    const block = buildTemplate(
      chain.network,
      chain,
      node.mempool.ordered(),
      signer,
      clock.now(),
      node.hand?.newest,
    )
    const job = { header: encode(headerCodec, block.header), target: block.header.target }
    this.#templates.set(job, block)
    this.#miner.mine(job)
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

  stats(): MinerStats {
    return this.#miner.stats()
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#miner.stop()
  }

  #found(bytes: Uint8Array, job: Job): void {
    const { node, log, onFatal } = this.#modules
    const template = this.#templates.get(job)
    const header = decode(headerCodec, bytes, HEADER_BYTES)
    invariant(template !== undefined && header.ok, 'a find belongs to a template')
    const block = { ...template, header: header.value }
    const encoded = encode(blockCodec, block)
    try {
      const outcome = node.accept(encoded)
      if (!outcome.ok) {
        log.info('a block of ours came too late', { height: header.value.height, code: outcome.fault.code })
        this.refresh()
        return
      }
      const { entry } = outcome.value.added
      log.info('found a block', {
        height: entry.height,
        hash: short(entry.hash),
        transactions: block.transactions.length,
      })
      void node.publish('block', encoded, { hash: entry.hash, ...(blockCodec.toJson(block) as object) })
    } catch (error) {
      onFatal(error)
    }
  }
}
