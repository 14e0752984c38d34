/**
 * Rules broken on purpose: a text of the built program and what stands in its place. The simulator has to notice each.
 *
 * `invariant` is the one that must break. A text that no longer occurs exactly once fails the test: then the rule has moved, and
 * the mutation has to follow it.
 */
import type { Invariant } from '../../sim/invariants.ts'

export interface Mutation {
  readonly name: string
  readonly invariants: readonly Invariant[]
  /** In dist/. */
  readonly file: string
  readonly find: string
  readonly replace: string
}

/** Counted over all machines, so that it is one machine's copy; often enough, a reorganisation meets it. */
const spoilEvery = (blocks: number): string =>
  `bytes: (globalThis.stored = (globalThis.stored ?? 0) + 1) % ${blocks} === 0
    ? Uint8Array.from(added.bytes, (byte, at) => byte ^ Number(at === added.bytes.length - 1))
    : added.bytes,`

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'a reward above subsidy and fees is taken',
    invariants: ['supply'],
    file: 'ledger/block.js',
    find: 'if (paid > most)',
    replace: 'if (false)',
  },
  {
    name: 'a nonce may be used twice',
    invariants: ['double-spend'],
    file: 'ledger/apply.js',
    find: 'if (tx.nonce < sender.nonce)',
    replace: 'if (false)',
  },
  {
    name: 'any target is taken',
    invariants: ['rules', 'tick-rules'],
    file: 'ledger/header.js',
    find: 'if (value.target !== parent.childTarget) {',
    replace: 'if (false) {',
  },
  {
    name: 'a time before the parent is taken',
    invariants: ['rules'],
    file: 'ledger/header.js',
    find: 'if (value.time <= parent.time)',
    replace: 'if (false)',
  },
  {
    name: 'everybody mines on an enrolled network',
    invariants: ['rules'],
    file: 'ledger/membership.js',
    find: 'const mayMine = (network, state, account) =>',
    replace: 'const mayMine = (network, state, account) => true ||',
  },
  {
    name: "the coinbase's state root is not compared",
    invariants: ['state-root'],
    file: 'ledger/block.js',
    find: 'if (coinbase.stateRoot !== root) {',
    replace: 'if (false) {',
  },
  {
    name: 'one signer is enough for a checkpoint',
    invariants: ['final'],
    file: 'ledger/finality.js',
    find: 'this.#threshold = checkpointThreshold;',
    replace: 'this.#threshold = 1;',
  },
  {
    name: 'a tip is not stored',
    invariants: ['durable'],
    file: 'node/records.js',
    find: 'records.push({ kind: RECORD.tip,',
    replace: 'if (tip.height % 5 !== 0) records.push({ kind: RECORD.tip,',
  },
  {
    name: 'transactions that a reorganisation takes out are forgotten',
    invariants: ['lost'],
    file: 'ledger/mempool.js',
    find: 'for (const { transactions } of disconnected) {',
    replace: 'for (const { transactions } of []) {',
  },
  {
    name: 'nobody asks for what it missed',
    invariants: ['one-tip', 'progress'],
    file: 'node/sync.js',
    find: 'mayAsk(peer, cause) {',
    replace: 'mayAsk(peer, cause) { return false;',
  },
  {
    name: 'a body that does not fit makes its header invalid',
    invariants: ['one-tip'],
    file: 'ledger/chain.js',
    find: 'if (!parsed.ok)\n            return parsed;',
    replace: 'if (!parsed.ok)\n            return this.#refuse(hash, parsed.fault);',
  },
  {
    name: 'the first branch stays, whatever work another has',
    invariants: ['one-tip', 'anchors'],
    file: 'ledger/chain.js',
    find: 'if (entry.work <= this.#tip.work ||',
    replace: 'if (parent !== this.#tip ||',
  },
  {
    name: 'a channel pays more than was put in',
    invariants: ['double-spend'],
    file: 'ledger/channel.js',
    find: 'if (amount === undefined || amount > entry.amount)',
    replace: 'if (amount === undefined)',
  },
  {
    name: 'a claim is paid again',
    invariants: ['double-spend'],
    file: 'ledger/channel.js',
    find: 'if (amount <= entry.paid)',
    replace: 'if (false)',
  },
  {
    name: 'anybody signs for a payer',
    invariants: ['rules'],
    file: 'ledger/channel.js',
    find: 'return proof.payer === entry.from',
    replace: 'return true',
  },
  {
    name: 'any word claims on a channel',
    invariants: ['rules'],
    file: 'ledger/channel.js',
    find: 'if (wordBefore(hashing, word, steps - entry.steps) === entry.word)',
    replace: 'if (true)',
  },
  {
    name: 'a channel closes as soon as its payer wishes',
    invariants: ['double-spend'],
    file: 'ledger/channel.js',
    find: 'if (from !== entry.to && entry.closing > height) {',
    replace: 'if (false) {',
  },
  {
    name: 'anybody closes a channel at any time',
    invariants: ['rules'],
    file: 'ledger/channel.js',
    find: 'if (from === entry.to || entry.closing <= height)',
    replace: 'if (true)',
  },
  {
    name: 'a closed channel stays open',
    invariants: ['supply', 'double-spend'],
    file: 'ledger/channel.js',
    find: 'view.setChannel(channel, undefined);',
    replace: '',
  },
  {
    name: 'a hashlock is taken back before its deadline',
    invariants: ['rules'],
    file: 'ledger/hashlock.js',
    find: 'if (isPast(entry, at))\n        return undefined;',
    replace: 'return undefined;',
  },
  {
    name: 'a hashlock is settled twice',
    invariants: ['supply'],
    file: 'ledger/hashlock.js',
    find: 'view.setHashlock(hashlock, undefined);',
    replace: '',
  },
  {
    name: 'any secret opens a hashlock',
    invariants: ['rules'],
    file: 'ledger/hashlock.js',
    find: 'if (hashFromBytes(hashing.plain(fromHex(tx.preimage))) === entry.lock)',
    replace: 'if (true)',
  },
  {
    name: 'shares are given and kept',
    invariants: ['supply'],
    file: 'ledger/split.js',
    find: 'add(view, account, keptOf(amount, shares));',
    replace: 'add(view, account, amount);',
  },
  {
    name: 'what a channel gives back is shared',
    invariants: ['double-spend'],
    file: 'ledger/apply.js',
    find: 'add(view, closed.to, closed.returns);',
    replace: 'earn(view, closed.to, closed.returns);',
  },
  {
    name: 'a tick with other anchors than its header names is taken',
    invariants: ['tick-rules'],
    file: 'ledger/hand.js',
    find: 'if (header.content !== root)',
    replace: 'if (false)',
  },
  {
    name: 'a tick may be far ahead of the clock',
    invariants: ['tick-rules'],
    file: 'ledger/hand.js',
    find: 'export const TICK_FUTURE_INTERVALS_MAX = 1;',
    replace: 'export const TICK_FUTURE_INTERVALS_MAX = 1000;',
  },
  {
    name: 'a tick is told of before it is stored',
    invariants: ['durable'],
    file: 'node/hand-node.js',
    find: 'store.save([outcome.value]);\n            const { left } = outcome.value;\n            if (left !== undefined)\n                this.#tell(left.length);',
    replace:
      'const { left } = outcome.value;\n            if (left !== undefined)\n                this.#tell(left.length);\n            store.save([outcome.value]);',
  },
  {
    name: 'the first tick stays, whatever work another branch has',
    invariants: ['one-hand'],
    file: 'ledger/slow-hand.js',
    find: 'if (entry.work <= this.tip.work)',
    replace: 'if (parent !== this.tip)',
  },
  {
    name: 'nobody asks for ticks before the one that came',
    invariants: ['one-hand'],
    file: 'node/hand-sync.js',
    find: 'lead(publisher, parent) {',
    replace: 'lead(publisher, parent) { return;',
  },
  {
    name: 'a tick names what a validator claims, not what its miner has',
    invariants: ['anchors'],
    file: 'node/hand-node.js',
    find: 'return [...this.#newest.others(own), { ledger: own, height: tip.height, block: tip.hash }];',
    replace: 'return [this.#newest.of(own) ?? { ledger: own, height: tip.height, block: tip.hash }];',
  },
  {
    name: 'the books of channels are not written',
    invariants: ['loss'],
    file: 'node/channel/channel-log.js',
    find: 'this.#log.append(this.#waiting);',
    replace: '',
  },
  {
    name: 'a reading that is delivered is not written down',
    invariants: ['loss'],
    file: 'node/channel/channel-log.js',
    find: 'this.#log.append(this.#waiting);',
    replace:
      'const kept = this.#waiting.filter(({ kind }) => kind !== 2);\n        if (kept.length > 0)\n            this.#log.append(kept);',
  },
  {
    name: 'a key is given before its payment is deep',
    invariants: ['file'],
    file: 'edge-agent/files/lock-decision.js',
    find: 'if (depth < terms.confirmations)',
    replace: 'if (false)',
  },
  {
    name: 'a payment for a file is given up before it expires',
    invariants: ['file'],
    file: 'ledger/file-payment.js',
    find: 'next.height > expiry + SURE_BLOCKS',
    replace: 'next.height > expiry - 14',
  },
  {
    name: 'nobody takes back what a file did not cost',
    invariants: ['file'],
    file: 'ledger/file-payment.js',
    find: 'if (next.height >= height && next.medianTime >= time)',
    replace: 'if (false)',
  },
  {
    name: 'what is paid too much for a lamp is kept',
    invariants: ['lamp'],
    file: 'edge-agent/sale/settlement.js',
    find: 'const rest = seconds > room ?',
    replace: 'const rest = false ?',
  },
  {
    name: 'what is paid too little for a lamp is kept',
    invariants: ['lamp'],
    file: 'edge-agent/sale/settlement.js',
    find: "return allBack('underpaid');",
    replace: 'return { until: undefined, refund: undefined };',
  },
  {
    name: 'every 40th block is stored with a bit changed',
    invariants: ['bug'],
    file: 'node/records.js',
    find: 'bytes: added.bytes,',
    replace: spoilEvery(40),
  },
  {
    name: 'every 1,500th block is stored with a bit changed',
    invariants: ['same-store'],
    file: 'node/records.js',
    find: 'bytes: added.bytes,',
    replace: spoilEvery(1_500),
  },
  {
    name: 'each target is the hardest',
    invariants: ['progress'],
    file: 'ledger/difficulty.js',
    find: 'return next > targetMax ? targetMax : next;',
    replace: 'return 1n;',
  },
]
