/**
 * A validator: checks everything that is published and says what it found.
 *
 * Under its own account it publishes, each with a JSON mirror: the genesis, its tip and the accounts that changed
 * (retained), who has paid for which topics (retained), a receipt for every transaction it takes, confirms or refuses, and as
 * JSON only the blocks it connected, what it refused, and on an enrolled network who may mine (retained). It knows no broker
 * but the one in its configuration.
 */
import { readingsOf } from '../ledger/apply.ts'
import type { ConnectedBlock, Update } from '../ledger/chain.ts'
import type { Fault } from '../ledger/fault.ts'
import { isEnrolled } from '../ledger/membership.ts'
import type { Dropped } from '../ledger/mempool.ts'
import { KIND } from '../ledger/state.ts'
import { viewOf } from '../node/answers.ts'
import type { ChainStore } from '../node/chain-store.ts'
import { REPEAT_MS } from '../node/checkpoints.ts'
import type { Clock } from '../node/clock.ts'
import { CLOCK_CHECK_MS, ClockWatch } from '../node/clock-watch.ts'
import type { HandStore } from '../node/hand-store.ts'
import { jsonBytes } from '../node/json-bytes.ts'
import { LedgerNode, type LedgerNodeOptions } from '../node/ledger-node.ts'
import type { Log } from '../node/log.ts'
import { hashing } from '../node/signing.ts'
import { type Cancel, every, systemTimers } from '../node/timers.ts'
import { type Checkpoint, certificates as certificatesCodec } from '../schemas/checkpoint.ts'
import type { Codec } from '../schemas/codec.ts'
import { clipText, u256 } from '../schemas/field.ts'
import { genesis as genesisCodec } from '../schemas/genesis.ts'
import { type Account, type Hash, hashFromBytes, short, ZERO_HASH } from '../schemas/hex.ts'
import type { MembersMirror } from '../schemas/members.ts'
import {
  accountView,
  handTip as handTipCodec,
  MESSAGE_BYTES_MAX,
  type Receipt,
  receipt,
  tip as tipCodec,
} from '../schemas/message.ts'
import { everyone, type Kind, mirror, topic } from '../schemas/topic.ts'
import { transaction } from '../schemas/transaction.ts'
import { Announcer, withMirror } from './announcer.ts'
import { CutOff } from './cut-off.ts'
import { GrantFeed } from './grant-feed.ts'
import type { HistoryFile } from './history-file.ts'
import { Opinions } from './opinions.ts'

/** Accounts whose view is kept on the broker; the one changed longest ago makes room. */
const ACCOUNTS_PUBLISHED_MAX = 1_000

/** Members that are listed for people; more may mine. */
const MEMBERS_LISTED_MAX = 1_000

/** A catch-up of more blocks is told as a whole. */
const BLOCKS_TOLD_MAX = 20

/** Counts for whoever watches; see `validator-metrics.ts`. */
export interface ValidatorEvents {
  readonly connected: (blocks: number, transactions: number, readings: number) => void
  readonly disconnected: (blocks: number) => void
  readonly refused: (kind: 'tx' | 'block', code: string) => void
}

export interface ValidatorModules {
  readonly store: ChainStore
  /** A block without which no chain is followed, if one is known. */
  readonly trusted?: Checkpoint | undefined
  readonly hand?: HandStore | undefined
  /** Keeps what sensors were like on earlier days. */
  readonly history?: HistoryFile | undefined
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  readonly events?: ValidatorEvents | undefined
  readonly onFatal: (error: unknown) => void
}

export class Validator {
  readonly node: LedgerNode
  readonly #account: Account
  readonly #log: Log
  readonly #events: ValidatorEvents | undefined
  /** In the order in which they changed, the latest last. */
  readonly #accounts = new Set<Account>()
  readonly #announcer: Announcer
  readonly grants: GrantFeed
  readonly #opinions: Opinions
  readonly #watch: ClockWatch
  #looksBack = false
  #stopRepeating: Cancel = () => {}
  readonly #stored: readonly Account[]

