/**
 * The law of the hand ratio on real blocks: both hands mined by the miner's kernel, judged by the ledger's rules, counted by what they name.
 *
 * One loop has all the hashing, of which each hand gets its share, hash by hash; the clock goes with the hashes. A stated seed decides
 * where nonces begin, keys and times are fixed: the same seed, the same blocks.
 */
import t from 'tap'
import { firstWorks } from '../../cli/first-works.ts'
import { SLOW_SHARE } from '../../edge-agent/miner.ts'
import { createKernel, targetWords, withNonce } from '../../edge-agent/mining/kernel.ts'
import { targetFor } from '../../ledger/difficulty.ts'
import { tickTemplate } from '../../ledger/hand.ts'
import { SlowHand } from '../../ledger/slow-hand.ts'
import { buildTemplate } from '../../ledger/template.ts'
import { block as blockCodec, HEADER_BYTES, type Header, header as headerCodec } from '../../schemas/block.ts'
import { decode, encode, Reader } from '../../schemas/codec.ts'
import { invariant } from '../../schemas/result.ts'
import { tick as tickCodec } from '../../schemas/tick.ts'
import { chiSquaredGeometric } from '../../sim/lab/hands.ts'
import { handedGenesis, handGenesis } from '../helpers/hand.ts'
import { bob, START_MS, seeded, TestChain, testNetwork } from '../helpers/ledger.ts'

const RATIO = 16
const TICKS = 1_000
const T_MS = 4_000
/** Hashes of all miners in an interval of the ledger: 32 for a block, 128 for a tick. */
const WORK = 40
/** As old as the miner lets a template's time get, milliseconds. */
const TEMPLATE_MS_MAX = 1_000
/** Ten cells: nine degrees of freedom; above this comes one run of honest luck in a thousand. */
const [CELLS, CHI_SQUARED_MAX] = [10, 27.9]

const kernel = createKernel()

/** A search that can be stopped after any hash. */
function search(header: Header, nonceStart: bigint) {
  const bytes = encode(headerCodec, header)
  const work = kernel.prepare(bytes)
  const target = targetWords(header.target)
  let next = nonceStart
  return (): Header | undefined => {
    const nonce = kernel.scan(work, target, next++, 1)
    if (nonce === undefined) return undefined
    const found = decode(headerCodec, withNonce(bytes, nonce), HEADER_BYTES)
    invariant(found.ok, 'a header with another nonce is a header')
    return found.value
  }
}

/** A ledger and its hand from the genesis on, until there are `count` ticks; the ticks' bytes. */
function mineBoth(seed: number, count: number) {
  const random = seeded(seed)
  const nonce = () => BigInt(Math.floor(random() * 2 ** 32)) << 24n
  const { firstWork, slow } = firstWorks(WORK, RATIO)
  invariant(slow !== undefined && 'firstWork' in slow.hand, 'a hand of its own')
  const own = handGenesis({ interval: RATIO * T_MS, target: targetFor(slow.hand.firstWork) })
  const choices = { interval: T_MS, slowRatio: RATIO, target: targetFor(firstWork), hand: own }
  const network = testNetwork(handedGenesis(choices))
  invariant(network.hand !== undefined, 'it has a slow hand')
  const ledger = new TestChain(network)
  const hand = new SlowHand(network.hand)
  const ticks: Uint8Array[] = []
  let nowMs = START_MS
  /** What is mined now: the block names the newest tick, the tick the newest block. */
  const templates = () => {
    const { height, hash } = ledger.chain.tip
    return {
      block: buildTemplate(network, ledger.chain, [], bob, nowMs, hand.tip.hash),
      tick: tickTemplate(hand.hand, hand.tip, [{ ledger: network.genesisHash, height, block: hash }], nowMs),
    }
  }
  const searches = ({ block, tick }: ReturnType<typeof templates>) => {
    const of = (header: Header) => search({ ...header, time: Math.max(header.time, nowMs) }, nonce())
    return { madeMs: nowMs, block: of(block.header), tick: of(tick.header) }
  }
  let to = templates()
  let next = searches(to)
  const take = (isTick: boolean, header: Header): void => {
    const bytes = encode(tickCodec, { ...to.tick, header })
    const taken = isTick ? hand.accept(bytes, nowMs) : ledger.accept({ ...to.block, header }, nowMs)
    invariant(taken.ok, taken.ok ? '' : taken.fault.message)
    if (isTick) ticks.push(bytes)
    to = templates()
  }
  for (let hashes = 1; ticks.length < count; hashes++) {
    nowMs = START_MS + Math.round((hashes * T_MS) / WORK)
    const isTick = Math.floor(hashes * SLOW_SHARE) > Math.floor((hashes - 1) * SLOW_SHARE)
    const header = isTick ? next.tick() : next.block()
    if (header !== undefined) take(isTick, header)
    if (header !== undefined || nowMs - next.madeMs >= TEMPLATE_MS_MAX) next = searches(to)
  }
  return { blocks: [...ledger.archive.blocks.values()], hand, ticks }
}

t.test('between the ticks that real blocks name lies a geometric number of blocks: seed 1', async (t) => {
  const { blocks, hand, ticks } = mineBoth(1, TICKS)
  /** Blocks that name each tick, by its height: also none. The last tick's time is not over. */
  const named = Array.from({ length: TICKS + 1 }, () => 0)
  for (const bytes of blocks) {
    const { tick } = blockCodec.read(new Reader(bytes)).coinbase
    const height = hand.heightOf(tick)
    invariant(height !== undefined, 'a block names a tick of the hand')
    named[height] = (named[height] ?? 0) + 1
  }
  const counts = named.slice(1, TICKS)
  const anchored = ticks.map((bytes) => tickCodec.read(new Reader(bytes)).anchors[0]?.height ?? Number.NaN)
  const between = anchored.slice(1).map((height, index) => height - (anchored[index] ?? Number.NaN))
  t.strictSame(counts, between, 'the ticks name the blocks between which they were made')
  const chi = (mean: number): number => chiSquaredGeometric(counts, mean, CELLS)
  t.ok(chi(RATIO) < CHI_SQUARED_MAX, `R = ${RATIO}: ${chi(RATIO).toFixed(1)}`)
  for (const off of [0.75, 1.25])
    t.ok(
      chi(RATIO * off) > CHI_SQUARED_MAX,
      `a mean of ${off} R does not pass: ${chi(RATIO * off).toFixed(1)}`,
    )
})
