/** `pinledger clock check`: checks a proof of when something happened, offline, with nothing but the genesis. */
import { readFileSync } from 'node:fs'
import { checkMoment } from '../ledger/sandwich.ts'
import { networkOf } from '../node/chain-store.ts'
import { WorldError } from '../node/error.ts'
import { readGenesis } from '../node/genesis-file.ts'
import { MOMENT_BYTES_MAX } from '../schemas/moment.ts'
import { EXIT } from './exit.ts'
import { sandwichJson, sandwichWords } from './sandwich-words.ts'

export interface CheckOptions {
  readonly genesis: string
  readonly json: boolean
}

/** Prints to stdout; 1 when the proof does not hold. Throws WorldError `usage` or `config`. */
export function checkCommand(file: string, { genesis, json }: CheckOptions): number {
  const network = networkOf(readGenesis(genesis))
  let bytes: Uint8Array
  try {
    bytes = readFileSync(file)
  } catch (error) {
    throw new WorldError('usage', `cannot read ${file}: ${String(error)}`, error)
  }
  if (bytes.length > MOMENT_BYTES_MAX)
    throw new WorldError(
      'usage',
      `${file} has ${bytes.length} bytes, a proof has at most ${MOMENT_BYTES_MAX}`,
    )
  const checked = checkMoment(network, bytes)
  if (!checked.ok) {
    const { code, message } = checked.fault
    if (json) process.stdout.write(`${JSON.stringify({ ok: false, code, message })}\n`)
    else process.stderr.write(`${file} proves nothing: ${code}: ${message}\n`)
    return EXIT.no
  }
  const { value } = checked
  process.stdout.write(
    json
      ? `${JSON.stringify({ ok: true, ...sandwichJson(network, value) })}\n`
      : sandwichWords(network, value),
  )
  return EXIT.ok
}
