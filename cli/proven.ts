/**
 * `pinledger account --proven`: an account's balance, proven by headers and a Merkle path instead of believed.
 *
 * What is trusted, and nothing else: the genesis, that most work is honest, and that one of the validators that are asked has
 * the best chain. Source: docs/PROTOCOL.md sections 5 and 8.
 */
import { formatCoins } from '../ledger/amount.ts'
import type { LightClient, ProvenBalance, ProvenTransaction } from '../ledger/light-client.ts'
import { readGenesis } from '../node/genesis-file.ts'
import type { Log } from '../node/log.ts'
import type { Account, Hash } from '../schemas/hex.ts'
import { transaction } from '../schemas/transaction.ts'
import { EXIT } from './exit.ts'
import { LightSession, type LightSessionLimits, type Where } from './light-session.ts'

export interface Wish {
  readonly account: Account
  /** The network's genesis file; undefined: what the broker says, if it has one network only. */
  readonly genesis: string | undefined
  /** A transaction to be shown, and the height that its receipt named. */
  readonly transaction: { readonly id: Hash; readonly height: number } | undefined
}

export interface ProvenModules {
  readonly log: Log
  /** Unix milliseconds. */
  readonly now: () => number
  readonly out: (text: string) => void
  readonly limits?: LightSessionLimits
  /** Where progress goes; `tty`: a line may be written over. */
  readonly err: { readonly write: (text: string) => void; readonly tty: boolean }
}

/** If the newest header is older than so many intervals, it may not be the newest. */
const QUIET_INTERVALS = 20

/** Prints what was proven; 1 when not all of it was. Throws WorldError `broker-unreachable`, `config` or `usage`. */
export async function provenCommand(
  where: Where,
  wish: Wish,
  json: boolean,
  { log, now, out, err, limits }: ProvenModules,
): Promise<number> {
  const { account, transaction: asked } = wish
  const genesis = wish.genesis === undefined ? undefined : readGenesis(wish.genesis)
  const onProgress = (height: number, claimed: number): void => {
    if (err.tty) err.write(`\rheaders ${height} of ${Math.max(height, claimed)}`)
  }
  const session = new LightSession(where, genesis, { log, now, onProgress }, limits)
  try {
    const client = await session.start(asked?.height)
    await session.sync(client)
    err.write(`${err.tty ? '\r' : ''}headers ${client.tip.height}, all checked\n`)
    const balance = await session.prove(client, { type: 'getBalance', account }, ({ proof }) =>
      client.checkBalance(proof, account, now()),
    )
    const inclusion =
      asked &&
      (await session.prove(
        client,
        { type: 'getInclusion', height: asked.height, transaction: asked.id },
        ({ proof }) => client.checkInclusion(proof, asked.id, now()),
      ))
    out(json ? jsonOf(client, wish, balance, inclusion) : wordsOf(client, wish, balance, inclusion))
    const { genesis: facts, genesisHash } = client.network
    if (genesis === undefined)
      err.write(`the genesis ${genesisHash} is what the broker said: compare it, or give --genesis\n`)
    const quietMs = now() - client.tip.time
    if (quietMs > QUIET_INTERVALS * facts.interval)
      err.write(
        `the newest header is ${Math.round(quietMs / 1000)} s old: blocks stopped, or are kept from us\n`,
      )
    return balance === undefined || (asked !== undefined && inclusion === undefined) ? EXIT.no : EXIT.ok
  } finally {
    await session.stop()
  }
}

function wordsOf(
  { tip, network }: LightClient,
  { account, transaction: asked }: Wish,
  balance: ProvenBalance | undefined,
  inclusion: ProvenTransaction | undefined,
): string {
  const under = `proved under ${tip.height} headers of work ${tip.work}`
  const lines = [
    balance === undefined
      ? `nobody could prove what account ${account} has`
      : `network ${network.id}, height ${balance.height}: ${formatCoins(balance.balance)} coins, ${balance.nonce} transactions sent, ${under}`,
  ]
  if (inclusion !== undefined) {
    const { transaction: tx, height, confirmations, work } = inclusion
    lines.push(
      `transaction ${asked?.id}, a ${tx.type}, is in block ${height}: ${confirmations} confirmations of work ${work}`,
    )
  } else if (asked !== undefined)
    lines.push(`nobody could prove that transaction ${asked.id} is in block ${asked.height}`)
  return `${lines.join('\n')}\n`
}

/** Work as text, since it may exceed what a JSON number holds. */
function jsonOf(
  { tip, network }: LightClient,
  { account, transaction: asked }: Wish,
  balance: ProvenBalance | undefined,
  inclusion: ProvenTransaction | undefined,
): string {
  const shown = balance && { ...balance, work: String(balance.work) }
  const included = inclusion && {
    ...inclusion,
    id: asked?.id,
    work: String(inclusion.work),
    transaction: transaction.toJson(inclusion.transaction),
  }
  const facts = { network: network.id, genesis: network.genesisHash, account }
  const chain = { headers: tip.height, tip: tip.hash, work: String(tip.work) }
  return `${JSON.stringify({ ...facts, ...chain, balance: shown, inclusion: included })}\n`
}
