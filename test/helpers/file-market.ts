/**
 * A market of files inside one test: a seller's shop on a chain, buyers with purchases on disk, and a broker that the test may
 * tamper with. Time passes when a buyer waits, and every interval a block is mined; disks, keys, codecs and rules are the real ones.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import type { Outcome, PurchaseEvent } from '../../cli/file-purchase/events.ts'
import type { Line, LineListener } from '../../cli/file-purchase/line.ts'
import type { Surroundings } from '../../cli/file-purchase/quoting.ts'
import { PurchaseFiles, purchaseDirectory } from '../../cli/file-purchase/record.ts'
import { buy, goOn, isPaid } from '../../cli/file-purchase/run.ts'
import type { Wish } from '../../cli/file-purchase/terms.ts'
import { filesConfig } from '../../edge-agent/files/config.ts'
import { FileShop } from '../../edge-agent/files/file-shop.ts'
import { Outbox } from '../../edge-agent/outbox.ts'
import type { Desk } from '../../edge-agent/trade.ts'
import { COIN } from '../../ledger/amount.ts'
import { parseBlock } from '../../ledger/block.ts'
import { type Sealed, sealTransaction } from '../../ledger/transaction.ts'
import { answer } from '../../node/answers.ts'
import { replaceableLog } from '../../node/replaceable-log.ts'
import type { Question, ReplyTo } from '../../node/requests.ts'
import type { Signer } from '../../node/signing.ts'
import { decode } from '../../schemas/codec.ts'
import { type Account, type Hash, hashFromBytes } from '../../schemas/hex.ts'
import type { Tip } from '../../schemas/message.ts'
import { invariant } from '../../schemas/result.ts'
import { transaction } from '../../schemas/transaction.ts'
import { alice, bob, carol, TestChain, testNetwork } from './ledger.ts'
import { temporary } from './processes.ts'
import { type LogLine, recordingLog } from './rig.ts'

export const SELLER = bob
export const [BUYER, RIVAL] = [alice, carol]
export const PRICE = 2 * COIN

/** Thrown where the test wants a program to be killed: nothing behind it happens. */
export class Killed extends Error {}

export interface MarketOptions {
  readonly files?: Readonly<Record<string, Uint8Array>>
  readonly config?: object
}

/** What a test may do to messages between the two; undefined: it is lost. */
export type Tamper = (payload: Uint8Array, from: 'seller' | 'buyer') => Uint8Array | undefined

export class FileMarket {
  readonly t: Test
  readonly test: TestChain
  readonly shelf: string
  readonly data: string
  readonly lines: LogLine[] = []
  tamper: Tamper = (payload) => payload
  /** Resolves when something that the seller says has gone out. */
  leaves: () => Promise<void> = async () => {}
  /** Told when the seller is about to act on the ledger (`act`) and when that is durable (`acted`); may kill it. */
  atSeller: (what: 'act' | 'acted') => void = () => {}
  /** Whether blocks come by themselves. */
  isMining = true
  /** Whether transactions of buyers get lost. */
  isLosing = false
  shop: Pick<FileShop, 'onMessage' | 'onUpdate' | 'tick' | 'stop'> | undefined
  #outbox: Outbox | undefined
  readonly #config: object
  readonly #listeners = new Map<Account, LineListener>()
  #pool: Sealed[] = []
  readonly #locks: Hash[] = []
  #killed: Killed | undefined
  #ms = 0
  #minedMs = 0

