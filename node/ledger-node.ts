/**
 * A follower of the ledger over MQTT: checks every transaction and block, keeps the chain, answers its peers.
 *
 * The part that validators and edge agents share. Messages come one at a time from the session's queue and every
 * change of the ledger is one synchronous step: check, store durably, then tell. Nothing is announced that is not on disk.
 * Source: docs/PROTOCOL.md sections 7 and 8.
 */
import type { Accepted, Chain, Entry, Update } from '../ledger/chain.ts'
import { type Fault, faulty, verdictOf } from '../ledger/fault.ts'
import { FeeEstimator } from '../ledger/fee-estimator.ts'
import { type Admission, type Dropped, Mempool } from '../ledger/mempool.ts'
import { parseTransaction, type Sealed } from '../ledger/transaction.ts'
import { HEADER_BYTES, header as headerCodec } from '../schemas/block.ts'
import { type Certificate, type Checkpoint, vote as voteCodec } from '../schemas/checkpoint.ts'
import { decode, encode } from '../schemas/codec.ts'
import { type Account, type Hash, short } from '../schemas/hex.ts'
import {
  MESSAGE_BYTES_MAX,
  type Status,
  status as statusCodec,
  type Tip,
  tip as tipCodec,
} from '../schemas/message.ts'
import { type Result, refuse } from '../schemas/result.ts'
import { everyone, KINDS, mirror, type ParsedTopic, parseTopic, topic } from '../schemas/topic.ts'
import { answer } from './answers.ts'
import type { Random } from './backoff.ts'
import type { ChainStore } from './chain-store.ts'
import { Checkpoints } from './checkpoints.ts'
import type { Clock } from './clock.ts'
import { HandNode } from './hand-node.ts'
import type { HandStore } from './hand-store.ts'
import type { InboxMessage } from './inbox.ts'
import { jsonBytes } from './json-bytes.ts'
import type { Log } from './log.ts'
import { MUTE_MS, Muting } from './muting.ts'
import { Orphans } from './orphans.ts'
import { Peers } from './peers.ts'
import { createRequests, type Requests } from './requests.ts'
import { createSession, type Session, type SessionModules, type SessionOptions } from './session.ts'
import type { Signer } from './signing.ts'
import { Sync } from './sync.ts'
import type { Progress } from './sync-progress.ts'
import { type Cancel, every, systemTimers, type Timers } from './timers.ts'
import { Trusted } from './trusted.ts'

/** Blocks from the near future that wait for their time. */
const HELD_MAX = 16
/** Blocks below the tip at which a block that nobody asked for may still branch off. */
const SIDE_DEPTH_MAX = 100
/** How long a block may be on its way before a peer's better tip makes us ask for it. */
const TIP_PATIENCE_MS = 400
const TICK_MS = 1_000
/** How long after connecting a signer waits for the last vote that the broker keeps. */
const VOTE_PATIENCE_MS = 2_000
/** How long claims of a better tip are not believed after one that its maker could not back; longer than it is left alone. */
const DOUBT_MS = 120_000
/** How long headers may take that are to prove a claim: they can be dealt out one by one. */
const CLAIM_PATIENCE_MS = 30_000
/** So long a node has to have listened since its start before depth alone settles its blocks: whoever comes first need not be honest. */
export const LISTEN_MS = 300_000
/** A tip that no validator shares is published again this often. */
const REPUBLISH_MS = 5_000

export interface LedgerNodeOptions {
  readonly session: Omit<SessionOptions, 'signer' | 'will' | 'birth' | 'farewell'>
  readonly role: 'agent' | 'validator'
  readonly name: string
  readonly software: string
  readonly signer: Signer
}

