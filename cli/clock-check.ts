/** `pinledger clock check`: checks a proof of when something happened, offline, with nothing but the genesis. */
import { checkMoment } from '../ledger/sandwich.ts'
import { networkOf } from '../node/chain-store.ts'
import { readGenesis } from '../node/genesis-file.ts'
import { EXIT } from './exit.ts'
import { readMoment } from './moment-file.ts'
import { sandwichJson, sandwichWords } from './sandwich-words.ts'

export interface CheckOptions {
  readonly genesis: string
  readonly json: boolean
}

/** Prints to stdout; 1 when the proof does not hold. Throws WorldError `usage` or `config`. */
export function checkCommand(file: string, { genesis, json }: CheckOptions): number {
  const network = networkOf(readGenesis(genesis))
  const bytes = readMoment(file)
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
