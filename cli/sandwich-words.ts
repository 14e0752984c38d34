/** What a checked proof of when something happened says, for people and for machines. */
import type { Network } from '../ledger/network.ts'
import type { Sandwich, TickFact } from '../ledger/sandwich.ts'
import { sample as sampleCodec, transaction as transactionCodec } from '../schemas/transaction.ts'
import { formatDecimal } from '../schemas/units.ts'
import { eventWords } from './event-words.ts'
import type { Compared } from './moment-file.ts'

/**
 * What follows for the wall clock, for the block: what is in it may have been signed earlier, its own time says when. A tick is taken when its time is at most one interval ahead of the clock of whoever takes it,
 * so nobody but its miner knew the earlier tick sooner than that before its time; when the later one was made, its miner says.
 */
const boundsOf = ({ hand }: Network, { after, before }: Sandwich) => ({
  earliestMs: after.time - (hand?.genesis.interval ?? 0),
  latestMs: before.time,
})

export function sandwichJson(network: Network, sandwich: Sandwich): object {
  const { id, transaction, sample, block, blockTime, after, before, last, work, workAbove, handWork } =
    sandwich
  return {
    network: network.id,
    hand: network.hand?.genesisHash,
    id,
    transaction: transactionCodec.toJson(transaction),
    sample: sample === undefined ? null : sampleCodec.toJson(sample.sample),
    block,
    blockHash: sandwich.blockHash,
    blockTime,
    after,
    before,
    last,
    ticks: before.height - after.height,
    work: String(work),
    workAbove: String(workAbove),
    handWork: String(handWork),
    ...boundsOf(network, sandwich),
  }
}

export function sandwichWords(network: Network, sandwich: Sandwich): string {
  const { id, transaction, sample, block, blockTime, after, before, last, work, workAbove, handWork } =
    sandwich
  const { earliestMs, latestMs } = boundsOf(network, sandwich)
  const ticks = before.height - after.height
  const interval = network.hand?.genesis.interval ?? 0
  const value = sample?.sample
  const what =
    value === undefined
      ? eventWords(transaction)
      : `${value.sensor} ${formatDecimal(value.value)} ${value.unit}, number ${value.sequence} of the sensor, one of ${sample?.count} readings in a batch`
  return `${[
    ['what', what],
    ['by', transaction.from],
    ['transaction', id],
    ['block after', tickWords(after)],
    ['in block', `${block}, ${at(blockTime)} by its miner's clock`],
    ['all before', tickWords(before)],
    [
      'between',
      `${ticksOf(ticks)} of the slow hand, ${work} hashes; ${(ticks * interval) / 1000} s in the mean`,
    ],
    ['on top', `${ticksOf(last.height - before.height)}, ${workAbove} hashes`],
    ['hand', `${ticksOf(last.height)}, ${handWork} hashes in all`],
    [
      'wall clock',
      `the block not before ${at(earliestMs)} unless the earlier tick's miner made it, all of it not after ${at(latestMs)} if the later tick's miner has a right clock`,
    ],
  ]
    .map(lineOf)
    .join('\n')}\n`
}

const lineOf = ([name = '', text = '']: readonly string[]): string => `${name.padEnd(13)} ${text}`

export function comparedJson({ tick, hand, onLedger }: Compared): object {
  return {
    known: { tick: tick ?? null, ticksAbove: hand?.ticksAbove ?? null, onLedger: onLedger ?? null },
  }
}

/** What the proof was held against besides the genesis, and what it does not show. */
export function comparedWords(
  { block, handWork }: Pick<Sandwich, 'block' | 'handWork'>,
  { tick, hand, onLedger }: Compared,
): string {
  const lines: string[][] = []
  if (tick !== undefined) lines.push(['known', `tick ${tick} is one of them`])
  if (hand !== undefined)
    lines.push([
      'known',
      `the slow hand in ${hand.data} goes on from there, ${ticksOf(hand.ticksAbove)} so far`,
    ])
  if (onLedger) lines.push(['known', `block ${block} is on the ledger there`])
  if (lines.length === 0)
    lines.push([
      'not shown',
      `that this is the slow hand which you mean: with ${handWork} hashes anybody can make one (--tick, --data)`,
    ])
  if (!onLedger) lines.push(['not shown', `that block ${block} is on its ledger (--data)`])
  return `${lines.map(lineOf).join('\n')}\n`
}

/** A tick for people. */
const ticksOf = (count: number): string => `${count} ${count === 1 ? 'tick' : 'ticks'}`

export const tickWords = ({ height, hash, time }: TickFact): string =>
  `tick ${height} (${hash.slice(0, 16)}), ${at(time)} by its miner's clock`

const at = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`
