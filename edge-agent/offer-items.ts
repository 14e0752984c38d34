/**
 * What an agent offers, from what its configuration sells: sensors by reading and by minute, outputs by minute, files.
 *
 * A price in the configuration is what makes an item; prices are smallest units here.
 */
import { OFFER_ITEMS_MAX, type OfferItem } from '../schemas/offer.ts'

/** What every item has. */
interface Terms {
  /** Blocks, the payment's own counted, before the agent acts on it. */
  readonly confirmations: number
  readonly place?: string | undefined
  readonly terms?: string | undefined
}

interface Minutes {
  readonly secondsMin: number
  readonly secondsMax: number
}

/** `sell` of a sensor. */
export interface SensorSale extends Terms, Minutes {
  /** Its paid topic; none: not sold that way. */
  readonly perMinute?: number | undefined
  /** Through a channel; none: not sold that way. */
  readonly perReading?: number | undefined
  /** Who pays nothing gets a reading this often; 0: none. */
  readonly freeEverySeconds: number
}

/** `sell` of an output. */
export interface OutputSale extends Terms, Minutes {
  readonly perMinute: number
}

/** What is sold of an agent's configuration. */
export interface Sellable {
  readonly sensors: readonly {
    readonly name: string
    readonly intervalSeconds?: number | undefined
    readonly sell?: SensorSale | undefined
  }[]
  readonly outputs: readonly { readonly name: string; readonly sell?: OutputSale | undefined }[]
  readonly files?:
    | readonly (Terms & { readonly name: string; readonly price: number; readonly bytes: number })[]
    | undefined
}

/** What of a sensor its configuration does not say. */
export interface SensorFacts {
  readonly unit: string
  /** Readings so far. */
  readonly count: number
}

/** In the order of the configuration; what is beyond the limit of an offer is left out. */
export function itemsOf(
  { sensors, outputs, files = [] }: Sellable,
  factsOf: (sensor: string) => SensorFacts,
): readonly OfferItem[] {
  const items = [
    ...sensors.flatMap((sensor) => sensorItems(sensor, factsOf)),
    ...outputs.flatMap(({ name, sell }): OfferItem[] =>
      sell === undefined
        ? []
        : [{ type: 'output', name, price: sell.perMinute, ...common(sell), ...minutes(sell) }],
    ),
    ...files.map((file): OfferItem => {
      const { name, price, bytes } = file
      return { type: 'file', name, price, bytes, ...common(file) }
    }),
  ]
  return items.slice(0, OFFER_ITEMS_MAX)
}

function sensorItems(
  { name, intervalSeconds, sell }: Sellable['sensors'][number],
  factsOf: (sensor: string) => SensorFacts,
): OfferItem[] {
  if (sell === undefined) return []
  const { perReading, perMinute, freeEverySeconds } = sell
  const measured = { name, ...common(sell), ...factsOf(name), everyMs: ms(intervalSeconds ?? 0) }
  const items: OfferItem[] = []
  if (perReading !== undefined) items.push({ type: 'readings', price: perReading, ...measured })
  if (perMinute !== undefined)
    items.push({
      type: 'topic',
      price: perMinute,
      ...measured,
      ...minutes(sell),
      freeEveryMs: ms(freeEverySeconds),
    })
  return items
}

const common = ({ confirmations, place = '', terms = '' }: Terms) => ({ confirmations, place, terms })
const minutes = ({ secondsMin, secondsMax }: Minutes) => ({ secondsMin, secondsMax })
const ms = (seconds: number): number => Math.round(seconds * 1000)
