/**
 * An experiment on disk: a folder for each hand, with its ticks as a slow hand's log. Ticks of a fast hand come by the
 * hundred a second, so they are written in batches.
 */
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { ExperimentHand, Made } from '../edge-agent/experiment/hand.ts'
import type { TickAdded } from '../ledger/slow-hand.ts'
import { openLogFile } from '../node/disk.ts'
import { WorldError } from '../node/error.ts'
import { HAND_FILE, HandStore } from '../node/hand-store.ts'

const WRITE_EVERY_MS = 250

export interface HandLogs {
  /** Throws WorldError `store-write` when the disk does not take what came before. */
  add(made: Made): void
  /** Writes the rest. */
  close(): void
}

/** Throws WorldError `usage` when there is an experiment already. */
export function openHandLogs(directory: string, hands: readonly ExperimentHand[]): HandLogs {
  for (const { slow } of hands) {
    const file = join(directory, slow.hand.genesis.name, HAND_FILE)
    if (statSync(file, { throwIfNoEntry: false }) !== undefined)
      throw new WorldError('usage', `${file} is there already: give --out another folder`)
  }
  const waiting = new Map<ExperimentHand, { store: HandStore; ticks: TickAdded[] }>()
  for (const hand of hands) {
    const folder = join(directory, hand.slow.hand.genesis.name)
    try {
      mkdirSync(folder, { recursive: true })
    } catch (error) {
      throw new WorldError('store-write', `cannot make ${folder} (${String(error)})`, error)
    }
    waiting.set(hand, {
      store: new HandStore(openLogFile(join(folder, HAND_FILE)), hand.slow.hand),
      ticks: [],
    })
  }
  let writtenMs = performance.now()
  const write = (): void => {
    for (const each of waiting.values()) each.store.save(each.ticks.splice(0))
    writtenMs = performance.now()
  }
  return {
    add({ hand, added }) {
      waiting.get(hand)?.ticks.push(added)
      if (performance.now() - writtenMs >= WRITE_EVERY_MS) write()
    },
    close() {
      write()
      for (const { store } of waiting.values()) store.close()
    },
  }
}
