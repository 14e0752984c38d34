/**
 * A whole network in virtual time: machines, the broker between them, the faults of a seed, and the invariants over all.
 *
 * Everything that happens follows from the options: the same options give the same run, event by event.
 */
import type { Update } from '../ledger/chain.ts'
import { workOf } from '../ledger/difficulty.ts'
import { createNetwork, type Network } from '../ledger/network.ts'
import { WorldError } from '../node/error.ts'
import type { Log } from '../node/log.ts'
import { hashing, type Signer } from '../node/signing.ts'
import { every } from '../node/timers.ts'
import { type Account, type Hash, short } from '../schemas/hex.ts'
import { invariant } from '../schemas/result.ts'
import type { TransactionType } from '../schemas/transaction.ts'
import { Adversary } from './adversary.ts'
import { FAIR, SimBroker } from './broker.ts'
import { Deals } from './deals.ts'
import { SimEdge, type SimEdgeMachine, type SimPart } from './edge.ts'
import { describeFault, drawFaults, type Fault, type FaultKind } from './faults.ts'
import { purchasesOn, SimFileBuyer } from './file-buyer.ts'
import { SimFileSale } from './file-sale.ts'
import { sharedSignatures, simSigner } from './identities.ts'
import { Invariants, type Violation } from './invariants.ts'
import { LAMP_MEMO, SimLampSale } from './lamp-sale.ts'
import { SimNode } from './node.ts'
import { Rng } from './random.ts'
import { BLOCK_HASHES, SLOW_RATIO, simGenesis } from './rules.ts'
import { SimSale } from './sale.ts'
import { Scheduler } from './scheduler.ts'

export interface SimOptions {
  readonly seed: number
  readonly nodes: number
  readonly hours: number
  readonly kinds: ReadonlySet<FaultKind>
  /** T, milliseconds. */
  readonly intervalMs: number
  /** In place of the seed's faults. */
  readonly faults?: readonly Fault[] | undefined
  /** Only these of the faults, by number. */
  readonly only?: readonly number[] | undefined
  /** Whether machines trade besides their transfers; they do when left out. */
  readonly trades?: boolean | undefined
  /** Whether the network has a slow hand; it has when left out. */
  readonly slowHand?: boolean | undefined
  /** Every line of the trace as it happens. */
  readonly onLine?: ((line: string) => void) | undefined
}

export interface SimReport {
  readonly violation: Violation | undefined
  readonly faults: readonly Fault[]
  readonly height: number
  /** Of the slow hand. */
  readonly ticks: number
  readonly transactions: number
  /** How many of them are of each type. */
  readonly types: Readonly<Partial<Record<TransactionType, number>>>
  /** Readings that one machine has sold another by channels, keys of files, answered payments for a lamp. */
  readonly readings: number
  readonly files: number
  readonly lamp: number
  readonly reorganisations: number
  /** Most blocks that one node took back at once. */
  readonly deepest: number
  readonly restarts: number
  readonly messages: number
  readonly events: number
  readonly virtualMs: number
  readonly final: number
  /** Of each height from 1: when a node had it first (virtual milliseconds), and the expected hashes of that block. */
  readonly blocks: readonly { readonly atMs: number; readonly hashes: number }[]
  /** Differs if anything in the run did. */
  readonly digest: string
  /** The end of the trace. */
  readonly trace: readonly string[]
}

/** The last part of a run is without faults, and has to end on one tip. */
const QUIET_INTERVALS = 36
/** After the last fault of a cluster, so many intervals later all are on one chain. */
const HEAL_INTERVALS = 30
const TRACE_LINES = 300
/** Hashes of all adversaries together, as a share of all. */
const ADVERSE_SHARE = 0.25
/** Mean time between one machine's transfers, in intervals. */
const SENDS_INTERVALS = 40
/** Mean time between what it does with channels, hashlocks and splits. */
const TRADES_INTERVALS = 100
/** Time between two readings that are sold by channel, in intervals. */
const READS_INTERVALS = 5
/** Time between two purchases of files, in intervals. */
const FILES_INTERVALS = 12
/** What every third machine keeps of the ledger. */
const PRUNED_BYTES = 300_000
/** Clocks that are further off than this are not held to the one tip. */
const CLOCK_INTERVALS = 3

