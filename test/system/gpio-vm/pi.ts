/**
 * What the tests plug into a simulated Pi's header, for each way to its lines: a button, a flow meter and two relays that the
 * button switches, and the agent that they are for.
 *
 * `lamp` is safe when off, `fan` when on, and is on at ground: both lines are at 1 while the button is pressed, at 0 where
 * they are safe. From outside `lamp` is pulled up and `fan` down, so that lines which nobody drives are neither.
 */
import type { Test } from 'tap'
import { waitUntil } from '../../helpers/wait-until.ts'
import { type GuestAgent, startAgent } from './agent.ts'
import type { Lab } from './lab.ts'
import type { Lines } from './lines.ts'

/** Levels of `lamp` and `fan`. */
export const PRESSED = '1 1'
export const SAFE = '0 0'
export const LEFT_ALONE = '1 0'

export interface Way {
  readonly name: string
  /** BCM numbers. */
  readonly pins: Readonly<Record<'button' | 'flow' | 'lamp' | 'fan', number>>
  /** Whose key it has. */
  readonly account: string
  /** Not root. */
  readonly user?: number
  /** Whether sysfs has GPIO. */
  readonly sysfs: boolean
  /** Where its tools are, if not where the machine has them. */
  readonly tools?: string
}

export interface Pi {
  readonly name: string
  readonly pins: Way['pins']
  readonly agent: GuestAgent
  press(level: 0 | 1): Promise<void>
  /** Resolves with milliseconds once the relays' lines are so. */
  relays(levels: string, timeoutMs?: number): Promise<number>
  /** Of the button, on the ledger. */
  presses(): readonly number[]
  /** Of the flow meter, on the ledger: pulses since the reading before. */
  counts(): readonly number[]
}

/** Resolves once the agent runs and the level of its button is on the ledger. Names of sensors end in `suffix`. */
export async function startPi(t: Test, lab: Lab, lines: Lines, way: Way, suffix: string): Promise<Pi> {
  const { name, pins, user, sysfs, tools } = way
  const sensor = (what: string): string => `${what}-${name}-${suffix}`
  const when = { sensor: sensor('button'), staleSeconds: 600 }
  const config = {
    name,
    broker: lab.broker,
    sensors: [
      { name: sensor('button'), driver: 'gpio', pin: pins.button },
      {
        ...{ name: sensor('flow'), driver: 'gpio', pin: pins.flow, mode: 'pulse', quantity: 'count' },
        ...{ unit: 'count', intervalSeconds: 1 },
      },
    ],
    outputs: [
      { name: 'lamp', pin: pins.lamp, when: { ...when, above: 0.5 }, lostAfterSeconds: 1 },
      {
        ...{ name: 'fan', pin: pins.fan, activeLow: true, safe: 'on', when: { ...when, below: 0.5 } },
        lostAfterSeconds: 1,
      },
    ],
  }
  await lines.drive(pins.lamp, 1)
  const agent = await startAgent(t, lab.vm, lab.keyFile(way.account), config, { user, sysfs, tools })
  lab.mine(true)
  const presses = (): readonly number[] => lab.confirmed(sensor('button'))
  await waitUntil(`the button of ${name} is on the ledger`, () => presses().length > 0, 120_000)
  return {
    name,
    agent,
    pins,
    presses,
    counts: () => lab.confirmed(sensor('flow')),
    press: (level) => lines.drive(pins.button, level),
    async relays(levels, timeoutMs = 60_000) {
      const startedMs = performance.now()
      const now = `$(<${lines.file(pins.lamp)}) $(<${lines.file(pins.fan)})`
      await lab.vm.until(
        `relays of ${name} are ${levels}`,
        `echo ${now}; [ "${now}" = '${levels}' ]`,
        timeoutMs,
      )
      return Math.round(performance.now() - startedMs)
    },
  }
}
