/** Re-validates a stored slow hand from its bytes: every record, every rule of every tick, proof of work included. Changes nothing. */
import type { Hand } from '../ledger/hand.ts'
import { SlowHand } from '../ledger/slow-hand.ts'
import { audit } from './append-log.ts'
import type { Disk } from './disk.ts'
import { HAND_FILE, HAND_RECORD } from './hand-store.ts'

export interface HandVerification {
  readonly height: number
  /** In words; undefined when everything holds. */
  readonly fault: string | undefined
}

/** Undefined when the directory has no hand. */
export function verifyHand(disk: Disk, hand: Hand): HandVerification | undefined {
  if (!disk.list().includes(HAND_FILE)) return undefined
  const file = disk.open(HAND_FILE)
  const slow = new SlowHand(hand)
  const fault = (message: string) => ({ height: slow.tip.height, fault: `${HAND_FILE}: ${message}` })
  try {
    for (const read of audit(file)) {
      if (!read.ok) {
        if (read.fault.unfinished) break
        return fault(`record ${read.fault.record}: ${read.fault.message} (${read.fault.code})`)
      }
      const { kind, bytes, record } = read.value
      if (kind !== HAND_RECORD.tick) continue
      const outcome = slow.accept(bytes, Number.POSITIVE_INFINITY)
      if (!outcome.ok) return fault(`record ${record}: ${outcome.fault.code}: ${outcome.fault.message}`)
    }
    return { height: slow.tip.height, fault: undefined }
  } finally {
    file.close()
  }
}
