/** What a stored ledger's best chain holds, read from a copy, so that its owner may be running. */
import { copyFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Test } from 'tap'
import { parseBlock } from '../../ledger/block.ts'
import type { Sealed } from '../../ledger/transaction.ts'
import { ChainStore } from '../../node/chain-store.ts'
import { openDisk } from '../../node/disk.ts'
import { invariant } from '../../schemas/result.ts'
import { temporary } from './processes.ts'

export interface StoredChain {
  readonly hashes: readonly string[]
  readonly transactions: readonly Sealed[]
  readonly stateRoot: string
}

export function storedChain(t: Test, path: string): StoredChain {
  const copy = join(temporary(t), 'chain.log')
  copyFileSync(path, copy)
  const { chain, ...store } = openCopy(copy)
  try {
    const hashes: string[] = []
    const transactions: Sealed[] = []
    for (let height = 1; height <= chain.tip.height; height++) {
      const { hash } = chain.at(height) ?? {}
      invariant(hash !== undefined, 'the chain has every height')
      hashes.push(hash)
      const block = parseBlock(chain.network, chain.archive.block(hash))
      invariant(block.ok, 'a stored block parses')
      transactions.push(...block.value.transactions)
    }
    return { hashes, transactions, stateRoot: chain.state.root() }
  } finally {
    store.close()
  }
}

function openCopy(path: string) {
  const store = new ChainStore(openDisk(dirname(path)), undefined)
  return { chain: store.chain, close: () => store.close() }
}
