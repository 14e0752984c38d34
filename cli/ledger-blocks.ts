/** The blocks of a stored ledger, as far back as they are kept, also while a program writes to it. */
import { parseBlock, type SealedBlock } from '../ledger/block.ts'
import { headerHash } from '../ledger/header.ts'
import { ChainStore } from '../node/chain-store.ts'
import { openDiskReadOnly } from '../node/disk.ts'
import { hashing } from '../node/signing.ts'
import { invariant } from '../schemas/result.ts'
import { checkLedger } from './ledgers.ts'

export interface StoredBlock extends SealedBlock {
  readonly height: number
  readonly time: number
}

/** Lowest first, of the last `spanMs` before the tip. Throws WorldError `usage` when there is no ledger. */
export function* ledgerBlocks(data: string, spanMs = Number.POSITIVE_INFINITY): Generator<StoredBlock> {
  checkLedger(data)
  const store = new ChainStore(openDiskReadOnly(data), undefined, { readOnly: true })
  try {
    const { chain } = store
    let height = chain.tip.height + 1
    while (height > store.keptFrom + 1 && chain.header(height - 1).time > chain.tip.time - spanMs) height--
    for (; height <= chain.tip.height; height++) {
      const header = chain.header(height)
      const hash = headerHash(hashing, header)
      const bytes = height <= chain.base.height ? store.settled(height, hash) : store.block(hash)
      if (bytes === undefined) continue
      const block = parseBlock(chain.network, bytes)
      invariant(block.ok, `stored block ${hash} parses`)
      yield { ...block.value, height, time: header.time }
    }
  } finally {
    store.close()
  }
}
