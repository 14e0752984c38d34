/**
 * Re-validates hands from their stored bytes alone: the proof of work, links and anchors' order of every tick, and that what they
 * name of each other is there and never goes back. Reads only; stops at the first fault.
 *
 * A hand is a log (node/hand-store.ts), or JSON for people: `{"hand": genesis, "ticks": [{"hash", "tick"}]}`, whose
 * hashes are computed anew. Of anchors of ledgers that are not among the hands nothing is judged here.
 * Source: docs/PROTOCOL.md section 14.
 */
import { z } from 'zod'
import { createHand, type Hand } from '../ledger/hand.ts'
import { headerHash } from '../ledger/header.ts'
import { SlowHand } from '../ledger/slow-hand.ts'
import { decode, encode } from '../schemas/codec.ts'
import { type HandGenesis, handGenesis } from '../schemas/genesis.ts'
import { type Hash, hashText } from '../schemas/hex.ts'
import { accept, type Result, refuse } from '../schemas/result.ts'
import { type Anchor, TICK_BYTES_MAX, tick as tickCodec } from '../schemas/tick.ts'
import { audit, type LogFault, type LogFile, type LogRecord } from './append-log.ts'
import { HAND_RECORD } from './hand-store.ts'
import { hashing } from './signing.ts'

const HAND_BYTES_MAX = 1024

/** A hand as it was stored, not yet believed. */
export interface StoredHand {
  /** For messages. */
  readonly path: string
  readonly hand: Hand
  /** Each with the hash that the file says it has, if it says one; then perhaps what is wrong with the file. */
  readonly ticks: () => Iterable<Result<StoredTick, string>>
}
type StoredTick =
  | { readonly bytes: Uint8Array; readonly said?: Hash; readonly record?: number }
  /** Bytes of a last write that was cut short: nobody was told of it. */
  | { readonly torn: number }

/**
 * Opens a log; what is wrong with it when it is none of a hand. With `own` it has to be of that hand, and may have nothing
 * whole in it: that is what a crash at its founding leaves.
 */
export function handOfLog(file: LogFile, own?: Hand): Result<StoredHand, string> {
  const [first] = audit(file)
  const isBegun = first !== undefined && (first.ok || first.fault.code !== 'torn-tail')
  const hand = own === undefined || isBegun ? handOfRecord(first) : accept(own)
  if (!hand.ok) return hand
  if (own !== undefined && hand.value.genesisHash !== own.genesisHash)
    return refuse(`it is of another slow hand, ${hand.value.genesisHash}`)
  return accept({
    path: file.path,
    hand: hand.value,
    *ticks() {
      for (const outcome of audit(file)) {
        if (!outcome.ok) {
          const { record, code, bytes, message } = outcome.fault
          yield code === 'torn-tail'
            ? accept({ torn: bytes })
            : refuse(`record ${record}: ${message} (${code})`)
        } else if (outcome.value.record > 0) {
          yield outcome.value.kind === HAND_RECORD.tick
            ? accept(outcome.value)
            : refuse(`record ${outcome.value.record} is no tick`)
        }
      }
    },
  })
}

function handOfRecord(first: Result<LogRecord, LogFault> | undefined): Result<Hand, string> {
  if (first === undefined) return refuse('it is empty')
  if (!first.ok) return refuse(`record 0: ${first.fault.message} (${first.fault.code})`)
  const { kind, bytes } = first.value
  const genesis = kind === HAND_RECORD.hand ? decode(handGenesis, bytes, HAND_BYTES_MAX) : undefined
  return genesis?.ok ? soundGenesis(genesis.value) : refuse("record 0 is not a hand's genesis")
}

const handJson = z.object({
  hand: handGenesis.json,
  ticks: z.array(z.object({ hash: hashText, tick: tickCodec.json })),
})

