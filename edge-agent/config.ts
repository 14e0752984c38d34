/** An agent's configuration file. */
import { z } from 'zod'
import { connectionConfig, storageConfig, trustedConfig } from '../schemas/config.ts'
import { accountText } from '../schemas/hex.ts'
import { buysConfig } from './channel/config.ts'
import { sensorConfig } from './drivers.ts'
import { filesConfig } from './files/config.ts'
import { SLOW_SHARE } from './miner.ts'
import { misfits, OUTPUTS_MAX, outputConfig } from './outputs/config.ts'
import { nameFault } from './sale/config.ts'
import { splitConfig } from './split-setting.ts'
import { wireMisfits, wiresConfig } from './wires/config.ts'

export const agentConfig = z
  .strictObject({
    name: z.string().min(1).max(64).describe('the device in words'),
    broker: connectionConfig,
    data: z.string().describe('directory for key, ledger and outbox'),
    genesis: z.string().optional().describe('genesis file; needed on the first start'),
    storage: storageConfig('recent'),
    trusted: trustedConfig,
    mine: z
      .strictObject({
        threads: z.int().min(1).max(64).default(1),
        duty: z
          .number()
          .min(0)
          .max(1)
          .default(0.25)
          .describe('share of a core for each thread; 0 does not mine'),
        slowShare: z
          .number()
          .min(0)
          .max(1)
          .default(SLOW_SHARE)
          .describe("share of the mining for the slow hand of the network's clock, if it has one"),
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
    owner: accountText.optional().describe('who may change the wires while the agent runs'),
    wires: wiresConfig.default([]),
    outputs: z.array(outputConfig).max(OUTPUTS_MAX).default([]),
    clock: z
      .strictObject({
        lab: z
          .boolean()
          .default(false)
          .describe('whether it takes part in experiments that its owner orders'),
        duty: z.number().min(0.01).max(1).default(0.25).describe('share of a core for them'),
      })
      .prefault({}),
    buys: buysConfig,
    split: splitConfig
      .optional()
      .describe('with whom it shares what it earns; left out: as it is on the ledger'),
    files: filesConfig.optional().describe('files that are sold'),
  })
  .superRefine(({ outputs, sensors, wires, clock, owner }, context) => {
    if (clock.lab && owner === undefined)
      context.addIssue({
        code: 'custom',
        path: ['clock', 'lab'],
        message: 'expected an owner beside it, whose orders count; else false',
      })
    for (const { path, message } of misfits(outputs, sensors))
      context.addIssue({ code: 'custom', path: [...path], message })
    for (const [index, { name, sell }] of sensors.entries()) {
      const message = sell?.perMinute === undefined ? undefined : nameFault('topic', name)
      if (message !== undefined)
        context.addIssue({ code: 'custom', path: ['sensors', index, 'name'], message })
    }
    // Wires that are wrong in themselves are not wires yet.
    if (context.issues.some(({ path }) => path?.[0] === 'wires')) return
    const names = sensors.map(({ name }) => name)
    for (const { path, message } of wireMisfits(wires, names))
      context.addIssue({ code: 'custom', path: ['wires', ...path], message })
  })
export type AgentConfig = z.output<typeof agentConfig>
