/**
 * Heap that a follower keeps while its chain grows: bounded by the window, and what each block costs without one.
 *
 * The tree alone goes as fast as blocks can be made up. With `--store` a whole store takes valid blocks: also what it knows
 * of its segments and of the headers below the window is counted then. Files are not: the disk in memory is outside the heap.
 */
import { parseArgs } from 'node:util'
import { Chain, NOTHING_SETTLED } from '../ledger/chain.ts'
import { createNetwork } from '../ledger/network.ts'
import { genesisFrom } from '../ledger/preset.ts'
import { STORE_DEFAULTS } from '../node/chain-store.ts'
import { hashing, signatures } from '../node/signing.ts'
import { type Account, type Hash, hashFromBytes } from '../schemas/hex.ts'
import { invariant } from '../schemas/result.ts'
import { Growth } from './growth.ts'

const HELP = `Heap that a follower keeps while its chain grows.

  node --expose-gc dist/bench/chain-memory.js [BLOCKS] [--store] [--json]

  BLOCKS    65536 to 10000000 (200000), rounded down to 8 times whole segments
  --store   a whole store and valid blocks, some minutes, instead of the tree alone
  --json    for machines

Example: node --expose-gc dist/bench/chain-memory.js 500000
Exit codes: 0 the heap is bounded, 1 it is not, 2 wrong options or no --expose-gc.
`

const SAMPLES = 8
const MINERS = 8
/** From half of the blocks on, once the window is full, the heap may grow by so many bytes a block: old headers' waypoints. */
const GROWTH_BYTES_MAX = 8
const { windowBlocks, segmentBlocks } = STORE_DEFAULTS

interface Sample {
  readonly blocks: number
  readonly bytes: number
}

function tree(trims: boolean): (height: number) => void {
  const opened = createNetwork(
    genesisFrom('field', { name: 'bench', time: 1_767_225_600_000, firstWork: 1e6, allocations: [] }),
    { hashing, signatures },
  )
  invariant(opened.ok, 'the genesis is valid')
  const network = opened.value
  const nothing = () => {
    throw new Error('nothing is read')
  }
  const chain = new Chain(network, { ...NOTHING_SETTLED, block: nothing, changes: nothing })
  let parent: Hash = network.block0Hash
  let time = network.genesis.time
  return (height) => {
    // Every block from another target and, of eight miners, another string, as when read from a log.
    time += 7_500 + ((height * 7919) % 5_000)
    const hash = hashFromBytes(hashing.tagged('leaf', new TextEncoder().encode(String(height))))
    const miner = String(height % MINERS).repeat(64) as Account
    const restored = chain.restore({
      hash,
      height,
      parent,
      content: hash,
      time,
      nonce: '0'.repeat(16),
      miner,
    })
    invariant(restored.ok, 'the parent is there')
    parent = hash
    if (height % segmentBlocks !== 0) return
    chain.restoreTip(parent, network.state0)
    // As the store does it: the window begins where a segment does.
    if (trims && height - windowBlocks > chain.base.height) chain.trim(height - windowBlocks)
  }
}

function store(): (height: number) => void {
  const growth = new Growth(MINERS, { bytesMax: 64 << 20 })
  return (height) => void growth.grow([], 1 + (height % MINERS))
}

function measure(collect: () => void, blocks: number, make: () => (height: number) => void): Sample[] {
  collect()
  const before = process.memoryUsage().heapUsed
  const grow = make()
  const samples: Sample[] = []
  // Where a segment begins, since there the window is equally long each time.
  const every = Math.floor(blocks / SAMPLES / segmentBlocks) * segmentBlocks
  for (let height = 1; height <= SAMPLES * every; height++) {
    grow(height)
    if (height % every !== 0) continue
    collect()
    samples.push({ blocks: height, bytes: process.memoryUsage().heapUsed - before })
  }
  // What is measured has to be there until now.
  grow(SAMPLES * every + 1)
  return samples
}

/** Bytes a block over the second half, by when the window is full. */
function growthOf(samples: readonly Sample[]): number {
  const [middle, last] = [samples[SAMPLES / 2 - 1], samples[SAMPLES - 1]]
  invariant(middle !== undefined && last !== undefined, `there are ${SAMPLES} samples`)
  return (last.bytes - middle.bytes) / (last.blocks - middle.blocks)
}

function main(): void {
  const fail = (message: string): void => {
    process.stderr.write(`${message}\n\n${HELP}`)
    process.exitCode = 2
  }
  let chosen: { blocks: number; wholeStore: boolean; json: boolean }
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        store: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) {
      process.stdout.write(HELP)
      return
    }
    const [blocks = '200000', ...more] = positionals
    chosen = { blocks: Number(blocks), wholeStore: values.store, json: values.json }
    if (more.length > 0 || !Number.isInteger(chosen.blocks) || chosen.blocks < 65_536 || chosen.blocks > 1e7)
      throw new TypeError(`expected a number of blocks from 65536 to 10000000, got ${positionals.join(' ')}`)
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error))
    return
  }
  const collect = globalThis.gc
  if (collect === undefined) fail('run with node --expose-gc')
  else tell(() => void collect(), chosen)
}

function tell(collect: () => void, chosen: { blocks: number; wholeStore: boolean; json: boolean }): void {
  const { blocks, wholeStore, json } = chosen
  const bounded = measure(collect, blocks, wholeStore ? store : () => tree(true))
  const whole = wholeStore ? [] : measure(collect, blocks, () => tree(false))
  const growth = growthOf(bounded)
  const isBounded = growth <= GROWTH_BYTES_MAX
  const largest = bounded.reduce((most, { bytes }) => Math.max(most, bytes), 0)
  const perBlock = whole.length === 0 ? undefined : growthOf(whole)
  if (json) {
    const results = {
      blocks,
      windowBlocks,
      bounded,
      largest,
      growth,
      isBounded,
      perBlockWithoutWindow: perBlock,
    }
    process.stdout.write(`${JSON.stringify(results)}\n`)
  } else {
    const mebibytes = (bytes: number | undefined): string =>
      ((bytes ?? Number.NaN) / 2 ** 20).toFixed(1).padStart(12)
    process.stdout.write(
      `${'blocks'.padStart(10)}  window, MiB${whole.length === 0 ? '' : '  no window, MiB'}\n`,
    )
    for (const [index, { blocks: at, bytes }] of bounded.entries()) {
      const beside = whole.length === 0 ? '' : `    ${mebibytes(whole[index]?.bytes)}`
      process.stdout.write(`${String(at).padStart(10)} ${mebibytes(bytes)}${beside}\n`)
    }
    process.stdout.write(`\na window of ${windowBlocks} to ${windowBlocks + segmentBlocks} blocks: at most`)
    process.stdout.write(
      `${mebibytes(largest).trimStart().padStart(7)} MiB, then ${growth.toFixed(1)} bytes a block`,
    )
    process.stdout.write(
      `${perBlock === undefined ? '' : `; without one ${perBlock.toFixed(0)} bytes a block for ever`}\n`,
    )
    process.stdout.write(isBounded ? 'bounded\n' : 'NOT bounded\n')
  }
  process.exitCode = isBounded ? 0 : 1
}

main()
