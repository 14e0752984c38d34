/**
 * Payments a second of one core: through a channel, by words (PayWord) and by signatures, and as transactions on the ledger, beside
 * what they rest on in the same run: SHA-256 by OpenSSL and noble, Ed25519 by OpenSSL.
 *
 * Seconds are of processor time, because that says the same on a machine that does other things, too. All take turns in short
 * rounds; a ratio is the median over the rounds of what was measured in the same round.
 * Run after `npm run build`: `node dist/bench/channel.js [rounds]`; `--json` for machines.
 */
import { createPublicKey, hash, verify } from 'node:crypto';
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import { applyTransaction } from '../ledger/apply.js';
import { checkAuthorisation, claimMessage } from '../ledger/channel.js';
import { createNetwork } from '../ledger/network.js';
import { genesisFrom } from '../ledger/preset.js';
import { StateView } from '../ledger/state.js';
import { parseTransaction, SignatureCache, signTransaction } from '../ledger/transaction.js';
import { BuyerEnd, SellerEnd } from '../node/channel/conversation.js';
import { onPayment, onSample } from '../node/channel/payee.js';
import { onDelivery } from '../node/channel/payer.js';
import { checkPayment, signedProof, wordProof } from '../node/channel/proof.js';
import { Books, channelRecord } from '../node/channel/records.js';
import { wordChain } from '../node/channel/words.js';
import { createSigner, hashing, opensslAccept, signatures } from '../node/signing.js';
import { CHANNEL_MESSAGE_BYTES_MAX, channelMessage, } from '../schemas/channel-message.js';
import { decode, encode } from '../schemas/codec.js';
import { fromHex, ZERO_HASH } from '../schemas/hex.js';
import { invariant } from '../schemas/result.js';
const ROUND_MS = 150;
const STEPS = 1 << 18;
const PRICE = 100;
const DEPOSIT = STEPS * PRICE;
/** Payments that are made before they are timed, where only their taking is. */
const MADE = 512;
const CHANNEL = 'c1'.repeat(32);
const NUMBER = 1;
const SPKI = Buffer.from('302a300506032b6570032100', 'hex'); // RFC 8410: an Ed25519 public key in DER
const accepts = opensslAccept();
const [buyer, seller] = [
    createSigner(new Uint8Array(32).fill(7)),
    createSigner(new Uint8Array(32).fill(8)),
];
const opened = createNetwork(genesisFrom('bench', {
    ...{ name: 'bench', time: 1_767_225_600_000, firstWork: 256 },
    allocations: [{ account: buyer.account, amount: 1_000_000_000 }],
}), { hashing, signatures });
invariant(opened.ok, 'the genesis is valid');
const network = opened.value;
const chain = wordChain(new Uint8Array(32).fill(9), STEPS);
const prove = {
    word: (index) => wordProof(chain, index),
    signed: (index) => signedProof(network, buyer, CHANNEL, index * PRICE),
};
const entryOf = (mode) => ({
    ...{ from: buyer.account, to: seller.account, amount: DEPOSIT, paid: 0, delay: 10, closing: 0xffffffff },
    ...{ word: mode === 'word' ? chain.anchor : ZERO_HASH, steps: 0, step: mode === 'word' ? PRICE : 0 },
});
/** Calls with 1 to `last`, and from 1 again. */
function counted(last, run) {
    let index = 0;
    return () => {
        index = (index % last) + 1;
        run(index);
    };
}
/** The payer makes payment after payment. */
const making = (mode) => counted(STEPS, (index) => void prove[mode](index));
/** The payee checks payment after payment. */
function checking(mode) {
    const proofs = Array.from({ length: MADE }, (_, index) => prove[mode](index + 1));
    const entry = entryOf(mode);
    return counted(MADE, (index) => {
        const claimed = { channel: CHANNEL, entry, price: PRICE, best: proofs[index - 2] };
        const fault = checkPayment(network, accepts, claimed, index, proofs[index - 1]);
        invariant(fault === undefined, 'the payment is good');
    });
}
function received(message) {
    const decoded = decode(channelMessage, message, CHANNEL_MESSAGE_BYTES_MAX);
    invariant(decoded.ok, 'the message decodes');
    return decoded.value;
}
/** Two ends that have agreed on keys. */
function conversation() {
    const shared = { network, accepts };
    const buying = new BuyerEnd({ ...shared, signer: buyer }, CHANNEL, seller.account);
    const selling = new SellerEnd({ ...shared, signer: seller }, CHANNEL, buyer.account);
    const hello = received(buying.hello());
    invariant(hello.type === 'hello', 'the buyer says hello');
    const welcome = received(selling.hello(hello) ?? new Uint8Array(0));
    invariant(welcome.type === 'welcome' && buying.welcome(welcome), 'both have keys');
    return { buying, selling };
}
/** Everything but disk and broker for one reading: it is delivered, checked and paid by the one, and taken by the other. */
function trading(mode) {
    const { buying, selling } = conversation();
    const books = { buyer: new Books(), seller: new Books() };
    const keep = (side, records) => {
        for (const record of records) {
            books[side].take(record);
            encode(channelRecord, record);
        }
    };
    const plan = { seller: seller.account, sensor: 'soil', price: PRICE, deposit: DEPOSIT, delay: 10 };
    const steps = mode === 'word' ? STEPS : 0;
    keep('buyer', [
        { type: 'planned', number: NUMBER, ...plan, until: 0xffffffff, steps, height: 1 },
        { type: 'opened', number: NUMBER, channel: CHANNEL },
    ]);
    keep('seller', [{ type: 'agreed', channel: CHANNEL, buyer: buyer.account, sensor: 'soil', price: PRICE }]);
    const place = { entry: entryOf(mode), confirmations: 3, height: 100, isCurrent: true };
    const terms = { perReading: PRICE, confirmations: 1, delayMin: 5 };
    const payee = { network, accepts, signer: seller, place, terms };
    const payer = { network, accepts, prove: prove[mode], last: 0xffffffff, every: 0 };
    const sale = () => {
        const found = books.seller.sales.get(CHANNEL);
        invariant(found !== undefined, 'there is a sale');
        return found;
    };
    /** Sealed by one end, opened by the other. */
    const over = (talk, to) => {
        const [from, end] = to === 'buyer' ? [selling, buying] : [buying, selling];
        const bytes = talk === undefined ? undefined : from.active?.seal(talk);
        const message = received(bytes ?? new Uint8Array(0));
        const opened = message.type === 'sealed' ? end.open(message) : undefined;
        invariant(opened !== undefined, 'it opens');
        return opened;
    };
    // The first message of the conversation is the buyer's.
    over({ type: 'stop', code: 'done', message: '' }, 'seller');
    let sequence = 0;
    return () => {
        const value = { mantissa: 215, exponent: -1 };
        const sample = { sensor: 'soil', sequence: sequence++, unit: '%', value, time: 1, synchronised: true };
        const delivered = onSample(payee, sale(), sample);
        keep('seller', delivered.records);
        const delivery = over(delivered.talk[0], 'buyer');
        invariant(delivery.type === 'delivery', 'it is delivered');
        const bought = onDelivery(payer, books.buyer.purchases.get(NUMBER), delivery);
        keep('buyer', bought.records);
        const payment = over(bought.talk[0], 'seller');
        invariant(payment.type === 'payment', 'it is paid');
        const taken = onPayment(payee, sale(), payment);
        invariant(taken.records.length === 1, 'the payment is taken');
        keep('seller', taken.records);
    };
}
/** What the ledger does about a transaction that it has not seen: decode, check, apply. */
function settling(make, entry) {
    const head = { network: network.id, from: buyer.account, fee: 0, expiry: 1000 };
    const made = Array.from({ length: MADE }, (_, nonce) => {
        const unsigned = { ...head, nonce, ...make(nonce) };
        return signTransaction(network, unsigned, buyer.sign).bytes;
    });
    const context = { height: 1, medianTime: 0, miner: seller.account };
    const nothing = new SignatureCache(1);
    let view = new StateView(network.state0);
    return counted(MADE, (index) => {
        if (index === 1) {
            view = new StateView(network.state0);
            if (entry !== undefined)
                view.setChannel(CHANNEL, entry);
        }
        const parsed = parseTransaction(network, made[index - 1], nothing);
        invariant(parsed.ok && applyTransaction(network, view, parsed.value, context).ok, 'it is applied');
    });
}
const claim = (mode) => settling((nonce) => ({ type: 'channelClaim', channel: CHANNEL, proof: prove[mode](nonce + 1) }), entryOf(mode));
/** OpenSSL alone, with nothing of ours around it. */
function verifying() {
    const key = createPublicKey({
        ...{ key: Buffer.concat([SPKI, fromHex(buyer.account)]), format: 'der', type: 'spki' },
    });
    const message = claimMessage(network, CHANNEL, PRICE);
    const signature = buyer.sign(message);
    return () => invariant(verify(null, message, key, signature), 'the signature is valid');
}
function authorising() {
    const { type: _, ...proof } = prove.signed(1);
    const tx = { channel: CHANNEL, proof: { type: 'signed', ...proof } };
    return () => invariant(checkAuthorisation(network, tx) === undefined, 'the claim is authorised');
}
const NODE_SHA = 'SHA-256 of 96 bytes, OpenSSL by node:crypto';
const VERIFY = 'Ed25519 verification, OpenSSL by node:crypto';
const SIGN = 'Ed25519 signature, OpenSSL by node:crypto';
const TRANSFER = 'ledger: a transfer';
const block = new Uint8Array(96).fill(1);
const toSign = claimMessage(network, CHANNEL, PRICE);
const CASES = [
    { name: NODE_SHA, run: () => void hash('sha256', block, 'buffer') },
    { name: 'SHA-256 of 96 bytes, noble', run: () => void nobleSha256(block), peer: NODE_SHA },
    { name: 'words: the buyer pays', run: making('word'), peer: NODE_SHA },
    { name: 'words: the seller checks', run: checking('word'), peer: NODE_SHA },
    { name: VERIFY, run: verifying() },
    { name: SIGN, run: () => void buyer.sign(toSign) },
    { name: 'signatures: the buyer pays', run: making('signed'), peer: SIGN },
    { name: 'signatures: the seller checks', run: checking('signed'), peer: VERIFY },
    { name: "signatures: the ledger checks a claim's", run: authorising(), peer: VERIFY },
    { name: 'words: a whole reading, both sides', run: trading('word'), peer: TRANSFER },
    { name: 'signatures: a whole reading, both sides', run: trading('signed'), peer: TRANSFER },
    {
        name: TRANSFER,
        run: settling(() => ({ type: 'transfer', to: seller.account, amount: 1, memo: '' })),
        peer: VERIFY,
    },
    { name: 'ledger: a claim by a word', run: claim('word'), peer: TRANSFER },
    { name: 'ledger: a claim by a signature', run: claim('signed'), peer: TRANSFER },
];
/** Calls in a second of processor time. */
function rate(run) {
    const start = process.cpuUsage();
    const startMs = performance.now();
    let calls = 0;
    do {
        for (let count = 0; count < 20; count++)
            run();
        calls += 20;
    } while (performance.now() - startMs < ROUND_MS);
    const { user, system } = process.cpuUsage(start);
    return (calls / (user + system)) * 1e6;
}
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const rounds = Number(process.argv.find((argument) => /^\d+$/.test(argument)) ?? 9);
const rates = new Map(CASES.map(({ name }) => [name, []]));
for (let round = 0; round <= rounds; round++)
    for (const { name, run } of CASES) {
        const measured = rate(run);
        if (round > 0)
            rates.get(name)?.push(measured); // the first warms up
    }
const results = CASES.map(({ name, peer }) => {
    const own = rates.get(name) ?? [];
    const others = rates.get(peer ?? '');
    return {
        name,
        perSecond: Math.round(median(own)),
        ...(others === undefined
            ? {}
            : { peer, ratio: median(own.map((value, index) => value / (others[index] ?? Number.NaN))) }),
    };
});
if (process.argv.includes('--json'))
    process.stdout.write(`${JSON.stringify({ rounds, results })}\n`);
else
    for (const { name, perSecond, peer, ratio } of results)
        process.stdout.write(`${name.padEnd(46)} ${perSecond.toLocaleString('en').padStart(10)}${ratio === undefined ? '' : `  ${ratio.toFixed(2)} of ${peer}`}\n`);
//# sourceMappingURL=channel.js.map