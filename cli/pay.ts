/** `pinledger pay`: signs a transfer, sends it and waits until a validator has it in a block. */
import { formatCoins } from '../ledger/amount.ts'
import type { Log } from '../node/log.ts'
import type { Signer } from '../node/signing.ts'
import { type Account, short } from '../schemas/hex.ts'
import { type Sending, sendCommand } from './send.ts'
import type { Where } from './sender.ts'

export interface Order extends Pick<Sending, 'fee' | 'network' | 'waitSeconds'> {
  readonly to: Account
  /** Smallest units. */
  readonly amount: number
  readonly memo: string
}

/** Prints what became of the payment; 0 confirmed, 1 refused or not confirmed in time. */
export function payCommand(
  where: Where,
  signer: Signer,
  { to, amount, memo, ...rest }: Order,
  json: boolean,
  log: Log,
): Promise<number> {
  const draft = { type: 'transfer', to, amount, memo } as const
  const doing = `paying ${formatCoins(amount)} to ${short(to)}`
  return sendCommand(where, signer, { draft, doing, ...rest }, json, log)
}
