/**
 * The agent's own split, as its configuration says: set on the ledger whenever that says otherwise. Another program with the agent's key
 * would take numbers that the agent's own transactions have.
 */
import { z } from 'zod'
import { formatCoins } from '../ledger/amount.ts'
import { checkSplit, PARTS, sameShares } from '../ledger/split.ts'
import type { Shares } from '../ledger/state.ts'
import { feeFloorFor } from '../ledger/transaction.ts'
import { WorldError } from '../node/error.ts'
import { accountText } from '../schemas/hex.ts'
import { SHARES_MAX, SIGNATURE_BYTES, type Split } from '../schemas/transaction.ts'
import type { Desk, Trade } from './trade.ts'

const PARTS_PER_PERCENT = PARTS / 100

export const splitConfig = z
  .array(
    z.strictObject({
      account: accountText,
      percent: z
        .number()
        .min(0.01)
        .max(100)
        .refine((percent) => Math.abs(percent - partsOf(percent) / PARTS_PER_PERCENT) < 1e-9, {
          message: 'expected hundredths at most, such as 12.25',
        }),
    }),
  )
  .max(SHARES_MAX)
  .refine(
    (shares) => new Set(shares.map(({ account }) => account)).size === shares.length,
    'expected each account once',
  )
  .refine(
    (shares) => shares.reduce((sum, { percent }) => sum + partsOf(percent), 0) <= PARTS,
    'expected at most 100 percent in all',
  )

const partsOf = (percent: number): number => Math.round(percent * PARTS_PER_PERCENT)

export const sharesOf = (config: z.output<typeof splitConfig>): Shares =>
  config.map(({ account, percent }) => ({ account, parts: partsOf(percent) }))

export class SplitSetting implements Trade {
  readonly #desk: Desk
  readonly #split: Pick<Split, 'type' | 'shares'>
  #lacksCoins = false

  /** Throws WorldError `config` when the ledger would never take it. */
  constructor(desk: Desk, shares: Shares) {
    this.#desk = desk
    this.#split = { type: 'split', shares }
    const { network } = desk.chain
    const head = { network: network.id, from: desk.signer.account, nonce: 0, fee: 0, expiry: 0 }
    const fault = checkSplit(network, {
      ...this.#split,
      ...head,
      signature: new Uint8Array(SIGNATURE_BYTES),
    })
    if (fault !== undefined) throw new WorldError('config', `split: ${fault.message}`)
  }

  tick(): void {
    const { chain, outbox, signer, log, act, inSync } = this.#desk
    if (!inSync || sameShares(chain.state.split(signer.account), this.#split.shares)) return
    if (outbox.unconfirmed.some(({ transaction: { type } }) => type === 'split')) return
    // All that the agent sends later would wait behind one whose fee it cannot pay.
    const fee = feeFloorFor(chain.network, 1)
    const lacksCoins = chain.state.account(signer.account).balance - outbox.committed < fee
    if (lacksCoins && !this.#lacksCoins)
      log.warn('cannot set the split yet', { needs: formatCoins(fee), remedy: 'pay the agent some coins' })
    this.#lacksCoins = lacksCoins
    if (lacksCoins || outbox.room === 0) return
    act([{ draft: this.#split, key: `split ${chain.tip.hash}` }])
    log.info('sets the split', { shares: this.#split.shares.length })
  }
}
