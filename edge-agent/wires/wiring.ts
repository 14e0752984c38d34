/**
 * Whether an agent takes the wires that somebody sends it: signed by its owner for it and this network, newer than all before,
 * and wires as its configuration would take them. Whatever is refused is refused with a reason for the sender to read.
 */
import type { Network } from '../../ledger/network.ts'
import { formatIssues } from '../../node/config-issues.ts'
import { decode } from '../../schemas/codec.ts'
import { type Account, fromHex, short } from '../../schemas/hex.ts'
import { accept, type Result, refuse } from '../../schemas/result.ts'
import {
  WIRING_BYTES_MAX,
  type WiringMessage,
  wiring as wiringCodec,
  wiringParts,
} from '../../schemas/wiring.ts'
import { wireMisfits, wiresConfig } from './config.ts'
import type { Wire } from './wire.ts'

export interface Refusal {
  /** Undefined when the bytes are no message at all. */
  readonly sequence: number | undefined
  readonly reason: string
}

export interface Taken extends WiringMessage {
  readonly wires: readonly Wire[]
}

export interface Addressee {
  readonly agent: Account
  readonly owner: Account
  /** Of the last message that was taken; 0: none. */
  readonly sequence: number
  /** The agent's own. */
  readonly sensors: readonly string[]
}

const REASON_CHARS_MAX = 400
const ISSUES_MAX = 3

export function checkWiring(network: Network, to: Addressee, bytes: Uint8Array): Result<Taken, Refusal> {
  const decoded = decode(wiringCodec, bytes, WIRING_BYTES_MAX)
  if (!decoded.ok) {
    const { field, message } = decoded.fault
    return refuse({
      sequence: undefined,
      reason: `bad-encoding: ${field === '' ? '' : `${field}: `}${message}`,
    })
  }
  const message = decoded.value
  const { sequence, text, signature } = message
  const because = (reason: string) => refuse({ sequence, reason: reason.slice(0, REASON_CHARS_MAX) })
  const { hashing, signatures, genesisHash } = network
  const signed = hashing.tagged('wiring', fromHex(genesisHash), ...wiringParts(to.agent, message))
  if (!signatures.verify(signature, signed, to.owner))
    return because(
      `bad-signature: not signed by the owner ${short(to.owner)} for agent ${short(to.agent)} on network ${network.id}`,
    )
  if (sequence <= to.sequence)
    return because(
      `old-sequence: expected more than ${to.sequence}, got ${sequence}; an old message counts once`,
    )
  const wires = readWires(text, to.sensors)
  return wires.ok ? accept({ ...message, wires: wires.value }) : because(wires.fault)
}

/** Wires out of their JSON text, by the rules of the configuration; else why not. */
export function readWires(text: Uint8Array, sensors: readonly string[]): Result<readonly Wire[], string> {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text))
  } catch {
    return refuse('bad-wires: the text is not JSON')
  }
  const schema = wiresConfig.superRefine((wires, context) => {
    if (context.issues.length > 0) return
    for (const { path, message } of wireMisfits(wires, sensors))
      context.addIssue({ code: 'custom', path: [...path], message })
  })
  const parsed = schema.safeParse(value)
  if (parsed.success) return accept(parsed.data)
  const issues = formatIssues(parsed.error.issues, { value, schema }).slice(0, ISSUES_MAX)
  return refuse(`bad-wires: ${issues.map((issue) => `wires${issue}`).join(' | ')}`)
}
