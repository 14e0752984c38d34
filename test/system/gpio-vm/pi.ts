/**
 * What the tests plug into a simulated Pi's header, for each way to its lines: a button, a flow meter and two relays that the
 * button switches, and the agent that they are for.
 *
 * `lamp` is safe when off, `fan` when on, and is on at ground: both lines are at 1 while the button is pressed, at 0 where
 * they are safe. From outside `lamp` is pulled up and `fan` down, so that lines which nobody drives are neither.
 */
import type { Test } from 'tap'
import { waitUntil } from '../../helpers/wait-until.ts'
import { type Guest, type GuestAgent, startAgent } from './agent.ts'
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
  /** The way that the configuration asks for; the program finds one when left out. */
  readonly access?: 'gpiod'
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

/** Resolves once the agent of `account` runs and the level of each button is on the ledger. Names of sensors end in `suffix`. */
export async function startPi(
  t: Test,
  lab: Lab,
  lines: Lines,
  { account, ...guest }: Guest & { readonly account: string },
  ways: readonly Way[],
  suffix: string,
): Promise<readonly Pi[]> {
  const sensor = (what: string, { name }: Way): string => `${what}-${name}-${suffix}`
  for (const { pins } of ways) await lines.drive(pins.lamp, 1)
  const config = {
    name: account,
    broker: lab.broker,
    sensors: ways.flatMap((way) => {
      const common = { driver: 'gpio', ...(way.access && { access: way.access }) }
      const meter = { mode: 'pulse', quantity: 'count', unit: 'count', intervalSeconds: 1 }
      return [
        { ...common, name: sensor('button', way), pin: way.pins.button },
        { ...common, ...meter, name: sensor('flow', way), pin: way.pins.flow },
      ]
    }),
    outputs: ways.flatMap((way) => {
      const { name, pins, access } = way
      const common = { lostAfterSeconds: 1, ...(access && { access }) }
      const button = { sensor: sensor('button', way), staleSeconds: 600 }
      return [
        { ...common, name: `lamp-${name}`, pin: pins.lamp, when: { ...button, above: 0.5 } },
        {
          ...{ ...common, name: `fan-${name}`, pin: pins.fan, activeLow: true, safe: 'on' },
          when: { ...button, below: 0.5 },
        },
      ]
    }),
  }
  const agent = await startAgent(t, lab.vm, lab.keyFile(account), config, guest)
  lab.mine(true)
  const pis = ways.map((way): Pi => {
    const { name, pins } = way
    return {
      name,
      pins,
      agent,
      presses: () => lab.confirmed(sensor('button', way)),
      counts: () => lab.confirmed(sensor('flow', way)),
      press: (level) => lines.drive(pins.button, level),
      async relays(levels, timeoutMs = 60_000) {
        const startedMs = performance.now()
        const now = `$(<${lines.file(pins.lamp)}) $(<${lines.file(pins.fan)})`
        const check = `echo ${now}; [ "${now}" = '${levels}' ]`
        await lab.vm.until(`relays of ${name} are ${levels}`, check, timeoutMs)
        return Math.round(performance.now() - startedMs)
      },
    }
  })
  for (const pi of pis)
    await waitUntil(`the button of ${pi.name} is on the ledger`, () => pi.presses().length > 0, 120_000)
  return pis
}
