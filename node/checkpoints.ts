/**
 * Checkpoints at work: votes for our best chain, counts what others vote, and keeps what is justified and final.
 *
 * Invariants: a vote is on disk before anybody sees it, so that a signer that is killed never contradicts itself; a
 * certificate is on disk, together with how it moved the chain, before anybody is told that a block is final. Votes and
 * certificates for blocks that are not here wait, a bounded number of them, and those blocks are `wanted`: their
 * chain is to be fetched even when it has less work than ours. Source: docs/PROTOCOL.md sections 5 and 8.
 */
import type { Chain, Entry, Update } from '../ledger/chain.ts'
import { justify } from '../ledger/checkpoint.ts'
import { type Fault, faulty, fromDecode } from '../ledger/fault.ts'
import { Finality, finalises, linkMessage, nextLink } from '../ledger/finality.ts'
import { headerHash } from '../ledger/header.ts'
import {
  CERTIFICATES_BYTES_MAX,
  type Certificate,
  type Certificates,
  type Checkpoint,
  certificates as certificatesCodec,
  type Link,
  VOTE_BYTES,
  type Vote,
  vote as voteCodec,
} from '../schemas/checkpoint.ts'
import { decode, encode } from '../schemas/codec.ts'
import { type Account, type Hash, short, toHex } from '../schemas/hex.ts'
import { accept, type Result, refuse } from '../schemas/result.ts'
import { WorldError } from './error.ts'
import type { Log } from './log.ts'
import type { Signer } from './signing.ts'

/** Certificates that wait for their blocks. */
export const PENDING_MAX = 8
/** Validators say their certificates again this often: who was on the other side of a broken bridge has not heard them. */
export const REPEAT_MS = 60_000

/** Who said so: peers that can be asked for the blocks of one certificate. */
const SOURCES_MAX = 8

/** What has to survive a crash. */
export interface CheckpointStore {
  /** The vote that was cast last. */
  readonly vote: Vote | undefined
  /** Certificates in the order in which they were taken; the latest that justified and the latest that made final suffice. */
  readonly certificates: readonly Certificate[]
  /** Durable when they return. Throw WorldError `store-write`. */
  saveVote(vote: Vote): void
  saveCertificate(certificate: Certificate): void
}

export interface CheckpointsModules {
  readonly chain: Chain
  readonly store: CheckpointStore
  readonly signer: Signer
  readonly log: Log
  /** Stores a move of the best chain and the certificate that caused it, both or neither, and tells of it. */
  readonly move: (update: Update, certificate: Certificate | undefined) => void
  /** False while our tip may be far behind, or nobody would hear a vote. */
  readonly mayVote: () => boolean
  /** Publishes our vote, retained; false when it did not get through. */
  readonly publishVote: (vote: Vote) => Promise<boolean>
  /** The highest justified or final checkpoint has changed. */
  readonly onChanged: () => void
  /** A block became final, and that is on disk. */
  readonly onFinal: (entry: Entry) => void
  readonly onFault: (error: unknown) => void
}

interface Pending {
  readonly certificate: Certificate
  readonly sources: Set<Account>
}

export class Checkpoints {
  readonly #modules: CheckpointsModules
  readonly #finality: Finality
  readonly #pending = new Map<Hash, Pending>()
  readonly #accused = new Set<Account>()
  #justified: Certificate | undefined
  #final: Certificate | undefined
  #last: Vote | undefined
  /** The last vote that the broker has. */
  #published: Vote | undefined
  #publishing = false

  constructor(modules: CheckpointsModules) {
    this.#modules = modules
    this.#finality = new Finality(modules.chain.network)
  }

  /** Whether the network has signers at all. */
  get enabled(): boolean {
    return this.#modules.chain.network.genesis.checkpointThreshold > 0
  }

  /** The highest justified checkpoint. */
  get justified(): Checkpoint {
    return this.#justified?.target ?? this.#block0
  }

  /** The highest final checkpoint. */
  get final(): Checkpoint {
    return this.#final?.source ?? this.#block0
  }

