/**
 * Finality: k of the genesis' n signers vote for checkpoints, and what they agree on twice in a row is never undone.
 *
 * A vote is a link from a justified checkpoint to a later one. k votes for one link justify its target; when the
 * target is the very next checkpoint, the source is final. A signer never votes twice for one height, nor with one link
 * around another, so two final checkpoints that exclude each other take 2k - n signers who did. This file counts votes
 * and knows no blocks: whether a link's blocks exist and build on each other is judged where the chain is, see
 * node/checkpoints.ts. Source: Buterin and Griffith 2017, "Casper the Friendly Finality Gadget"; docs/PROTOCOL.md
 * section 5.
 */
import {
  type Certificate,
  CHECKPOINT_DEPTH,
  CHECKPOINT_EVERY,
  type Checkpoint,
  type Link,
  link as linkCodec,
  type Vote,
} from '../schemas/checkpoint.ts'
import { encode } from '../schemas/codec.ts'
import { type Account, fromHex, type Hash, short } from '../schemas/hex.ts'
import { accept, type Result, refuse } from '../schemas/result.ts'
import { type Fault, faulty } from './fault.ts'
import type { Network } from './network.ts'

/** Votes of one signer that are counted; an honest one casts one for each height, and the highest matter. */
export const VOTES_PER_SIGNER_MAX = 8

/** What came of a vote. */
export interface Counted {
  /** There were enough votes for this link just now. */
  readonly certificate: Certificate | undefined
  /** An earlier vote of the same signer that an honest one would not have cast beside this one. */
  readonly contradicts: Vote | undefined
}

/** The 32 bytes that a vote's signature is over. */
export const linkMessage = ({ hashing, genesisHash }: Network, { source, target }: Link): Uint8Array =>
  hashing.tagged('checkpoint', fromHex(genesisHash), encode(linkCodec, { source, target }))

export const sameLink = (one: Link, other: Link): boolean =>
  one.target.hash === other.target.hash &&
  one.source.hash === other.source.hash &&
  one.target.height === other.target.height &&
  one.source.height === other.source.height

/** Whether an honest signer casts at most one of two votes: for one height, or one link around the other. */
export function contradict(one: Link, other: Link): boolean {
  if (sameLink(one, other)) return false
  if (one.target.height === other.target.height) return true
  const [low, high] = one.target.height < other.target.height ? [one, other] : [other, one]
  return high.source.height < low.source.height
}

/**
 * The link that an honest signer votes for next, if any: to the highest checkpoint that is deep enough in its best
 * chain, from the highest justified one. `at` names that chain's blocks.
 */
export function nextLink(
  tipHeight: number,
  justified: Checkpoint,
  at: (height: number) => Hash | undefined,
  last: Link | undefined,
): Link | undefined {
  const height = Math.floor((tipHeight - CHECKPOINT_DEPTH) / CHECKPOINT_EVERY) * CHECKPOINT_EVERY
  if (height <= justified.height) return undefined
  // These two alone keep a signer from ever contradicting itself, whatever chains it has followed in between.
  if (last !== undefined && height <= last.target.height) return undefined
  if (last !== undefined && justified.height < last.source.height) return undefined
  const hash = at(height)
  return hash === undefined ? undefined : { source: justified, target: { height, hash } }
}

/** Whether a certificate makes its source final. */
export const finalises = ({ source, target }: Link): boolean =>
  target.height === source.height + CHECKPOINT_EVERY

export class Finality {
  readonly #network: Network
  readonly #signers: ReadonlyMap<Account, number>
  readonly #threshold: number
  /** By signer, then in the order in which they came. */
  readonly #votes: Vote[][]
  #finalHeight = 0

  constructor(network: Network) {
    const { checkpointSigners, checkpointThreshold } = network.genesis
    this.#network = network
    this.#signers = new Map(checkpointSigners.map((account, index) => [account, index]))
    this.#threshold = checkpointThreshold
    this.#votes = checkpointSigners.map(() => [])
  }

  isSigner(account: Account): boolean {
    return this.#signers.has(account)
  }

