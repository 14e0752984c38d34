/**
 * The topic tree: every name that pinledger publishes or subscribes to, and who may publish it.
 *
 * Everything lives under `pinledger/<network>/`. The level after the kind is the publisher's account, so that a
 * broker can tell from the topic alone whether a client publishes under its own name. A topic that ends in `/json`
 * is the JSON mirror of the binary topic without it. Source: docs/PROTOCOL.md section 7.
 */
import type { Account, Network } from './hex.ts'

export const ROOT = 'pinledger'

/**
 * Kinds of topic. `publisher`: any device under its own account, or validators only. `readers`: whom a pinledger broker
 * forwards it to, everybody where nothing is said; `addressee`: the account in the last level, `payers`: who has paid the publisher for it.
 */
export const KINDS = {
  /** Signed transactions of one account. */
  tx: { publisher: 'device', retained: false, levels: 0 },
  /** Blocks by one miner. */
  block: { publisher: 'device', retained: false, levels: 0 },
  /** Presence: birth and last will. */
  status: { publisher: 'device', retained: true, levels: 0 },
  /** `sensor/<account>/<sensor>`: what a sensor measures, retained. */
  sensor: { publisher: 'device', retained: true, levels: 1 },
  /** `reading/<account>/<sensor>`: live SenML for people; `sample` the batched samples with proofs. */
  reading: { publisher: 'device', retained: false, levels: 1 },
  sample: { publisher: 'device', retained: false, levels: 1 },
  /** `output/<account>/<output>`: whether a relay or an LED is on, since when and why; JSON only. */
  output: { publisher: 'device', retained: true, levels: 1 },
  /** `request/<from>/<to>` and `reply/<from>/<to>`. */
  request: { publisher: 'device', retained: false, levels: 1 },
  reply: { publisher: 'device', retained: false, levels: 1 },
  /** `offer/<account>`: what an account sells, signed. */
  offer: { publisher: 'device', retained: true, levels: 0 },
  /** `paid/<account>/<sensor>`: the full rate of a sensor that is sold by time. */
  paid: { publisher: 'device', retained: false, levels: 1, readers: 'payers' },
  /** `channel/<from>/<to>`: readings and payments one for one; `key` keys of paid topics; `file` larger goods. */
  channel: { publisher: 'device', retained: false, levels: 1, readers: 'addressee' },
  key: { publisher: 'device', retained: false, levels: 1, readers: 'addressee' },
  file: { publisher: 'device', retained: false, levels: 1, readers: 'addressee' },
  /** `claim/<payee>/<channel>`: the best proof that a payee has, so that anybody can claim for it. */
  claim: { publisher: 'device', retained: true, levels: 1 },
  /** `wires/<account>`: what an agent's wires have earned and spent; JSON only. */
  wires: { publisher: 'device', retained: true, levels: 0 },
  /** `wiring/<owner>/<agent>`: new wires for an agent, signed by its owner. */
  wiring: { publisher: 'device', retained: false, levels: 1 },
  /** `lab/<owner>`: an experiment that an owner starts on its agents, or stops; signed. */
  lab: { publisher: 'device', retained: true, levels: 0 },
  /** Which round of an experiment it is, by the agent that keeps its rounds. */
  tower: { publisher: 'device', retained: true, levels: 0 },
  /** Ticks of an agent's hand in an experiment; `lab-ask/<from>/<agent>` asks for those that were missed. */
  'lab-tick': { publisher: 'device', retained: false, levels: 0 },
  'lab-ask': { publisher: 'device', retained: false, levels: 1 },
  /** How an agent stands to its owner's last order; JSON only. */
  'lab-state': { publisher: 'device', retained: true, levels: 0 },
  /** Where a validator's chain ends. */
  tip: { publisher: 'validator', retained: true, levels: 0 },
  /** A signer's latest vote for a checkpoint. */
  vote: { publisher: 'device', retained: true, levels: 0 },
  /** Certificates of the highest justified and final checkpoints that a validator knows. */
  checkpoint: { publisher: 'validator', retained: true, levels: 0 },
  /** `account/<validator>/<account>`: balance and nonce. */
  account: { publisher: 'validator', retained: true, levels: 1 },
  /** `receipt/<validator>/<account>`: what became of an account's transactions. */
  receipt: { publisher: 'validator', retained: false, levels: 1 },
  /** `confirmed/<validator>`: blocks and their transactions once connected; JSON only. */
  confirmed: { publisher: 'validator', retained: false, levels: 0 },
  /** `refused/<validator>`: what was refused and why; JSON only. */
  refused: { publisher: 'validator', retained: false, levels: 0 },
  /** `members/<validator>`: who may mine on an enrolled network; JSON only. */
  members: { publisher: 'validator', retained: true, levels: 0 },
  /** `grant/<validator>/<seller>/<buyer>`: until when a buyer may read what of a seller, by the ledger. */
  grant: { publisher: 'validator', retained: true, levels: 2 },
  /** `quality/<validator>/<device>`: how plausible a device's readings are; JSON only, and advice. */
  quality: { publisher: 'validator', retained: true, levels: 1 },
  /** A tick of a slow hand; these two have the hand's id in the place of the network's. */
  tick: { publisher: 'device', retained: false, levels: 0 },
  /** Where a validator's slow hand ends. */
  hand: { publisher: 'validator', retained: true, levels: 0 },
  /** `clock/<validator>`: how good a clock the network is; JSON only. */
  clock: { publisher: 'validator', retained: true, levels: 0 },
  /** The genesis, retained by validators, so that a newcomer who knows its hash needs no file. */
  genesis: { publisher: 'validator', retained: true, levels: 0 },
} as const satisfies Record<string, KindRules>

interface KindRules {
  readonly publisher: 'device' | 'validator'
  readonly retained: boolean
  readonly levels: number
  readonly readers?: 'addressee' | 'payers'
}

export type Kind = keyof typeof KINDS

/** The broker's own retained topic: 32 random bytes (hex) that a login has to sign; renewed every minute. */
export const CHALLENGE_TOPIC = `${ROOT}/challenge`

export const topic = (network: Network, kind: Kind, ...levels: readonly string[]): string =>
  [ROOT, network, kind, ...levels].join('/')

export const mirror = (binary: string): string => `${binary}/json`

/** Filter for a kind from every publisher, binary messages only. */
export const everyone = (network: Network, kind: Kind): string =>
  topic(network, kind, '+', ...Array<string>(KINDS[kind].levels).fill('+'))

export interface ParsedTopic {
  readonly network: Network
  readonly kind: Kind
  readonly publisher: Account
  /** Levels after the publisher, without a trailing `json`. */
  readonly rest: readonly string[]
  readonly json: boolean
}

const HEX8 = /^[0-9a-f]{8}$/
const HEX64 = /^[0-9a-f]{64}$/
const LEVEL = /^[a-z0-9][a-z0-9._-]{0,63}$/

/** Takes a topic of the tree apart; undefined for everything that is not one. */
export function parseTopic(name: string): ParsedTopic | undefined {
  const [root, network = '', kind = '', publisher = '', ...tail] = name.split('/')
  if (root !== ROOT || !HEX8.test(network) || !HEX64.test(publisher) || !Object.hasOwn(KINDS, kind))
    return undefined
  const levels: number = KINDS[kind as Kind].levels
  const json = tail.length === levels + 1 && tail.at(-1) === 'json'
  const rest = json ? tail.slice(0, -1) : tail
  if (rest.length !== levels || rest.some((level) => !LEVEL.test(level))) return undefined
  return { network: network as Network, kind: kind as Kind, publisher: publisher as Account, rest, json }
}
