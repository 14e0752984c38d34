/**
 * What tests of whole machines share: a long chain made in seconds, a miner inside the test that makes blocks when it is
 * told to, whatever the difficulty of real ones, and everything that validators announce.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connectAsync } from 'mqtt'
import type { Test } from 'tap'
import { parseBlock } from '../../ledger/block.ts'
import type { Chain } from '../../ledger/chain.ts'
import { buildTemplate } from '../../ledger/template.ts'
import { type Sealed, signTransaction } from '../../ledger/transaction.ts'
import { ChainStore } from '../../node/chain-store.ts'
import { systemClock } from '../../node/clock.ts'
import { openDisk } from '../../node/disk.ts'
import { LedgerNode } from '../../node/ledger-node.ts'
import type { Signer } from '../../node/signing.ts'
import { block as blockCodec } from '../../schemas/block.ts'
import { encode } from '../../schemas/codec.ts'
import type { Genesis } from '../../schemas/genesis.ts'
import type { Account, Hash } from '../../schemas/hex.ts'
import { invariant } from '../../schemas/result.ts'
import { parseTopic, topic } from '../../schemas/topic.ts'
import { SimDisk } from '../../sim/disk.ts'
import { Rng } from '../../sim/random.ts'
import { mine } from '../helpers/ledger.ts'
import { parsed, pinledger } from '../helpers/processes.ts'
import { recordingLog } from '../helpers/rig.ts'

/** Found by the first few nonces: blocks come when the test wants them. */
export const EASY = { target: (1n << 254n) - 1n, targetMax: (1n << 254n) - 1n } as const

export const PORTS = ['--mqtt-port', '0', '--ws-port', '0', '--http-port', '0']

/** Starts a broker of ours on a free port. */
export async function startBroker(
  t: Test,
  validators: readonly Account[],
): Promise<{ readonly url: string; readonly mqttPort: number }> {
  const names = validators.flatMap((account) => ['--validator', account])
  const broker = pinledger(t, ['broker', '--host', '127.0.0.1', ...PORTS, ...names, '--json'])
  const listening = parsed(await broker.line('it listens', (line) => parsed(line)?.event === 'listening'))
  return { url: `mqtt://127.0.0.1:${listening?.mqtt}`, mqttPort: Number(listening?.mqtt) }
}

/** Founds a chain of so many blocks in `directory`, each with one payment of its miner to `payee`. */
export function makeChain(
  directory: string,
  genesis: Genesis,
  blocks: number,
  miner: Signer,
  payee: Account,
): void {
  // A disk in memory at first, or each block would wait for a real one.
  const disk = new SimDisk(new Rng('makeChain'))
  const store = new ChainStore(disk, genesis)
  const { chain } = store
  for (let height = 1; height <= blocks; height++) {
    const nowMs = chain.tip.time + genesis.interval
    const payment = pay(chain, miner, payee, 1, height - 1)
    const block = buildTemplate(chain.network, chain, [payment], miner, nowMs)
    const outcome = chain.accept(encode(blockCodec, mine(chain.network, block)), nowMs)
    invariant(outcome.ok, 'a block of ours is valid')
    store.save(outcome.value)
  }
  store.close()
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  for (const name of disk.list()) {
    const { size, read } = disk.open(name)
    writeFileSync(join(directory, name), read(0, size), { mode: 0o600 })
  }
}

function transactionsAt(chain: Chain, height: number): readonly Sealed[] {
  const block = parseBlock(chain.network, chain.archive.block(chain.at(height)?.hash as Hash))
  invariant(block.ok, 'a stored block parses')
  return block.value.transactions
}

export function pay(
  { network, tip }: Pick<Chain, 'network' | 'tip'>,
  from: Signer,
  to: Account,
  amount: number,
  nonce: number,
): Sealed {
  const head = { network: network.id, from: from.account, nonce, fee: 0, expiry: tip.height + 10_000 }
  return signTransaction(network, { type: 'transfer', to, amount, memo: '', ...head }, from.sign)
}

/** A follower in this process that makes blocks of what waits, and transactions for them. */
export class LabMiner {
  readonly node: LedgerNode
  readonly #store: ChainStore
  readonly #signer: Signer
  readonly #payee: Account
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  /** Opens or founds the ledger in `directory`; `signer` mines, and pays `payee`. */
  constructor(directory: string, genesis: Genesis, url: string, signer: Signer, payee: Account) {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const quiet = () => {}
    this.#store = new ChainStore(openDisk(directory), genesis)
    this.#signer = signer
    this.#payee = payee
    this.node = new LedgerNode(
      { session: { url }, role: 'agent', name: 'lab', software: 'test', signer },
      {
        store: this.#store,
        clock: systemClock(),
        random: Math.random,
        log: recordingLog().log,
        onUpdate: quiet,
        onTransaction: quiet,
        onRefused: quiet,
        onConnected: quiet,
        onDisconnected: quiet,
        onFatal: (error) => {
          throw error
        },
      },
    )
  }

