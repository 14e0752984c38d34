/** `pinledger clock when`: between which two ticks something happened, as words and as a proof that others can check. */
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { checkMoment } from '../ledger/sandwich.ts'
import { WorldError } from '../node/error.ts'
import { buildMoment, findTransaction } from '../node/moment.ts'
import { withHand } from '../node/open-hand.ts'
import type { Hash } from '../schemas/hex.ts'
import { type BatchedSample, batchedSample } from '../schemas/message.ts'
import { invariant } from '../schemas/result.ts'
import { EXIT } from './exit.ts'
import { ledgersIn } from './ledgers.ts'
import { sandwichJson, sandwichWords } from './sandwich-words.ts'

export interface WhenOptions {
  readonly data: string
  /** Height of its block; looked for when left out. */
  readonly height?: number
  /** A message of a `sample/` topic: one of the samples of a batch. */
  readonly sample?: string
  readonly out?: string
  readonly json: boolean
}

/** A line of progress this often. */
const PROGRESS_MS = 1_000

/** Prints to stdout; 1 when there is no proof yet. Throws WorldError. */
export function whenCommand(transaction: Hash, options: WhenOptions): number {
  const sample = options.sample === undefined ? undefined : readSample(options.sample, transaction)
  const [data = options.data] = ledgersIn(options.data)
  return withHand(data, (store, hand) => {
    const { network } = store.chain
    const height = options.height ?? findTransaction(store, transaction, progress())
    if (height === undefined) return none(`no block that is kept in ${data} holds transaction ${transaction}`)
    const built = buildMoment(store, hand, { height, transaction, sample })
    if (!built.ok) return none(built.fault)
    const checked = checkMoment(network, built.value)
    if (!checked.ok && sample !== undefined)
      throw new WorldError('usage', `--sample: ${options.sample}: ${checked.fault.message}`)
    invariant(checked.ok, checked.ok ? '' : `a proof of ours holds: ${checked.fault.message}`)
    const out = resolve(options.out ?? `${transaction.slice(0, 8)}.moment`)
    write(out, built.value)
    process.stdout.write(
      options.json
        ? `${JSON.stringify({ ...sandwichJson(network, checked.value), file: out })}\n`
        : `${sandwichWords(network, checked.value)}proof         ${out}, ${built.value.length} bytes: pinledger clock check ${out} --genesis <genesis file>\n`,
    )
    return EXIT.ok
  })
}

function none(reason: string): number {
  process.stderr.write(`${reason}\n`)
  return EXIT.no
}

function write(path: string, bytes: Uint8Array): void {
  try {
    writeFileSync(path, bytes)
  } catch (error) {
    throw new WorldError(
      'usage',
      `cannot write ${path}: ${String(error)}: name another file with --out`,
      error,
    )
  }
}

function progress(): (height: number) => void {
  let shownMs = performance.now()
  return (height) => {
    if (performance.now() - shownMs < PROGRESS_MS) return
    shownMs = performance.now()
    process.stderr.write(`looking for it, down to block ${height}; --height says where it is\n`)
  }
}

function readSample(path: string, transaction: Hash): BatchedSample {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new WorldError('usage', `--sample: cannot read ${path}: ${String(error)}`, error)
  }
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new WorldError('usage', `--sample: ${path} is not JSON: ${String(error)}`, error)
  }
  const parsed = batchedSample.json.safeParse(json)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new WorldError(
      'usage',
      `--sample: ${path}: ${issue?.path.join('.')}: ${issue?.message}: expected a message of a topic sample/<account>/<sensor>/json`,
    )
  }
  if (parsed.data.transaction !== transaction)
    throw new WorldError('usage', `--sample: ${path} is of transaction ${parsed.data.transaction}`)
  return parsed.data
}
