/**
 * The guest of `pinledger up`: buys light and readings now and then, as a person would with `pinledger buy`.
 *
 * Each purchase is that very command, so what it does can be done by hand. It is a demonstration: what goes wrong is written
 * to its log and tried again the next time.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import type { BenchNetwork } from './bench-network.ts'

/** Milliseconds after the start, or after the end of a purchase, until the next one: who has just come sees each of them soon. */
const SOON_MS = 3_000
/** Once each was seen. */
const PAUSE_MS = 30_000

export class Guest {
  readonly #purchases: readonly (readonly string[])[]
  readonly #program: string
  readonly #logFile: string
  #turn = 0
  #isOver = false
  #timer: NodeJS.Timeout | undefined
  #buying: ChildProcess | undefined

  constructor({ agents, guestFile }: BenchNetwork, url: string, program: string, logFile: string) {
    const buy = (what: string, name: string, of: string | undefined, coins: string): readonly string[] => [
      ...['buy', what, name, '--of', of ?? '', '--coins', coins],
      ...['--key', guestFile, '--broker', url],
    ]
    this.#purchases = [buy('output', 'lamp', agents[0], '0.5'), buy('topic', 'soil', agents[1], '0.15')]
    this.#program = program
    this.#logFile = logFile
  }

  start(): void {
    this.#next()
  }

  stop(): void {
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#buying?.kill()
  }

  /** One after the other: two purchases of one key at once would use the same nonce. */
  #next(): void {
    if (this.#isOver) return
    this.#timer = setTimeout(() => this.#buy(), this.#turn < this.#purchases.length ? SOON_MS : PAUSE_MS)
  }

  #buy(): void {
    const purchase = this.#purchases[this.#turn++ % this.#purchases.length] ?? []
    const log = openSync(this.#logFile, 'a', 0o600)
    this.#buying = spawn(process.execPath, [this.#program, ...purchase], {
      // By the channel it learns when this program has ended.
      stdio: ['ignore', log, log, 'ipc'],
    })
    closeSync(log)
    let hasEnded = false
    const ended = (): void => {
      if (hasEnded) return
      hasEnded = true
      this.#buying = undefined
      this.#next()
    }
    // That it cannot be started is no reason for the network to end.
    this.#buying.once('close', ended).once('error', ended)
  }
}