export class World {
  readonly network: Network
  readonly nodes: readonly SimNode[]
  readonly #options: SimOptions
  readonly #scheduler = new Scheduler()
  readonly #broker: SimBroker
  readonly #invariants: Invariants
  readonly #faults: readonly Fault[]
  readonly #adversaries = new Map<SimNode, Adversary>()
  readonly #sale: SimSale
  readonly #files: SimFileSale
  readonly #lamp: SimLampSale
  /** Who trades: numbers of nodes. */
  readonly #sides: {
    readonly seller?: number | undefined
    readonly buyer?: number | undefined
    readonly fileBuyer?: number | undefined
  }
  readonly #traitors: ReadonlySet<number>
  readonly #trace: string[] = []
  readonly #active = new Set<Fault>()
  #faultMs = 0
  #reorganisations = 0
  #deepest = 0
  #starts = 0
  #final = 0
  readonly #blocks: { readonly atMs: number; readonly hashes: number }[] = []
  #transactions = 0
  readonly #types: Partial<Record<TransactionType, number>> = {}
  #height = 0
  #ticks = 0
  #digest = 0

  constructor(options: SimOptions) {
    this.#options = options
    const random = new Rng(`seed ${options.seed}`)
    const { nodes, intervalMs, hours } = options
    const validators = Math.max(1, Math.floor(nodes / 5))
    const holders = Array.from({ length: nodes }, (_, index) => simSigner(index))
    const miners = holders.map((_, index) => index).filter((index) => index >= validators)
    const traitors = random.fork('traitors').some(miners, Math.floor(miners.length / 4))
    this.#traitors = new Set(options.kinds.has('byzantine') ? traitors : [])
    const accounts = holders.map(({ account }) => account)
    // Seeds take turns: with and without checkpoints by the validators, open and enrolled.
    const signers = options.seed % 2 === 0 ? accounts.slice(0, validators) : []
    const honest = miners.filter((index) => !this.#traitors.has(index))
    const authorities =
      options.seed % 3 === 0 ? [0, ...honest.slice(0, 3)].map((index) => accounts[index] as Account) : []
    // One adversary is not admitted, and mines all the same.
    const admitted = [...honest.slice(3), ...[...this.#traitors].slice(1)].map(
      (index) => accounts[index] as Account,
    )
    const { slowHand = true } = options
    const genesis = simGenesis({ intervalMs, holders: accounts, signers, authorities, slowHand })
    const signatures = sharedSignatures()
    const network = createNetwork(genesis, { hashing, signatures })
    invariant(network.ok, 'the genesis of a simulation is valid')
    this.network = network.value
    this.#invariants = new Invariants(this.network, () => this.#scheduler.nowMs)
    this.#broker = new SimBroker(this.#scheduler, random.fork('broker'))

    // One machine sells readings to another and files to a third; these do nothing else with money.
    const [fileBuyer, seller, buyer] =
      options.trades === false || honest.length < 4
        ? []
        : honest.length < 5
          ? [undefined, ...honest.slice(-2)]
          : honest.slice(-3)
    this.#sides = { seller, buyer, fileBuyer }
    this.#files = new SimFileSale(intervalMs, (side, fault) =>
      this.#invariants.fail('file', this.#node((side === 'seller' ? seller : fileBuyer) as number), fault),
    )
    this.#sale = new SimSale(this.network, READS_INTERVALS * intervalMs, (fault) =>
      this.#invariants.fail('loss', this.#node(seller as number), fault),
    )
    this.#lamp = new SimLampSale((fault) =>
      this.#invariants.fail('lamp', this.#node(seller as number), fault),
    )
    const mode = random.fork('channels').pick(['payword', 'signed'] as const)
    const edgeOf = (index: number): ((machine: SimEdgeMachine) => SimPart) | undefined => {
      if (seller === undefined) return undefined
      const { account } = holders[seller] as Signer
      if (index === seller)
        return (machine) =>
          new SimEdge({ ...this.#sale.seller, files: this.#files, lamp: this.#lamp }, machine)
      if (index === buyer) return (machine) => new SimEdge(this.#sale.buyer(account, mode), machine)
      const everyMs = FILES_INTERVALS * intervalMs
      return index === fileBuyer
        ? (machine) => new SimFileBuyer(this.#files, holders[seller] as Signer, everyMs, machine)
        : undefined
    }

    const deals = new Deals()
    const rates = this.#rates(random.fork('rates'), validators)
    const endMs = Math.max(0.3 * hours * 3_600_000, hours * 3_600_000 - QUIET_INTERVALS * intervalMs)
    this.#faults =
      options.faults ??
      drawFaults(random.fork('faults'), {
        nodes,
        adversaries: traitors,
        endMs,
        kinds: options.kinds,
        intervalMs,
      })
    const never = Number.POSITIVE_INFINITY
    this.nodes = holders.map(
      (signer, index) =>
        new SimNode(
          {
            name: `n${index}`,
            role: index < validators ? 'validator' : 'agent',
            signer,
            rate: rates[index] as number,
            genesis,
            edge: edgeOf(index),
            memoTo: (account) => (account === accounts[seller ?? -1] ? LAMP_MEMO : ''),
            sendsMs: edgeOf(index) === undefined ? SENDS_INTERVALS * intervalMs : never,
            tradesMs:
              options.trades === false || edgeOf(index) !== undefined ? never : TRADES_INTERVALS * intervalMs,
            bytesMax: index % 3 === 2 ? PRUNED_BYTES : Number.POSITIVE_INFINITY,
            admits: index === 0 && authorities.length > 0 ? admitted : [],
          },
          {
            scheduler: this.#scheduler,
            broker: this.#broker,
            random: random.fork(`node ${index}`),
            signatures,
            log: this.#log(index),
            others: () => accounts,
            deals,
            onUpdate: (node, update) => this.#onUpdate(node, update),
            onFinal: (node, height, hash) => this.#onFinal(node, height, hash),
            onTick: (node) => this.#onTick(node),
            onStarted: (node) => {
              this.#starts++
              this.#invariants.started(node)
              this.#checkSale(node)
            },
            onBug: (node, error) =>
              this.#invariants.fail(
                // A disk that no longer opens has lost what was announced.
                error instanceof WorldError && error.code === 'store-corrupt' ? 'durable' : 'bug',
                node,
                error instanceof Error ? (error.stack ?? error.message) : String(error),
              ),
            onFound: (node, block) => {
              const adversary = this.#adversaries.get(node)
              if (adversary === undefined) node.announce(block)
              else adversary.found(block)
            },
            onTickFound: (node, tick) => {
              this.#invariants.hand?.found(node, tick)
              const adversary = this.#adversaries.get(node)
              if (adversary === undefined) node.announceTick(tick)
              else adversary.foundTick(tick)
            },
          },
        ),
    )
  }

  async run(): Promise<SimReport> {
    const { hours, only, intervalMs } = this.#options
    for (const node of this.nodes) this.#scheduler.after(node.random.between(0, 1_000), () => node.start())
    for (const [index, fault] of this.#faults.entries()) {
      if (only !== undefined && !only.includes(index)) continue
      this.#scheduler.at(fault.atMs, () => {
        this.#line(`fault ${index}: ${describeFault(fault)}`)
        this.#active.add(fault)
        this.#faultMs = this.#scheduler.nowMs
        this.#begin(fault)
        this.#scheduler.at(fault.untilMs, () => {
          this.#line(`fault ${index} ends: ${fault.what}`)
          this.#active.delete(fault)
          this.#end(fault)
          this.#faultMs = this.#scheduler.nowMs
          this.#checkLater(HEAL_INTERVALS * intervalMs)
        })
      })
    }
    const endMs = hours * 3_600_000
    await this.#scheduler.run(endMs, () => this.#invariants.violation !== undefined)
    if (this.#invariants.violation === undefined) this.#finish()
    return {
      violation: this.#invariants.violation,
      faults: this.#faults,
      height: this.#height,
      ticks: this.#ticks,
      transactions: this.#transactions,
      types: this.#types,
      readings: this.#sale.readings,
      files: this.#files.sold,
      lamp: this.#lamp.answered,
      reorganisations: this.#reorganisations,
      deepest: this.#deepest,
      restarts: this.#starts - this.nodes.length,
      messages: this.#broker.messages,
      events: this.#scheduler.events,
      virtualMs: this.#scheduler.nowMs,
      final: this.#final,
      blocks: this.#blocks,
      digest: `${(this.#digest >>> 0).toString(16)}-${this.#scheduler.events}`,
      trace: this.#trace,
    }
  }

  /** The books of who sells and who buys are good when they start, and in the end. */
  #checkSale(node: SimNode): void {
    const chain = node.ledger?.chain
    const { seller, buyer } = this.#sides
    const index = this.nodes.indexOf(node)
    if (chain === undefined || (index !== seller && index !== buyer)) return
    const side = index === seller ? 'seller' : 'buyer'
    const stands = (channel: Hash) => chain.state.channel(channel) !== undefined
    const fault = this.#sale.faultOn(side, node.disk, stands)
    if (fault !== undefined) this.#invariants.fail('loss', node, fault)
  }

  #finish(): void {
    for (const node of this.nodes) this.#checkSale(node)
    const honest = this.#honest()
    const [first] = honest
    const chainOf = (index: number | undefined) =>
      honest.find((node) => this.nodes.indexOf(node) === index)?.ledger?.chain
    const { seller, fileBuyer } = this.#sides
    const [sellers, buyers] = [chainOf(seller), chainOf(fileBuyer)]
    if (sellers !== undefined) this.#lamp.check(sellers)
    if (buyers !== undefined) this.#files.check(buyers, purchasesOn(this.#node(fileBuyer as number).disk))
    this.#invariants.oneTip(honest)
    this.#invariants.sameStores(honest)
    const expected = (this.#options.hours * 3_600_000) / this.#options.intervalMs
    if (first !== undefined && this.#height < expected / 4)
      this.#invariants.fail(
        'progress',
        first,
        `${this.#height} blocks, some ${Math.round(expected)} expected`,
      )
    const ticks = this.network.hand === undefined ? 0 : expected / SLOW_RATIO
    if (first !== undefined && this.#ticks < ticks / 8)
      this.#invariants.fail('progress', first, `${this.#ticks} ticks, some ${Math.round(ticks)} expected`)
  }

  /** Nodes that follow the rules and know the time. */
  #honest(): SimNode[] {
    const toleranceMs = CLOCK_INTERVALS * this.#options.intervalMs
    return this.nodes.filter(
      (node, index) =>
        !this.#traitors.has(index) && node.ledger !== undefined && node.clock.isRight(toleranceMs),
    )
  }

  /** When nothing has gone wrong until then, all must agree. */
  #checkLater(delayMs: number): void {
    const sinceMs = this.#faultMs
    this.#scheduler.after(delayMs, () => {
      const calm = [...this.#active].every(({ what }) => what === 'adversary' || what === 'hash-rate')
      if (calm && this.#faultMs === sinceMs) this.#invariants.oneTip(this.#honest())
    })
  }

  #rates(random: Rng, validators: number): number[] {
    const { nodes, intervalMs } = this.#options
    const weights = Array.from({ length: nodes }, (_, index) =>
      index < validators ? 0 : random.between(0.3, 1.7),
    )
    const sum = (wanted: boolean): number =>
      weights.reduce((total, weight, index) => total + (this.#traitors.has(index) === wanted ? weight : 0), 0)
    const [honest, adverse] = [sum(false), sum(true)]
    const total = BLOCK_HASHES / intervalMs
    return weights.map((weight, index) => {
      const share = this.#traitors.has(index)
        ? ADVERSE_SHARE / adverse
        : (adverse > 0 ? 1 - ADVERSE_SHARE : 1) / honest
      // Validators do not mine; a rate of next to nothing keeps one rule for all.
      return Math.max(weight * share * total, 1e-12)
    })
  }

  #begin(fault: Fault): void {
    switch (fault.what) {
      case 'skew':
        this.#node(fault.node).clock.set(fault.offsetMs, fault.drift)
        return
      case 'no-rtc': {
        const node = this.#node(fault.node)
        node.clock.powerOn()
        node.kill(1_000)
        return
      }
      case 'weather':
        this.#broker.weather = fault
        return
      case 'partition':
        this.#broker.partition((name) => fault.sides[Number(name.slice(1))] ?? 0)
        return
      case 'broker-restart':
        this.#broker.stop(fault.forget)
        return
      case 'power-cut':
        this.#node(fault.node).disk.cutAfter(fault.writes)
        return
      case 'disk-full':
        this.#node(fault.node).disk.full = true
        return
      case 'kill':
        for (const index of fault.nodes) this.#node(index).kill(fault.untilMs - fault.atMs)
        return
      case 'hash-rate':
        this.#node(fault.node).power = fault.factor
        return
      case 'adversary': {
        const node = this.#node(fault.node)
        const random = node.random.fork('adversary')
        const adversary = new Adversary(node, fault.plays, random)
        this.#adversaries.set(node, adversary)
        node.intrudes = true
        every(
          { after: (ms, run) => this.#scheduler.after(ms, run), turn: async () => {} },
          this.#options.intervalMs,
          () => {
            if (this.#adversaries.get(node) === adversary && node.ledger !== undefined) adversary.idle()
          },
        )
      }
    }
  }

  #end(fault: Fault): void {
    switch (fault.what) {
      case 'skew':
      case 'no-rtc':
        this.#node(fault.node).clock.set(0, 0)
        return
      case 'weather':
        this.#broker.weather = FAIR
        return
      case 'partition':
        this.#broker.partition(() => 0)
        return
      case 'broker-restart':
        this.#broker.start()
        return
      case 'disk-full':
        this.#node(fault.node).disk.full = false
        return
      case 'hash-rate':
        this.#node(fault.node).power = 1
        return
      case 'adversary':
        this.#adversaries.delete(this.#node(fault.node))
        this.#node(fault.node).intrudes = false
        return
      case 'kill':
      case 'power-cut':
    }
  }

  #node(index: number): SimNode {
    return this.nodes[index] as SimNode
  }

  #onUpdate(node: SimNode, update: Update): void {
    const { tip, connected, disconnected } = update
    this.#invariants.updated(node, update)
    if (connected.length === 0) return
    const { seller } = this.#sides
    this.#files.updated(update, this.nodes.indexOf(node) === seller)
    if (seller !== undefined) this.#lamp.updated(update, this.#node(seller).options.signer.account)
    for (const { block } of connected) {
      this.#adversaries.get(node)?.heard(block)
      const fault = block.transactions.map((tx) => this.#sale.faultOf(tx)).find(Boolean)
      if (fault !== undefined) this.#invariants.fail('loss', node, fault)
    }
    this.#mix(tip.hash)
    if (tip.height > this.#height) {
      for (const { entry } of connected)
        this.#blocks[entry.height - 1] = { atMs: this.#scheduler.nowMs, hashes: Number(workOf(entry.target)) }
      this.#height = tip.height
      for (const tx of connected.flatMap(({ block }) => block.transactions)) {
        this.#transactions++
        this.#types[tx.type] = (this.#types[tx.type] ?? 0) + 1
      }
      this.#line(`block ${tip.height} ${short(tip.hash)} first at ${node.name}`)
    }
    if (disconnected.length === 0) return
    this.#reorganisations++
    this.#deepest = Math.max(this.#deepest, disconnected.length)
    this.#line(
      `${node.name} takes back ${disconnected.length}, puts on ${connected.length}: ${tip.height} ${short(tip.hash)}`,
    )
  }

  #onTick(node: SimNode): void {
    const tip = node.ledger?.hand?.slow.tip
    if (tip === undefined) return
    this.#invariants.hand?.updated(node)
    this.#mix(tip.hash)
    if (tip.height <= this.#ticks) return
    this.#ticks = tip.height
    this.#line(`tick ${tip.height} ${short(tip.hash)} first at ${node.name}`)
  }

  /** Of each node's tips in their order. */
  #mix(tip: Hash): void {
    this.#digest = (Math.imul(this.#digest, 31) + Number.parseInt(tip.slice(-7), 16)) | 0
  }

  #onFinal(node: SimNode, height: number, hash: Hash): void {
    this.#invariants.finalised(node, height, hash)
    if (height <= this.#final) return
    this.#final = height
    this.#line(`block ${height} ${short(hash)} is final, first at ${node.name}`)
  }

  #log(index: number): Log {
    const line =
      (level: string) =>
      (event: string, fields = {}) => {
        if (level === 'debug') return
        const facts = Object.entries(fields)
          .map(([name, value]) => `${name}=${value}`)
          .join(' ')
        this.#line(`n${index} ${event} ${facts}`)
      }
    return { debug: () => {}, info: line('info'), warn: line('warn'), error: line('error') }
  }

  #line(text: string): void {
    const line = `${(this.#scheduler.nowMs / 1000).toFixed(3).padStart(10)} ${text}`
    this.#options.onLine?.(line)
    this.#trace.push(line)
    if (this.#trace.length > 2 * TRACE_LINES) this.#trace.splice(0, TRACE_LINES)
  }
}
