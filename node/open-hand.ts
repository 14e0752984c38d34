/** A slow hand of a data directory to look at, also while a program writes there. */
import type { Hand } from '../ledger/hand.ts'
import { ChainStore } from './chain-store.ts'
import { type Disk, openDiskReadOnly } from './disk.ts'
import { WorldError } from './error.ts'
import { HAND_FILE, HandStore } from './hand-store.ts'

/** Ends with the directory closed again. Throws WorldError `usage` when its network has no slow hand, or none is there yet. */
export function withHand<T>(data: string, use: (store: ChainStore, hand: HandStore) => T): T {
  const disk = openDiskReadOnly(data)
  const store = new ChainStore(disk, undefined, { readOnly: true })
  try {
    const { network } = store.chain
    if (network.hand === undefined || !disk.list().includes(HAND_FILE))
      throw new WorldError(
        'usage',
        network.hand === undefined
          ? `network ${network.id} of ${data} has no slow hand: it was founded without (pinledger genesis --slow-ratio)`
          : `no ${HAND_FILE} in ${data}: its program has not run since the network has a slow hand; name another with --data`,
      )
    const hand = opened(disk, network.hand, data)
    try {
      return use(store, hand)
    } finally {
      hand.close()
    }
  } finally {
    store.close()
  }
}

function opened(disk: Disk, hand: Hand, data: string): HandStore {
  try {
    return new HandStore(disk.open(HAND_FILE), hand)
  } catch (error) {
    // Its program has not written the beginning yet, and a reader may not.
    if (!(error instanceof WorldError) || error.code !== 'store-write') throw error
    throw new WorldError(
      'usage',
      `the slow hand in ${data} has only just begun: wait for its first tick`,
      error,
    )
  }
}
