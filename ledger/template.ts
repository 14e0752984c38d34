/**
 * Builds the block that a miner works on: its own reward first, then the best-paying transactions that fit.
 */

import { type Block, block as blockCodec } from '../schemas/block.ts'
import { encode } from '../schemas/codec.ts'
import { type Account, type Hash, ZERO_HASH } from '../schemas/hex.ts'
import { invariant } from '../schemas/result.ts'
import { type Coinbase, SIGNATURE_BYTES } from '../schemas/transaction.ts'
import { applyTransaction, type BlockContext, signaturesOf } from './apply.ts'
import { executeBlock, transactionsRoot } from './block.ts'
import type { Chain } from './chain.ts'
import type { Network } from './network.ts'
import { type State, StateView } from './state.ts'
import { type Sealed, type Sign, sealCoinbase } from './transaction.ts'

export interface Miner {
  readonly account: Account
  readonly sign: Sign
}

/** Bytes of a block without transactions. */
const EMPTY_BLOCK_BYTES_MAX = 512

/**
 * A complete block on `tip` but for its nonce. Transactions that do not apply are left out; an account's later ones
 * then fail by nonce gap and stay out too. Only for who may mine on `state`: see membership.ts. `tick` is the newest of the
 * network's slow hand.
 */
export function buildTemplate(
  network: Network,
  { tip, state, next: { height, medianTime } }: Pick<Chain, 'tip' | 'state' | 'next'>,
  candidates: readonly Sealed[],
  miner: Miner,
  nowMs: number,
  tick: Hash = ZERO_HASH,
): Block {
  const context = { height, medianTime, miner: miner.account }
  const transactions = select(network, state, candidates, context)
  const outcome = executeBlock(
    network,
    state,
    { ...context, miner: miner.account, reward: 'all' },
    transactions,
  )
  invariant(outcome.ok, outcome.ok ? '' : `a template is a valid block: ${outcome.fault.message}`)
  const draft: Coinbase = {
    type: 0,
    network: network.id,
    from: miner.account,
    height,
    parent: tip.hash,
    reward: outcome.value.reward,
    tick,
    transactionsRoot: transactionsRoot(network, transactions),
    stateRoot: outcome.value.state.root(),
    signature: new Uint8Array(SIGNATURE_BYTES),
  }
  const coinbase = { ...draft, signature: miner.sign(sealCoinbase(network, draft).message) }
  const block: Block = {
    header: {
      version: 1,
      height,
      parent: tip.hash,
      content: sealCoinbase(network, coinbase).content as Hash,
      target: tip.childTarget,
      time: Math.max(nowMs, tip.time + 1),
      nonce: new Uint8Array(8),
    },
    coinbase,
    transactions: transactions.map(({ transaction }) => transaction),
  }
  invariant(encode(blockCodec, block).length <= network.genesis.blockBytesMax, 'a template fits the block')
  return block
}

function select(
  network: Network,
  state: State,
  candidates: readonly Sealed[],
  context: BlockContext,
): Sealed[] {
  const { blockBytesMax, blockSignaturesMax } = network.genesis
  // Matured rewards are spendable in this very block; leaving them out only delays such a transaction by one block.
  const view = new StateView(state)
  const selected: Sealed[] = []
  let bytes = EMPTY_BLOCK_BYTES_MAX
  let signatures = 1
  for (const sealed of candidates) {
    const added = signaturesOf(sealed.transaction)
    if (bytes + sealed.bytes.length > blockBytesMax || signatures + added > blockSignaturesMax) continue
    if (!applyTransaction(network, view, sealed, context).ok) continue
    selected.push(sealed)
    bytes += sealed.bytes.length
    signatures += added
  }
  return selected
}