  constructor(t: Test, { files = {}, config = {} }: MarketOptions = {}) {
    this.t = t
    const allocations = [BUYER, RIVAL].map(({ account }) => ({ account, amount: 100 * COIN }))
    this.test = new TestChain(testNetwork({ allocations }))
    this.data = temporary(t)
    this.shelf = join(this.data, 'shelf')
    mkdirSync(this.shelf)
    for (const [name, bytes] of Object.entries(files)) this.put(name, bytes)
    this.#config = {
      ...{ directory: this.shelf, price: '2', quietSeconds: 0, confirmations: 2 },
      ...{ deadlineBlocks: 12, deadlineMinutes: 1, marginBlocks: 4, marginMinutes: 0.2 },
      ...{ kilobytesPerSecond: 1_000_000, kilobytesPerSecondPerBuyer: 1_000_000, ...config },
    }
    // The seller can pay a fee, and there are blocks to count from.
    this.test.grow(3, [this.test.transfer(RIVAL, SELLER.account, COIN)])
    t.teardown(() => this.killSeller())
  }

  put(name: string, bytes: Uint8Array): void {
    writeFileSync(join(this.shelf, name), bytes)
  }

  coins({ account }: Signer): number {
    return this.test.chain.state.account(account).balance
  }

  /** Claims of hashlocks on the chain. */
  keysTold(): number {
    let count = 0
    for (let height = 1; height <= this.test.chain.tip.height; height++) {
      const entry = this.test.chain.at(height)
      invariant(entry !== undefined, 'the chain has this height')
      const block = parseBlock(this.test.network, this.test.archive.block(entry.hash))
      invariant(block.ok, 'a stored block parses')
      for (const { transaction: tx } of block.value.transactions) if (tx.type === 'hashlockClaim') count++
    }
    return count
  }

  /** Claims the newest hashlock for a seller that is none of ours. */
  tell(key: Uint8Array): void {
    const lock = this.#locks.at(-1)
    invariant(lock !== undefined, 'somebody has paid')
    const preimage = hashFromBytes(key)
    this.#offer([this.test.sign(SELLER, { type: 'hashlockClaim', hashlock: lock, preimage })])
  }

  /** Opens the shop on what an earlier one left on disk. */
  startSeller(change: Partial<Desk> = {}): FileShop {
    const { log, lines } = recordingLog()
    const { chain } = this.test
    const outbox = new Outbox(replaceableLog(join(this.data, 'outbox.log')), chain, SELLER)
    this.#outbox = outbox
    const market = this
    const shop: FileShop = new FileShop(filesConfig.parse(this.#config), {
      ...{
        chain,
        signer: SELLER,
        outbox,
        log,
        random: Math.random,
        inSync: true,
        connected: true,
        isGuarded: false,
        listen: () => {},
      },
      clock: { now: () => this.test.nowMs, monotonic: () => this.#ms, synchronised: () => true },
      act: (drafts) => {
        this.atSeller('act')
        if (market.shop !== shop) return []
        const sealed = outbox.add(drafts)
        this.atSeller('acted')
        if (market.shop === shop) this.#offer(sealed)
        return sealed
      },
      async tell(kind, [to], payload) {
        invariant(kind === 'file' && to !== undefined, 'a shop speaks about files')
        // Whoever was killed is not heard any more.
        if (market.shop !== shop) return false
        const sent = market.tamper(payload, 'seller')
        if (sent !== undefined) market.#deliver(to as Account, sent)
        await market.leaves()
        return true
      },
      tellPeople: async () => true,
      ...change,
    })
    this.lines.push(...lines)
    const all = this.lines
    lines.push = (...more: LogLine[]) => all.push(...more)
    this.shop = shop
    return shop
  }

  /** As by kill -9: nothing is said or written any more. */
  killSeller(): void {
    void this.shop?.stop()
    this.shop = undefined
    this.#outbox?.close()
    this.#outbox = undefined
  }

  /** One block with what waits, as far as it is valid. */
  mine(count = 1): void {
    for (let done = 0; done < count; done++) {
      if (this.#outbox !== undefined) this.#offer(this.#outbox.pending(64))
      const block = this.test.block(this.#pool, { miner: SELLER })
      const outcome = this.test.accept(block)
      invariant(outcome.ok, outcome.ok ? '' : outcome.fault.message)
      const { state } = this.test.chain
      this.#pool = this.#pool.filter(({ transaction: tx }) => tx.nonce >= state.account(tx.from).nonce)
      this.#outbox?.update(outcome.value)
      this.shop?.onUpdate(outcome.value)
    }
  }

  /** Puts something else than our shop behind the counter. */
  installSeller(
    make: (tell: (to: Account, payload: Uint8Array) => void) => NonNullable<FileMarket['shop']>,
  ): void {
    this.shop = make((to, payload) => this.#deliver(to, payload))
  }

  #offer(list: readonly Sealed[]): void {
    for (const sealed of list) {
      if (this.#pool.some(({ id }) => id === sealed.id)) continue
      this.#pool.push(sealed)
      if (sealed.transaction.type === 'hashlock') this.#locks.push(sealed.id)
      for (const { onTransaction } of this.#listeners.values())
        if (sealed.transaction.from === SELLER.account) onTransaction(sealed.transaction)
    }
    this.#pool.sort((a, b) => a.transaction.nonce - b.transaction.nonce)
  }

  #deliver(to: Account, payload: Uint8Array): void {
    setImmediate(() => {
      try {
        this.#listeners.get(to)?.onMessage(new Uint8Array(payload))
      } catch (error) {
        // Inside a message it can only be noted; the program ends with its next step.
        if (!(error instanceof Killed)) throw error
        this.#killed = error
      }
    })
  }

  line(buyer: Signer): Line {
    const { test } = this
    const { network, chain } = test
    return {
      network,
      signer: buyer,
      tips: () => [this.#tip()],
      view: () => chain.state.account(buyer.account),
      async ask<const Q extends Question>(
        question: Q,
        isUseful: (reply: ReplyTo<Q>) => boolean = () => true,
      ) {
        const reply = answer(chain, { ...question, id: 1 }) as ReplyTo<Q> | undefined
        return reply !== undefined && isUseful(reply) ? reply : undefined
      },
      fee: async () => 0,
      sendTransaction: async (bytes) => {
        const decoded = decode(transaction, bytes, 4096)
        invariant(decoded.ok, 'a buyer sends transactions')
        if (!this.isLosing) this.#offer([sealTransaction(network, decoded.value, bytes)])
        return true
      },
      sendToSeller: async (message) => {
        const sent = this.tamper(message, 'buyer')
        const { shop } = this
        const topic = { network: network.id, kind: 'file', publisher: buyer.account, json: false } as const
        setImmediate(() => {
          if (sent && shop !== undefined && shop === this.shop)
            shop.onMessage({ ...topic, rest: [SELLER.account] }, new Uint8Array(sent), false)
        })
        return true
      },
      listen: (listener) => void this.#listeners.set(buyer.account, listener),
    }
  }

  /** Runs a purchase until it ends, or until `at` throws Killed. What a killed one leaves is gone on with by the next call. */
  async buy(
    name: string,
    {
      buyer = BUYER,
      at = () => {},
      wish = { coinsMax: PRICE, hoursMax: 48 },
      signal = new AbortController().signal,
      isPatient = true,
      out = join(this.data, `${name}-${buyer.account.slice(0, 4)}`),
    }: {
      buyer?: Signer
      /** Told of everything that happens: events, `save`, `saved`, `send`, `sent`, `say`, `sleep`. */
      at?: (what: string) => void
      wish?: Wish
      signal?: AbortSignal
      isPatient?: boolean
      out?: string
    } = {},
  ): Promise<{ outcome: Outcome | 'killed'; events: PurchaseEvent[]; out: string }> {
    const { genesisHash } = this.test.network
    const what = { genesis: genesisHash as Hash, seller: SELLER.account, buyer: buyer.account, name }
    const files = new PurchaseFiles(purchaseDirectory(join(this.data, 'purchases'), what))
    const events: PurchaseEvent[] = []
    this.#killed = undefined
    const surroundings = this.#surroundings(buyer, at, events, signal)
    const save = files.save.bind(files)
    files.save = (record) => {
      at('save')
      save(record)
      at('saved')
    }
    try {
      const outcome = isPaid(files)
        ? await goOn(surroundings, files, isPatient)
        : await buy(surroundings, files, { ...what, out }, wish)
      return { outcome, events, out }
    } catch (error) {
      if (!(error instanceof Killed)) throw error
      return { outcome: 'killed', events, out }
    } finally {
      this.#listeners.delete(buyer.account)
      files.close()
    }
  }

  #surroundings(
    buyer: Signer,
    at: (what: string) => void,
    events: PurchaseEvent[],
    signal: AbortSignal,
  ): Surroundings {
    const line = this.line(buyer)
    return {
      line: {
        ...line,
        async sendTransaction(bytes) {
          at('send')
          const sent = await line.sendTransaction(bytes)
          at('sent')
          return sent
        },
        sendToSeller: async (message) => {
          try {
            at('say')
          } catch (error) {
            // Nobody waits for this one: the program ends with its next step.
            if (!(error instanceof Killed)) throw error
            this.#killed = error
            return false
          }
          return line.sendToSeller(message)
        },
      },
      show: (event) => {
        events.push(event)
        at(event.event)
      },
      now: () => this.test.nowMs,
      monotonic: () => this.#ms,
      sleep: async (ms) => {
        if (this.#killed !== undefined) throw this.#killed
        at('sleep')
        await this.pass(ms)
      },
      signal,
    }
  }

  /** Time passes: a little of it really, for the disks. */
  async pass(ms: number): Promise<void> {
    this.#ms += ms
    await delay(1)
    this.shop?.tick()
    if (!this.isMining || this.#ms - this.#minedMs < this.test.network.genesis.interval / 4) return
    this.#minedMs = this.#ms
    this.mine()
  }

  #tip(): Tip {
    const { chain } = this.test
    const { tip, state } = chain
    const { supply, transactions, readings } = state.totals()
    return {
      ...{ height: tip.height, hash: tip.hash, parent: tip.parent?.hash ?? tip.hash, time: tip.time },
      ...{ miner: SELLER.account, target: tip.target, work: tip.work, stateRoot: state.root() },
      ...{ transactions, readings, supply },
    }
  }
}
