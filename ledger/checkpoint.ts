/**
 * What a certificate does to a chain: its target has to build on its source, and then no chain without it is followed.
 *
 * Signatures are checked elsewhere, see finality.ts. Source: docs/PROTOCOL.md section 5.
 */
import type { Certificate, Checkpoint } from '../schemas/checkpoint.ts'
import type { Result } from '../schemas/result.ts'
import type { Chain, Entry, Update } from './chain.ts'
import { type Fault, faulty } from './fault.ts'

/**
 * Justifies the target of a checked certificate; the tip may move to it, which is what is returned and to be stored. Fault `bad-checkpoint` or `below-final`, or that of the target's chain if it is not valid: then as
 * many signers as it takes have broken the rules.
 */
export function justify(
  chain: Chain,
  { source, target }: Certificate,
  entry: Entry,
): Result<Update | undefined, Fault> {
  if (entry.height !== target.height)
    return faulty(
      'bad-checkpoint',
      `target: block ${target.hash} has height ${entry.height}, got ${target.height}`,
    )
  if (!descends(chain, entry, source))
    return faulty('bad-checkpoint', `target: does not build on the source, ${source.hash}`)
  const moved = chain.justify(target.hash)
  if (moved.ok && !chain.isBest(entry))
    return faulty('bad-checkpoint', `target: excludes block ${chain.justified.height}, which is justified`)
  return moved
}

/** Whether a block builds on a checkpoint; what lies below the window is settled, and the signers' word for it is enough. */
function descends(chain: Chain, entry: Entry, source: Checkpoint): boolean {
  if (source.height < chain.base.height) return true
  if (chain.isBest(entry)) return chain.at(source.height)?.hash === source.hash
  let at: Entry | undefined = entry
  while (at !== undefined && at.height > source.height) at = at.parent
  return at?.hash === source.hash
}
