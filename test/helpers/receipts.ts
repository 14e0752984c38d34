/** Receipts for paid topics, as a seller signs them. */
import type { Sealed } from '../../ledger/transaction.ts'
import type { Signer } from '../../node/signing.ts'
import type { Account } from '../../schemas/hex.ts'
import { writeSellerMemo } from '../../schemas/receipt-memo.ts'
import type { TestChain } from './ledger.ts'

const PAYMENT = '0123456789abcdef'

export const soldMemo = (sensor: string, until: number): string =>
  writeSellerMemo({ type: 'sold', payment: PAYMENT, item: { kind: 'topic', name: sensor }, until })

/** `nonce`: beyond the seller's next one, for several in a block. */
export const soldTopic = (
  chain: TestChain,
  seller: Signer,
  buyer: Account,
  { sensor = 'soil', until, ahead = 0 }: { sensor?: string; until: number; ahead?: number },
): Sealed =>
  chain.transfer(seller, buyer, 0, {
    memo: soldMemo(sensor, until),
    nonce: chain.nonceOf(seller.account) + ahead,
  })
