/**
 * A hand of an experiment as others see it: a line that only its agent makes longer.
 *
 * Taken is a tick on the end of the line that keeps the rules of ticks and names no hand but the experiment's. Who makes two
 * ticks of one height is believed the first: what others have named stays where it is.
 */
import { headerHash } from '../../ledger/header.ts'
import type { SlowHand, TickAdded } from '../../ledger/slow-hand.ts'
import { hashing } from '../../node/signing.ts'
import { encode } from '../../schemas/codec.ts'
import type { Hash } from '../../schemas/hex.ts'
import { tick as tickCodec } from '../../schemas/tick.ts'
import type { SaidTick } from './words.ts'

export interface Lengthened {
  readonly added: readonly (SaidTick & { readonly added: TickAdded; readonly bytes: Uint8Array })[]
  /** Ticks between ours and these are not here. */
  readonly gap: boolean
  /** Why the rest was not taken. */
  readonly fault?: string
}

/** `hands`: genesis hashes of the experiment's. */
export function lengthen(
  slow: SlowHand,
  hands: ReadonlySet<Hash>,
  heightMax: number,
  ticks: readonly SaidTick[],
): Lengthened {
  const added: Lengthened['added'][number][] = []
  for (const said of ticks) {
    const { header, anchors } = said.tick
    const { tip, hand } = slow
    if (header.height <= tip.height) {
      const hash = headerHash(hashing, header)
      if (slow.hashAt(header.height) === hash) continue
      return { added, gap: false, fault: `two ticks of height ${header.height}: ${hash} and the one before` }
    }
    if (header.height > heightMax)
      return { added, gap: false, fault: `height ${header.height}, expected at most ${heightMax}` }
    if (header.height > tip.height + 1) return { added, gap: true }
    if (header.parent !== tip.hash)
      return { added, gap: false, fault: `tick ${header.height} does not follow ${tip.hash}` }
    const foreign = anchors.find(({ ledger }) => !hands.has(ledger) || ledger === hand.genesisHash)
    if (foreign !== undefined)
      return { added, gap: false, fault: `tick ${header.height} names ${foreign.ledger}, no other hand here` }
    const bytes = encode(tickCodec, said.tick)
    const outcome = slow.accept(bytes, Number.POSITIVE_INFINITY)
    if (!outcome.ok) return { added, gap: false, fault: `${outcome.fault.code}: ${outcome.fault.message}` }
    added.push({ ...said, added: outcome.value, bytes })
  }
  return { added, gap: false }
}