  /** Votes at or below a final height are settled. */
  settle(finalHeight: number): void {
    this.#finalHeight = finalHeight
    for (const [signer, votes] of this.#votes.entries())
      this.#votes[signer] = votes.filter(({ target }) => target.height > finalHeight)
  }

  /** Checks and counts a vote. What is stale or repeated costs no signature check. */
  count(vote: Vote): Result<Counted, Fault> {
    const signer = this.#signers.get(vote.signer)
    const votes = signer === undefined ? undefined : this.#votes[signer]
    if (votes === undefined)
      return faulty('not-a-signer', `signer: ${short(vote.signer)} is not named by the genesis`)
    const fault = this.#checkLink(vote)
    if (fault !== undefined) return refuse(fault)
    if (votes.some((known) => sameLink(known, vote))) return faulty('known', 'this vote is known')
    const lowest = votes.length < VOTES_PER_SIGNER_MAX ? undefined : lowestOf(votes)
    if (lowest !== undefined && vote.target.height <= lowest.target.height)
      return faulty(
        'known',
        `target: ${VOTES_PER_SIGNER_MAX} votes of this signer for higher targets are known`,
      )
    const { signatures } = this.#network
    if (!signatures.verify(vote.signature, linkMessage(this.#network, vote), vote.signer))
      return faulty('bad-signature', `signature: not one of ${short(vote.signer)}`)
    const contradicts = votes.find((known) => contradict(known, vote))
    // Who votes for one target from two sources counts for the first: a signer is one voice.
    if (votes.some(({ target }) => target.hash === vote.target.hash))
      return accept({ certificate: undefined, contradicts })
    if (lowest !== undefined) votes.splice(votes.indexOf(lowest), 1)
    votes.push(vote)
    return accept({ certificate: this.#certificateFor(vote), contradicts })
  }

  /** Checks a certificate by itself: its link, that there are enough signers, and every signature. */
  check(certificate: Certificate): Result<Certificate, Fault> {
    const fault = this.#checkLink(certificate)
    if (fault !== undefined) return refuse(fault)
    const { signatures: given } = certificate
    // Without signers nobody can certify anything.
    const least = Math.max(1, this.#threshold)
    if (given.length < least)
      return faulty('bad-checkpoint', `signatures: at least ${least}, got ${given.length}`)
    const { genesis, signatures } = this.#network
    const message = linkMessage(this.#network, certificate)
    let before = -1
    for (const { signer, signature } of given) {
      const account = genesis.checkpointSigners[signer]
      if (account === undefined)
        return faulty('not-a-signer', `signatures: the genesis names no signer ${signer}`)
      if (signer <= before) return faulty('bad-checkpoint', 'signatures: each signer once, ascending')
      before = signer
      if (!signatures.verify(signature, message, account))
        return faulty('bad-signature', `signatures: not one of signer ${signer}`)
    }
    return accept(certificate)
  }

  #checkLink({ source, target }: Link): Fault | undefined {
    const bad = (message: string): Fault => ({ code: 'bad-checkpoint', message })
    for (const { height } of [source, target])
      if (height % CHECKPOINT_EVERY !== 0)
        return bad(`height: a multiple of ${CHECKPOINT_EVERY}, got ${height}`)
    if (target.height <= source.height) return bad('target: above the source')
    if (source.height === 0 && source.hash !== this.#network.block0Hash)
      return bad(`source: block 0 is ${short(this.#network.block0Hash)}, got ${short(source.hash)}`)
    if (target.height <= this.#finalHeight)
      return { code: 'known', message: `target: final up to ${this.#finalHeight} already` }
    if (source.height < this.#finalHeight)
      return { code: 'below-final', message: `source: ${source.height}, final is ${this.#finalHeight}` }
    return undefined
  }

  #certificateFor(link: Link): Certificate | undefined {
    const signatures: { signer: number; signature: Uint8Array }[] = []
    for (const [signer, votes] of this.#votes.entries()) {
      const vote = votes.find((each) => sameLink(each, link))
      if (vote !== undefined) signatures.push({ signer, signature: vote.signature })
    }
    if (signatures.length < this.#threshold) return undefined
    return { source: link.source, target: link.target, signatures }
  }
}

const lowestOf = (votes: readonly Vote[]): Vote | undefined =>
  votes.reduce((low, vote) => (vote.target.height < low.target.height ? vote : low))
