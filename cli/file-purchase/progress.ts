/**
 * A purchase as lines for a person, or as JSON: bars that move on a terminal, a line for each tenth elsewhere.
 */
import { formatCoins } from '../../ledger/amount.ts'
import { harmless } from '../../node/log.ts'
import { bar, ProgressMeter } from '../../node/sync-progress.ts'
import { short } from '../../schemas/hex.ts'
import type { Outcome, PurchaseEvent } from './events.ts'

export interface ProgressOutput {
  /** Where a person looks. */
  readonly output: { readonly isTTY?: boolean; write(text: string): unknown }
  /** Where lines of JSON, and the outcome, go. */
  readonly print: (text: string) => void
  readonly monotonic: () => number
}

const REDRAW_MS = 200
type Fetching = Extract<PurchaseEvent, { event: 'fetching' }>
type Locked = Extract<PurchaseEvent, { event: 'locked' }>

export class PurchaseProgress {
  readonly #to: ProgressOutput
  readonly #json: boolean
  #meter: ProgressMeter | undefined
  #counted = 0
  #tenth = -1
  #drawnMs = Number.NEGATIVE_INFINITY
  /** A line that may be written over stands on the terminal. */
  #isOpen = false
  /** What was said last, so that nothing is said twice in a row. */
  #said = ''

  constructor(to: ProgressOutput, json: boolean) {
    this.#to = to
    this.#json = json
  }

  show(event: PurchaseEvent): void {
    if (event.event === 'fetching') this.#fetching(event)
    else if (event.event === 'locked') this.#locked(event)
    else this.#say(this.#json ? JSON.stringify(event) : wordsOf(event))
  }

  end(outcome: Outcome): void {
    this.#close()
    const lines = this.#json ? [JSON.stringify(outcome)] : outcomeWords(outcome)
    for (const line of lines) this.#to.print(`${harmless(line)}\n`)
  }

  /** There is nothing to do. */
  nothing(reason: string): void {
    this.#to.print(
      this.#json ? `${JSON.stringify({ status: 'nothing', reason })}\n` : `${harmless(reason)}\n`,
    )
  }

  #fetching(event: Fetching): void {
    const nowMs = this.#to.monotonic()
    const { done, of } = event
    if (this.#meter === undefined || done < this.#counted) {
      this.#meter = new ProgressMeter(nowMs)
      this.#meter.begin('bodies', of, nowMs)
      // What an earlier run has fetched says nothing of this one's rate.
      this.#meter.skip(done)
      this.#tenth = Math.floor((10 * done) / of) - 1
    } else this.#meter.count(done - this.#counted, nowMs)
    this.#counted = done
    const tenth = Math.floor((10 * done) / of)
    if (this.#isLive) {
      if (nowMs - this.#drawnMs >= REDRAW_MS || done === of) this.#draw(this.#fetchingLine(of, nowMs), nowMs)
    } else if (tenth > this.#tenth) {
      this.#tenth = tenth
      this.#say(this.#json ? JSON.stringify(event) : this.#fetchingLine(of, nowMs))
    }
    if (done === of) this.#close()
  }

  /** `fetching  ########............  40 %  1.1 of 2.8 MB  2.3 MB/s  1 s left` */
  #fetchingLine(of: number, nowMs: number): string {
    const view = this.#meter?.view(nowMs)
    if (view === undefined) return ''
    const { done, perSecond, secondsLeft } = view
    const rate = perSecond > 0 ? `  ${megabytes(perSecond)} MB/s` : ''
    const left = secondsLeft === undefined || secondsLeft === 0 ? '' : `  ${Math.ceil(secondsLeft)} s left`
    const percent = String(Math.floor((100 * done) / of)).padStart(3)
    return `fetching  ${bar(view)} ${percent} %  ${megabytes(done)} of ${megabytes(of)} MB${rate}${left}`
  }

  #locked(event: Locked): void {
    const { height, deadline, blocksLeft, secondsLeft } = event
    if (this.#json) {
      this.#say(JSON.stringify(event))
      return
    }
    const of = Math.max(1, deadline - height)
    const done = of - Math.min(of, blocksLeft)
    const blocks = bar({ phase: 'bodies', done, of, perSecond: 0, secondsLeft: undefined })
    const line = `locked    ${blocks} ${done} of ${of} blocks; without the key the coins come back after ${blocksLeft} more blocks and ${words(secondsLeft)}`
    if (this.#isLive) this.#draw(line, this.#to.monotonic())
    else this.#say(line)
  }

  get #isLive(): boolean {
    return !this.#json && this.#to.output.isTTY === true
  }

  #draw(line: string, nowMs: number): void {
    this.#drawnMs = nowMs
    this.#isOpen = true
    this.#to.output.write(`\r${line}\x1b[K`)
  }

  #say(line: string): void {
    if (line === '' || line === this.#said) return
    this.#said = line
    this.#close()
    if (this.#json) this.#to.print(`${line}\n`)
    else for (const each of line.split('\n')) this.#to.output.write(`${harmless(each)}\n`)
  }

  /** Leaves the last state of a moving line on the screen. */
  #close(): void {
    if (this.#isOpen) this.#to.output.write('\n')
    this.#isOpen = false
  }
}

function wordsOf(event: Exclude<PurchaseEvent, Fetching | Locked>): string {
  switch (event.event) {
    case 'preparing':
      return `waiting   the seller makes the file ready, ${event.percent}`
    case 'quote': {
      const { name, seller, bytes, price, blocks, minutes } = event
      return [
        `quote     ${name} of ${short(seller)}: ${megabytes(bytes)} MB for ${formatCoins(price)} coins, the key within ${blocks} blocks and ${minutes} minutes`,
        '          what is in it, only the seller says',
      ].join('\n')
    }
    case 'fetched':
      return `fetched   the ciphertext is the one that was quoted: SHA-256 ${event.sha256.slice(0, 16)}`
    case 'paying':
      return `paying    ${formatCoins(event.price)} coins under a lock, transaction ${event.transaction}`
    case 'unconfirmed':
      return `paying    not in a block yet${event.reason === '' ? '' : `: a validator says ${event.reason}`}`
    case 'refunding':
      return `refund    the deadline has passed without a key, transaction ${event.transaction}`
    case 'returned':
      return `refund    the coins are back, in block ${event.height}; ${event.blocksLeft} more until nothing is expected to take it away`
    case 'trouble':
      return `trouble   ${event.reason}`
  }
}

function outcomeWords(outcome: Outcome): readonly string[] {
  switch (outcome.status) {
    case 'bought':
      return [`bought, ${outcome.out}`]
    case 'not-bought':
      return [`not bought, ${outcome.reason}`]
    case 'refunded':
      return [`not bought, ${outcome.reason}`]
    case 'open':
      return [
        `not finished, ${outcome.reason}`,
        'to go on: pinledger buy file --resume; for the coins, after the deadline: pinledger buy refund',
      ]
    case 'spoilt':
      return [`cheated, ${outcome.reason}`]
  }
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(bytes < 10e6 ? 2 : 1)
const words = (seconds: number): string =>
  seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} minutes`
