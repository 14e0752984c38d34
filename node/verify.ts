/**
 * Re-validates a stored chain from its genesis, from the stored bytes alone: every rule of every block, and that
 * the stored changes and tips are the ones that follow. Reads only; stops at the first fault.
 */
import { type Archive, Chain, NOTHING_SETTLED } from '../ledger/chain.ts'
import { justify } from '../ledger/checkpoint.ts'
import { Finality, finalises } from '../ledger/finality.ts'
import { createNetwork } from '../ledger/network.ts'
import type { Change } from '../ledger/state.ts'
import {
  CERTIFICATE_BYTES_MAX,
  certificate as certificateCodec,
  VOTE_BYTES,
  vote as voteCodec,
} from '../schemas/checkpoint.ts'
import { decode } from '../schemas/codec.ts'
import { GENESIS_BYTES_MAX, genesis as genesisCodec } from '../schemas/genesis.ts'
import type { Hash } from '../schemas/hex.ts'
import { invariant } from '../schemas/result.ts'
import { audit, type LogFile, type LogRecord } from './append-log.ts'
import { RECORD, readBlockHead, recordName, updateRecords } from './records.ts'
import { hashing, signatures } from './signing.ts'

/** Blocks kept in memory for reorganisations; a deeper one in the store cannot be checked. */
const WINDOW = 10_000

export interface Verification {
  readonly height: number
  readonly tip: string
  readonly stateRoot: string
  readonly transactions: number
  readonly readings: number
  readonly supply: number
  readonly ok: boolean
  /** The first fault: which record and what is wrong. */
  readonly fault?: string
  /** Bytes of an unfinished last write, which is no fault: the next start cuts it off. */
  readonly torn?: number
}

/** Yields the height now and then, for a progress line, and returns the outcome. */
export function* verifyStore(file: LogFile): Generator<number, Verification> {
  const archive = new Window()
  let chain: Chain | undefined
  let expected: ReturnType<typeof updateRecords> = []
  const outcome = (extra: Pick<Verification, 'ok' | 'fault' | 'torn'>): Verification => {
    const { supply, transactions, readings } = chain?.state.totals() ?? {
      supply: 0,
      transactions: 0,
      readings: 0,
    }
    const [height, tip] = [chain?.tip.height ?? 0, chain?.tip.hash ?? '']
    return { height, tip, stateRoot: chain?.state.root() ?? '', transactions, readings, supply, ...extra }
  }
  for (const read of audit(file)) {
    if (!read.ok) {
      const { code, record, message, bytes } = read.fault
      if (code === 'torn-tail')
        return outcome({ ok: chain !== undefined && expected.length === 0, torn: bytes })
      return outcome({
        ok: false,
        fault: `record ${record} (${recordName(read.fault.kind ?? -1)}): ${code}: ${message}`,
      })
    }
    const { value } = read
    const fail = (what: string) =>
      outcome({
        ok: false,
        fault: `record ${value.record} (${recordName(value.kind)}) at offset ${value.position}: ${what}`,
      })
    if (chain === undefined) {
      const opened = openGenesis(value, archive)
      if (typeof opened === 'string') return fail(opened)
      chain = opened
    } else if (value.kind === RECORD.block && expected.length === 0) {
      const added = addBlock(chain, archive, value.bytes)
      if (typeof added === 'string') return fail(added)
      expected = added
      if (chain.tip.height % 100 === 0) yield chain.tip.height
    } else if (value.kind === RECORD.certificate && expected.length === 0) {
      const moved = certify(chain, archive, value.bytes)
      if (typeof moved === 'string') return fail(moved)
      expected = moved
    } else if (value.kind === RECORD.vote && expected.length === 0) {
      const vote = decode(voteCodec, value.bytes, VOTE_BYTES)
      if (!vote.ok) return fail(`vote: ${vote.fault.field} ${vote.fault.message}`)
    } else {
      const next = expected.shift()
      if (next === undefined) return fail('it follows from no block')
      if (next.kind !== value.kind || Buffer.compare(next.bytes, value.bytes) !== 0) {
        return fail(`it is not the ${recordName(next.kind)} that follows from block ${next.block}`)
      }
    }
  }
  if (expected.length > 0)
    return outcome({
      ok: false,
      fault: `the ${recordName(expected[0]?.kind ?? 0)} of the last block is missing`,
    })
  return chain === undefined
    ? outcome({ ok: false, fault: 'the store has no genesis' })
    : outcome({ ok: true })
}