export interface LedgerNodeModules {
  readonly store: ChainStore
  /** A block without which no chain is followed, if one is known. */
  readonly trusted?: Checkpoint | undefined
  /** Where the network's slow hand is kept, if it has one. */
  readonly hand?: HandStore | undefined
  readonly clock: Clock
  readonly random: Random
  readonly timers?: Timers
  readonly openSession?: (options: SessionOptions, modules: SessionModules) => Session
  readonly log: Log
  /** What else is subscribed to, and where messages go that are not the ledger's own. */
  readonly others?: {
    readonly filters: readonly string[]
    readonly receive: (topic: ParsedTopic, payload: Uint8Array, retain: boolean) => void
  }
  /** The chain moved, or a side block came; what it says is on disk. */
  readonly onUpdate: (update: Update, dropped: readonly Dropped[]) => void
  /** A block became final: nothing undoes it any more. What says so is on disk. */
  readonly onFinal?: (entry: Entry) => void
  /** The highest justified or final checkpoint has changed. */
  readonly onCheckpoint?: () => void
  /** The slow hand has a new tip; it is on disk. */
  readonly onTick?: () => void
  /** A transaction entered the mempool. */
  readonly onTransaction: (sealed: Sealed) => void
  /** What `publisher` sent was refused. `bytes` is the message. */
  readonly onRefused: (kind: 'tx' | 'block', publisher: Account, fault: Fault, bytes: Uint8Array) => void
  /** A block came live that cannot be judged yet: it is too new, or its parent has not come. */
  readonly onHeld?: (bytes: Uint8Array) => void
  readonly onConnected: () => void
  readonly onDisconnected: () => void
  /** Our own bug, or a disk that no longer stores: the program has to end. */
  readonly onFatal: (error: unknown) => void
}

export class LedgerNode {
  readonly chain: Chain
  readonly mempool: Mempool
  readonly fees: FeeEstimator
  readonly session: Session
  readonly requests: Requests
  readonly checkpoints: Checkpoints
  /** Undefined on networks without a slow hand. */
  readonly hand: HandNode | undefined
  readonly #options: LedgerNodeOptions
  readonly #modules: LedgerNodeModules
  readonly #timers: Timers
  readonly #sync: Sync
  readonly #trusted: Trusted
  readonly #peers = new Peers()
  readonly #muting = new Muting()
  readonly #orphans: Orphans
  #held: { readonly bytes: Uint8Array; readonly time: number }[] = []
  #stopTicking: Cancel = () => {}
  #patience: Cancel | undefined
  #connectedMs = 0
  #firstConnectedMs: number | undefined
  #startHeight = 0
  #aheadMs: number | undefined
  #doubtUntilMs = 0
  #durable = true

