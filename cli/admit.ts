/** `pinledger admit`, `revoke` and `members`: who may mine on an enrolled network. */
import { isAuthority, isEnrolled } from '../ledger/membership.ts'
import type { Network } from '../ledger/network.ts'
import type { Log } from '../node/log.ts'
import type { Signer } from '../node/signing.ts'
import { type Account, type Network as NetworkId, short } from '../schemas/hex.ts'
import { type MembersMirror, membersMirror } from '../schemas/members.ts'
import { EXIT } from './exit.ts'
import { readRetained } from './reader.ts'
import { type Sending, sendCommand } from './send.ts'
import type { Where } from './sender.ts'

export interface Change extends Pick<Sending, 'fee' | 'network' | 'waitSeconds'> {
  readonly type: 'admission' | 'revocation'
  readonly member: Account
}

/** Sends the transaction and prints what became of it; exit codes of `sendCommand`. */
export function changeCommand(
  where: Where,
  signer: Signer,
  { type, member, ...rest }: Change,
  json: boolean,
  log: Log,
): Promise<number> {
  const doing = `${type === 'admission' ? 'admitting' : 'revoking'} ${member}`
  const obstacle = (network: Network): string | undefined => {
    if (!isEnrolled(network)) return `network ${network.id} is open: everybody may mine, nobody is admitted`
    if (isAuthority(network, signer.account)) return undefined
    const names = network.genesis.authorities.map(short).join(', ')
    return `${short(signer.account)} is no authority of network ${network.id}: these are ${names}`
  }
  return sendCommand(where, signer, { draft: { type, member }, doing, obstacle, ...rest }, json, log)
}

export interface Answer extends MembersMirror {
  readonly network: NetworkId
  readonly validator: Account
}

/** Prints what each validator says; 1 when none tells of an enrolled network. Throws WorldError `broker-unreachable`. */
export async function membersCommand(where: Where, json: boolean, log: Log): Promise<number> {
  const answers = await askMembers(where, log)
  if (json) process.stdout.write(`${JSON.stringify({ views: answers })}\n`)
  else if (answers.length === 0)
    process.stdout.write(`no validator at ${where.url} tells of an enrolled network: everybody may mine\n`)
  else for (const answer of answers) process.stdout.write(describe(answer))
  return answers.length === 0 ? EXIT.no : EXIT.ok
}

async function askMembers(where: Where, log: Log): Promise<Answer[]> {
  const answers = new Map<string, Answer>()
  await readRetained(where, ['members', 'tip'], log, ({ kind, publisher, network, value }) => {
    if (kind !== 'members') return
    const parsed = membersMirror.safeParse(value)
    if (parsed.success)
      answers.set(`${network} ${publisher}`, { network, validator: publisher, ...parsed.data })
  })
  return [...answers.values()]
}

function describe({ network, validator, height, authorities, count, members }: Answer): string {
  const more = count > members.length ? [`  and ${count - members.length} more`] : []
  return `network ${network}, validator ${short(validator)}, height ${height}: ${authorities.length} ${authorities.length === 1 ? 'authority' : 'authorities'}, ${count} ${count === 1 ? 'member' : 'members'}
${[
  ...authorities.map((account) => `  ${account}  authority`),
  ...members.map(({ account, since }) => `  ${account}  member since block ${since}`),
  ...more,
].join('\n')}
`
}