function openGenesis({ kind, bytes }: LogRecord, archive: Archive): Chain | string {
  if (kind !== RECORD.genesis) return 'a store begins with its genesis'
  const genesis = decode(genesisCodec, bytes, GENESIS_BYTES_MAX)
  if (!genesis.ok) return `genesis: ${genesis.fault.field} ${genesis.fault.message}`
  const network = createNetwork(genesis.value, { hashing, signatures })
  return network.ok
    ? new Chain(network.value, archive)
    : `genesis: ${network.fault.field}: ${network.fault.message}`
}

/** The records that must follow the block, without itself, or what is wrong with it. */
function addBlock(
  chain: Chain,
  archive: Window,
  bytes: Uint8Array,
): ReturnType<typeof updateRecords> | string {
  // Its own time stands in for the clock: a stored block was once accepted, when it was not in the future.
  const outcome = chain.accept(bytes, readBlockHead(bytes).header.time)
  if (!outcome.ok) return `${outcome.fault.code}: ${outcome.fault.message}`
  const records = updateRecords(outcome.value, (block) => archive.has(block))
  archive.add(outcome.value.added.entry.hash, bytes)
  for (const { entry, changes } of outcome.value.connected) archive.addChanges(entry.hash, changes)
  return records.slice(1)
}

/** The records that must follow a certificate, or what is wrong with it. */
function certify(
  chain: Chain,
  archive: Window,
  bytes: Uint8Array,
): ReturnType<typeof updateRecords> | string {
  const certificate = decode(certificateCodec, bytes, CERTIFICATE_BYTES_MAX)
  if (!certificate.ok) return `certificate: ${certificate.fault.field} ${certificate.fault.message}`
  const { source, target } = certificate.value
  const finality = new Finality(chain.network)
  finality.settle(chain.final.height)
  const checked = finality.check(certificate.value)
  if (!checked.ok) return `${checked.fault.code}: ${checked.fault.message}`
  const entry = chain.entry(target.hash)
  if (entry === undefined) return `bad-checkpoint: its target ${target.hash} is not stored before it`
  const moved = justify(chain, certificate.value, entry)
  if (!moved.ok) return `${moved.fault.code}: ${moved.fault.message}`
  const records = moved.value === undefined ? [] : updateRecords(moved.value, (block) => archive.has(block))
  for (const { entry: connected, changes } of moved.value?.connected ?? [])
    archive.addChanges(connected.hash, changes)
  if (finalises(certificate.value)) chain.finalise(source.hash)
  return records
}

class Window implements Archive {
  readonly #blocks = new Map<Hash, Uint8Array>()
  readonly header = NOTHING_SETTLED.header
  readonly settled = NOTHING_SETTLED.settled
  readonly waypoint = NOTHING_SETTLED.waypoint
  readonly waypointHeight = NOTHING_SETTLED.waypointHeight
  readonly #changes = new Map<Hash, readonly Change[]>()

  block(hash: Hash): Uint8Array {
    const bytes = this.#blocks.get(hash)
    invariant(bytes !== undefined, `a reorganisation of more than ${WINDOW} blocks cannot be verified`)
    return bytes
  }

  changes(hash: Hash): readonly Change[] {
    const changes = this.#changes.get(hash)
    invariant(changes !== undefined, `a reorganisation of more than ${WINDOW} blocks cannot be verified`)
    return changes
  }

  has(hash: Hash): boolean {
    return this.#changes.has(hash)
  }

  add(hash: Hash, bytes: Uint8Array): void {
    this.#blocks.set(hash, bytes)
    forgetOldest(this.#blocks)
  }

  addChanges(hash: Hash, changes: readonly Change[]): void {
    this.#changes.set(hash, changes)
    forgetOldest(this.#changes)
  }
}

function forgetOldest(map: Map<Hash, unknown>): void {
  if (map.size <= WINDOW) return
  for (const oldest of map.keys()) {
    map.delete(oldest)
    break
  }
}
