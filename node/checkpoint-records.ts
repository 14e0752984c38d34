/**
 * The store's records of checkpoints: certificates that were taken and votes that were cast, of which the latest count.
 *
 * Kept are the certificate that justified the highest block, the one that made the highest block final, and the last vote:
 * all that a node needs to go on, and all that a store has to copy when it drops old records.
 */
import { finalises } from '../ledger/finality.ts'
import {
  type Certificate,
  certificate as certificateCodec,
  type Vote,
  vote as voteCodec,
} from '../schemas/checkpoint.ts'
import { decode, encode } from '../schemas/codec.ts'
import { invariant } from '../schemas/result.ts'
import type { CheckpointStore } from './checkpoints.ts'

/** Kinds of record, see RECORD of chain-store.ts. */
export const CHECKPOINT_RECORD = { certificate: 8, vote: 9 } as const

export class CheckpointRecords implements CheckpointStore {
  readonly #append: (kind: number, bytes: Uint8Array) => void
  #vote: Vote | undefined
  #justified: Certificate | undefined
  #final: Certificate | undefined

  /** `append` makes one record durable before it returns. */
  constructor(append: (kind: number, bytes: Uint8Array) => void) {
    this.#append = append
  }

  get vote(): Vote | undefined {
    return this.#vote
  }

  get certificates(): readonly Certificate[] {
    const known = [this.#final, this.#justified].filter((each) => each !== undefined)
    return [...new Set(known)]
  }

  /** The records of the certificates for blocks up to a height. */
  certificatesUpTo(height: number): { kind: number; bytes: Uint8Array }[] {
    return this.certificates
      .filter(({ target }) => target.height <= height)
      .map((each) => ({ kind: CHECKPOINT_RECORD.certificate, bytes: encode(certificateCodec, each) }))
  }

  /** The records that a new file begins with when the old ones are dropped. */
  records(): { kind: number; bytes: Uint8Array }[] {
    const records = this.certificatesUpTo(Number.POSITIVE_INFINITY)
    if (this.#vote !== undefined)
      records.push({ kind: CHECKPOINT_RECORD.vote, bytes: encode(voteCodec, this.#vote) })
    return records
  }

  /** Takes a stored record of kind `certificate` or `vote`; returns what is wrong with it, if anything. */
  replay(kind: number, bytes: Uint8Array): string | undefined {
    if (kind === CHECKPOINT_RECORD.vote) {
      const decoded = decode(voteCodec, bytes, bytes.length)
      if (!decoded.ok) return `vote: ${decoded.fault.field} ${decoded.fault.message}`
      this.#vote = decoded.value
      return undefined
    }
    invariant(kind === CHECKPOINT_RECORD.certificate, `record kind ${kind} is a checkpoint's`)
    const decoded = decode(certificateCodec, bytes, bytes.length)
    if (!decoded.ok) return `certificate: ${decoded.fault.field} ${decoded.fault.message}`
    this.keep(decoded.value)
    return undefined
  }

  saveVote(vote: Vote): void {
    this.#append(CHECKPOINT_RECORD.vote, encode(voteCodec, vote))
    this.#vote = vote
  }

  saveCertificate(certificate: Certificate): void {
    this.#append(CHECKPOINT_RECORD.certificate, encode(certificateCodec, certificate))
    this.keep(certificate)
  }

  /** Remembers a certificate that is on the disk. */
  keep(certificate: Certificate): void {
    const { source, target } = certificate
    if (target.height > (this.#justified?.target.height ?? 0)) this.#justified = certificate
    if (finalises(certificate) && source.height > (this.#final?.source.height ?? 0)) this.#final = certificate
  }
}
