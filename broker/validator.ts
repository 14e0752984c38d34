/**
 * A validator: checks everything that is published and says what it found.
 *
 * Under its own account it publishes, each with a JSON mirror: the genesis, its tip and the accounts that changed
 * (retained), a receipt for every transaction it takes, confirms or refuses, and as JSON only the blocks it
 * connected and what it refused. It knows no broker but the one in its configuration.
 */
import type { Update } from '../ledger/chain.ts'
import type { Fault } from '../ledger/fault.ts'
import type { Sealed } from '../ledger/transaction.ts'
import type { ChainStore } from '../node/chain-store.ts'
import type { Clock } from '../node/clock.ts'
import { jsonBytes, LedgerNode, type LedgerNodeOptions } from '../node/ledger-node.ts'
import type { Log } from '../node/log.ts'
import { hashing } from '../node/signing.ts'
import { type Codec, encode } from '../schemas/codec.ts'
import { genesis as genesisCodec } from '../schemas/genesis.ts'
import { type Account, type Hash, hashFromBytes, short, ZERO_HASH } from '../schemas/hex.ts'
import { accountView, type Receipt, receipt, tip as tipCodec } from '../schemas/message.ts'
import { type Kind, mirror, topic } from '../schemas/topic.ts'
import { transaction } from '../schemas/transaction.ts'

/** Accounts whose view is kept on the broker; the one changed longest ago makes room. */
const ACCOUNTS_PUBLISHED_MAX = 1_000
/** Blocks looked through at start for the accounts to publish. */
const RECENT_BLOCKS = 500

/** Counts for whoever watches; see `validator-metrics.ts`. */
export interface ValidatorEvents {
  readonly connected: (blocks: number, transactions: number, readings: number) => void
  readonly disconnected: (blocks: number) => void
  readonly refused: (kind: 'tx' | 'block', code: string) => void
}

export interface ValidatorModules {
  readonly store: ChainStore
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  readonly events: ValidatorEvents
  readonly onFatal: (error: unknown) => void
}

export class Validator {
  readonly node: LedgerNode
  readonly #account: Account
  readonly #log: Log
  readonly #events: ValidatorEvents
  /** In the order in which they changed, the latest last. */
  readonly #accounts = new Set<Account>()

  constructor(options: Omit<LedgerNodeOptions, 'role'>, modules: ValidatorModules) {
    this.#account = options.signer.account
    this.#log = modules.log
    this.#events = modules.events
    this.node = new LedgerNode(
      { ...options, role: 'validator' },
      {
        store: modules.store,
        clock: modules.clock,
        random: modules.random,
        log: modules.log,
        onUpdate: (update, dropped) => this.#onUpdate(update, dropped),
        onTransaction: (sealed) =>
          this.#receipt(sealed.transaction.from, { transaction: sealed.id, status: 'accepted' }),
        onRefused: (kind, publisher, fault, bytes) => this.#onRefused(kind, publisher, fault, bytes),
        onConnected: () => this.#publishAll(),
        onDisconnected: () => {},
        onFatal: modules.onFatal,
      },
    )
  }

  start(): void {
    const { chain } = this.node
    for (let height = Math.max(1, chain.tip.height - RECENT_BLOCKS); height <= chain.tip.height; height++) {
      const miner = chain.at(height)?.miner
      if (miner !== undefined) this.#touch(miner)
    }
    for (const { account } of chain.network.genesis.allocations.slice(0, ACCOUNTS_PUBLISHED_MAX))
      this.#touch(account)
    this.node.start()
  }

  async stop(): Promise<void> {
    await this.node.stop()
  }

