/** A proof of when something happened, read from a file and compared with what its reader knows besides the genesis. */
import { readFileSync } from 'node:fs'
import { headerHash } from '../ledger/header.ts'
import type { Network } from '../ledger/network.ts'
import { checkMoment, type MomentFault, type Sandwich } from '../ledger/sandwich.ts'
import { networkOf } from '../node/chain-store.ts'
import { WorldError } from '../node/error.ts'
import { readGenesis } from '../node/genesis-file.ts'
import { withHand } from '../node/open-hand.ts'
import type { Hash } from '../schemas/hex.ts'
import { MOMENT_BYTES_MAX } from '../schemas/moment.ts'
import { accept, type Result, refuse } from '../schemas/result.ts'
import { ledgersIn } from './ledgers.ts'

/** What a reader knows besides the genesis. */
export interface Known {
  /** A tick of the hand that is meant. */
  readonly tick?: Hash
  /** Data directory of a program that follows that hand. */
  readonly data?: string
}

export interface Proven {
  readonly network: Network
  readonly sandwich: Sandwich
  readonly compared: Compared
}

/** What else than the genesis the proof was held against. */
export interface Compared {
  readonly tick: Hash | undefined
  /** The hand of a data directory, which holds the later tick; `ticksAbove`: it has so many after it. */
  readonly hand: { readonly data: string; readonly ticksAbove: number } | undefined
  /** Whether the ledger there is the event's own and has its block; undefined without one to look at. */
  readonly onLedger: true | undefined
}

/** `another-hand`, `another-chain`: it holds, but not of the hand or ledger in the data directory. */
export interface ProvenFault {
  readonly code: MomentFault['code'] | 'another-hand' | 'another-chain'
  readonly message: string
}

/** Throws WorldError `usage` or `config` for what cannot be read. */
export function readProven(
  file: string,
  genesis: string,
  { tick, data }: Known,
): Result<Proven, ProvenFault> {
  const network = networkOf(readGenesis(genesis))
  const checked = checkMoment(network, readMoment(file), tick)
  if (!checked.ok) return checked
  const sandwich = checked.value
  if (data === undefined)
    return accept({ network, sandwich, compared: { tick, hand: undefined, onLedger: undefined } })
  const found = look(data, network, sandwich)
  return found.ok ? accept({ network, sandwich, compared: { tick, ...found.value } }) : found
}

function look(
  data: string,
  network: Network,
  { before, block, blockHash }: Sandwich,
): Result<Omit<Compared, 'tick'>, ProvenFault> {
  const [directory = data] = ledgersIn(data)
  return withHand(directory, ({ chain }, { slow }) => {
    if (slow.heightOf(before.hash) === undefined)
      return refuse({
        code: 'another-hand',
        message: `tick ${before.height} ${before.hash} is not on the slow hand in ${data}`,
      })
    const hand = { data, ticksAbove: slow.tip.height - before.height }
    if (chain.network.genesisHash !== network.genesisHash) return accept({ hand, onLedger: undefined })
    if (block <= chain.tip.height && headerHash(chain.network.hashing, chain.header(block)) === blockHash)
      return accept({ hand, onLedger: true })
    return refuse({
      code: 'another-chain',
      message: `block ${block} ${blockHash} is not on the ledger in ${data}, which ends at ${chain.tip.height}`,
    })
  })
}

/** Throws WorldError `usage`. */
function readMoment(file: string): Uint8Array {
  let bytes: Uint8Array
  try {
    bytes = readFileSync(file)
  } catch (error) {
    throw new WorldError('usage', `cannot read ${file}: ${String(error)}`, error)
  }
  if (bytes.length > MOMENT_BYTES_MAX)
    throw new WorldError(
      'usage',
      `${file} has ${bytes.length} bytes, a proof has at most ${MOMENT_BYTES_MAX}`,
    )
  return bytes
}
