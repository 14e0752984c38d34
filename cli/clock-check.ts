/** `pinledger clock check`: checks a proof of when something happened, offline, with nothing but the genesis. */
import { EXIT } from './exit.ts'
import { type Known, readProven } from './moment-file.ts'
import { comparedJson, comparedWords, sandwichJson, sandwichWords } from './sandwich-words.ts'

export interface CheckOptions extends Known {
  readonly genesis: string
  readonly json: boolean
}

/** Prints to stdout; 1 when the proof does not hold. Throws WorldError `usage` or `config`. */
export function checkCommand(file: string, { genesis, json, ...known }: CheckOptions): number {
  const proven = readProven(file, genesis, known)
  if (!proven.ok) {
    const { code, message } = proven.fault
    if (json) process.stdout.write(`${JSON.stringify({ ok: false, code, message })}\n`)
    else process.stderr.write(`${file} proves nothing: ${code}: ${message}\n`)
    return EXIT.no
  }
  const { network, sandwich, compared } = proven.value
  process.stdout.write(
    json
      ? `${JSON.stringify({ ok: true, ...sandwichJson(network, sandwich), ...comparedJson(compared) })}\n`
      : `${sandwichWords(network, sandwich)}${comparedWords(sandwich, compared)}`,
  )
  return EXIT.ok
}
