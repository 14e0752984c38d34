/**
 * The network of `pinledger up` founded by the test, with blocks every second instead of every four: what takes a
 * network a minute takes a test some seconds. Everything else is as `up` founds it.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { AGENTS, VALIDATORS } from '../../cli/bench-network.ts'
import { COIN } from '../../ledger/amount.ts'
import { targetFor } from '../../ledger/difficulty.ts'
import { genesisFrom } from '../../ledger/preset.ts'
import { writeGenesis } from '../../node/genesis-file.ts'
import { createKey, loadKey } from '../../node/key-file.ts'
import type { Genesis } from '../../schemas/genesis.ts'
import type { Account } from '../../schemas/hex.ts'

/** Hashes of the first block; three agents at a tenth of a core find it within a second. */
const FIRST_WORK = 20_000

export interface QuickNetwork {
  readonly genesis: Genesis
  readonly genesisFile: string
  /** Accounts by directory. */
  readonly agents: readonly Account[]
  readonly validators: readonly Account[]
}

/**
 * Puts keys and genesis into `data`; `pinledger up --data` then goes on from there. `rich` accounts own coins too; of those
 * who are `signed`, more than half sign checkpoints.
 */
export function foundQuickNetwork(
  data: string,
  overrides: Partial<Genesis> = {},
  rich: readonly Account[] = [],
  signed: readonly string[] = [],
): QuickNetwork {
  const accountOf = (name: string): Account => {
    mkdirSync(join(data, name), { recursive: true, mode: 0o700 })
    return createKey(join(data, name, 'key.json')).account
  }
  const validators = VALIDATORS.map(accountOf)
  const agents = AGENTS.map(accountOf)
  const allocations = [...agents, ...rich].map((account) => ({ account, amount: 100 * COIN }))
  const founded = genesisFrom('bench', {
    name: 'quick',
    time: Date.now(),
    firstWork: FIRST_WORK,
    allocations,
  })
  const checkpointSigners = signed.map((name) => loadKey(join(data, name, 'key.json')).account)
  const checkpointThreshold = signed.length === 0 ? 0 : Math.floor(signed.length / 2) + 1
  const quick = { interval: 1_000, maturity: 2, targetMax: targetFor(1_000) }
  const genesis = { ...founded, ...quick, checkpointSigners, checkpointThreshold, ...overrides }
  const genesisFile = join(data, 'genesis.json')
  writeGenesis(genesisFile, genesis)
  return { genesis, genesisFile, agents, validators }
}
