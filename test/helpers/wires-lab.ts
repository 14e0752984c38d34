/** An agent's wires on a chain in memory: alice pays, bob mines, and the test decides when the program dies. */
import { Outbox } from '../../edge-agent/outbox.ts'
import type { Desk } from '../../edge-agent/trade.ts'
import { wiresConfig } from '../../edge-agent/wires/config.ts'
import type { WiresState } from '../../edge-agent/wires/state.ts'
import { WiresTrade } from '../../edge-agent/wires/trade.ts'
import { WiresLog } from '../../edge-agent/wires/wires-log.ts'
import type { Chain, Update } from '../../ledger/chain.ts'
import type { Sealed } from '../../ledger/transaction.ts'
import type { LogFile } from '../../node/append-log.ts'
import { WIRES_FILE } from '../../node/backup.ts'
import type { Account } from '../../schemas/hex.ts'
import { invariant } from '../../schemas/result.ts'
import type { ParsedTopic } from '../../schemas/topic.ts'
import type { Sample } from '../../schemas/transaction.ts'
import { type Decimal, parseDecimal } from '../../schemas/units.ts'
import { alice, bob, START_MS, TestChain } from './ledger.ts'
import { MemoryDisk } from './memory-disk.ts'
import { recordingLog } from './rig.ts'

export const decimal = (text: string): Decimal => {
  const value = parseDecimal(text)
  invariant(value !== undefined, `${text} is a decimal`)
  return value
}

/** A sample of a sensor called soil. */
export const sample = (sequence: number, value: string, time = START_MS + sequence): Sample => ({
  ...{ sensor: 'soil', sequence, value: decimal(value), unit: '%', time, synchronised: true },
})

const logOn = (disk: MemoryDisk, name: string) => ({
  open: (): LogFile => disk.open(name),
  fresh() {
    disk.remove(`${name}.new`)
    let file = disk.open(`${name}.new`)
    return {
      // A file stays open under its new name.
      file: {
        path: name,
        get size() {
          return file.size
        },
        read: (offset: number, length: number) => file.read(offset, length),
        append: (bytes: Uint8Array) => file.append(bytes),
        truncate: (size: number) => file.truncate(size),
        close: () => file.close(),
      },
      commit() {
        disk.rename(`${name}.new`, name)
        file = disk.open(name)
      },
    }
  },
})

export interface LabOptions {
  /** As a configuration has them. */
  readonly wires?: readonly object[]
  readonly owner?: Account
  readonly sensors?: readonly string[]
  readonly test?: TestChain
}

export class WiresLab {
  readonly test: TestChain
  readonly lines: ReturnType<typeof recordingLog>['lines']
  /** What was published of the wires. */
  readonly states: WiresState[] = []
  /** Topics that it wanted to hear, beside those that it names at the start. */
  readonly listened: string[] = []
  disk = new MemoryDisk()
  inSync = true
  /** Wall clock; the tip's time by default. */
  now: number | undefined
  /** Payments that have been decided and are not in a block. */
  outbox: Outbox
  trade: WiresTrade
  readonly #options: LabOptions
  readonly #log: ReturnType<typeof recordingLog>['log']
  #wiresLog: WiresLog
  /** The program dies when it next puts payments into its outbox, right after that. */
  diesAfterPaying = false
  /** Hears what has just been put into the outbox. */
  onPaid: (paid: readonly Sealed[]) => void = () => {}

