/**
 * Heap that a follower keeps for each block of its tree.
 *
 * Run after `npm run build`: `node --expose-gc dist/bench/chain-memory.js [blocks]`; `--json` for machines.
 */
import { Chain, NOTHING_SETTLED } from '../ledger/chain.ts'
import { createNetwork } from '../ledger/network.ts'
import { genesisFrom } from '../ledger/preset.ts'
import { hashing, signatures } from '../node/signing.ts'
import type { Account, Hash } from '../schemas/hex.ts'
import { hashFromBytes } from '../schemas/hex.ts'
import { invariant } from '../schemas/result.ts'

const blocks = Number(process.argv.find((argument) => /^\d+$/.test(argument)) ?? 100_000)
const collect = globalThis.gc
invariant(collect !== undefined, 'run with node --expose-gc')

const opened = createNetwork(
  genesisFrom('bench', { name: 'bench', time: 1_767_225_600_000, firstWork: 1e6, allocations: [] }),
  { hashing, signatures },
)
invariant(opened.ok, 'the genesis is valid')
const network = opened.value
const nothing = () => {
  throw new Error('nothing is read')
}
const chain = new Chain(network, { ...NOTHING_SETTLED, block: nothing, changes: nothing })
void collect()
const before = process.memoryUsage().heapUsed
let parent: Hash = network.block0Hash
let time = network.genesis.time
for (let height = 1; height <= blocks; height++) {
  // Every block from another target and, of eight miners, another string, as when read from a log.
  time += 2_500 + ((height * 7919) % 3_000)
  const hash = hashFromBytes(hashing.tagged('leaf', new TextEncoder().encode(String(height))))
  const miner = String(height % 8).repeat(64) as Account
  const restored = chain.restore(
    hash,
    { version: 1, height, parent, content: hash, target: 1n, time, nonce: new Uint8Array(8) },
    miner,
  )
  invariant(restored.ok, 'the parent is there')
  parent = hash
}
chain.restoreTip(parent, network.state0)
void collect()
const perBlock = (process.memoryUsage().heapUsed - before) / blocks
const perDay = (interval: number): number => (perBlock * 86_400_000) / interval / 2 ** 20
const results = {
  blocks,
  'bytes per block': Math.round(perBlock),
  'MiB a day at 4 s': perDay(4_000).toFixed(1),
  'MiB a day at 10 s': perDay(10_000).toFixed(1),
}
process.stdout.write(
  process.argv.includes('--json')
    ? `${JSON.stringify(results)}\n`
    : `${Object.entries(results)
        .map(([what, value]) => `${what.padEnd(20)} ${value}`)
        .join('\n')}\n`,
)
