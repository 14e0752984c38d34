/** `pinledger genesis`: founds a network without running it, open or enrolled, and says what to do with the file. */
import { resolve } from 'node:path'
import { MINER_DEFAULTS, SLOW_SHARE } from '../edge-agent/miner.ts'
import { measureHashRate } from '../edge-agent/mining/hash-rate.ts'
import { formatCoins } from '../ledger/amount.ts'
import { workOf } from '../ledger/difficulty.ts'
import { isEnrolled } from '../ledger/membership.ts'
import type { Network } from '../ledger/network.ts'
import { type GenesisChoices, genesisFrom, PRESETS, type PresetName } from '../ledger/preset.ts'
import { networkOf } from '../node/chain-store.ts'
import { WorldError } from '../node/error.ts'
import { readGenesis, writeGenesis } from '../node/genesis-file.ts'
import { genesis as genesisCodec } from '../schemas/genesis.ts'
import type { Account } from '../schemas/hex.ts'
import { firstWorks } from './first-works.ts'
import { SLOW_RATIO_MAX, SLOW_RATIO_REASON } from './options.ts'

export interface GenesisOptions {
  readonly preset: PresetName
  readonly name: string
  readonly out: string
  readonly authority: readonly Account[]
  readonly allocate: readonly { readonly account: Account; readonly amount: number }[]
  /** Expected hashes of the first block, from which those of the first tick follow; undefined: what one agent on this machine finds in an interval. */
  readonly firstWork?: number
  readonly signer: readonly Account[]
  /** Signers that must agree; undefined: more than half. */
  readonly threshold?: number
  /** Blocks per tick of a slow hand of its own; 0: none. */
  readonly slowRatio: number
  /** Genesis file of the network whose slow hand it shares. */
  readonly slowHand?: string
  readonly json: boolean
}

/** The fastest of a few short rounds is what the machine can do when nothing else wants it. */
const MEASURE = { rounds: 4, ms: 120 } as const

/** Writes the file, which must not be there yet, and prints what it is. Throws WorldError `usage` or `config`. */
export function genesisCommand(options: GenesisOptions, nowMs: number): void {
  const network = found(options, nowMs)
  try {
    writeGenesis(options.out, network.genesis)
  } catch (error) {
    const taken = (error as NodeJS.ErrnoException).code === 'EEXIST'
    const remedy = taken
      ? 'it is there already; a genesis is never replaced: choose another name'
      : `${String(error)}; choose a directory that exists and is yours`
    throw new WorldError('config', `cannot write genesis ${options.out}: ${remedy}`, error)
  }
  const file = resolve(options.out)
  const { authorities, checkpointSigners, checkpointThreshold, target } = network.genesis
  const firstWork = Number(workOf(target))
  if (options.json) {
    const { id, genesisHash: hash } = network
    const slowHand = network.hand?.genesisHash ?? null
    const facts = { id, hash, file, firstWork, slowHand, authorities, checkpointSigners, checkpointThreshold }
    process.stdout.write(`${JSON.stringify(facts)}\n`)
  } else process.stdout.write(describe(network, file, firstWork))
}

function found(
  { preset, name, authority, allocate, firstWork, signer, threshold, slowRatio, slowHand }: GenesisOptions,
  nowMs: number,
): Network {
  if (!genesisCodec.fields.name.json.safeParse(name).success)
    throw new WorldError('usage', `--name: 1 to 32 of a-z, 0-9, '.', '_' and '-', got ${name}`)
  if (threshold !== undefined && threshold > signer.length)
    throw new WorldError(
      'usage',
      `--threshold: at most as many as --signer names, which is ${signer.length}, got ${threshold}`,
    )
  const genesis = {
    ...genesisFrom(preset, {
      name,
      time: nowMs,
      ...(firstWork === undefined
        ? firstWorks(measuredWork(preset), slowRatio)
        : firstWorks(slowRatio === 0 ? firstWork : firstWork / (1 - SLOW_SHARE), slowRatio)),
      ...(slowHand === undefined ? {} : { slow: sharedHand(slowHand, preset) }),
      allocations: allocate,
      authorities: authority,
    }),
    checkpointSigners: signer,
    checkpointThreshold: threshold ?? (signer.length === 0 ? 0 : Math.floor(signer.length / 2) + 1),
  }
  for (const [option, list] of [
    ['--authority', authority],
    ['--signer', signer],
  ] as const)
    if (list.length > 64) throw new WorldError('usage', `${option}: at most 64, got ${list.length}`)
  return networkOf(genesis)
}

function measuredWork(preset: PresetName): number {
  const rates = Array.from({ length: MEASURE.rounds }, () => measureHashRate(MEASURE.ms))
  return Math.max(1, (Math.max(...rates) * MINER_DEFAULTS.duty * PRESETS[preset].interval) / 1000)
}

/** Another network's slow hand, which must be a whole number of our blocks slow. */
function sharedHand(file: string, preset: PresetName): NonNullable<GenesisChoices['slow']> {
  const { hand } = readGenesis(file)
  if (hand === undefined)
    throw new WorldError('usage', `--slow-hand: ${file} is the genesis of a network without a slow hand`)
  const ratio = hand.interval / PRESETS[preset].interval
  if (!Number.isInteger(ratio) || ratio < 2 || ratio > SLOW_RATIO_MAX)
    throw new WorldError(
      'usage',
      `--slow-hand: its ticks come every ${hand.interval} ms, which is not 2 to ${SLOW_RATIO_MAX} blocks of ${PRESETS[preset].interval} ms${ratio > SLOW_RATIO_MAX ? ` (${SLOW_RATIO_REASON})` : ''}: choose another --preset`,
    )
  return { ratio, hand }
}

function describe(network: Network, file: string, firstWork: number): string {
  const { id, genesisHash, genesis } = network
  const { name, interval, authorities, allocations, checkpointSigners, checkpointThreshold } = genesis
  const coins = allocations.reduce((sum, { amount }) => sum + amount, 0)
  const signers = checkpointSigners.length
  const enrolled = isEnrolled(network)
  const next = [
    'copy the file to every machine of the network; compare the hash there',
    'pinledger keygen validator/key.json, then pinledger broker --validator <its account>',
    `pinledger validator --data validator --genesis ${file}`,
    `pinledger agent --config agent.yaml, with genesis: ${file} in it`,
    ...(enrolled
      ? [
          'the first blocks: an agent whose key is that of an authority',
          'let others mine: pinledger admit <account> --key <key file of an authority>',
        ]
      : []),
  ]
  return `founded network ${id} (${name})
  file         ${file}
  hash         ${genesisHash}
  mining       ${enrolled ? `enrolled: ${authorities.length === 1 ? 'one authority and whom it admits' : `${authorities.length} authorities and whom they admit`}` : 'open: everybody may mine'}
  first block  ${firstWork} hashes, then one block every ${interval / 1000} s
  slow hand    ${network.hand === undefined ? 'none' : `${network.hand.id}: a tick for every ${genesis.slowRatio} blocks, which is every ${(genesis.slowRatio * interval) / 1000} s`}
  coins        ${formatCoins(coins)} in ${allocations.length === 1 ? 'one account' : `${allocations.length} accounts`}
  checkpoints  ${signers === 0 ? 'none' : `${checkpointThreshold} of ${signers} signers`}
What to do next:
${next.map((line, at) => `  ${at + 1}. ${line}`).join('\n')}
`
}