  constructor(options: Omit<LedgerNodeOptions, 'role'>, modules: ValidatorModules) {
    this.#account = options.signer.account
    this.#log = modules.log
    this.#events = modules.events
    this.#stored = modules.store.accounts
    const cutOff = new CutOff(this.#account, { log: modules.log, monotonic: modules.clock.monotonic })
    this.node = new LedgerNode(
      { ...options, role: 'validator' },
      {
        store: modules.store,
        trusted: modules.trusted,
        hand: modules.hand,
        clock: modules.clock,
        random: modules.random,
        log: modules.log,
        others: {
          filters: [everyone(modules.store.chain.network.id, 'offer')],
          receive: (name, payload) => this.#opinions.receive(name, payload),
        },
        onUpdate: (update, dropped) => this.#onUpdate(update, dropped),
        onTransaction: (sealed) => {
          this.#receipt(sealed.transaction.from, { transaction: sealed.id, status: 'accepted' })
          this.grants.onTransaction(sealed)
        },
        onHeld: (bytes) => this.#watch.onHeld(bytes),
        onTick: () => {
          this.#watch.onTick()
          this.#publishHand()
        },
        onCheckpoint: () => this.#publishCertificates(),
        onRefused: (kind, publisher, fault, bytes) => this.#onRefused(kind, publisher, fault, bytes),
        onConnected: () => {
          cutOff.onConnected()
          this.#publishAll()
          this.#lookBack()
        },
        onDisconnected: () => {
          this.#announcer.clear()
          cutOff.onDisconnected()
        },
        onFatal: modules.onFatal,
      },
    )
    const { session } = this.node
    this.#announcer = new Announcer({
      publish: session.publish.bind(session),
      connected: () => session.connected && this.node.durable,
      onDropped: (events) => modules.log.warn('more to say than the broker takes', { dropped: events }),
      onFault: modules.onFatal,
    })
    this.#watch = new ClockWatch({
      node: this.node,
      self: this.#account,
      clock: modules.clock,
      log: modules.log,
    })
    this.#opinions = new Opinions({
      chain: this.node.chain,
      inSync: () => this.node.inSync,
      account: this.#account,
      retained: this.#announcer.retained.bind(this.#announcer),
      file: modules.history,
      now: modules.clock.now,
      timers: systemTimers,
      onFatal: modules.onFatal,
    })
    this.grants = new GrantFeed({
      chain: this.node.chain,
      account: this.#account,
      retained: this.#announcer.patient.bind(this.#announcer),
      log: modules.log,
      monotonic: modules.clock.monotonic,
      timers: systemTimers,
      onFatal: modules.onFatal,
    })
  }

  start(): void {
    const { chain } = this.node
    for (const { account } of chain.network.genesis.allocations.slice(0, ACCOUNTS_PUBLISHED_MAX))
      this.#touch(account)
    // All that the broker may have forgotten, if both were started again: an account that was only paid is one of them.
    for (const account of this.#stored) this.#touch(account)
    const stopCertificates = every(systemTimers, REPEAT_MS, () => this.#publishCertificates())
    const stopClock = every(systemTimers, CLOCK_CHECK_MS, () => this.#publishClock())
    this.#stopRepeating = () => {
      stopCertificates()
      stopClock()
    }
    this.node.start()
  }

  async stop(): Promise<void> {
    this.#stopRepeating()
    this.grants.stop()
    this.#opinions.stop()
    await this.node.stop()
    this.#announcer.clear()
  }

  #onUpdate(update: Update, dropped: readonly Dropped[]): void {
    this.#watch.onUpdate(update)
    const { added, disconnected, connected, tip } = update
    if (connected.length === 0) return
    if (disconnected.length > 0) {
      const why = added === undefined ? 'that the signers agreed on' : 'with more work'
      this.#log.warn(`reorganised to a chain ${why}`, {
        disconnected: disconnected.length,
        connected: connected.length,
        height: tip.height,
      })
      this.#events?.disconnected(disconnected.length)
    }
    for (const { transactions, entry } of disconnected) {
      for (const { id, transaction: tx } of transactions)
        this.#receipt(tx.from, { transaction: id, status: 'disconnected', height: entry.height })
    }
    for (const { sealed, fault } of dropped) {
      this.#receipt(sealed.transaction.from, {
        transaction: sealed.id,
        status: 'refused',
        code: fault.code,
        message: clip(fault.message),
      })
    }
    const changed = accountsIn([...disconnected, ...connected])
    let [transactions, readings] = [0, 0]
    for (const block of connected) {
      for (const { id, transaction: tx } of block.transactions) {
        transactions++
        readings += readingsOf(tx)
        this.#receipt(tx.from, { transaction: id, status: 'confirmed', height: block.entry.height })
      }
      this.#confirmed(block)
    }
    this.#events?.connected(connected.length, transactions, readings)
    // While many come at once, the line about the catch-up says it, every two seconds.
    const { progress } = this.node
    const many = progress?.phase === 'bodies' && progress.of > BLOCKS_TOLD_MAX
    this.#log[many ? 'debug' : 'info']('block', {
      height: tip.height,
      hash: short(tip.hash),
      miner: short(tip.miner ?? ''),
      transactions,
      readings,
    })
    for (const account of changed) this.#touch(account)
    this.#publishTip()
    if (tip.height % this.#handEvery === 0) this.#publishHand()
    for (const account of changed) this.#publishAccount(account)
    if ([...disconnected, ...connected].some(changesMembers)) this.#publishMembers()
    this.grants.onUpdate(update, dropped)
    this.#opinions.onUpdate(update)
  }

  #confirmed({ block, transactions, entry }: Update['connected'][number]): void {
    const { header, coinbase } = block
    this.#json('confirmed', [], {
      height: header.height,
      hash: entry.hash,
      miner: coinbase.from,
      time: header.time,
      reward: coinbase.reward,
      target: u256.toJson(header.target),
      stateRoot: coinbase.stateRoot,
      transactions: transactions.map(({ id, transaction: tx }) => ({
        id,
        ...(transaction.toJson(tx) as object),
      })),
    })
  }

  #onRefused(kind: 'tx' | 'block', publisher: Account, fault: Fault, bytes: Uint8Array): void {
    this.#events?.refused(kind, fault.code)
    this.#json('refused', [], {
      kind,
      from: publisher,
      code: fault.code,
      message: fault.message,
      bytes: bytes.length,
    })
    if (kind !== 'tx') return
    const id = this.#idOf(bytes)
    this.#receipt(publisher, {
      transaction: id,
      status: 'refused',
      code: fault.code,
      message: clip(fault.message),
    })
  }

  /** The id that a refused transaction would have; zero when it is too short to have one. */
  #idOf(bytes: Uint8Array): Hash {
    if (bytes.length <= 64) return ZERO_HASH
    const { genesisHash } = this.node.chain.network
    return hashFromBytes(
      hashing.tagged('transaction', Buffer.from(genesisHash, 'hex'), bytes.subarray(0, -64)),
    )
  }

  #receipt(account: Account, value: Partial<Receipt> & Pick<Receipt, 'transaction' | 'status'>): void {
    const name = topic(this.node.chain.network.id, 'receipt', this.#account, account)
    this.#announcer.event(...withMirror(name, receipt, { height: 0, code: '', message: '', ...value }))
  }

  /** On old blocks, for what is told of them: nobody hears it sooner, and a start has enough to do. */
  #lookBack(): void {
    if (this.#looksBack) return
    this.#looksBack = true
    this.grants.start()
    this.#opinions.start()
  }

  #publishAll(): void {
    this.#retain('genesis', [], genesisCodec, () => this.node.chain.network.genesis)
    this.#publishTip()
    this.#publishHand()
    this.#publishClock()
    this.#publishCertificates()
    this.#publishMembers()
    for (const account of this.#accounts) this.#publishAccount(account)
    this.grants.publishAll()
    this.#opinions.publishAll()
  }

  #publishCertificates(): void {
    const { checkpoints } = this.node
    if (checkpoints.certificates().certificates.length > 0)
      this.#retain('checkpoint', [], certificatesCodec, () => checkpoints.certificates())
  }

  #publishTip(): void {
    this.#retain('tip', [], tipCodec, () => this.node.tipMessage())
  }

  /** Also when nothing happens: that is what an alarm is about. */
  #publishClock(): void {
    const name = mirror(topic(this.node.chain.network.id, 'clock', this.#account))
    const report = this.#watch.check()
    this.#announcer.retained(name, () => [{ topic: name, payload: jsonBytes(report), qos: 1 }])
  }

  /** Blocks after which other sites hear of our newest, beside each tick: so many more bytes would make their ticks little better. */
  get #handEvery(): number {
    return Math.ceil(this.node.chain.network.genesis.slowRatio / 4)
  }

  #publishHand(): void {
    const { hand } = this.node
    if (hand === undefined) return
    const name = topic(hand.slow.hand.id, 'hand', this.#account)
    const { chain } = this.node
    // While we catch up, our tip is old.
    const newest = () => {
      const heard = this.node.inSync ? undefined : hand.newestOf(chain.network.genesisHash)
      return heard !== undefined && heard.height > chain.tip.height ? heard : undefined
    }
    this.#announcer.retained(name, () => withMirror(name, handTipCodec, hand.tipMessage(newest())))
  }

  /** Those who may mine, for people. Read from the state when it is sent, which is once for any number of changes. */
  #publishMembers(): void {
    const { network } = this.node.chain
    if (!isEnrolled(network)) return
    const name = mirror(topic(network.id, 'members', this.#account))
    this.#announcer.retained(name, () => {
      const { tip, state } = this.node.chain
      const all = [...state.members()].sort((a, b) => a.since - b.since || (a.account < b.account ? -1 : 1))
      const value: MembersMirror = {
        height: tip.height,
        authorities: [...network.genesis.authorities],
        count: all.length,
        members: all.slice(0, MEMBERS_LISTED_MAX),
      }
      return [{ topic: name, payload: jsonBytes(value), qos: 1 }]
    })
  }

  #publishAccount(account: Account): void {
    this.#retain('account', [account], accountView, () => viewOf(this.node.chain, account))
  }

  #touch(account: Account): void {
    this.#accounts.delete(account)
    this.#accounts.add(account)
    if (this.#accounts.size <= ACCOUNTS_PUBLISHED_MAX) return
    for (const oldest of this.#accounts) {
      this.#accounts.delete(oldest)
      // An empty retained message takes the old view off the broker.
      const name = topic(this.node.chain.network.id, 'account', this.#account, oldest)
      const payload = new Uint8Array(0)
      this.#announcer.retained(name, () =>
        [name, mirror(name)].map((gone) => ({ topic: gone, payload, qos: 1 })),
      )
      break
    }
  }

  #retain<T>(kind: Kind, levels: readonly string[], codec: Codec<T>, value: () => T): void {
    const name = topic(this.node.chain.network.id, kind, this.#account, ...levels)
    this.#announcer.retained(name, () => withMirror(name, codec, value()))
  }

  #json(kind: Kind, levels: readonly string[], value: unknown): void {
    const name = mirror(topic(this.node.chain.network.id, kind, this.#account, ...levels))
    const payload = jsonBytes(value)
    // JSON takes some three times the room: what is too large for a message has no mirror.
    if (payload.length <= MESSAGE_BYTES_MAX) this.#announcer.event({ topic: name, payload, qos: 0 })
  }
}

/** Whose views blocks changed: senders, receivers, their miners, and miners whose reward matured. */
function accountsIn(blocks: readonly ConnectedBlock[]): Set<Account> {
  const accounts = new Set<Account>()
  for (const { block, changes } of blocks) {
    accounts.add(block.coinbase.from)
    for (const { kind, key } of changes) if (kind === KIND.account) accounts.add(key as string as Account)
  }
  return accounts
}

const changesMembers = ({ changes }: ConnectedBlock): boolean =>
  changes.some(({ kind }) => kind === KIND.member)

/** Cuts text to what a receipt carries. */
const clip = (text: string): string => clipText(text, 240)
