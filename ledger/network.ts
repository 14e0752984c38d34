/**
 * A network: its genesis, what follows from it, and the cryptography that the shell supplies.
 *
 * Block 0 is a header alone: its parent is the genesis hash, its content the state root of the allocations; it
 * needs no proof of work. Source: docs/PROTOCOL.md section 6.
 */

import { BLOCK_BYTES_MAX, BLOCK_TRANSACTIONS_MAX, type Header } from '../schemas/block.ts'
import { type DecodeFault, encode } from '../schemas/codec.ts'
import { type Genesis, genesis as genesisCodec } from '../schemas/genesis.ts'
import { type Account, type Hash, hashFromBytes, type Network as NetworkId } from '../schemas/hex.ts'
import { accept, type Result, refuse } from '../schemas/result.ts'
import { TYPE_NUMBERS } from '../schemas/transaction.ts'
import { checkHand, createHand, type Hand } from './hand.ts'
import type { Hashing } from './hashing.ts'
import { headerHash } from './header.ts'
import type { Signatures } from './signature.ts'
import { State, StateView } from './state.ts'
import { totalSubsidy } from './subsidy.ts'

/** What the core needs from outside, and nothing else. */
export interface Modules {
  readonly hashing: Hashing
  readonly signatures: Signatures
}

export interface Network extends Modules {
  readonly genesis: Genesis
  readonly genesisHash: Hash
  readonly id: NetworkId
  readonly block0: Header
  readonly block0Hash: Hash
  readonly state0: State
  /** The slow hand of the ledger's clock, if it has one. */
  readonly hand: Hand | undefined
}

export type GenesisFault =
  | DecodeFault
  | { readonly code: 'bad-genesis'; readonly field: string; readonly message: string }

/** The network of a genesis, or which of its fields makes no network. */
export function createNetwork(genesis: Genesis, modules: Modules): Result<Network, GenesisFault> {
  const fault = checkGenesis(genesis, modules)
  if (fault !== undefined) return refuse({ code: 'bad-genesis', ...fault })
  const { hashing } = modules
  const genesisHash = hashFromBytes(hashing.tagged('genesis', encode(genesisCodec, genesis)))
  const view = new StateView(new State(hashing))
  let supply = 0
  for (const { account, amount } of genesis.allocations) {
    view.setAccount(account, { nonce: 0, balance: amount })
    supply += amount
  }
  view.setTotals({ supply, transactions: 0, readings: 0 })
  const state0 = new State(hashing).with(view.changes(), 'after')
  const block0: Header = {
    version: 1,
    height: 0,
    parent: genesisHash,
    content: state0.root(),
    target: genesis.target,
    time: genesis.time,
    nonce: new Uint8Array(8),
  }
  const id = genesisHash.slice(0, 8) as NetworkId
  return accept({
    ...modules,
    genesis,
    genesisHash,
    id,
    block0,
    block0Hash: headerHash(hashing, block0),
    state0,
    hand: genesis.hand && createHand(genesis.hand, hashing),
  })
}

function checkGenesis(
  genesis: Genesis,
  { signatures }: Modules,
): { field: string; message: string } | undefined {
  const bad = (field: string, message: string) => ({ field, message })
  if (genesis.interval < 100) return bad('interval', `at least 100 ms, got ${genesis.interval}`)
  if (genesis.halfLife < 1) return bad('halfLife', 'at least 1 block')
  if (genesis.target < 1n || genesis.target > genesis.targetMax) return bad('target', 'from 1 to targetMax')
  if (genesis.maturity < 1) return bad('maturity', 'at least 1 block')
  if (genesis.blockBytesMax < 4096 || genesis.blockBytesMax > BLOCK_BYTES_MAX) {
    return bad('blockBytesMax', `from 4096 to ${BLOCK_BYTES_MAX}, got ${genesis.blockBytesMax}`)
  }
  if (genesis.blockSignaturesMax < 2 || genesis.blockSignaturesMax > BLOCK_TRANSACTIONS_MAX) {
    return bad('blockSignaturesMax', `from 2 to ${BLOCK_TRANSACTIONS_MAX}, got ${genesis.blockSignaturesMax}`)
  }
  const minted = totalSubsidy(genesis)
  let supply = minted ?? Number.NaN
  const seen = new Set<string>()
  for (const [index, { account, amount }] of genesis.allocations.entries()) {
    if (seen.has(account)) return bad(`allocations.${index}`, 'each account once')
    if (amount < 1) return bad(`allocations.${index}.amount`, 'at least 1')
    seen.add(account)
    supply += amount
  }
  if (!Number.isSafeInteger(supply))
    return bad('subsidy', 'allocations and all rewards together stay below 2^53')
  for (const list of ['authorities', 'checkpointSigners'] as const) {
    if (new Set(genesis[list]).size !== genesis[list].length) return bad(list, 'each account once')
  }
  const named = { allocations: [...seen] as Account[], authorities: genesis.authorities }
  for (const [field, accounts] of Object.entries({
    ...named,
    checkpointSigners: genesis.checkpointSigners,
  })) {
    const wrong = accounts.find((account) => !signatures.isAccount(account))
    if (wrong !== undefined) return bad(field, `${wrong} is no Ed25519 account key`)
  }
  const [k, n] = [genesis.checkpointThreshold, genesis.checkpointSigners.length]
  // Two groups of k have 2k - n signers in common, and at least one must be, or both could be right.
  if (n === 0 ? k !== 0 : k > n || 2 * k <= n) {
    const expected =
      n === 0 ? '0 without checkpointSigners' : `${Math.floor(n / 2) + 1} to ${n} of ${n} checkpointSigners`
    return bad('checkpointThreshold', `${expected}, got ${k}`)
  }
  return checkActivations(genesis)
}

/** A genesis may only name what this software can check. */
function checkActivations(genesis: Genesis): { field: string; message: string } | undefined {
  const known: ReadonlySet<number> = new Set(Object.values(TYPE_NUMBERS))
  const seen = new Set<number>()
  for (const { type } of genesis.activations) {
    if (!known.has(type))
      return { field: 'activations', message: `type ${type} is unknown to this version: update pinledger` }
    if (seen.has(type)) return { field: 'activations', message: `type ${type} stands twice` }
    seen.add(type)
  }
  const enrolled = genesis.authorities.length > 0
  for (const type of [TYPE_NUMBERS.admission, TYPE_NUMBERS.revocation]) {
    if (enrolled && !seen.has(type)) {
      const message = `an enrolled network needs types 4 and 5 (admission, revocation): activate type ${type}, or leave authorities empty`
      return { field: 'activations', message }
    }
    if (!enrolled && seen.has(type)) {
      const message = `type ${type} (admission, revocation) is for enrolled networks: name authorities, or leave the type out`
      return { field: 'activations', message }
    }
  }
  return checkHand(genesis)
}
