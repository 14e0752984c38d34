/**
 * Certificates that stand before a state, as those of a snapshot do: the blocks that they name are not there to be asked, their
 * headers are. Source: docs/PROTOCOL.md section 10.
 */
import { Finality } from '../ledger/finality.ts'
import type { Network } from '../ledger/network.ts'
import { CERTIFICATE_BYTES_MAX, certificate as certificateCodec } from '../schemas/checkpoint.ts'
import { decode } from '../schemas/codec.ts'
import type { Hash } from '../schemas/hex.ts'

/** Where headers are known: up to `height`, with the hash of each. */
export interface HeadersBelow {
  readonly height: number
  readonly hashAt: (height: number) => Hash
}

/** What is wrong with a certificate, if anything: not enough valid signatures, or a block that is not among the headers. */
export function keptCertificateFault(
  network: Network,
  bytes: Uint8Array,
  { height, hashAt }: HeadersBelow,
): string | undefined {
  const certificate = decode(certificateCodec, bytes, CERTIFICATE_BYTES_MAX)
  if (!certificate.ok) return `certificate: ${certificate.fault.field} ${certificate.fault.message}`
  const checked = new Finality(network).check(certificate.value)
  if (!checked.ok) return `certificate: ${checked.fault.code}: ${checked.fault.message}`
  const { source, target } = certificate.value
  for (const named of [source, target]) {
    if (named.height > height) return `certificate: it names height ${named.height}, above ${height}`
    if (hashAt(named.height) !== named.hash)
      return `certificate: block ${named.hash} is not on this chain at height ${named.height}`
  }
  return undefined
}
