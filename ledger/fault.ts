/**
 * Every way in which a transaction, header or block can be wrong, as coded values in the words of Bitcoin Core.
 *
 * The verdict is part of the code: `reject` broke a rule and stays wrong; `ignore` is late, repeated or beyond a
 * local limit and says nothing bad about the sender; `hold` may become valid as time passes.
 */
import type { DecodeFault } from '../schemas/codec.ts'
import { refuse } from '../schemas/result.ts'

export type Verdict = 'reject' | 'ignore' | 'hold'

export const VERDICTS = {
  'bad-encoding': 'reject',
  'wrong-network': 'reject',
  'type-not-active': 'reject',
  'bad-account': 'reject',
  'bad-signature': 'reject',
  'bad-batch': 'reject',
  'not-authority': 'reject',
  'amount-overflow': 'reject',
  'fee-too-low': 'reject',
  // Depends on how far the judge's chain is, so it says nothing bad about the sender.
  'insufficient-balance': 'ignore',
  expired: 'ignore',
  'nonce-too-low': 'ignore',
  'nonce-gap': 'ignore',
  'already-member': 'ignore',
  'not-member': 'ignore',
  // channels, hashlocks and splits; what is known of them depends on the judge's chain, too
  'bad-channel': 'reject',
  'unknown-channel': 'ignore',
  'bad-claim': 'reject',
  'claim-not-higher': 'ignore',
  'too-many-steps': 'ignore',
  'not-closable': 'ignore',
  'bad-hashlock': 'reject',
  'unknown-hashlock': 'ignore',
  'bad-preimage': 'reject',
  'deadline-passed': 'ignore',
  'deadline-not-passed': 'ignore',
  'bad-split': 'reject',
  // headers
  'bad-height': 'reject',
  'bad-target': 'reject',
  'high-hash': 'reject',
  'time-too-old': 'reject',
  'time-too-new': 'hold',
  'unknown-parent': 'hold',
  'invalid-parent': 'reject',
  'below-final': 'ignore',
  // blocks
  'block-too-large': 'reject',
  'too-many-signatures': 'reject',
  'bad-content': 'reject',
  'bad-transactions-root': 'reject',
  'bad-coinbase': 'reject',
  'bad-tick': 'reject',
  'bad-anchors': 'reject',
  'bad-reward': 'reject',
  'bad-state-root': 'reject',
  'not-admitted': 'reject',
  // checkpoints
  'not-a-signer': 'reject',
  'bad-checkpoint': 'reject',
  // mempool and transport, local policy
  'wrong-publisher': 'reject',
  known: 'ignore',
  'fee-too-low-to-replace': 'ignore',
  replaced: 'ignore',
  'account-queue-full': 'ignore',
  'mempool-full': 'ignore',
} as const satisfies Record<string, Verdict>

export type FaultCode = keyof typeof VERDICTS

/** `message` names the field, what the rule asks and what came. */
export interface Fault {
  readonly code: FaultCode
  readonly message: string
}

export const verdictOf = (fault: Fault): Verdict => VERDICTS[fault.code]

export const faulty = (code: FaultCode, message: string) => refuse<Fault>({ code, message })

export const fromDecode = (fault: DecodeFault): Fault => ({
  code: fault.code,
  message: fault.field === '' ? fault.message : `${fault.field}: ${fault.message}`,
})
