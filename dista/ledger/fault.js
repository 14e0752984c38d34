import { refuse } from '../schemas/result.js';
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
};
export const verdictOf = (fault) => VERDICTS[fault.code];
export const faulty = (code, message) => refuse({ code, message });
export const fromDecode = (fault) => ({
    code: fault.code,
    message: fault.field === '' ? fault.message : `${fault.field}: ${fault.message}`,
});
//# sourceMappingURL=fault.js.map