/** The same from JSON. */
export function handOfJson(path: string, text: string): Result<StoredHand, string> {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    return refuse(`it is no JSON: ${String(error)}`)
  }
  const parsed = handJson.safeParse(json)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    return refuse(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`)
  }
  const sound = soundGenesis(parsed.data.hand)
  if (!sound.ok) return sound
  const { ticks } = parsed.data
  return accept({
    path,
    hand: sound.value,
    *ticks() {
      for (const { hash: said, tick } of ticks) yield accept({ bytes: encode(tickCodec, tick), said })
    },
  })
}

/** A hand whose numbers the rules can be applied to. */
function soundGenesis(genesis: HandGenesis): Result<Hand, string> {
  if (genesis.interval < 1 || genesis.halfLife < 1)
    return refuse('interval and halfLife of a hand are at least 1')
  if (genesis.target < 1n || genesis.target > genesis.targetMax)
    return refuse("a hand's target is from 1 to targetMax")
  return accept(createHand(genesis, hashing))
}

/** What a hand comes to. */
export interface AuditedHand {
  readonly path: string
  readonly slow: SlowHand
  /** Ticks that are stored, those off the best chain too. */
  readonly stored: number
  /** Bytes of an unfinished last write, which is no fault. */
  readonly torn: number
  /** Time of the first tick and of the tip; undefined without a tick. */
  readonly from: number | undefined
  readonly to: number | undefined
  /** Anchors of hands that were given, by the place of that hand among them, as the best chain's ticks have them. */
  readonly named: ReadonlyMap<Hash, number>
  /** Anchors of other ledgers. */
  readonly unjudged: number
}

export interface HandFault {
  readonly path: string
  /** Number of the log's record, if it is one of a tick in a log. */
  readonly record?: number | undefined
  /** Height of the tick, if it is one of a tick. */
  readonly tick?: number | undefined
  readonly code: string
  readonly message: string
  /** Height of the best chain of the ticks that were checked before it. */
  readonly height: number
}

/** For people: where in its file it is, and what is wrong. */
export const describeFault = ({ record, tick, code, message }: HandFault): string =>
  `${record === undefined ? '' : `record ${record}: `}${tick === undefined ? '' : `tick ${tick}: `}${code}: ${message}`

/** Checks hands that may name each other. */
export function auditHands(stored: readonly StoredHand[]): Result<readonly AuditedHand[], HandFault> {
  const ledgers = new Set(stored.map(({ hand }) => hand.genesisHash))
  const runs: Run[] = []
  for (const each of stored) {
    const run = new Run(each, ledgers)
    const fault = run.read()
    if (fault !== undefined) return refuse(fault)
    runs.push(run)
  }
  const byLedger = new Map(runs.map((run) => [run.slow.hand.genesisHash, run.slow]))
  const hands: AuditedHand[] = []
  for (const run of runs) {
    const named = run.checkAnchors(byLedger)
    if (!named.ok) return named
    const { path, slow, count, torn, times, unjudged } = run
    hands.push({
      path,
      slow,
      stored: count,
      torn,
      from: times[0],
      to: times[1],
      named: named.value,
      unjudged,
    })
  }
  return accept(hands)
}

class Run {
  readonly path: string
  readonly slow: SlowHand
  readonly #stored: StoredHand
  readonly #ledgers: ReadonlySet<Hash>
  /** Of ticks that name given hands. */
  readonly #anchors = new Map<Hash, readonly Anchor[]>()
  count = 0
  torn = 0
  unjudged = 0
  times: [number | undefined, number | undefined] = [undefined, undefined]

  constructor(stored: StoredHand, ledgers: ReadonlySet<Hash>) {
    this.path = stored.path
    this.slow = new SlowHand(stored.hand)
    this.#stored = stored
    this.#ledgers = ledgers
  }

  /** Every tick by itself and on its parent. */
  read(): HandFault | undefined {
    for (const outcome of this.#stored.ticks()) {
      if (!outcome.ok) return this.#fault({}, 'store-corrupt', outcome.fault)
      if ('torn' in outcome.value) {
        this.torn = outcome.value.torn
        continue
      }
      const { bytes, said, record } = outcome.value
      const decoded = decode(tickCodec, bytes, TICK_BYTES_MAX)
      if (!decoded.ok) return this.#fault({ record }, 'bad-encoding', decoded.fault.message)
      const { header, anchors } = decoded.value
      const at = { record, tick: header.height }
      const hash = headerHash(hashing, header)
      if (said !== undefined && said !== hash)
        return this.#fault(
          at,
          'bad-hash',
          `it says that its hash is ${said}; its bytes have the hash ${hash}`,
        )
      const added = this.slow.accept(bytes, Number.POSITIVE_INFINITY)
      if (!added.ok) return this.#fault(at, added.fault.code, added.fault.message)
      const judged = anchors.filter(({ ledger }) => this.#ledgers.has(ledger))
      this.unjudged += anchors.length - judged.length
      if (judged.length > 0) this.#anchors.set(hash, judged)
      this.times[0] ??= header.time
      this.count++
    }
    if (this.count > 0) this.times[1] = this.slow.tip.time
    return undefined
  }

  /** How many ticks name each hand; along the best chain what they name is there and never goes back. */
  checkAnchors(hands: ReadonlyMap<Hash, SlowHand>): Result<ReadonlyMap<Hash, number>, HandFault> {
    const named = new Map<Hash, number>()
    const last = new Map<Hash, number>()
    for (let height = 1; height <= this.slow.tip.height; height++)
      for (const { ledger, height: at, block } of this.#anchors.get(this.slow.hashAt(height)) ?? []) {
        const other = hands.get(ledger)
        if (other === undefined) continue
        const { name } = other.hand.genesis
        if (at > other.tip.height || other.hashAt(at) !== block)
          return refuse(
            this.#fault(
              { tick: height },
              'unknown-anchor',
              `it names tick ${at} ${block} of hand ${name}, which is not there`,
            ),
          )
        const before = last.get(ledger) ?? 0
        if (at < before)
          return refuse(
            this.#fault(
              { tick: height },
              'anchor-goes-back',
              `it names tick ${at} of hand ${name}; a tick before it has named ${before}`,
            ),
          )
        last.set(ledger, at)
        named.set(ledger, (named.get(ledger) ?? 0) + 1)
      }
    return accept(named)
  }

  #fault(at: Pick<HandFault, 'record' | 'tick'>, code: string, message: string): HandFault {
    return { path: this.path, ...at, code, message, height: this.slow.tip.height }
  }
}
