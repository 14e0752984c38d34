/** `pinledger clock check`: checks a proof of when something happened, offline, with nothing but the genesis. */
import { checkMoment } from '../ledger/sandwich.ts'
import { networkOf } from '../node/chain-store.ts'
import { readGenesis } from '../node/genesis-file.ts'
import { withHand } from '../node/open-hand.ts'
import type { Hash } from '../schemas/hex.ts'
import { EXIT } from './exit.ts'
import { ledgersIn } from './ledgers.ts'
import { readMoment } from './moment-file.ts'
import { sandwichJson, sandwichWords } from './sandwich-words.ts'

export interface CheckOptions {
  readonly genesis: string
  /** A tick of the hand that is meant. */
  readonly tick?: Hash
  /** Data directory of a program that follows that hand. */
  readonly data?: string
  readonly json: boolean
}

/** Prints to stdout; 1 when the proof does not hold. Throws WorldError `usage` or `config`. */
export function checkCommand(file: string, { genesis, tick, data, json }: CheckOptions): number {
  const network = networkOf(readGenesis(genesis))
  const bytes = readMoment(file)
  const checked = checkMoment(network, bytes, tick)
  if (!checked.ok) {
    const { code, message } = checked.fault
    if (json) process.stdout.write(`${JSON.stringify({ ok: false, code, message })}\n`)
    else process.stderr.write(`${file} proves nothing: ${code}: ${message}\n`)
    return EXIT.no
  }
  const { value } = checked
  if (data !== undefined && !isOn(data, value.before.hash)) {
    const message = `tick ${value.before.height} ${value.before.hash} is not on the slow hand in ${data}`
    if (json) process.stdout.write(`${JSON.stringify({ ok: false, code: 'another-hand', message })}\n`)
    else process.stderr.write(`${file} proves nothing: another-hand: ${message}\n`)
    return EXIT.no
  }
  process.stdout.write(
    json
      ? `${JSON.stringify({ ok: true, ...sandwichJson(network, value) })}\n`
      : sandwichWords(network, value),
  )
  return EXIT.ok
}

const isOn = (data: string, tick: Hash): boolean => {
  const [directory = data] = ledgersIn(data)
  return withHand(directory, (_, { slow }) => slow.heightOf(tick) !== undefined)
}
