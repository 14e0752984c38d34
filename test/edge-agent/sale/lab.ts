/** A seller on a chain in memory, with a real outbox on a disk whose power can fail: carol sells, alice and bob buy, bob mines. */
import { blocksAbove } from '../../../edge-agent/block-walk.ts'
import { Outbox, type OutboxFiles } from '../../../edge-agent/outbox.ts'
import { Running } from '../../../edge-agent/sale/running.ts'
import { Sale } from '../../../edge-agent/sale/sale.ts'
import type { Terms } from '../../../edge-agent/sale/settlement.ts'
import { type Goods, Shop } from '../../../edge-agent/sale/shop.ts'
import type { Desk } from '../../../edge-agent/trade.ts'
import type { Update } from '../../../ledger/chain.ts'
import type { Sealed } from '../../../ledger/transaction.ts'
import type { Signer } from '../../../node/signing.ts'
import { parseSellerMemo, type SellerMemo } from '../../../schemas/receipt-memo.ts'
import { invariant } from '../../../schemas/result.ts'
import { alice, carol, TestChain } from '../../helpers/ledger.ts'
import { MemoryDisk, PowerCut } from '../../helpers/memory-disk.ts'
import { recordingLog } from '../../helpers/rig.ts'

/** One unit is a second. */
export const TERMS: Terms = {
  perMinute: 60,
  secondsMin: 10,
  secondsMax: 300,
  confirmations: 2,
  lateSeconds: 120,
}
export const GOODS: Goods = {
  outputs: [{ name: 'lamp', sell: TERMS }, { name: 'fan' }],
  sensors: [{ name: 'soil', sell: { ...TERMS, confirmations: 1 } }, { name: 'air' }],
}

export interface Answered {
  readonly memo: SellerMemo
  readonly to: string
  readonly amount: number
}

const filesOn = (disk: MemoryDisk): OutboxFiles => ({
  open: () => disk.open('outbox.log'),
  fresh: () => ({
    file: disk.open('outbox.log.new'),
    commit: () => disk.rename('outbox.log.new', 'outbox.log'),
  }),
})

export function lab({ goods = GOODS, test = new TestChain() } = {}) {
  const { log, lines } = recordingLog()
  const time = { aheadMs: 0, monotonic: 1_000, synchronised: true }
  const state = { inSync: true, disk: new MemoryDisk(), sends: true, sold: 0, room: Number.POSITIVE_INFINITY }
  const clock = {
    now: () => test.chain.tip.time + time.aheadMs,
    monotonic: () => time.monotonic,
    synchronised: () => time.synchronised,
  }
  const open = () => {
    class SmallOutbox extends Outbox {
      override get room(): number {
        return Math.min(super.room, state.room)
      }
    }
    const outbox = new SmallOutbox(filesOn(state.disk), test.chain, carol)
    const running = new Running(clock)
    const desk: Desk = {
      chain: test.chain,
      signer: carol,
      outbox,
      clock,
      log,
      random: () => 0,
      get inSync() {
        return state.inSync
      },
      connected: true,
      isGuarded: true,
      listen: () => {},
      act(drafts) {
        const sealed = outbox.add(drafts)
        if (!state.sends) throw new PowerCut('before anything is sent')
        return sealed
      },
      tell: async () => true,
      tellPeople: async () => true,
    }
    const onSold = () => void state.sold++
    return { outbox, running, sale: new Sale({ desk, shop: new Shop(goods), running, onSold }) }
  }
  let parts = open()

  const follow = (update: Update): void => {
    parts.outbox.update(update)
    parts.sale.onUpdate(update)
  }
  return {
    test,
    time,
    state,
    lines,
    get outbox() {
      return parts.outbox
    },
    get sale() {
      return parts.sale
    },
    get running() {
      return parts.running
    },
    /** Seconds that are sold of the lamp. */
    lamp: (): number => parts.running.output('lamp').remainingMs / 1000,
    pay: (memo: string, amount: number, from: Signer = alice, ahead = 0): Sealed =>
      test.transfer(from, carol.account, amount, { memo, nonce: test.nonceOf(from.account) + ahead }),
    /** Mines blocks: these transactions and what the seller's outbox sends in the first one, then empty ones. */
    mine(transactions: readonly Sealed[] = [], count = 1, isFollowed = true): void {
      for (let done = 0; done < count; done++) {
        const own = done === 0 ? parts.outbox.pending(64) : []
        const outcome = test.accept(test.block(done === 0 ? [...transactions, ...own] : []))
        invariant(outcome.ok, outcome.ok ? '' : outcome.fault.message)
        if (isFollowed) follow(outcome.value)
      }
    },
    /** Follows another chain's blocks, one by one, as from a peer. */
    reorganise(other: TestChain): void {
      for (let height = 1; height <= other.chain.tip.height; height++) {
        const { hash } = other.chain.at(height) ?? other.chain.tip
        if (test.chain.entry(hash) !== undefined) continue
        const outcome = test.acceptBytes(other.archive.block(hash))
        invariant(outcome.ok, outcome.ok ? '' : outcome.fault.message)
        follow(outcome.value)
      }
      invariant(test.chain.tip.hash === other.chain.tip.hash, 'the other branch has won')
    },
    /** A new start: after a power cut with what the disk has, or without the outbox. */
    restart({ keepsOutbox = true } = {}): void {
      state.disk = keepsOutbox ? state.disk.after() : new MemoryDisk()
      parts = open()
    },
    /** What the seller has answered, in the outbox and on the chain. */
    answers(): Answered[] {
      const all = new Map<string, Answered>()
      const take = (list: readonly Sealed[]): void => {
        for (const { id, transaction: tx } of list) {
          if (tx.type !== 'transfer' || tx.from !== carol.account) continue
          const memo = parseSellerMemo(tx.memo)
          if (memo !== undefined) all.set(id, { memo, to: tx.to, amount: tx.amount })
        }
      }
      for (const block of blocksOf(test)) take(block)
      take(parts.outbox.transactions)
      return [...all.values()]
    },
  }
}

const blocksOf = (test: TestChain): readonly (readonly Sealed[])[] =>
  [...blocksAbove(test.chain, 0)].map(({ block }) => block.transactions)