  /** Certified blocks that are not here, and who has spoken of them. */
  get wanted(): ReadonlyMap<Hash, ReadonlySet<Account>> {
    return new Map([...this.#pending].map(([hash, { sources }]) => [hash, sources]))
  }

  wants(hash: Hash): boolean {
    return this.#pending.has(hash)
  }

  /** Height of the highest certified block that is not here; 0 when none is wanted. */
  get wantedHeight(): number {
    return Math.max(0, ...[...this.#pending.values()].map(({ certificate }) => certificate.target.height))
  }

  get isWaiting(): boolean {
    return this.#pending.size > 0
  }

  /** What proves to others what we hold for justified and final. */
  certificates(): Certificates {
    const known = [this.#final, this.#justified].filter((each) => each !== undefined)
    return { certificates: [...new Set(known)] }
  }

  /**
   * Goes on where the store ends; before any block is accepted. Throws WorldError `store-corrupt` when a certificate is not the
   * signers': they are two at most, and whoever moves a chain without work has to show each time that he may.
   */
  restore(): void {
    const { store } = this.#modules
    this.#last = store.vote
    for (const certificate of store.certificates) {
      const checked = this.#finality.check(certificate)
      if (!checked.ok) throw forged(certificate, checked.fault)
    }
    for (const certificate of store.certificates) this.#take(certificate, undefined, false)
  }

  /** Takes a message on `publisher`'s topic of kind `vote`. */
  receiveVote(publisher: Account, bytes: Uint8Array): Result<void, Fault> {
    const decoded = decode(voteCodec, bytes, VOTE_BYTES)
    if (!decoded.ok) return refuse(fromDecode(decoded.fault))
    const { signer } = decoded.value
    if (signer !== publisher)
      return faulty('wrong-publisher', `topic: ${short(publisher)} sent a vote of ${short(signer)}`)
    const counted = this.#count(decoded.value)
    if (counted.ok && signer === this.#modules.signer.account) this.#remember(decoded.value)
    return counted
  }

  /** Takes a message on `publisher`'s topic of kind `checkpoint`; certificates that say nothing new cost nothing. */
  receiveCertificates(publisher: Account, bytes: Uint8Array): Result<void, Fault> {
    const decoded = decode(certificatesCodec, bytes, CERTIFICATES_BYTES_MAX)
    if (!decoded.ok) return refuse(fromDecode(decoded.fault))
    for (const certificate of decoded.value.certificates) {
      if (!this.#isNews(certificate)) continue
      const pending = this.#pending.get(certificate.target.hash)
      if (pending !== undefined && finalises(pending.certificate) === finalises(certificate)) {
        this.#heard(pending, publisher)
        continue
      }
      const checked = this.#finality.check(certificate)
      if (!checked.ok) return checked
      this.#take(certificate, publisher)
    }
    return accept(undefined)
  }

  /** A block was added to the tree: it may be what a certificate waits for. */
  onBlock({ hash }: Entry): void {
    const pending = this.#pending.get(hash)
    if (pending === undefined) return
    this.#pending.delete(hash)
    this.#take(pending.certificate, undefined)
  }

  /** Votes for our best chain, if we are a signer and it is time. */
  vote(): void {
    const { chain, store, signer, mayVote } = this.#modules
    if (!this.#finality.isSigner(signer.account)) return
    const link = nextLink(chain.tip.height, this.justified, (height) => chain.at(height)?.hash, this.#last)
    if (link !== undefined && mayVote()) {
      const signature = signer.sign(linkMessage(chain.network, link))
      const vote = { ...link, signer: signer.account, signature }
      // First on disk, then to the world: a vote that is forgotten in a crash may be contradicted after it.
      store.saveVote(vote)
      this.#last = vote
      this.#count(vote)
    }
    this.publish()
  }

  /** Publishes our last vote unless the broker has it. */
  publish(): void {
    const vote = this.#last
    if (vote === undefined || vote === this.#published || this.#publishing) return
    this.#publishing = true
    this.#modules
      .publishVote(vote)
      .then((sent) => {
        this.#publishing = false
        if (!sent) return
        this.#published = vote
        this.publish()
      })
      .catch(this.#modules.onFault)
  }

  /** A new connection, maybe to a broker that remembers nothing. */
  onConnected(): void {
    this.#published = undefined
    this.publish()
  }

  get #block0(): Checkpoint {
    return { height: 0, hash: this.#modules.chain.network.block0Hash }
  }

  #count(vote: Vote): Result<void, Fault> {
    const { log } = this.#modules
    const counted = this.#finality.count(vote)
    if (!counted.ok) return counted
    const { contradicts, certificate } = counted.value
    if (contradicts !== undefined && !this.#accused.has(vote.signer)) {
      this.#accused.add(vote.signer)
      log.error('a signer contradicts itself: it is broken, or its key is in other hands', {
        signer: vote.signer,
        first: toHex(encode(voteCodec, contradicts)),
        second: toHex(encode(voteCodec, vote)),
      })
    }
    if (certificate !== undefined && this.#isNews(certificate)) this.#take(certificate, vote.signer)
    return accept(undefined)
  }

  /** A vote of ours that our store does not know: it was cast before the store was lost, and still binds us. */
  #remember(vote: Vote): void {
    const last = this.#last
    if (last !== undefined && vote.target.height <= last.target.height) return
    this.#modules.log.warn('the broker knows a later vote of ours than this data directory', {
      height: vote.target.height,
    })
    this.#modules.store.saveVote(vote)
    this.#last = vote
    this.#published = vote
  }

  #isNews({ source, target }: Link): boolean {
    if (target.height > this.justified.height) return true
    return finalises({ source, target }) && source.height > this.final.height
  }

  /** Applies a checked certificate, or lets it wait for its block. */
  #take(certificate: Certificate, from: Account | undefined, save = true): void {
    const { chain, store, log, move, onChanged } = this.#modules
    const { source, target } = certificate
    const entry = chain.entry(target.hash)
    if (entry === undefined) {
      if (target.height > chain.base.height) this.#wait(certificate, from)
      else if (this.#isSettled(target)) this.#keep(certificate, save)
      return
    }
    const moved = justify(chain, certificate, entry)
    if (!moved.ok) {
      const { code, message } = moved.fault
      const facts = { height: target.height, hash: target.hash, signers: certificate.signatures.length }
      log.error('signers agreed on what cannot be followed', { ...facts, code, reason: message })
      return
    }
    if (target.height > this.justified.height) this.#justified = certificate
    const isFinal = finalises(certificate) && source.height > this.final.height
    if (isFinal) this.#final = certificate
    if (moved.value !== undefined) move(moved.value, save ? certificate : undefined)
    else if (save) store.saveCertificate(certificate)
    if (isFinal) this.#settle(certificate, save)
    if (save) onChanged()
  }

  /**
   * Whether a checkpoint is a block of ours below the window. While signers are away the window moves past what they agreed
   * on last, and that is still where their next link begins.
   */
  #isSettled({ height, hash }: Checkpoint): boolean {
    const { chain } = this.#modules
    return headerHash(chain.network.hashing, chain.header(height)) === hash
  }

  /** Takes a certificate for what is settled anyway. */
  #keep(certificate: Certificate, save: boolean): void {
    const { source, target } = certificate
    if (target.height > this.justified.height) this.#justified = certificate
    if (finalises(certificate) && source.height > this.final.height) {
      this.#final = certificate
      this.#finality.settle(source.height)
    }
    if (!save) return
    this.#modules.store.saveCertificate(certificate)
    this.#modules.onChanged()
  }

  #settle({ source: { height, hash } }: Certificate, tell: boolean): void {
    const { chain, log, onFinal } = this.#modules
    chain.finalise(hash)
    this.#finality.settle(height)
    for (const [target, { certificate }] of this.#pending)
      if (certificate.target.height <= height) this.#pending.delete(target)
    if (!tell) return
    log.info('final', { height, hash: short(hash) })
    const entry = chain.entry(hash)
    if (entry !== undefined) onFinal(entry)
  }

  #wait(certificate: Certificate, from: Account | undefined): void {
    const { hash, height } = certificate.target
    const sources = this.#pending.get(hash)?.sources ?? new Set()
    const pending = { certificate, sources }
    this.#pending.set(hash, pending)
    if (from !== undefined) this.#heard(pending, from)
    this.#modules.log.info('signers agreed on a block that is not here', { height, hash: short(hash) })
    if (this.#pending.size <= PENDING_MAX) return
    const heights = [...this.#pending.values()].map((each) => each.certificate.target.height)
    const lowest = Math.min(...heights)
    for (const [target, each] of this.#pending) {
      if (each.certificate.target.height !== lowest) continue
      this.#pending.delete(target)
      break
    }
  }

  #heard({ sources }: Pending, from: Account): void {
    if (from === this.#modules.signer.account) return
    sources.delete(from)
    sources.add(from)
    for (const oldest of sources) {
      if (sources.size <= SOURCES_MAX) break
      sources.delete(oldest)
    }
  }
}

const forged = ({ target }: Certificate, { code, message }: Fault): WorldError =>
  new WorldError(
    'store-corrupt',
    `the stored certificate for block ${short(target.hash)} at height ${target.height} is not the signers': ${code}: ${message}. ` +
      'Do not trust this ledger: move its files away, and start anew from the genesis or from another snapshot',
  )
