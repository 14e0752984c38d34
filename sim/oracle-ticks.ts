/**
 * The rules of a slow hand a second time, naively: judges each tick that any node stores.
 *
 * It shares codecs with the real ones and nothing else.
 */
import { createHash } from 'node:crypto'
import type { Hand } from '../ledger/hand.ts'
import { header as headerCodec } from '../schemas/block.ts'
import { encode } from '../schemas/codec.ts'
import type { Hash } from '../schemas/hex.ts'
import { anchor as anchorCodec, type Tick } from '../schemas/tick.ts'

interface Known {
  readonly height: number
  readonly time: number
  readonly target: number
  /** Milliseconds since its parent. */
  readonly solveMs: number
  /** What it names of this ledger. */
  readonly named: Hash | undefined
}

export class TickOracle {
  readonly #hand: Hand
  readonly #ledger: Hash
  readonly #known = new Map<Hash, Known>()

  /** `ledger`: genesis hash of the network. */
  constructor(hand: Hand, ledger: Hash) {
    this.#hand = hand
    this.#ledger = ledger
    const { time, target, interval } = hand.genesis
    const tick0 = { height: 0, time, target: Number(target), solveMs: interval, named: undefined }
    this.#known.set(hand.block0Hash, tick0)
  }

  has(hash: Hash): boolean {
    return this.#known.has(hash)
  }

  /** The block of this ledger that a judged tick names. */
  named(hash: Hash): Hash | undefined {
    return this.#known.get(hash)?.named
  }

  /** What is wrong with a tick whose parent was judged before; undefined when nothing is. Each header is judged once. */
  judge({ header, anchors }: Tick): string | undefined {
    const ledgers = anchors.map(({ ledger }) => ledger)
    if (ledgers.join() !== [...new Set(ledgers)].sort().join()) return 'anchors out of order'
    const leaves = anchors.map((each) => tagged('anchor', encode(anchorCodec, each)))
    const root = tagged('root', u32(leaves.length), top(leaves)).toString('hex')
    if (root !== header.content) return 'anchors that the header does not name'
    const proof = sha256(sha256(encode(headerCodec, header))).toString('hex')
    return this.#known.has(proof as Hash) ? undefined : this.#judgeHeader(proof as Hash, { header, anchors })
  }

  #judgeHeader(proof: Hash, { header, anchors }: Tick): string | undefined {
    const parent = this.#known.get(header.parent)
    if (parent === undefined) return 'a parent that nobody stored'
    const { height, time } = header
    const solveMs = time - parent.time
    const named = anchors.find(({ ledger }) => ledger === this.#ledger)?.block
    this.#known.set(proof, { height, time, target: Number(header.target), solveMs, named })
    if (BigInt(`0x${proof}`) > header.target) return 'no proof of work'
    if (height !== parent.height + 1 || solveMs <= 0) return 'height or time out of order'
    const wanted = this.#targetAfter(parent)
    return Math.abs(Number(header.target) / wanted - 1) > 1e-3
      ? `a target of ${Number(header.target)}, about ${wanted} follows`
      : undefined
  }

  /** The rule as a formula, without the integers that make it exact. */
  #targetAfter({ target, solveMs }: Known): number {
    const { interval, halfLife, targetMax } = this.#hand.genesis
    const deviation = Math.min(solveMs, 20 * interval) - interval
    return Math.min(target * 2 ** (deviation / (halfLife * interval)), Number(targetMax))
  }
}

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()

function tagged(tag: string, ...parts: readonly Uint8Array[]): Buffer {
  const name = sha256(Buffer.from(`pinledger/${tag}`))
  return sha256(Buffer.concat([name, name, ...parts]))
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function top(leaves: readonly Buffer[]): Buffer {
  const [first = Buffer.alloc(32)] = leaves
  if (leaves.length < 2) return first
  const middle = 2 ** Math.ceil(Math.log2(leaves.length) - 1)
  return tagged('node', top(leaves.slice(0, middle)), top(leaves.slice(middle)))
}
