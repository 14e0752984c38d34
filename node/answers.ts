/** Answers to peers' requests, from the chain and its store. Source: docs/PROTOCOL.md section 8. */
import type { Chain } from '../ledger/chain.ts'
import { FeeEstimator, type Fees } from '../ledger/fee-estimator.ts'
import { headerHash } from '../ledger/header.ts'
import { merklePath } from '../ledger/merkle.ts'
import { sealTransaction } from '../ledger/transaction.ts'
import { block as blockCodec } from '../schemas/block.ts'
import { Reader } from '../schemas/codec.ts'
import { struct } from '../schemas/compound.ts'
import { type Account, type Hash, hashFromBytes } from '../schemas/hex.ts'
import { type AccountView, HEADERS_MAX, MESSAGE_BYTES_MAX, type Request } from '../schemas/message.ts'
import { type CompactHeader, FOLLOWING_MAX, PROVEN_TRANSACTION_BYTES_MAX } from '../schemas/proof.ts'
import type { Answer } from './requests.ts'

/** What a reply's own fields take, generously. */
const FRAMING_BYTES = 1024
/** How every block begins. */
const blockHead = struct({ header: blockCodec.fields.header, coinbase: blockCodec.fields.coinbase })

/** Undefined to stay silent: a proof that this chain cannot give. Without a mempool there is room for all at the floor. */
export function answer(
  chain: Chain,
  question: Request,
  fees: () => Fees = () => new FeeEstimator(chain.network).fees(undefined),
): Answer | undefined {
  switch (question.type) {
    case 'getHeaders':
      return {
        type: 'headers',
        headers: chain.headersAfter(question.locator, Math.min(question.limit, HEADERS_MAX)),
      }
    case 'getAccount':
      return { type: 'account', view: viewOf(chain, question.account) }
    case 'getBlocks':
      return { type: 'blocks', blocks: blocksOf(chain, question) }
    case 'getInclusion':
      return inclusionOf(chain, question.height, question.transaction)
    case 'getBalance':
      return balanceOf(chain, question.account)
    case 'getFees':
      return { type: 'fees', ...fees() }
    case 'getEntry': {
      const { tip, state } = chain
      const value = state.get(question.kind, question.key) ?? new Uint8Array(0)
      return { type: 'entry', height: tip.height, value }
    }
    // A slow hand's, which answers under its own id.
    case 'getTicks':
      return undefined
  }
}

/** An account at the tip. */
export function viewOf({ tip, state, network }: Chain, account: Account): AccountView {
  const { nonce, balance } = state.account(account)
  const maturing = state.maturing(account, tip.height, network.genesis.maturity)
  return { account, height: tip.height, nonce, balance, maturing }
}

/** The first of these blocks, as many as fit one message and are kept: side branches too, and old ones by their height. */
function blocksOf(chain: Chain, { height, hashes }: Extract<Request, { type: 'getBlocks' }>): Uint8Array[] {
  const blocks: Uint8Array[] = []
  let room = MESSAGE_BYTES_MAX - FRAMING_BYTES
  for (const [index, hash] of hashes.entries()) {
    const bytes = bodyOf(chain, height + index, hash)
    if (bytes === undefined) break
    room -= bytes.length + 4
    if (room < 0) break
    blocks.push(bytes)
  }
  return blocks
}

function bodyOf(chain: Chain, height: number, hash: Hash): Uint8Array | undefined {
  // The base is in the tree, but its body is among the settled ones.
  if (chain.entry(hash)?.parent !== undefined) return chain.archive.block(hash)
  return height >= 1 && height <= chain.base.height ? chain.archive.settled(height, hash) : undefined
}

/** Undefined when no block with this transaction is kept at that height. */
function inclusionOf(chain: Chain, height: number, id: Hash): Answer | undefined {
  const { network, tip } = chain
  const bytes = bodyAt(chain, height)
  if (bytes === undefined) return undefined
  const { header, coinbase, transactions } = blockCodec.read(new Reader(bytes))
  const sealed = transactions.map((each) => sealTransaction(network, each))
  const index = sealed.findIndex((each) => each.id === id)
  const found = sealed[index]
  if (found === undefined || found.bytes.length > PROVEN_TRANSACTION_BYTES_MAX) return undefined
  const leaves = sealed.map(({ leaf }) => leaf)
  const path = merklePath(network.hashing, leaves, index).map(hashFromBytes)
  const following: CompactHeader[] = []
  for (let next = height + 1; next <= tip.height && following.length < FOLLOWING_MAX; next++)
    following.push(chain.header(next))
  return {
    type: 'inclusion',
    proof: { header, coinbase, transaction: found.bytes, index, count: leaves.length, path, following },
  }
}

/** Undefined at block 0, which has no coinbase, and on a base without a body. */
function balanceOf(chain: Chain, account: Account): Answer | undefined {
  const bytes = bodyAt(chain, chain.tip.height)
  const state = bytes && chain.state.accountProof(account)
  if (bytes === undefined || state === undefined) return undefined
  return { type: 'balance', proof: { ...blockHead.read(new Reader(bytes)), state } }
}

/** A block of the best chain, from the window or from what is kept below it. */
function bodyAt(chain: Chain, height: number): Uint8Array | undefined {
  const { archive, base, network } = chain
  if (height < 1) return undefined
  if (height <= base.height) return archive.settled(height, headerHash(network.hashing, chain.header(height)))
  const entry = chain.at(height)
  return entry && archive.block(entry.hash)
}
