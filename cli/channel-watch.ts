/**
 * `pinledger channel watch`: claims for payees that are away. Their best proofs are retained on `claim/`; when a channel is closing and
 * a proof is worth more than the ledger has paid, it is sent to the ledger. The payee is paid, the watcher pays the fee.
 *
 * What is on the topic may be anybody's: a proof counts only on the topic of its channel's payee, and by the ledger's own rules, on the
 * entry that a validator tells of.
 */
import { formatCoins } from '../ledger/amount.ts'
import { checkAuthorisation, checkProof } from '../ledger/channel.ts'
import type { Network } from '../ledger/network.ts'
import { type ChannelEntry, channelEntry, KIND } from '../ledger/state.ts'
import { isClosing } from '../node/channel/payee.ts'
import { nextClaim } from '../node/channel/proof.ts'
import type { Log } from '../node/log.ts'
import type { Signer } from '../node/signing.ts'
import { CLAIM_NOTICE_BYTES_MAX, claimNotice } from '../schemas/channel-message.ts'
import { decode } from '../schemas/codec.ts'
import { type Hash, short } from '../schemas/hex.ts'
import { everyone } from '../schemas/topic.ts'
import type { ChannelClaim, ChannelProof } from '../schemas/transaction.ts'
import { ClaimNotices } from './claim-notices.ts'
import { EXIT } from './exit.ts'
import { sendOn } from './send.ts'
import { type Place, Sender, type Where } from './sender.ts'
import { askEntry } from './state-entry.ts'

/** Channels that a validator is asked about in one round, and how often: it answers 10 questions a second. */
const ROUND_MAX = 40
const ROUND_MS = 5_000

/** What to claim for a payee that is away; undefined: nothing, or not yet. */
export function claimFor(
  network: Network,
  channel: Hash,
  entry: ChannelEntry | undefined,
  proof: ChannelProof,
  { height, patience }: { readonly height: number; readonly patience: number },
): ChannelProof | undefined {
  if (entry === undefined || !isClosing(entry, height)) return undefined
  // The payee first: it has the first part of the delay for itself.
  if (entry.closing - height > entry.delay * (1 - patience)) return undefined
  const next = nextClaim(entry, proof)
  if (next === undefined || checkProof(network.hashing, entry, next) !== undefined) return undefined
  return checkAuthorisation(network, { channel, proof: next } as ChannelClaim) === undefined
    ? next
    : undefined
}

export interface WatchModules {
  readonly signal: AbortSignal
  readonly log: Log
  readonly say: (fields: Readonly<Record<string, string | number>>, text: string) => void
}

/** Runs until the signal is aborted. `patience`: share of a delay that payees have for themselves. */
export async function watchChannels(
  where: Where,
  signer: Signer,
  {
    network,
    patience,
    json,
  }: { readonly network: string | undefined; readonly patience: number; readonly json: boolean },
  { signal, log, say }: WatchModules,
): Promise<number> {
  const notices = new ClaimNotices()
  while (!signal.aborted) {
    const sender = new Sender(where, signer, network, log)
    try {
      const place = await sender.start()
      const claims = await look(sender, place, patience, notices)
      // All at once, each with a number of its own: the next payee must not wait for the block of the one before.
      const sent = claims.map(({ channel, proof, entry }, index) => {
        say({ event: 'claims', channel, payee: entry.to }, `claims on ${channel} for ${short(entry.to)}`)
        const doing = `claiming for ${short(entry.to)}, which had ${formatCoins(entry.paid)} of ${formatCoins(entry.amount)},`
        const draft = { type: 'channelClaim', channel, proof } as const
        const at = { ...place, nonce: place.nonce + index }
        return sendOn(sender, at, signer, { draft, doing, fee: undefined, waitSeconds: 60 }, json)
      })
      await Promise.all(sent)
      if (claims.length > 0) continue
    } finally {
      await sender.stop()
    }
    await pause(ROUND_MS, signal)
  }
  return EXIT.ok
}

interface Found {
  readonly channel: Hash
  readonly proof: ChannelProof
  readonly entry: ChannelEntry
}

/** One round: hears what is retained, asks about it, and finds what is to be claimed. */
async function look(
  sender: Sender,
  place: Place,
  patience: number,
  notices: ClaimNotices,
): Promise<readonly Found[]> {
  const { network } = place
  sender.onMessage(({ kind, publisher, rest, json }, payload) => {
    const channel = rest[0] as Hash | undefined
    if (kind !== 'claim' || json || channel === undefined) return
    const decoded = decode(claimNotice, payload, CLAIM_NOTICE_BYTES_MAX)
    const isGood = decoded.ok && decoded.value.channel === channel
    notices.hear(publisher, channel, isGood ? decoded.value.proof : undefined)
  })
  sender.session.subscribe([everyone(network.id, 'claim')])
  await pause(500)
  const claims = new Map<Hash, Found>()
  for (const notice of notices.next(ROUND_MAX)) {
    const { publisher, channel, proof } = notice
    const question = { kind: KIND.channel, key: channel, codec: channelEntry }
    const { value: entry, height } = await askEntry(sender, place, question)
    const isPayee = entry?.to === publisher
    notices.found(notice, isPayee)
    if (entry === undefined || !isPayee) continue
    const claim = claimFor(network, channel, entry, proof, { height: height + 1, patience })
    if (claim !== undefined) claims.set(channel, { channel, proof: claim, entry })
  }
  return [...claims.values()]
}

const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal?.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