  /** A block with `payments` new transactions every `blockMs`. */
  start(blockMs: number, payments: number): void {
    this.node.start()
    this.#timer = setInterval(() => {
      if (!this.node.session.connected) return
      for (let count = 0; count < payments; count++) this.pay()
      this.block()
    }, blockMs)
  }

  pay(): void {
    const { chain, mempool } = this.node
    const nonce = mempool.nextNonce(chain.state, this.#signer.account)
    const { bytes } = pay(chain, this.#signer, this.#payee, 1, nonce)
    // To our own mempool first: what gets lost on the way to others is confirmed all the same.
    if (this.node.add(bytes, this.#signer.account).ok) this.#publish('tx', bytes)
  }

  block(): void {
    const { chain } = this.node
    const { network } = chain
    const template = buildTemplate(network, chain, this.node.mempool.ordered(), this.#signer, Date.now())
    const bytes = encode(blockCodec, mine(network, template))
    if (this.node.accept(bytes).ok) this.#publish('block', bytes)
  }

  /** Transactions of the best chain, in order. */
  confirmed(): Sealed[] {
    const { chain } = this.node
    return Array.from({ length: chain.tip.height }, (_, index) => transactionsAt(chain, index + 1)).flat()
  }

  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    clearInterval(this.#timer)
    await this.node.stop()
    this.#store.close()
  }

  #publish(kind: 'tx' | 'block', bytes: Uint8Array): void {
    const name = topic(this.node.chain.network.id, kind, this.#signer.account)
    void this.node.session.publish(name, bytes, { qos: 1, retain: false })
  }
}

export interface Tip {
  readonly height: number
  readonly hash: Hash
  readonly stateRoot: Hash
  readonly time: number
  readonly miner: Account
}

/** What one validator told the world. */
export interface Announced {
  readonly tips: Tip[]
  /** Height of the block by confirmed transaction. */
  readonly confirmed: Map<Hash, number>
}

/** Collects what validators announce from the mirrors of their tips and receipts. */
export function collector(): {
  readonly of: (validator: Account) => Announced
  readonly take: (name: string, payload: string) => void
} {
  const heard = new Map<Account, Announced>()
  const of = (validator: Account): Announced => {
    const known = heard.get(validator) ?? { tips: [], confirmed: new Map() }
    heard.set(validator, known)
    return known
  }
  return {
    of,
    take(name, payload) {
      const { publisher, kind } = parseTopic(name) ?? {}
      if (publisher === undefined) return
      const value = JSON.parse(payload) as Tip & { transaction: Hash; status: string }
      if (kind === 'tip') of(publisher).tips.push(value)
      else if (value.status === 'confirmed') of(publisher).confirmed.set(value.transaction, value.height)
      else if (value.status === 'disconnected') of(publisher).confirmed.delete(value.transaction)
    },
  }
}

/** Everything that validators announce from now on, as anybody hears it. */
export async function listen(t: Test, url: string): Promise<(validator: Account) => Announced> {
  const { of, take } = collector()
  const client = await connectAsync(url, { reconnectPeriod: 100 })
  t.teardown(() => client.endAsync(true))
  client.on('message', (name, payload, { retain }) => {
    if (!retain) take(name, String(payload))
  })
  await client.subscribeAsync(['pinledger/+/tip/+/json', 'pinledger/+/receipt/+/+/json'], { qos: 1 })
  return of
}

/** The tip that the broker keeps of a validator. */
export async function retainedTip(t: Test, url: string, validator: Account): Promise<Tip> {
  const client = await connectAsync(url)
  t.teardown(() => client.endAsync(true))
  const message = new Promise<Buffer>((resolve) =>
    client.once('message', (_name, payload) => resolve(payload)),
  )
  await client.subscribeAsync(`pinledger/+/tip/${validator}/json`)
  return JSON.parse(String(await message)) as Tip
}

export interface StoredLedger {
  readonly tip: Pick<Tip, 'height' | 'hash' | 'stateRoot'>
  /** Hashes by height, from `from`. */
  readonly hashes: ReadonlyMap<number, Hash>
  /** Height by transaction, from `from`; those that are there twice are in `twice`. */
  readonly heights: ReadonlyMap<Hash, number>
  readonly twice: readonly Hash[]
}

/** Opens the ledger of a program that has ended; looks at the blocks from height `from`. */
export function storedLedger(directory: string, from = 1): StoredLedger {
  const store = new ChainStore(openDisk(directory), undefined)
  try {
    const { chain } = store
    const [hashes, heights, twice] = [new Map<number, Hash>(), new Map<Hash, number>(), [] as Hash[]]
    for (let height = from; height <= chain.tip.height; height++) {
      hashes.set(height, chain.at(height)?.hash as Hash)
      for (const { id } of transactionsAt(chain, height)) {
        if (heights.has(id)) twice.push(id)
        heights.set(id, height)
      }
    }
    const { hash, height } = chain.tip
    return { tip: { height, hash, stateRoot: chain.state.root() }, hashes, heights, twice }
  } finally {
    store.close()
  }
}

/** Transactions of a stored best chain, in order; its program has ended. */
export function storedTransactions(directory: string): readonly Sealed[] {
  const store = new ChainStore(openDisk(directory), undefined)
  try {
    const { chain } = store
    return Array.from({ length: chain.tip.height }, (_, index) => transactionsAt(chain, index + 1)).flat()
  } finally {
    store.close()
  }
}

/** What was announced and is not in the ledger, in words; empty when nothing is missing. */
export function missing({ tips, confirmed }: Announced, ledger: StoredLedger): string[] {
  return [
    ...tips
      .filter(({ height, hash }) => ledger.hashes.has(height) && ledger.hashes.get(height) !== hash)
      .map(({ height, hash }) => `tip ${height} ${hash}`),
    ...tips.filter(({ height }) => height > ledger.tip.height).map(({ height }) => `height ${height}`),
    ...[...confirmed]
      .filter(([id, height]) => ledger.heights.get(id) !== height)
      .map(([id, height]) => `transaction ${id} at ${height}`),
  ]
}
