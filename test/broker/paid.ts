/** Sellers, buyers and validators on a running broker, and what each of them hears. */
import type { MqttClient } from 'mqtt'
import type { Signer } from '../../node/signing.ts'
import { encode } from '../../schemas/codec.ts'
import { type Grant, grant } from '../../schemas/grant.ts'
import { type Account, type Network, ZERO_HASH } from '../../schemas/hex.ts'
import { tip } from '../../schemas/message.ts'
import { mirror, topic } from '../../schemas/topic.ts'
import { NETWORK, signerOf } from './running-broker.ts'

/** The validator that the broker knows, another that it knows, and one that it does not. */
export const [judge, second, stranger] = [signerOf(11), signerOf(12), signerOf(13)] as const
export const [seller, buyer, other] = [signerOf(14), signerOf(15), signerOf(16)] as const

export const SOIL = topic(NETWORK, 'paid', seller.account, 'soil')
/** Everybody may read it: what comes after something shows that the something did not come. */
export const OPEN = topic(NETWORK, 'reading', seller.account, 'soil')

export const grantTopic = (validator: Signer, network: Network = NETWORK): string =>
  topic(network, 'grant', validator.account, seller.account, buyer.account)

export function grantBytes(sensors: Grant['sensors'], who: Partial<Pick<Grant, 'seller' | 'buyer'>> = {}) {
  const pair = { seller: seller.account, buyer: buyer.account, ...who }
  return Buffer.from(encode(grant, { ...pair, height: 7, sensors }))
}

/** A validator says until when the buyer may read the seller's soil; never: nothing any more. */
export async function say(
  validator: MqttClient,
  by: Signer,
  until: number | 'nothing',
  network: Network = NETWORK,
): Promise<void> {
  const payload = until === 'nothing' ? Buffer.alloc(0) : grantBytes([{ sensor: 'soil', until }])
  await validator.publishAsync(grantTopic(by, network), payload, { qos: 1, retain: true })
}

export async function sayTip(validator: MqttClient, by: Signer, time: number): Promise<void> {
  const hash = ZERO_HASH
  const payload = encode(tip, {
    ...{ height: 1, hash, parent: hash, time, miner: by.account as Account, target: 1n, work: 1n },
    ...{ stateRoot: hash, transactions: 0, readings: 0, supply: 0 },
  })
  await validator.publishAsync(topic(NETWORK, 'tip', by.account), Buffer.from(payload), {
    qos: 1,
    retain: true,
  })
}

export interface Ear {
  /** Payloads by topic, in the order in which they came. */
  readonly heard: string[]
  readonly client: MqttClient
}

export function ear(client: MqttClient): Ear {
  const heard: string[] = []
  client.on('message', (name, payload) => heard.push(`${name} ${String(payload)}`))
  return { heard, client }
}

/** What was heard on paid and private topics. */
export const closed = ({ heard }: Ear): readonly string[] =>
  heard
    .filter((line) => /^pinledger\/[0-9a-f]{8}\/(paid|channel|key|file)\//.test(line))
    .map((line) => line.slice(line.indexOf(' ') + 1))

/** The seller publishes a reading on its paid topic, and its mirror. */
export async function publish(client: MqttClient, what: string, qos: 0 | 1 | 2 = 1): Promise<void> {
  await client.publishAsync(SOIL, what, { qos })
  await client.publishAsync(mirror(SOIL), `${what} json`, { qos })
}
