/**
 * A machine of the simulation: its disk and clock stay, its process comes and goes.
 *
 * The process is the real one without sockets: chain store, ledger node with its mempool and sync, the slow hand with its own,
 * a miner of each, and what an agent does with its outbox: each transaction is sent again until the own chain has it.
 */

import { checkOnState } from '../ledger/apply.ts'
import type { Update } from '../ledger/chain.ts'
import type { Signatures } from '../ledger/signature.ts'
import { type Sealed, signTransaction } from '../ledger/transaction.ts'
import { ChainStore } from '../node/chain-store.ts'
import { REPEAT_MS } from '../node/checkpoints.ts'
import { WorldError } from '../node/error.ts'
import { HAND_FILE, HandStore } from '../node/hand-store.ts'
import { LedgerNode } from '../node/ledger-node.ts'
import type { Log } from '../node/log.ts'
import type { Signer } from '../node/signing.ts'
import { every, type Timers } from '../node/timers.ts'
import { type Block, block as blockCodec } from '../schemas/block.ts'
import { certificates as certificatesCodec } from '../schemas/checkpoint.ts'
import { encode } from '../schemas/codec.ts'
import type { Genesis } from '../schemas/genesis.ts'
import { type Account, type Hash, short } from '../schemas/hex.ts'
import { handTip as handTipCodec, tip as tipCodec } from '../schemas/message.ts'
import { type Tick, tick as tickCodec } from '../schemas/tick.ts'
import { topic } from '../schemas/topic.ts'
import type { Transaction } from '../schemas/transaction.ts'
import type { SimBroker } from './broker.ts'
import { SimClock } from './clock.ts'
import type { Deals, Wish } from './deals.ts'
import { PowerCut, SimDisk } from './disk.ts'
import type { SimEdgeMachine, SimPart } from './edge.ts'
import { blockWork, SimMiner, tickWork } from './miner.ts'
import { Mischief } from './mischief.ts'
import type { Rng } from './random.ts'
import { SLOW_RATIO, START_MS } from './rules.ts'
import type { Scheduler } from './scheduler.ts'
import { Trader } from './trader.ts'

/** Transactions that are not yet in the chain are sent again this often. */
const RESEND_MS = 15_000
/** Blocks for which a transaction is valid. */
const EXPIRY_BLOCKS = 60
/** How long a program that died stays down, milliseconds. */
const DOWN_MS = [2_000, 30_000] as const
/** Share of its trades that break a rule. */
const MISCHIEF = 0.3

/** Small, so that segments begin, settle and are deleted within hours. */
const STORE = { windowBlocks: 512, windowBlocksMin: 256, segmentBlocks: 256 }

export interface SimNodeOptions {
  readonly name: string
  readonly role: 'validator' | 'agent'
  readonly signer: Signer
  /** Hashes per virtual millisecond. */
  readonly rate: number
  readonly genesis: Genesis
  /** What a transfer to an account says. */
  readonly memoTo?: ((account: Account) => string) | undefined
  /** Mean time between its transfers, milliseconds. */
  readonly sendsMs: number
  /** Mean time between what it does with channels, hashlocks and splits, milliseconds; infinite: nothing. */
  readonly tradesMs: number
  /** Old blocks are deleted when the ledger takes more bytes. */
  readonly bytesMax: number
  /** Whom it admits as miners. */
  readonly admits: readonly Account[]
  /** What it sells or buys, in each of its processes. */
  readonly edge: ((machine: SimEdgeMachine) => SimPart) | undefined
}

export interface SimNodeModules {
  readonly scheduler: Scheduler
  readonly broker: SimBroker
  readonly random: Rng
  readonly signatures: Signatures
  readonly log: Log
  /** Whom to pay. */
  readonly others: () => readonly Account[]
  readonly deals: Deals
  readonly onUpdate: (node: SimNode, update: Update) => void
  readonly onFinal: (node: SimNode, height: number, hash: Hash) => void
  /** Its slow hand has a new tip, which is on its disk. */
  readonly onTick: (node: SimNode) => void
  readonly onStarted: (node: SimNode) => void
  /** The process threw what no process may throw. */
  readonly onBug: (node: SimNode, error: unknown) => void
  /** What the miner does with a find; publishes it when left out. */
  readonly onFound?: ((node: SimNode, block: Block) => void) | undefined
  /** As onFound, of ticks. */
  readonly onTickFound?: ((node: SimNode, tick: Tick) => void) | undefined
}

