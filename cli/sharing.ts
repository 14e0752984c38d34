/** The work of `pinledger split`: reads the shares of an account, shows them, and changes them. */
import { checkSplit, PARTS, sameShares } from '../ledger/split.ts'
import { KIND, type Shares, splitEntry } from '../ledger/state.ts'
import type { Log } from '../node/log.ts'
import type { Signer } from '../node/signing.ts'
import type { Account, Hash } from '../schemas/hex.ts'
import { short } from '../schemas/hex.ts'
import { SIGNATURE_BYTES, type Split } from '../schemas/transaction.ts'
import { EXIT } from './exit.ts'
import { type Sending, sendCommand } from './send.ts'
import type { Where } from './sender.ts'
import { readEntry } from './state-entry.ts'

const question = (account: Account) => ({
  kind: KIND.split,
  key: account as string as Hash,
  codec: splitEntry,
})

const percent = (parts: number): string => `${parts / 100}%`
const restOf = (shares: Shares): number => shares.reduce((rest, { parts }) => rest - parts, PARTS)

/** `30% to 8a88..., 70% to itself`; accounts in full, since shares go to no other. */
export function describe(shares: Shares): string {
  if (shares.length === 0) return 'everything stays'
  const others = shares.map(({ account, parts }) => `${percent(parts)} to ${account}`)
  return `${others.join(', ')}, ${percent(restOf(shares))} stays`
}

export async function showSplit(
  where: Where,
  network: string | undefined,
  account: Account,
  json: boolean,
  log: Log,
): Promise<number> {
  const {
    value: shares = [],
    height,
    validator,
    network: on,
  } = await readEntry(where, network, question(account), log)
  if (json) {
    const facts = { network: on.id, validator, height, account, shares, stays: restOf(shares) }
    process.stdout.write(`${JSON.stringify(facts)}\n`)
  } else
    process.stdout.write(
      `network ${on.id}, validator ${short(validator)}, height ${height}: of what ${short(account)} earns, ${describe(shares)}\n`,
    )
  return EXIT.ok
}

export interface Order extends Pick<Sending, 'fee' | 'network' | 'waitSeconds'> {
  /** None: nothing is shared any more. */
  readonly shares: Shares
}

/** Shows before and after, sends, and prints what became of it; exit codes of `sendCommand`. */
export async function setSplit(
  where: Where,
  signer: Signer,
  { shares, ...rest }: Order,
  json: boolean,
  log: Log,
): Promise<number> {
  const { value: before = [] } = await readEntry(where, rest.network, question(signer.account), log)
  if (json) process.stdout.write(`${JSON.stringify({ account: signer.account, before, after: shares })}\n`)
  else process.stdout.write(`before: ${describe(before)}\nafter:  ${describe(shares)}\n`)
  if (sameShares(before, shares)) {
    process.stdout.write(
      json ? `${JSON.stringify({ status: 'unchanged' })}\n` : 'it is so already; nothing was sent\n',
    )
    return EXIT.ok
  }
  const draft = { type: 'split', shares } as const
  const obstacle: Sending['obstacle'] = (network) => {
    const head = { network: network.id, from: signer.account, nonce: 0, fee: 0, expiry: 0 }
    const whole: Split = { ...draft, ...head, signature: new Uint8Array(SIGNATURE_BYTES) }
    return checkSplit(network, whole)?.message
  }
  const doing = shares.length === 0 ? 'ending the split' : 'setting the split'
  return sendCommand(where, signer, { draft, doing, obstacle, ...rest }, json, log)
}
