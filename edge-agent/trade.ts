/**
 * A part of an agent that sells or buys: what it is told, and what it is given to act with.
 *
 * Everything it does with money goes through the outbox: durable before it is sent, and once for each key. What it hears of
 * the ledger is our own chain. It is called from the agent's one loop and must not wait.
 */
import type { Chain, Update } from '../ledger/chain.ts'
import type { Sealed } from '../ledger/transaction.ts'
import type { Clock } from '../node/clock.ts'
import type { Log } from '../node/log.ts'
import type { Signer } from '../node/signing.ts'
import type { Kind, ParsedTopic } from '../schemas/topic.ts'
import type { Sample } from '../schemas/transaction.ts'
import type { Draft, Outbox } from './outbox.ts'

/** What a trade is given. */
export interface Desk {
  readonly chain: Chain
  readonly signer: Signer
  readonly outbox: Outbox
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
  /** True when connected, and no peer is known to have a better chain: the time to act on what the ledger says. */
  readonly inSync: boolean
  readonly connected: boolean
  /** Whether the broker is of our make, and keeps private and paid topics to whom they are for. */
  readonly isGuarded: boolean
  /** Hears these topics too from now on, beside a trade's filters; a session remembers only so many. */
  listen(filters: readonly string[]): void
  /** Stores drafts durably, each key once, and sends them; those that are new. */
  act(drafts: readonly { readonly draft: Draft; readonly key: string }[]): readonly Sealed[]
  /** Publishes a binary message under our own name; false when it did not go out. */
  tell(kind: Kind, levels: readonly string[], payload: Uint8Array, retain?: boolean): Promise<boolean>
  /** Publishes the JSON mirror of it; undefined takes a retained one back. */
  tellPeople(kind: Kind, levels: readonly string[], value: unknown, retain?: boolean): Promise<boolean>
}

export interface Trade {
  /** Topics that it wants to hear, beside the ledger's. */
  readonly filters?: readonly string[]
  /** A message of those topics, or of others' trades: look at its kind first. It may be anybody's on a foreign broker. */
  onMessage?(topic: ParsedTopic, payload: Uint8Array, retain: boolean): void
  /** The chain moved; what it says is on disk. */
  onUpdate?(update: Update): void
  onConnected?(): void
  onDisconnected?(): void
  /** A sensor of this agent has said something: at its full rate, also where that is for sale. */
  onSample?(sample: Sample): void
  /** Every second, connected or not. */
  tick?(): void
  /** Last words; what it holds open is closed. Takes no longer than a second. */
  stop?(): Promise<void> | void
}
