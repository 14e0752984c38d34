/**
 * Recorded hash-rate traces: a CSV or JSON-lines file of rates, what `pinledger watch --json` wrote, or a ledger.
 *
 * Files are checked here, line by line, with errors that name file, line and field; what leaves is a trace from 0 s on.
 */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { workOf } from '../ledger/difficulty.ts'
import { WorldError } from '../node/error.ts'
import { selfTest } from '../node/signing.ts'
import { firstRate, type RateStep, SCENARIOS, type Trace } from '../sim/lab/trace.ts'
import { type MinedBlock, traceOfBlocks, WINDOW } from '../sim/lab/trace-of-blocks.ts'
import { ledgerBlocks } from './ledger-blocks.ts'

const HEADER = 'seconds,hashesPerSecond'
const BYTES_MAX = 256 << 20
const STEPS_MAX = 100_000
const SECONDS_MAX = 1e11
const RATE_MAX = 1e18
const DIGITS_MAX = 64

/** Throws WorldError `usage` or `config`. */
export function readTrace(path: string): Trace {
  if (!existsSync(path)) {
    throw new WorldError(
      'usage',
      `--trace: there is no file ${path}; give one of ${SCENARIOS.join(', ')}, a file, or a directory with a ledger`,
    )
  }
  const stat = statSync(path)
  if (stat.isDirectory()) return ledgerTrace(path)
  if (!stat.isFile()) throw new WorldError('usage', `--trace: ${path} is neither a file nor a directory`)
  if (stat.size > BYTES_MAX) {
    throw new WorldError(
      'usage',
      `--trace: ${path} has ${stat.size} bytes, expected at most ${BYTES_MAX}: is it the right file?`,
    )
  }
  return parseTrace(path, readFileSync(path, 'utf8'))
}

/** A ledger's own blocks: their work over their times. */
function ledgerTrace(data: string): Trace {
  selfTest()
  const blocks: MinedBlock[] = []
  // Block 0 stands for when the network was founded, not for when it began to hash.
  for (const { block, height, time } of ledgerBlocks(data))
    if (height > 0) blocks.push({ height, seconds: time / 1000, hashes: Number(workOf(block.header.target)) })
  return ofBlocks(data, blocks)
}

/** `path` is for the messages. Throws WorldError `config`. */
export function parseTrace(path: string, text: string): Trace {
  const lines = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .map((line, index) => ({ text: line.trim(), place: `${path}:${index + 1}` }))
    .filter((line) => line.text !== '')
  const [first] = lines
  if (first === undefined) throw wrong(path, `is empty: expected the line ${HEADER} and rates below it`)
  if (first.text.startsWith('{')) return jsonTrace(path, lines)
  if (first.text.startsWith('['))
    throw wrong(
      first.place,
      `expected one JSON object a line, got a list: jq -c '.[]' FILE makes lines of it`,
    )
  if (first.text.replaceAll(' ', '') !== HEADER)
    throw wrong(first.place, `expected the line ${HEADER}, got ${quoted(first.text)}`)
  const steps = lines.slice(1).map(({ text: line, place }) => {
    const fields = line.split(',')
    if (fields.length !== 2)
      throw wrong(
        place,
        `expected two fields with a comma between them, such as 60,120000, got ${quoted(line)}`,
      )
    return step(place, numberOf(fields[0]), numberOf(fields[1]))
  })
  return ofSteps(path, steps, lines)
}

function jsonTrace(path: string, lines: readonly Line[]): Trace {
  const objects = lines.map(({ text, place }) => ({ place, value: objectOf(text, place) }))
  if (objects.some(({ value }) => 'event' in value)) {
    const blocks = objects
      .filter(({ value }) => value.event === 'block')
      .map(({ place, value }) => minedBlock(place, value))
    return ofBlocks(path, blocks)
  }
  return ofSteps(
    path,
    objects.map(({ place, value }) => step(place, value.seconds, value.hashesPerSecond)),
    lines,
  )
}

interface Line {
  readonly text: string
  readonly place: string
}

function objectOf(text: string, place: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw wrong(place, 'expected a JSON object; remove the line if the recording was cut off in it')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong(place, `expected a JSON object, got ${quoted(text)}`)
  return value as Record<string, unknown>
}

/** An empty field is no 0. */
const numberOf = (text: string | undefined): unknown =>
  text === undefined || text.trim() === '' || !Number.isFinite(Number(text)) ? text : Number(text)

function step(place: string, seconds: unknown, rate: unknown): RateStep {
  return {
    fromSeconds: inRange(place, 'seconds', seconds, SECONDS_MAX),
    hashesPerSecond: inRange(place, 'hashesPerSecond', rate, RATE_MAX),
  }
}

function inRange(place: string, field: string, value: unknown, max: number): number {
  if (typeof value === 'number' && value >= 0 && value <= max) return value
  throw wrong(place, `${field}: expected a number from 0 to ${max}, got ${quoted(value)}`)
}

/** A block as `pinledger watch --json` prints it: when it came, its height and its difficulty in hex digits. */
function minedBlock(place: string, { at, height, difficulty }: Record<string, unknown>): MinedBlock {
  const ms = typeof at === 'string' ? Date.parse(at) : Number.NaN
  if (Number.isNaN(ms))
    throw wrong(place, `at: expected a time such as 2026-01-01T00:00:00.000Z, got ${quoted(at)}`)
  return {
    height: inRange(place, 'height', height, 2 ** 32 - 1),
    seconds: ms / 1000,
    hashes: 16 ** inRange(place, 'difficulty', difficulty, DIGITS_MAX),
  }
}

function ofBlocks(path: string, blocks: readonly MinedBlock[]): Trace {
  const trace = traceOfBlocks(basename(path), blocks)
  if (trace !== undefined) return trace
  throw wrong(
    path,
    `has ${blocks.length} blocks, expected at least ${WINDOW + 1}: record for longer, the rate is measured over ${WINDOW} of them`,
  )
}

function ofSteps(path: string, steps: readonly RateStep[], lines: readonly Line[]): Trace {
  // The header is a line of its own.
  const place = (index: number): string => lines[index + lines.length - steps.length]?.place ?? path
  if (steps.length < 2 || steps.length > STEPS_MAX) {
    throw wrong(
      path,
      `has ${steps.length} rates, expected 2 to ${STEPS_MAX}: the last one says when the one before it ends`,
    )
  }
  const begin = steps[0]?.fromSeconds ?? 0
  for (const [index, { fromSeconds }] of steps.entries()) {
    const before = steps[index - 1]?.fromSeconds
    if (before !== undefined && fromSeconds <= before) {
      throw wrong(
        place(index),
        `seconds: expected more than ${before}, the line before, got ${fromSeconds}: sort the lines`,
      )
    }
  }
  const trace = {
    name: basename(path),
    seconds: (steps.at(-1)?.fromSeconds ?? 0) - begin,
    steps: steps.map(({ fromSeconds, ...rest }) => ({ ...rest, fromSeconds: fromSeconds - begin })),
  }
  if (firstRate(trace) === 0) throw wrong(path, 'has no rate above 0: nothing ever hashed')
  return trace
}

const wrong = (place: string, message: string): WorldError => new WorldError('config', `${place} ${message}`)
const quoted = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, 60)
