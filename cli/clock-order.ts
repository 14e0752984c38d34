/** `pinledger clock order`: which of two proven events came first, offline, with nothing but the genesis of each. */
import { type Order, order } from '../ledger/order.ts'
import { WorldError } from '../node/error.ts'
import { EXIT } from './exit.ts'
import { type Known, type Proven, readProven } from './moment-file.ts'
import { comparedJson, comparedWords, sandwichJson, tickWords } from './sandwich-words.ts'

export interface OrderOptions extends Known {
  /** That of the first file's network, and that of the second's if it is another. */
  readonly genesis: readonly string[]
  readonly json: boolean
}

/** Prints to stdout; 1 when a proof does not hold or no tick lies between. Throws WorldError `usage` or `config`. */
export function orderCommand(
  files: readonly [string, string],
  { genesis, json, ...known }: OrderOptions,
): number {
  const [one, other = one, ...more] = genesis
  if (one === undefined || other === undefined || more.length > 0)
    throw new WorldError(
      'usage',
      `--genesis: once for both files, or twice in their order, got ${genesis.length}`,
    )
  const a = proven(files[0], one, known, json)
  const b = a && proven(files[1], other, known, json)
  if (a === undefined || b === undefined) return EXIT.no
  const outcome = order(a.sandwich, b.sandwich)
  const names = { a: files[0], b: files[1] }
  if (json) {
    const facts = [a, b].map(({ network, sandwich, compared }) => ({
      ...sandwichJson(network, sandwich),
      ...comparedJson(compared),
    }))
    const first = outcome.first === undefined ? null : names[outcome.first]
    process.stdout.write(`${JSON.stringify({ ok: true, ...outcome, first, events: facts })}\n`)
  } else process.stdout.write(orderWords(outcome, names, a, b))
  return outcome.first === undefined ? EXIT.no : EXIT.ok
}

function proven(file: string, genesis: string, known: Known, json: boolean): Proven | undefined {
  const checked = readProven(file, genesis, known)
  if (checked.ok) return checked.value
  const { code, message } = checked.fault
  if (json) process.stdout.write(`${JSON.stringify({ ok: false, file, code, message })}\n`)
  else process.stderr.write(`${file} proves nothing against ${genesis}: ${code}: ${message}\n`)
  return undefined
}

const WHY = {
  hands: 'their networks have different slow hands, so that nothing compares their ticks',
  overlap: 'no tick of the slow hand lies between them',
  branches:
    'their proofs follow different ticks: make both anew with  pinledger clock when, once the sites have one hand',
} as const

function orderWords(
  outcome: Order,
  names: { readonly a: string; readonly b: string },
  a: Proven,
  b: Proven,
): string {
  const each = ([file, { network, sandwich, compared }]: readonly [string, Proven]): string =>
    `${file}: network ${network.id} (${network.genesis.name})
transaction   ${sandwich.id}
block after   ${tickWords(sandwich.after)}
all before    ${tickWords(sandwich.before)}
${comparedWords(sandwich, compared)}`
  const both = each([names.a, a]) + each([names.b, b])
  if (outcome.first === undefined) return `${both}which came first is not known: ${WHY[outcome.why]}\n`
  const [early, late] = outcome.first === 'a' ? [names.a, names.b] : [names.b, names.a]
  return `${both}${early} came first: it was there before tick ${outcome.before.height}, and the block of ${late} was made after tick ${outcome.after.height}\n`
}
