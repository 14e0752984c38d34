/**
 * Codec, hashing, signatures and block validation, beside peers in the same run; `--json` for machines.
 *
 * Run after `npm run build`: `node dist/bench/ledger.js`.
 */
import { sign as nobleSign } from '@noble/ed25519';
import { Chain, NOTHING_SETTLED } from '../ledger/chain.js';
import { createNetwork } from '../ledger/network.js';
import { genesisFrom, PRESETS } from '../ledger/preset.js';
import { createSignatures } from '../ledger/signature.js';
import { buildTemplate } from '../ledger/template.js';
import { signTransaction } from '../ledger/transaction.js';
import { createSigner, hashing, opensslAccept, signatures } from '../node/signing.js';
import { block as blockCodec, HEADER_NONCE_OFFSET, header as headerCodec, } from '../schemas/block.js';
import { decode, encode } from '../schemas/codec.js';
import { toHex } from '../schemas/hex.js';
import { invariant } from '../schemas/result.js';
import { TRANSACTION_BYTES_MAX, transaction } from '../schemas/transaction.js';
const SECONDS = 0.7;
const secret = new Uint8Array(32).fill(7);
const alice = createSigner(secret);
const bob = createSigner(new Uint8Array(32).fill(8));
/** Calls a second, after a warm-up. */
function rate(run) {
    for (const endMs = performance.now() + SECONDS * 300; performance.now() < endMs;)
        run();
    const startMs = performance.now();
    let calls = 0;
    do {
        for (let count = 0; count < 10; count++)
            run();
        calls += 10;
    } while (performance.now() - startMs < SECONDS * 1000);
    return (calls / (performance.now() - startMs)) * 1000;
}
/** A genesis with an easy target, so that a block is found at once and only its validation is timed. */
function openNetwork(modules = { hashing, signatures }) {
    const allocations = [{ account: alice.account, amount: 1_000_000_000 }];
    const opened = createNetwork(genesisFrom('bench', { name: 'bench', time: 1_767_225_600_000, firstWork: 256, allocations }), modules);
    invariant(opened.ok, 'the genesis is valid');
    return opened.value;
}
function transfers(network, count) {
    return Array.from({ length: count }, (_, nonce) => signTransaction(network, {
        type: 'transfer',
        network: network.id,
        from: alice.account,
        nonce,
        fee: 0,
        expiry: 1000,
        to: bob.account,
        amount: 1,
        memo: '',
    }, alice.sign));
}
function mine(network, block) {
    const bytes = encode(blockCodec, block);
    const header = encode(headerCodec, block.header);
    const view = new DataView(header.buffer);
    for (let nonce = 0; BigInt(`0x${toHex(network.hashing.double(header))}`) > block.header.target; nonce++)
        view.setUint32(HEADER_NONCE_OFFSET + 4, nonce);
    bytes.set(header);
    return bytes;
}
/** Milliseconds to accept one full block on a fresh chain with nothing verified before. */
function blockMs(network, bytes) {
    const chain = new Chain(network, { ...NOTHING_SETTLED, block: () => bytes, changes: () => [] });
    const startMs = performance.now();
    const outcome = chain.accept(bytes, network.genesis.time + 60_000);
    const elapsedMs = performance.now() - startMs;
    invariant(outcome.ok, 'the block is valid');
    return elapsedMs;
}
const network = openNetwork();
const [transfer] = transfers(network, 1);
const json = JSON.stringify(transaction.toJson(transfer.transaction));
const openssl = opensslAccept();
const { signature } = transfer.transaction;
const verify = (judge) => rate(() => invariant(judge.verify(signature, transfer.message, alice.account), 'the signature is valid'));
const decodes = rate(() => invariant(decode(transaction, transfer.bytes, TRANSACTION_BYTES_MAX).ok, 'it decodes'));
const encodes = rate(() => void encode(transaction, transfer.transaction));
const jsonParses = rate(() => void JSON.parse(json));
const ids = rate(() => void hashing.tagged('transaction', transfer.bytes));
const fast = verify(createSignatures(openssl));
const slow = verify(createSignatures());
const signs = rate(() => void alice.sign(transfer.message));
const nobleSigns = rate(() => void nobleSign(transfer.message, secret));
const { blockSignaturesMax, interval } = PRESETS.bench;
const full = transfers(network, blockSignaturesMax - 1);
const template = buildTemplate(network, new Chain(network, { ...NOTHING_SETTLED, block: () => full[0]?.bytes, changes: () => [] }), full, alice, network.genesis.time + 1);
const bytes = mine(network, template);
const blocks = Array.from({ length: 5 }, () => blockMs(network, bytes)).sort((a, b) => a - b);
// Only noble: what a block costs whose signatures OpenSSL refuses and ZIP-215 accepts.
const slowNetwork = openNetwork({ hashing, signatures: createSignatures() });
const adversarialMs = blockMs(slowNetwork, bytes);
const results = {
    'decode a transfer, per second': decodes,
    'encode a transfer, per second': encodes,
    'ratio of decode to JSON.parse of its mirror': decodes / jsonParses,
    'tagged hash of a transfer, per second': ids,
    'verify by OpenSSL then noble, per second': fast,
    'verify by noble alone, per second': slow,
    'ratio of the two': fast / slow,
    'sign by OpenSSL, per second': signs,
    'ratio of signing to noble': signs / nobleSigns,
    'transactions in a full bench block': full.length,
    'full block, median ms': blocks[2] ?? 0,
    'full block of signatures that only noble judges, ms': adversarialMs,
    'that as a share of the block interval': adversarialMs / interval,
};
if (process.argv.includes('--json'))
    process.stdout.write(`${JSON.stringify(results)}\n`);
else
    for (const [what, value] of Object.entries(results))
        process.stdout.write(`${what.padEnd(54)} ${value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(3)}\n`);
//# sourceMappingURL=ledger.js.map