  constructor(options: LedgerNodeOptions, modules: LedgerNodeModules) {
    this.#options = options
    this.#modules = modules
    const { store, clock, random, log, onFatal, timers = systemTimers, openSession = createSession } = modules
    this.chain = store.chain
    const { network } = this.chain
    const self = options.signer.account
    this.mempool = new Mempool(network, options.role === 'agent' ? self : undefined)
    this.fees = new FeeEstimator(network)
    const { role, name, software } = options
    const presence = (state: Status['state'], since: number) => ({
      topic: mirror(topic(network.id, 'status', self)),
      payload: jsonBytes(statusCodec.toJson({ state, role, name, software, since, protocol: 1 })),
      retain: true,
    })
    this.#timers = timers
    this.session = openSession(
      {
        ...options.session,
        signer: options.signer,
        will: presence('offline', 0),
        birth: () => presence('online', clock.now()),
        farewell: () => presence('offline', clock.now()),
      },
      {
        log,
        random,
        now: clock.monotonic,
        onMessage: (message) => this.#receive(message),
        onConnected: () => {
          this.#connectedMs = clock.monotonic()
          this.#firstConnectedMs ??= this.#connectedMs
          log.info('connected', { broker: options.session.url })
          modules.onConnected()
          this.checkpoints.onConnected()
        },
        onDisconnected: (reason, retryInMs) => {
          log.warn('no connection to the broker', { reason, 'retry-seconds': (retryInMs / 1000).toFixed(1) })
          this.#peers.clear()
          this.hand?.onDisconnected()
          modules.onDisconnected()
        },
        onDropped: (messages, bytes) =>
          log.warn('messages came faster than they could be checked', { dropped: messages, bytes }),
        onFault: onFatal,
      },
    )
    this.requests = createRequests(
      { network: network.id, self },
      {
        publish: this.session.publish.bind(this.session),
        log,
        random,
        now: clock.monotonic,
        timers,
        onFault: onFatal,
      },
    )
    this.requests.serve((question) =>
      this.#durable ? answer(this.chain, question, () => this.fees.fees(this.mempool.entryRate)) : undefined,
    )
    this.hand =
      modules.hand &&
      new HandNode({
        store: modules.hand,
        chain: this.chain,
        self,
        session: this.session,
        log,
        clock,
        random,
        timers,
        onTick: () => modules.onTick?.(),
        onFatal,
      })
    this.#orphans = new Orphans(network)
    this.#trusted = new Trusted(this.chain, modules.trusted)
    store.maySettle = () => this.#maySettle
    this.#sync = new Sync({
      chain: this.chain,
      requests: this.requests,
      peers: this.#peers,
      log,
      now: clock.now,
      monotonic: clock.monotonic,
      timers,
      wants: (hash) => this.checkpoints.wants(hash),
      wantedHeight: () => this.checkpoints.wantedHeight,
      trusted: () => this.#trusted.lacking,
      accept: (bytes) => this.accept(bytes),
    })
    this.checkpoints = new Checkpoints({
      chain: this.chain,
      store: store.checkpoints,
      signer: options.signer,
      log,
      move: (update, certificate) => this.#keep(update, certificate),
      // A vote on the way up would be one for each eighth block of the past.
      mayVote: () =>
        this.session.connected &&
        !this.#sync.downloading &&
        this.#trusted.lacking === undefined &&
        this.#heardOwnVote,
      publishVote: (vote) => this.publish('vote', encode(voteCodec, vote), voteCodec.toJson(vote)),
      onChanged: () => modules.onCheckpoint?.(),
      onFinal: (entry) => modules.onFinal?.(entry),
      onFault: onFatal,
    })
  }

  start(): void {
    const { id } = this.chain.network
    this.checkpoints.restore()
    this.#trusted.check()
    const { lacking } = this.#trusted
    if (lacking !== undefined)
      this.#modules.log.info('only a chain with the trusted block is followed', { height: lacking.height })
    this.#startHeight = this.chain.tip.height
    this.session.subscribe([
      everyone(id, 'tx'),
      everyone(id, 'block'),
      everyone(id, 'tip'),
      ...(this.checkpoints.enabled ? [everyone(id, 'vote'), everyone(id, 'checkpoint')] : []),
      ...this.requests.filters,
      ...(this.hand?.filters ?? []),
      ...(this.#modules.others?.filters ?? []),
    ])
    this.session.start()
    this.hand?.start()
    this.#stopTicking = every(this.#timers, TICK_MS, () => this.#tick())
  }

  async stop(): Promise<void> {
    this.#stopTicking()
    this.#patience?.()
    this.#sync.stop()
    this.requests.stop()
    this.hand?.stop()
    await this.session.stop()
  }

  /**
   * Whether the broker has had time to tell us of a vote of ours that our data directory, an old copy, does not know. An
   * empty one has to fetch blocks first, and that vote comes before them.
   */
  get #heardOwnVote(): boolean {
    return this.#startHeight === 0 || this.#modules.clock.monotonic() - this.#connectedMs >= VOTE_PATIENCE_MS
  }

  /**
   * Whether depth alone may settle blocks: not while a certified block is wanted, or another chain with more work comes, nor before
   * others had time to be heard; but always on a chain that leads to a certified block or to the trusted one.
   */
  get #maySettle(): boolean {
    if (this.#sync.isVouched) return true
    if (this.checkpoints.isWaiting || this.#sync.hasRival) return false
    const sinceMs = this.#firstConnectedMs ?? Number.POSITIVE_INFINITY
    return this.#modules.clock.monotonic() - sinceMs >= LISTEN_MS
  }

  /** False once the disk refused a block: from then on the chain in memory must not be told to anybody. */
  get durable(): boolean {
    return this.#durable
  }

  /** Who has announced a tip, those heard last first. */
  get peers(): readonly Account[] {
    return this.#peers.claiming(0n)
  }

  /** How far a running catch-up is. */
  get progress(): Progress | undefined {
    return this.#sync.progress
  }

  /** True when connected and no peer is known to have a better chain: the time to mine. */
  get inSync(): boolean {
    if (!this.session.connected || this.#sync.downloading || this.#trusted.lacking !== undefined) return false
    const nowMs = this.#modules.clock.monotonic()
    if (this.#peers.size === 0) return nowMs - this.#connectedMs > 3_000
    // Claims cost nothing: after an empty one, only headers that prove their work keep us from mining.
    return nowMs < this.#doubtUntilMs || this.#peers.best(this.chain.tip.work) === undefined
  }

  /** Checks a block, stores it and tells; also for blocks of our own miner. */
  accept(bytes: Uint8Array): Result<Accepted, Fault> {
    const outcome = this.#take(bytes)
    if (outcome.ok) this.#adopt(outcome.value.added.entry.hash)
    return outcome
  }

  /** Accepts the blocks that waited for this one, and those that waited for them: no more than the pool holds. */
  #adopt(hash: Hash): void {
    const { clock } = this.#modules
    const parents = [hash]
    for (let parent = parents.pop(); parent !== undefined; parent = parents.pop()) {
      for (const { bytes, publisher } of this.#orphans.take(parent, clock.monotonic())) {
        const stale = this.#staleness(bytes)
        const outcome = stale === undefined ? this.#take(bytes) : refuse(stale)
        if (outcome.ok) parents.push(outcome.value.added.entry.hash)
        else this.#blockRefused(publisher, outcome.fault, bytes)
      }
    }
  }

  #take(bytes: Uint8Array): Result<Accepted, Fault> {
    const { clock } = this.#modules
    const outcome = this.chain.accept(bytes, clock.now())
    if (!outcome.ok) {
      if (outcome.fault.code === 'time-too-new') this.#hold(bytes)
      return outcome
    }
    this.#keep(outcome.value)
    this.checkpoints.onBlock(outcome.value.added.entry)
    this.checkpoints.vote()
    return outcome
  }

  /** Makes a move of the chain durable, with the certificate that caused it, and then tells of it. */
  #keep(update: Update, certificate?: Certificate): void {
    const { store, onUpdate, onTransaction } = this.#modules
    this.#durable = false
    store.save(update, certificate)
    this.#durable = true
    this.#trusted.check()
    this.fees.update(update, (id) => this.mempool.has(id))
    const { entered, dropped } = this.mempool.update(this.chain, update)
    onUpdate(update, dropped)
    for (const sealed of entered) onTransaction(sealed)
  }

  /** Checks a transaction that came on `publisher`'s topic and puts it into the mempool, or holds it behind a gap. */
  add(bytes: Uint8Array, publisher: Account): Result<Admission, Fault> {
    const { network, verified } = this.chain
    const parsed = parseTransaction(network, bytes, verified)
    if (!parsed.ok) return parsed
    const { from } = parsed.value.transaction
    if (from !== publisher)
      return faulty('wrong-publisher', `topic: ${short(publisher)} sent a transaction of ${short(from)}`)
    return this.mempool.add(parsed.value, this.chain)
  }

  /** Sends a binary message under our own name, and its JSON mirror where people look. */
  async publish(kind: 'tx' | 'block' | 'vote', bytes: Uint8Array, json: unknown): Promise<boolean> {
    const { retained: retain } = KINDS[kind]
    const name = topic(this.chain.network.id, kind, this.#options.signer.account)
    const sent = await this.session.publish(name, bytes, { qos: 1, retain })
    const text = jsonBytes(json)
    // JSON takes some three times the room: what is too large for a message has no mirror.
    if (sent && text.length <= MESSAGE_BYTES_MAX)
      await this.session.publish(mirror(name), text, { qos: 0, retain })
    return sent
  }

  /** What this node says of its own tip. */
  tipMessage(): Tip {
    const { tip, state } = this.chain
    const { supply, transactions, readings } = state.totals()
    return {
      height: tip.height,
      hash: tip.hash,
      parent: tip.parent?.hash ?? this.chain.header(tip.height).parent,
      time: tip.time,
      miner: tip.miner ?? this.#options.signer.account,
      target: tip.target,
      work: tip.work,
      stateRoot: state.root(),
      transactions,
      readings,
      supply,
    }
  }

  #receive({ topic: name, payload, retain }: InboxMessage): void {
    const parsed = parseTopic(name)
    if (parsed?.network === this.hand?.slow.hand.id)
      this.hand?.receive(parsed as ParsedTopic, payload, retain)
    if (parsed === undefined || parsed.network !== this.chain.network.id) return
    if (parsed.json) this.#modules.others?.receive(parsed, payload, retain)
    else if (parsed.kind === 'request' || parsed.kind === 'reply') this.requests.receive(parsed, payload)
    else if (parsed.kind === 'tip') this.#receiveTip(parsed.publisher, payload)
    else if (parsed.kind === 'tx' || parsed.kind === 'block') this.#receiveEvent(parsed, payload, retain)
    else if (parsed.kind === 'vote' || parsed.kind === 'checkpoint')
      this.#receiveCheckpoint(parsed.kind, parsed.publisher, payload)
    else this.#modules.others?.receive(parsed, payload, retain)
  }

  #receiveCheckpoint(kind: 'vote' | 'checkpoint', publisher: Account, payload: Uint8Array): void {
    const { clock, log } = this.#modules
    const own = publisher === this.#options.signer.account
    if (!this.checkpoints.enabled || (!own && this.#muting.isMuted(publisher, clock.monotonic()))) return
    const outcome =
      kind === 'vote'
        ? this.checkpoints.receiveVote(publisher, payload)
        : this.checkpoints.receiveCertificates(publisher, payload)
    if (!outcome.ok && !own) {
      const { code, message } = outcome.fault
      const broken = verdictOf(outcome.fault) === 'reject'
      const what = kind === 'vote' ? 'vote' : 'certificate'
      log[broken ? 'warn' : 'debug'](`refused a ${what}`, { from: short(publisher), code, reason: message })
      this.#mute(publisher, broken ? 'rejected' : 'ignored')
    }
    this.#fetchCertified()
  }

  /** A chain with a certified block is fetched whatever its work, from those who spoke of it. */
  #fetchCertified(): void {
    if (!this.checkpoints.isWaiting) return
    for (const peer of new Set([...this.checkpoints.wanted.values()].flatMap((peers) => [...peers])))
      if (this.#sync.mayAsk(peer, 'tip')) void this.#sync.from(peer, 'tip').catch(this.#modules.onFatal)
  }

  #receiveEvent({ kind, publisher }: ParsedTopic, payload: Uint8Array, retain: boolean): void {
    const { clock, onTransaction, onRefused, onHeld } = this.#modules
    const own = publisher === this.#options.signer.account
    if (!own && this.#muting.isMuted(publisher, clock.monotonic())) return
    // An event that the broker kept is old news: a broker of ours refuses to keep any.
    if (retain) return
    if (kind === 'block') {
      const stale = this.#staleness(payload)
      const outcome = stale === undefined ? this.accept(payload) : refuse(stale)
      if (!outcome.ok) {
        if (verdictOf(outcome.fault) === 'hold') onHeld?.(payload)
        this.#blockRefused(publisher, outcome.fault, payload)
      }
      return
    }
    const outcome = this.add(payload, publisher)
    if (!outcome.ok) {
      this.#refuse('tx', publisher, outcome.fault, payload)
      return
    }
    const { entered, dropped } = outcome.value
    for (const { sealed, fault } of dropped) onRefused('tx', sealed.transaction.from, fault, sealed.bytes)
    for (const sealed of entered) onTransaction(sealed)
    // One that is held behind a gap was of no use so far, and costs its sender nothing.
    if (entered.length === 0) this.#mute(publisher, 'ignored')
  }

  /**
   * A branch that leaves our chain far below the tip can be made where blocks were cheap, and each would be stored for
   * ever. Unasked, none is taken; a peer whose branch has more work proves that by its headers, when we catch up.
   */
  #staleness(bytes: Uint8Array): Fault | undefined {
    const decoded = decode(headerCodec, bytes.subarray(0, HEADER_BYTES), HEADER_BYTES)
    const parent = decoded.ok ? this.chain.entry(decoded.value.parent) : undefined
    const { tip } = this.chain
    if (parent === undefined) return undefined
    const lacking = this.#trusted.lacking
    if (lacking !== undefined)
      return { code: 'known', message: `parent: blocks are taken from height ${lacking.height} on` }
    if (tip.height - parent.height <= SIDE_DEPTH_MAX) return undefined
    return {
      code: 'known',
      message: `parent: ${tip.height - parent.height} blocks below the tip, at most ${SIDE_DEPTH_MAX}`,
    }
  }

  #blockRefused(publisher: Account, fault: Fault, bytes: Uint8Array): void {
    if (fault.code === 'known') {
      this.#mute(publisher, 'ignored')
      return
    }
    if (fault.code === 'unknown-parent') {
      const kept = this.#orphans.add(bytes, publisher, this.#modules.clock.monotonic())
      // Its miner has the parents, if anybody has; while we catch up they are on their way.
      if (!(kept && this.#sync.downloading) && this.#sync.mayAsk(publisher, 'orphan'))
        void this.#sync.from(publisher, 'orphan').catch(this.#modules.onFatal)
      else this.#mute(publisher, 'ignored')
      return
    }
    this.#refuse('block', publisher, fault, bytes)
  }

  #refuse(kind: 'tx' | 'block', publisher: Account, fault: Fault, bytes: Uint8Array): void {
    const { log, onRefused } = this.#modules
    if (fault.code === 'known') return
    // A block was made on purpose: whatever is wrong with it broke a rule.
    const broken = verdictOf(fault) === 'reject' || (kind === 'block' && verdictOf(fault) !== 'hold')
    const what = kind === 'tx' ? 'transaction' : 'block'
    log[broken ? 'warn' : 'debug'](`refused a ${what}`, {
      from: short(publisher),
      code: fault.code,
      reason: fault.message,
    })
    onRefused(kind, publisher, fault, bytes)
    this.#mute(publisher, broken ? 'rejected' : 'ignored')
  }

  /** Counts a message that was of no use; mutes a publisher that has sent too many. */
  #mute(publisher: Account, why: 'rejected' | 'ignored'): void {
    const { clock, log } = this.#modules
    if (publisher === this.#options.signer.account) return
    if (!this.#muting.count(publisher, why, clock.monotonic())) return
    log.warn('not listening to a sender that keeps sending what is refused', {
      from: short(publisher),
      seconds: MUTE_MS / 1000,
    })
  }

  #receiveTip(publisher: Account, payload: Uint8Array): void {
    if (publisher === this.#options.signer.account) return
    if (this.#muting.isMuted(publisher, this.#modules.clock.monotonic())) return
    const decoded = decode(tipCodec, payload, MESSAGE_BYTES_MAX)
    if (!decoded.ok) {
      this.#modules.log.warn('refused a tip', { from: short(publisher), reason: decoded.fault.message })
      this.#mute(publisher, 'rejected')
      return
    }
    this.#peers.set(publisher, decoded.value)
    if (this.#peers.best(this.chain.tip.work) === undefined) return
    this.#patience ??= this.#timers.after(TIP_PATIENCE_MS, () => {
      this.#patience = undefined
      this.#catchUp()
    })
  }

  #catchUp(): void {
    const best = this.#peers.best(this.chain.tip.work, (peer) => this.#sync.mayAsk(peer, 'tip'))
    if (best === undefined) return
    const [peer, claimed] = best
    const patience = every(this.#timers, CLAIM_PATIENCE_MS, () => {
      if (!this.#sync.downloading) this.#doubt(claimed)
    })
    this.#sync
      .from(peer, 'tip')
      .then(() => this.#doubt(claimed))
      .catch(this.#modules.onFatal)
      .finally(patience)
  }

  /** A claim that its maker cannot back must not keep us waiting; with a wrong clock it is we who cannot judge it. */
  #doubt({ work }: Tip): void {
    const { clock } = this.#modules
    if (work > this.chain.tip.work && clock.synchronised()) this.#doubtUntilMs = clock.monotonic() + DOUBT_MS
  }

  #hold(bytes: Uint8Array): void {
    if (this.#held.some((held) => Buffer.compare(held.bytes, bytes) === 0)) return
    if (this.#held.length >= HELD_MAX) this.#held.shift()
    this.#held.push({ bytes, time: this.#modules.clock.now() + this.chain.network.genesis.interval })
  }

  #tick(): void {
    const nowMs = this.#modules.clock.now()
    const due = this.#held.filter(({ time }) => time <= nowMs)
    this.#held = this.#held.filter(({ time }) => time > nowMs)
    try {
      for (const { bytes } of due) this.accept(bytes)
      this.checkpoints.vote()
    } catch (error) {
      this.#modules.onFatal(error)
    }
    this.#catchUp()
    this.#fetchCertified()
    this.#republish()
  }

  /** A block of ours that got lost on the way is sent again, so that validators can ask us for what they lack. */
  #republish(): void {
    const { tip } = this.chain
    const ahead =
      this.session.connected &&
      // Also not when a snapshot ends there: its block is not ours to send.
      tip.parent !== undefined &&
      // A claim of more is either true, and we soon have that tip, or it says nothing.
      !this.#peers.share(tip.work)
    const nowMs = this.#modules.clock.monotonic()
    if (!ahead || this.#options.role === 'validator') this.#aheadMs = undefined
    else if (this.#aheadMs === undefined) this.#aheadMs = nowMs
    else if (nowMs - this.#aheadMs >= REPUBLISH_MS) {
      this.#aheadMs = nowMs
      const name = topic(this.chain.network.id, 'block', this.#options.signer.account)
      void this.session.publish(name, this.#modules.store.block(tip.hash), { qos: 1, retain: false })
    }
  }
}
