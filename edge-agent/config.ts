/** An agent's configuration file. */
import { z } from 'zod'
import { connectionConfig, storageConfig } from '../schemas/config.ts'
import { freeText, name } from '../schemas/field.ts'
import { accountText } from '../schemas/hex.ts'
import { MEMO_BYTES_MAX } from '../schemas/transaction.ts'
import { coins } from './coins.ts'
import { sensorConfig } from './drivers.ts'
import { misfits, OUTPUTS_MAX, outputConfig } from './outputs/config.ts'
import { nameFault } from './sale/config.ts'

/** The memo is this, a space and 16 digits of the reading's id. */
const PURPOSE_BYTES_MAX = MEMO_BYTES_MAX - 17
const purpose = freeText(PURPOSE_BYTES_MAX).json.refine((text) => text !== '', 'expected some text')

const wire = z.strictObject({
  when: z.strictObject({
    device: accountText.describe('account whose readings are bought'),
    sensor: name.json,
  }),
  pay: coins.describe('coins for each reading'),
  to: accountText.optional().describe('who is paid; the device by default'),
  for: purpose.describe('what is bought; stands in the memo'),
  confirmations: z.int().min(1).max(100).default(1),
  perHourMax: z.int().min(1).max(100_000).default(1_000),
})

export const agentConfig = z
  .strictObject({
    name: z.string().min(1).max(64).describe('the device in words'),
    broker: connectionConfig,
    data: z.string().describe('directory for key, ledger and outbox'),
    genesis: z.string().optional().describe('genesis file; needed on the first start'),
    storage: storageConfig('recent'),
    mine: z
      .strictObject({
        threads: z.int().min(1).max(64).default(1),
        duty: z
          .number()
          .min(0)
          .max(1)
          .default(0.25)
          .describe('share of a core for each thread; 0 does not mine'),
      })
      .prefault({}),
    sensors: z
      .array(sensorConfig)
      .max(64)
      .refine(
        (list) => new Set(list.map((sensor) => sensor.name)).size === list.length,
        'expected each sensor name once',
      )
      .default([]),
    wires: z
      .array(wire)
      .max(64)
      .refine(
        (list) =>
          new Set(list.map(({ when, to, for: purpose }) => `${to ?? when.device} ${purpose}`)).size ===
          list.length,
        "expected each pair of 'to' and 'for' once: a payment's memo has to tell the wires apart",
      )
      .default([]),
    outputs: z.array(outputConfig).max(OUTPUTS_MAX).default([]),
  })
  .superRefine(({ outputs, sensors }, context) => {
    for (const { path, message } of misfits(outputs, sensors))
      context.addIssue({ code: 'custom', path: [...path], message })
    for (const [index, { name, sell }] of sensors.entries()) {
      const message = sell?.perMinute === undefined ? undefined : nameFault('topic', name)
      if (message !== undefined)
        context.addIssue({ code: 'custom', path: ['sensors', index, 'name'], message })
    }
  })
export type AgentConfig = z.output<typeof agentConfig>
