/**
 * Configuration of the programs: YAML files and command line options end here, checked and with defaults filled in.
 *
 * Units stand in the field's name or comment; amounts are coins as text ("0.01"), since YAML numbers are floats.
 */
import { z } from 'zod'
import { accountText, hashText } from './hex.ts'

const port = z.int().min(0).max(65_535).describe('TCP port, 0 for any free one')

/** Where the broker is and, for a broker of another make, how to log in there. */
export const connectionConfig = z.strictObject({
  url: z
    .string()
    .regex(
      /^(mqtts?|wss?):\/\/[^\s@]+$/,
      'expected mqtt://, mqtts://, ws:// or wss://, host and port, without user name',
    )
    .describe('broker address, such as mqtt://192.168.1.10:1883'),
  caFile: z.string().optional().describe('certificate authority (PEM) for mqtts:// and wss://'),
  username: z.string().max(256).optional().describe('only for brokers of another make'),
  passwordFile: z.string().optional().describe('file with the password, mode 0600'),
})
export type ConnectionConfig = z.infer<typeof connectionConfig>

/** How much of the ledger stays on disk; headers and the state always do, and the last 1,024 blocks at least. */
export const storageConfig = (keep: 'all' | 'recent') =>
  z
    .strictObject({
      keep: z.enum(['all', 'recent']).default(keep).describe('all blocks, or those for which there is room'),
      megabytesMax: z
        .int()
        .min(16)
        .max(1_000_000)
        .default(512)
        .describe('with keep: recent, of the whole ledger'),
      daysMax: z.int().min(1).max(36_500).optional().describe('with keep: recent, age of the oldest blocks'),
    })
    .prefault({})
export type StorageConfig = z.output<ReturnType<typeof storageConfig>>

export const trustedConfig = z
  .strictObject({
    height: z.int().min(1).max(0xffff_ffff),
    hash: hashText,
  })
  .optional()
  .describe('a block that is known to be of the network: no chain without it is followed')

export const brokerConfig = z.strictObject({
  host: z.string().default('0.0.0.0').describe('address to listen on'),
  mqttPort: port.default(1883),
  wsPort: port.default(9001),
  httpPort: port.nullable().default(8080),
  validators: z.array(accountText).max(64).describe('accounts that may publish the system topics'),
})
export type BrokerConfig = z.infer<typeof brokerConfig>

export const validatorConfig = z.strictObject({
  name: z.string().min(1).max(64).default('validator'),
  broker: connectionConfig,
  data: z.string().describe('directory for the key and the ledger'),
  genesis: z.string().optional().describe('genesis file; needed on the first start'),
  storage: storageConfig('all'),
  trusted: trustedConfig,
  host: z.string().default('127.0.0.1').describe('address for HTTP'),
  httpPort: port.nullable().default(null),
})
export type ValidatorConfig = z.infer<typeof validatorConfig>

export const carrierConfig = z.strictObject({
  name: z.string().min(1).max(64).default('carrier'),
  data: z.string().describe('directory for the key and the slow hand'),
  genesis: z.string().describe('genesis file of the first network'),
  broker: connectionConfig,
  otherGenesis: z.string().describe('genesis file of the other network, with the same slow hand'),
  otherBroker: connectionConfig,
})
export type CarrierConfig = z.infer<typeof carrierConfig>
