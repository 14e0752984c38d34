import { list, struct } from './compound.js';
import { account, fixed, hash, u8, u32 } from './field.js';
/** Checkpoints are the blocks at multiples of this height. */
export const CHECKPOINT_EVERY = 8;
/** Blocks on top of a checkpoint before a signer votes for it. */
export const CHECKPOINT_DEPTH = 4;
/** As many as a genesis may name. */
const SIGNERS_MAX = 64;
/** A block at a height that is a multiple of CHECKPOINT_EVERY. */
export const checkpoint = struct({ height: u32, hash });
/** From a justified checkpoint to one that builds on it. */
export const link = struct({ source: checkpoint, target: checkpoint });
/** One signer's word for a link. */
export const vote = struct({ ...link.fields, signer: account, signature: fixed(64) });
export const VOTE_BYTES = 168;
/** Enough votes for one link, by the signers' places in the genesis, ascending. */
export const certificate = struct({
    ...link.fields,
    signatures: list(struct({ signer: u8, signature: fixed(64) }), SIGNERS_MAX),
});
export const CERTIFICATE_BYTES_MAX = 74 + SIGNERS_MAX * 65;
/** What a validator knows: the certificate of the highest final checkpoint and, if another, of the highest justified one. */
export const certificates = struct({ certificates: list(certificate, 2) });
export const CERTIFICATES_BYTES_MAX = 2 + 2 * CERTIFICATE_BYTES_MAX;
//# sourceMappingURL=checkpoint.js.map