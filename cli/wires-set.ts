/** `pinledger wires set` and `reset`: other wires for an agent that runs, by its owner's signature; and back. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type WiresState, wiresState } from '../edge-agent/wires/state.ts'
import { WiresLog } from '../edge-agent/wires/wires-log.ts'
import { WIRES_FILE } from '../node/backup.ts'
import { openDataDir } from '../node/data-dir.ts'
import { WorldError } from '../node/error.ts'
import type { Log } from '../node/log.ts'
import { replaceableLog } from '../node/replaceable-log.ts'
import { hashing, type Signer } from '../node/signing.ts'
import { encode } from '../schemas/codec.ts'
import { type Account, fromHex, short, toHex } from '../schemas/hex.ts'
import { topic } from '../schemas/topic.ts'
import { WIRING_TEXT_BYTES_MAX, wiring, wiringParts } from '../schemas/wiring.ts'
import { EXIT } from './exit.ts'
import { openReader } from './reader.ts'
import { Sender, type Where } from './sender.ts'
import { readWiresFile } from './wires-file.ts'

export interface Setting {
  readonly file: string
  readonly agent: Account
  readonly sequence?: number
  readonly wait: number
  readonly json: boolean
}

const LOOK_MS = 50

/** Prints the agent's answer; 0 taken, 1 refused or no answer. Throws WorldError `config`, `broker-unreachable`. */
export async function setWires(
  where: Where,
  owner: Signer,
  { file, agent, sequence = Date.now(), wait, json }: Setting,
  log: Log,
  out: (text: string) => void,
): Promise<number> {
  const { written } = readWiresFile(file)
  const text = new TextEncoder().encode(JSON.stringify(written))
  if (text.length > WIRING_TEXT_BYTES_MAX)
    throw new WorldError(
      'config',
      `${file}: expected at most ${WIRING_TEXT_BYTES_MAX} bytes as JSON, got ${text.length}`,
    )
  let state: WiresState | undefined
  const reader = openReader(where, ['wires'], log, ({ publisher, value }) => {
    const parsed = publisher === agent ? wiresState.safeParse(value) : undefined
    if (parsed?.success) state = parsed.data
  })
  const sender = new Sender(where, owner, undefined, log)
  try {
    await reader.connected(5_000)
    const { network } = await sender.start()
    const genesis = fromHex(network.genesisHash)
    const signed = hashing.tagged('wiring', genesis, ...wiringParts(agent, { sequence, text }))
    const bytes = encode(wiring, { sequence, text, signature: owner.sign(signed) })
    const sent = { sequence, message: digestOf(bytes), text: digestOf(text), agent, owner: owner.account }
    await sender.session.publish(topic(network.id, 'wiring', owner.account, agent), bytes, {
      qos: 1,
      retain: false,
    })
    // An agent without an owner does not listen to anybody.
    const answered = (): boolean =>
      isTaken(state, sent) || state?.refused?.message === sent.message || state?.owner === null
    const endMs = performance.now() + wait * 1000
    while (!answered() && performance.now() < endMs) await sleep(LOOK_MS)
    return report(state, sent, json, out)
  } finally {
    await Promise.all([reader.stop(), sender.stop()])
  }
}

interface Sent {
  readonly sequence: number
  /** Digests, by which the agent tells what it speaks of. */
  readonly message: string
  readonly text: string
  readonly agent: Account
  readonly owner: Account
}

const digestOf = (bytes: Uint8Array): string => toHex(hashing.plain(bytes)).slice(0, 16)

const isTaken = (state: WiresState | undefined, { sequence, text }: Sent): boolean =>
  state?.sequence === sequence && state.text === text

function report(
  state: WiresState | undefined,
  sent: Sent,
  json: boolean,
  out: (text: string) => void,
): number {
  const taken = isTaken(state, sent)
  const ownerless =
    state?.owner === null
      ? `agent ${short(sent.agent)} has no owner, so nobody can change its wires while it runs: write 'owner: ${sent.owner}' into its configuration and start it again`
      : undefined
  const refusal = state?.refused?.message === sent.message ? state.refused.reason : ownerless
  const status = taken ? 'set' : refusal === undefined ? 'unanswered' : 'refused'
  const silent =
    state === undefined || state.owner === sent.owner
      ? `no answer from agent ${short(sent.agent)}: is it running, and is this account its owner?`
      : `no answer from agent ${short(sent.agent)}: its owner is ${state.owner}`
  const reason = taken ? undefined : (refusal ?? silent)
  if (json)
    out(`${JSON.stringify({ status, sequence: sent.sequence, reason, wires: state?.wires.length })}\n`)
  else if (taken && state !== undefined)
    out(`set, ${state.wires.length} wires:\n${state.wires.map(({ words }) => `  ${words}\n`).join('')}`)
  else out(`${status}: ${reason}\n`)
  return taken ? EXIT.ok : EXIT.no
}

/** Makes a stopped agent use its configuration's wires again; messages that it has taken stay taken. */
export function resetWires(
  { data, json }: { readonly data: string; readonly json: boolean },
  out: (text: string) => void,
): number {
  const directory = openDataDir(data)
  try {
    const log = new WiresLog(replaceableLog(directory.file(WIRES_FILE)))
    const { wiring: last } = log
    if (last?.active === true) log.setWiring({ ...last, active: false })
    log.close()
    const status = last?.active === true ? 'reset' : 'unchanged'
    const words =
      status === 'reset'
        ? "the configuration's wires count again from the next start"
        : "the configuration's wires count already"
    out(json ? `${JSON.stringify({ status })}\n` : `${words}\n`)
    return EXIT.ok
  } finally {
    directory.close()
  }
}