interface Process {
  alive: boolean
  readonly store: ChainStore
  readonly ledger: LedgerNode
  readonly miner: SimMiner<Block>
  /** Undefined without a slow hand. */
  readonly tickMiner: SimMiner<Tick> | undefined
  readonly edge: SimPart | undefined
  readonly timers: Timers
}

export class SimNode {
  readonly options: SimNodeOptions
  readonly disk: SimDisk
  readonly clock: SimClock
  readonly random: Rng
  /** Factor on the miner's rate. */
  power = 1
  /** Mines without being admitted. */
  intrudes = false
  readonly #modules: SimNodeModules
  readonly #trader: Trader
  readonly mischief: Mischief
  readonly #tradeTimes: Rng
  readonly #pending = new Map<number, Sealed>()
  #readings = 0
  #starts = 0
  #process: Process | undefined

  constructor(options: SimNodeOptions, modules: SimNodeModules) {
    this.options = options
    this.#modules = modules
    this.random = modules.random
    this.disk = new SimDisk(modules.random.fork('disk'))
    this.clock = new SimClock(modules.scheduler, START_MS)
    this.clock.set(this.random.between(-500, 500), this.random.between(-2e-5, 2e-5))
    const { deals, others } = modules
    this.#tradeTimes = modules.random.fork('trade times')
    const { signer } = options
    this.#trader = new Trader({ signer, random: modules.random.fork('trader'), deals, others })
    this.mischief = new Mischief({ signer, random: modules.random.fork('mischief'), deals, others })
  }

  get name(): string {
    return this.options.name
  }

  /** The running process, if there is one. */
  get ledger(): LedgerNode | undefined {
    return this.#process?.ledger
  }