  constructor(options: LabOptions = {}) {
    this.#options = options
    this.test = options.test ?? new TestChain()
    const { log, lines } = recordingLog()
    this.#log = log
    this.lines = lines
    ;({ outbox: this.outbox, wiresLog: this.#wiresLog, trade: this.trade } = this.#open())
  }

  get chain(): Chain {
    return this.test.chain
  }

  #open(wires = this.#options.wires ?? []) {
    const { owner, sensors = [] } = this.#options
    const outbox = new Outbox(logOn(this.disk, 'outbox.log'), this.chain, alice)
    const wiresLog = new WiresLog(logOn(this.disk, WIRES_FILE))
    const lab = this
    const desk: Desk = {
      chain: this.chain,
      signer: alice,
      outbox,
      clock: {
        now: () => lab.now ?? lab.chain.tip.time,
        monotonic: () => 0,
        synchronised: () => lab.now !== undefined,
      },
      log: this.#log,
      random: () => 0.5,
      get inSync() {
        return lab.inSync
      },
      connected: true,
      isGuarded: true,
      listen: (filters) => void this.listened.push(...filters),
      act(drafts) {
        const sealed = outbox.add(drafts)
        lab.onPaid(sealed)
        if (lab.diesAfterPaying) throw new Died()
        return sealed
      },
      tell: async () => true,
      tellPeople: async (_kind, _levels, value) => {
        lab.states.push(value as WiresState)
        return true
      },
    }
    const trade = new WiresTrade(desk, { wires: wiresConfig.parse(wires), owner, sensors }, wiresLog)
    return { outbox, wiresLog, trade }
  }

  /** Decides what is due; the transactions that are new. */
  pay(): readonly Sealed[] {
    const before = new Set(this.outbox.unconfirmed.map(({ id }) => id))
    try {
      this.trade.tick()
    } catch (error) {
      if (!(error instanceof Died)) throw error
    }
    return this.outbox.unconfirmed.filter(({ id }) => !before.has(id))
  }

  memos(): string[] {
    return this.pay().map(({ transaction: tx }) => (tx.type === 'transfer' ? tx.memo : ''))
  }

  say(...samples: readonly Sample[]): void {
    for (const each of samples) this.trade.onSample(each)
  }

  /** So many readings of soil by bob that may stand in one block. */
  readings(...values: readonly string[]): Sealed[] {
    const nonce = this.test.nonceOf(bob.account)
    return values.map((value, index) => {
      const sequence = nonce + index
      return this.test.reading(bob, { nonce: sequence, sample: sample(sequence, value) })
    })
  }

  follow(update: Update): void {
    this.outbox.update(update)
    if (update.connected.length > 0) this.trade.onUpdate(update)
  }

  mine(transactions: readonly Sealed[] = [], count = 1): void {
    for (let done = 0; done < count; done++) {
      const outcome = this.test.accept(this.test.block(done === 0 ? transactions : []))
      invariant(outcome.ok, outcome.ok ? '' : outcome.fault.message)
      this.follow(outcome.value)
    }
  }

  /** Follows another chain's blocks, one by one, as from a peer. */
  reorganise(other: TestChain): void {
    for (let height = 1; height <= other.chain.tip.height; height++) {
      const { hash } = other.chain.at(height) ?? other.chain.tip
      if (this.chain.entry(hash) !== undefined) continue
      const outcome = this.test.acceptBytes(other.archive.block(hash))
      invariant(outcome.ok, outcome.ok ? '' : outcome.fault.message)
      this.follow(outcome.value)
    }
    invariant(this.chain.tip.hash === other.chain.tip.hash, 'the other branch has won')
  }

  /** A new start of the program, on the disk as it is, or without some of its files; also with other wires. */
  restart({ lost = [], wires }: { lost?: readonly string[]; wires?: readonly object[] } = {}): void {
    this.diesAfterPaying = false
    for (const name of lost) this.disk.remove(name)
    this.disk = this.disk.after()
    ;({ outbox: this.outbox, wiresLog: this.#wiresLog, trade: this.trade } = this.#open(wires))
  }

  /** Tells the agent what came on a topic. */
  receive(topic: ParsedTopic, payload: Uint8Array): void {
    this.trade.onMessage(topic, payload)
  }

  get log(): WiresLog {
    return this.#wiresLog
  }
}

class Died extends Error {}
