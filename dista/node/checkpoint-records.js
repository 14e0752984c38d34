/**
 * The store's records of checkpoints: certificates that were taken and votes that were cast, of which the latest count.
 *
 * Kept are the certificate that justified the highest block, the one that made the highest block final, and the last vote:
 * all that a node needs to go on, and all that a store has to copy when it drops old records.
 */
import { finalises } from '../ledger/finality.js';
import { certificate as certificateCodec, vote as voteCodec, } from '../schemas/checkpoint.js';
import { decode, encode } from '../schemas/codec.js';
import { invariant } from '../schemas/result.js';
/** Kinds of record, see RECORD of chain-store.ts. */
export const CHECKPOINT_RECORD = { certificate: 8, vote: 9 };
export class CheckpointRecords {
    #append;
    #vote;
    #justified;
    #final;
    /** `append` makes one record durable before it returns. */
    constructor(append) {
        this.#append = append;
    }
    get vote() {
        return this.#vote;
    }
    get certificates() {
        const known = [this.#final, this.#justified].filter((each) => each !== undefined);
        return [...new Set(known)];
    }
    /** The records that a new file begins with when the old ones are dropped. */
    records() {
        const records = this.certificates.map((each) => ({
            kind: CHECKPOINT_RECORD.certificate,
            bytes: encode(certificateCodec, each),
        }));
        if (this.#vote !== undefined)
            records.push({ kind: CHECKPOINT_RECORD.vote, bytes: encode(voteCodec, this.#vote) });
        return records;
    }
    /** Takes a stored record of kind `certificate` or `vote`; returns what is wrong with it, if anything. */
    replay(kind, bytes) {
        if (kind === CHECKPOINT_RECORD.vote) {
            const decoded = decode(voteCodec, bytes, bytes.length);
            if (!decoded.ok)
                return `vote: ${decoded.fault.field} ${decoded.fault.message}`;
            this.#vote = decoded.value;
            return undefined;
        }
        invariant(kind === CHECKPOINT_RECORD.certificate, `record kind ${kind} is a checkpoint's`);
        const decoded = decode(certificateCodec, bytes, bytes.length);
        if (!decoded.ok)
            return `certificate: ${decoded.fault.field} ${decoded.fault.message}`;
        this.keep(decoded.value);
        return undefined;
    }
    saveVote(vote) {
        this.#append(CHECKPOINT_RECORD.vote, encode(voteCodec, vote));
        this.#vote = vote;
    }
    saveCertificate(certificate) {
        this.#append(CHECKPOINT_RECORD.certificate, encode(certificateCodec, certificate));
        this.keep(certificate);
    }
    /** Remembers a certificate that is on the disk. */
    keep(certificate) {
        const { source, target } = certificate;
        if (target.height > (this.#justified?.target.height ?? 0))
            this.#justified = certificate;
        if (finalises(certificate) && source.height > (this.#final?.source.height ?? 0))
            this.#final = certificate;
    }
}
//# sourceMappingURL=checkpoint-records.js.map