  /** Opens the store and begins, or dies again if the disk says so. */
  start(): void {
    if (this.#process !== undefined) return
    const { scheduler, broker, log } = this.#modules
    // A process that starts again draws other numbers than the one before it.
    const random = this.random.fork(`start ${this.#starts++}`)
    const alive: { process: Process | undefined } = { process: undefined }
    const isAlive = (): boolean => alive.process?.alive === true
    const timers: Timers = {
      after: (delayMs, run) =>
        scheduler.after(delayMs, () => {
          if (!isAlive()) return
          scheduler.settle()
          this.#guard(run)
        }),
      turn: () => new Promise((resolve) => timers.after(0, resolve)),
    }
    try {
      const store = this.openStore()
      const { hand } = store.chain.network
      const { signer, role, name } = this.options
      const ledger = new LedgerNode(
        { session: { url: 'mqtt://sim' }, role, name, software: 'sim', signer },
        {
          store,
          hand: hand && new HandStore(this.disk.open(HAND_FILE), hand),
          clock: this.clock,
          random: () => random.next(),
          timers,
          openSession: (options, modules) => broker.open(name, options, modules, isAlive),
          log,
          others: { filters: [], receive: (...message) => this.#process?.edge?.receive(...message) },
          onUpdate: (update) => this.#onUpdate(update),
          onFinal: (entry) => this.#modules.onFinal(this, entry.height, entry.hash),
          onCheckpoint: () => this.#publishCertificates(),
          onTick: () => this.#onTick(),
          onTransaction: (sealed) => this.#process?.edge?.heard?.(sealed),
          onRefused: () => {},
          onConnected: () => {
            this.#publishTip()
            this.#publishHand()
            this.#publishCertificates()
            this.#process?.edge?.connected()
          },
          onDisconnected: () => {},
          onFatal: (error) => this.#fatal(error),
        },
      )
      const { disk, clock } = this
      const rate = () => this.options.rate * this.power
      const blocks = { random: random.fork('miner'), intrudes: () => this.intrudes }
      const miner = new SimMiner({
        ...{ timers, rate, random: blocks.random, onFound: (block: Block) => this.#found(block) },
        work: blockWork({ node: ledger, signer, clock, ...blocks }),
      })
      const ticks = random.fork('tick miner')
      const tickMiner =
        ledger.hand &&
        new SimMiner({
          ...{ timers, random: ticks, onFound: (tick: Tick) => this.#foundTick(tick) },
          // In real hashes it has a share; here it comes on top, so that blocks come as they do without.
          rate: () => rate() / SLOW_RATIO,
          work: tickWork(ledger.hand, { node: ledger, clock, random: ticks }),
        })
      const nextSequence = () => this.#readings++
      const machine = { ledger, signer, disk, clock, timers, log, random: random.fork('edge'), nextSequence }
      const edge = this.options.edge?.(machine)
      this.#process = alive.process = { alive: true, store, ledger, miner, tickMiner, edge, timers }
      ledger.start()
      this.#modules.onStarted(this)
      miner.refresh()
      tickMiner?.refresh()
      every(timers, RESEND_MS, () => this.#resend())
      every(timers, REPEAT_MS, () => this.#publishCertificates())
      this.#admitAll()
      this.#sendLater()
      this.#tradeLater()
    } catch (error) {
      this.#fatal(error)
    }
  }

  openStore(): ChainStore {
    return new ChainStore(this.disk, this.options.genesis, {
      ...STORE,
      signatures: this.#modules.signatures,
      bytesMax: this.options.bytesMax,
      maySettle: () => false,
    })
  }

  /** The process dies on the spot; a supervisor starts it again. */
  kill(downMs = this.random.between(...DOWN_MS)): void {
    const process = this.#process
    this.#process = undefined
    if (process !== undefined) {
      process.alive = false
      this.#modules.broker.lose(process.ledger.session as never)
    }
    this.disk.restart()
    this.#modules.scheduler.after(downMs, () => this.start())
  }

  /** Publishes a block, or whatever bytes, under the node's own name. */
  send(kind: 'tx' | 'block', bytes: Uint8Array): void {
    const { ledger } = this
    if (ledger === undefined) return
    void ledger.session.publish(topic(ledger.chain.network.id, kind, this.options.signer.account), bytes, {
      qos: 1,
      retain: false,
    })
  }

  /** Checks, stores and publishes a block of the own miner. */
  #found(block: Block): void {
    const { onFound } = this.#modules
    if (onFound === undefined) this.announce(block)
    else onFound(this, block)
    this.#process?.miner.refresh()
  }

  announce(block: Block): void {
    const bytes = encode(blockCodec, block)
    if (this.ledger?.accept(bytes).ok === true) this.send('block', bytes)
  }

  /** Publishes a tick, or whatever bytes, under the node's own name. */
  sendTick(bytes: Uint8Array): void {
    void this.ledger?.hand?.publish(bytes)
  }

  #foundTick(tick: Tick): void {
    const { onTickFound } = this.#modules
    if (onTickFound === undefined) this.announceTick(tick)
    else onTickFound(this, tick)
    this.#process?.tickMiner?.refresh()
  }

  /** Checks, stores and publishes a tick. */
  announceTick(tick: Tick): void {
    const bytes = encode(tickCodec, tick)
    if (this.ledger?.hand?.accept(bytes).ok === true) this.sendTick(bytes)
  }

  #onTick(): void {
    this.#modules.onTick(this)
    this.#publishHand()
    this.#process?.tickMiner?.refresh()
  }

  #publishHand(): void {
    const hand = this.ledger?.hand
    if (this.options.role !== 'validator' || hand === undefined) return
    const name = topic(hand.slow.hand.id, 'hand', this.options.signer.account)
    void this.ledger?.session.publish(name, encode(handTipCodec, hand.tipMessage()), { qos: 1, retain: true })
  }

  #onUpdate(update: Update): void {
    this.#modules.onUpdate(this, update)
    this.#process?.edge?.updated(update)
    if (update.connected.length === 0) return
    this.#publishTip()
    this.#process?.miner.refresh()
  }

  #publishTip(): void {
    const { ledger } = this
    if (this.options.role !== 'validator' || ledger === undefined) return
    const name = topic(ledger.chain.network.id, 'tip', this.options.signer.account)
    void ledger.session.publish(name, encode(tipCodec, ledger.tipMessage()), { qos: 1, retain: true })
  }

