/** Answers to peers' requests, from the chain and its store. Source: docs/PROTOCOL.md section 8. */
import type { Chain } from '../ledger/chain.ts'
import type { Account } from '../schemas/hex.ts'
import { type AccountView, HEADERS_MAX, MESSAGE_BYTES_MAX, type Request } from '../schemas/message.ts'
import type { Answer } from './requests.ts'

/** What a reply's own fields take, generously. */
const FRAMING_BYTES = 1024

export function answer(chain: Chain, question: Request): Answer {
  switch (question.type) {
    case 'getHeaders':
      return {
        type: 'headers',
        headers: chain.headersAfter(question.locator, Math.min(question.limit, HEADERS_MAX)),
      }
    case 'getAccount':
      return { type: 'account', view: viewOf(chain, question.account) }
    case 'getBlocks':
      return { type: 'blocks', blocks: blocksOf(chain, question.hashes) }
  }
}

/** An account at the tip. */
export function viewOf({ tip, state, network }: Chain, account: Account): AccountView {
  const { nonce, balance } = state.account(account)
  const maturing = state.maturing(account, tip.height, network.genesis.maturity)
  return { account, height: tip.height, nonce, balance, maturing }
}

/** The first of these blocks, as many as fit one message and are known. */
function blocksOf(chain: Chain, hashes: Extract<Request, { type: 'getBlocks' }>['hashes']): Uint8Array[] {
  const blocks: Uint8Array[] = []
  let room = MESSAGE_BYTES_MAX - FRAMING_BYTES
  for (const hash of hashes) {
    const entry = chain.entry(hash)
    if (entry === undefined || entry.height === 0) break
    const bytes = chain.archive.block(hash)
    room -= bytes.length + 4
    if (room < 0) break
    blocks.push(bytes)
  }
  return blocks
}