  #onUpdate({ disconnected, connected, tip }: Update, dropped: readonly Sealed[]): void {
    if (connected.length === 0) return
    if (disconnected.length > 0) {
      this.#log.warn('reorganised to a chain with more work', {
        disconnected: disconnected.length,
        connected: connected.length,
        height: tip.height,
      })
      this.#events.disconnected(disconnected.length)
    }
    for (const { transactions, entry } of disconnected) {
      for (const { id, transaction: tx } of transactions)
        this.#receipt(tx.from, { transaction: id, status: 'disconnected', height: entry.height })
    }
    for (const { id, transaction: tx } of dropped) {
      this.#receipt(tx.from, {
        transaction: id,
        status: 'refused',
        code: 'expired',
        message: 'dropped from the mempool: expired or no longer covered',
      })
    }
    const changed = new Set<Account>()
    let [transactions, readings] = [0, 0]
    for (const block of connected) {
      changed.add(block.block.coinbase.from)
      for (const { id, transaction: tx } of block.transactions) {
        transactions++
        if (tx.type !== 'transfer') readings += tx.type === 'batch' ? tx.count : 1
        changed.add(tx.from)
        if (tx.type === 'transfer') changed.add(tx.to)
        this.#receipt(tx.from, { transaction: id, status: 'confirmed', height: block.entry.height })
      }
      this.#confirmed(block)
    }
    this.#matured(tip.height, connected.length, changed)
    this.#events.connected(connected.length, transactions, readings)
    this.#log.info('block', {
      height: tip.height,
      hash: short(tip.hash),
      miner: short(tip.miner ?? ''),
      transactions,
      readings,
    })
    for (const account of changed) this.#touch(account)
    this.#publishTip()
    for (const account of changed) this.#publishAccount(account)
  }

  /** Whose reward became spendable with these blocks. */
  #matured(height: number, count: number, changed: Set<Account>): void {
    const { maturity } = this.node.chain.network.genesis
    for (let at = height - count + 1; at <= height; at++) {
      const miner = this.node.chain.at(at - maturity)?.miner
      if (miner !== undefined) changed.add(miner)
    }
  }

  #confirmed({ block, transactions, entry }: Update['connected'][number]): void {
    const { header, coinbase } = block
    this.#json('confirmed', [], {
      height: header.height,
      hash: entry.hash,
      miner: coinbase.from,
      time: header.time,
      reward: coinbase.reward,
      stateRoot: coinbase.stateRoot,
      transactions: transactions.map(({ id, transaction: tx }) => ({
        id,
        ...(transaction.toJson(tx) as object),
      })),
    })
  }

  #onRefused(kind: 'tx' | 'block', publisher: Account, fault: Fault, bytes: Uint8Array): void {
    this.#events.refused(kind, fault.code)
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
    this.#send('receipt', [account], receipt, { height: 0, code: '', message: '', ...value }, false)
  }

  #publishAll(): void {
    this.#send('genesis', [], genesisCodec, this.node.chain.network.genesis, true)
    this.#publishTip()
    for (const account of this.#accounts) this.#publishAccount(account)
  }

  #publishTip(): void {
    this.#send('tip', [], tipCodec, this.node.tipMessage(), true)
  }

  #publishAccount(account: Account): void {
    this.#send('account', [account], accountView, this.node.accountView(account), true)
  }

  #touch(account: Account): void {
    this.#accounts.delete(account)
    this.#accounts.add(account)
    if (this.#accounts.size <= ACCOUNTS_PUBLISHED_MAX) return
    for (const oldest of this.#accounts) {
      this.#accounts.delete(oldest)
      // An empty retained message takes the old view off the broker.
      const name = topic(this.node.chain.network.id, 'account', this.#account, oldest)
      for (const gone of [name, mirror(name)])
        void this.node.session.publish(gone, new Uint8Array(0), { qos: 1, retain: true })
      break
    }
  }

  #send<T>(kind: Kind, levels: readonly string[], codec: Codec<T>, value: T, retain: boolean): void {
    const name = topic(this.node.chain.network.id, kind, this.#account, ...levels)
    void this.node.session.publish(name, encode(codec, value), { qos: 1, retain })
    void this.node.session.publish(mirror(name), jsonBytes(codec.toJson(value)), { qos: 1, retain })
  }

  #json(kind: Kind, levels: readonly string[], value: unknown): void {
    const name = mirror(topic(this.node.chain.network.id, kind, this.#account, ...levels))
    void this.node.session.publish(name, jsonBytes(value), { qos: 0, retain: false })
  }
}

/** Cuts text to what a receipt carries, without control characters. */
function clip(text: string): string {
  let clean = text.replace(/[\p{Cc}\p{Cs}]/gu, '?')
  while (new TextEncoder().encode(clean).length > 240) clean = clean.slice(0, -1)
  return clean
}