  #publishCertificates(): void {
    const { ledger } = this
    if (this.options.role !== 'validator' || ledger === undefined) return
    const certificates = ledger.checkpoints.certificates()
    if (certificates.certificates.length === 0) return
    const name = topic(ledger.chain.network.id, 'checkpoint', this.options.signer.account)
    void ledger.session.publish(name, encode(certificatesCodec, certificates), { qos: 1, retain: true })
  }

  #sendLater(): void {
    if (this.options.sendsMs === Number.POSITIVE_INFINITY) return
    this.#process?.timers.after(this.random.exponential(this.options.sendsMs), () => {
      this.#pay()
      this.#sendLater()
    })
  }

  #tradeLater(): void {
    if (this.options.tradesMs === Number.POSITIVE_INFINITY) return
    const random = this.#tradeTimes
    this.#process?.timers.after(random.exponential(this.options.tradesMs), () => {
      if (random.chance(MISCHIEF)) this.#abuse()
      else this.#trade()
      this.#tradeLater()
    })
  }

  #trade(): void {
    const { ledger } = this
    if (ledger === undefined || this.#pending.size > 8) return
    const wish = this.#trader.wish(ledger.chain)
    if (wish === undefined) return
    const sealed = this.#sign(wish.fill)
    if (sealed !== undefined) wish.made?.(sealed.id)
  }

  /** Sends once what nobody may take: the next lawful one has its nonce. */
  #abuse(): void {
    const wish = this.ledger && this.mischief.wish(this.ledger.chain)
    const sealed = wish && this.#seal(wish.fill)
    if (sealed !== undefined) this.send('tx', sealed.bytes)
  }

  #admitAll(): void {
    const { ledger } = this
    for (const member of this.options.admits)
      if (ledger?.chain.state.member(member) === undefined)
        this.#sign((head) => ({ ...head, type: 'admission', member }))
  }

  #pay(): void {
    const { ledger, random } = this
    if (ledger === undefined) return
    const { balance } = ledger.chain.state.account(this.options.signer.account)
    const amount = random.whole(0, Math.floor(balance / 50))
    const to = random.pick(this.#modules.others())
    const { memoTo = () => '' } = this.options
    if (this.#pending.size > 8) return
    this.#sign((head) => ({
      ...head,
      type: 'transfer',
      to,
      amount,
      memo: memoTo(to),
    }))
  }

  /** Signs a transaction that its own chain allows, and keeps it until it stands in that chain. */
  #sign(fill: Wish['fill']): Sealed | undefined {
    const sealed = this.#seal(fill)
    if (sealed === undefined) return undefined
    this.#pending.set(sealed.transaction.nonce, sealed)
    this.send('tx', sealed.bytes)
    return sealed
  }

  #seal(fill: Wish['fill']): Sealed | undefined {
    const { ledger, random } = this
    if (ledger === undefined) return undefined
    const { network, tip, state } = ledger.chain
    const { account: from, sign } = this.options.signer
    const waiting = [...this.#pending.keys()].map((nonce) => nonce + 1)
    const nonce = Math.max(ledger.mempool.nextNonce(state, from), ...waiting)
    const fee = network.genesis.feeFloor * random.whole(1, 5)
    const head = { network: network.id, from, nonce, fee, expiry: tip.height + EXPIRY_BLOCKS }
    return signTransaction(network, fill(head), sign)
  }

  #resend(): void {
    const { ledger } = this
    if (ledger === undefined) return
    const { network, state, tip, next } = ledger.chain
    const { nonce } = state.account(this.options.signer.account)
    for (const [at, { transaction: tx }] of this.#pending) {
      if (at < nonce) this.#pending.delete(at)
      // What expired never counts any more; what follows it has to be signed anew.
      else if (tx.expiry <= tip.height)
        for (const later of this.#pending.keys()) if (later >= at) this.#pending.delete(later)
      if (at === nonce && checkOnState(network, state, tx, next) !== undefined) this.#cancel(tx)
      const waiting = this.#pending.get(at)
      if (waiting !== undefined) this.send('tx', waiting.bytes)
    }
  }

  /** Others have claimed or closed what it was about: a transfer of nothing has its nonce, or all later ones would wait for it. */
  #cancel({ network: id, from, nonce, fee, expiry }: Transaction): void {
    const { ledger } = this
    if (ledger === undefined || !this.#pending.has(nonce)) return
    const { network } = ledger.chain
    const head = { network: id, from, nonce, fee: fee + network.genesis.feeFloor, expiry }
    const { sign } = this.options.signer
    const nothing = { ...head, type: 'transfer', to: from, amount: 0, memo: '' } as const
    this.#pending.set(nonce, signTransaction(network, nothing, sign))
  }

  #guard(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.#fatal(error)
    }
  }

  #fatal(error: unknown): void {
    const { log } = this.#modules
    const isCut =
      error instanceof PowerCut || (error instanceof WorldError && error.cause instanceof PowerCut)
    if (isCut) log.info('the power fails')
    else if (error instanceof WorldError && error.code === 'store-write') log.info('the disk takes no more')
    else this.#modules.onBug(this, error)
    this.kill()
  }

  /** For messages. */
  describe(): string {
    const { ledger } = this
    if (ledger === undefined) return `${this.name} down`
    const { tip } = ledger.chain
    return `${this.name} ${tip.height} ${short(tip.hash)}`
  }
}
