/** A slow hand of a data directory to look at, also while a program writes there. */
import type { LogFile } from './append-log.ts'
import { ChainStore } from './chain-store.ts'
import { openDiskReadOnly } from './disk.ts'
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
    const hand = new HandStore(untouched(disk.open(HAND_FILE)), network.hand)
    try {
      return use(store, hand)
    } finally {
      hand.close()
    }
  } finally {
    store.close()
  }
}

/** A log whose beginning its program has not written yet is read as one that has only that; nothing is written. */
const untouched = (file: LogFile): LogFile => ({
  path: file.path,
  get size() {
    return file.size
  },
  read: (offset, length) => file.read(offset, length),
  append() {},
  truncate: (size) => file.truncate(size),
  close: () => file.close(),
})
