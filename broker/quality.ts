/**
 * A validator's opinion of every device's readings: fed with blocks and offers, and says which devices have a new one.
 *
 * Each device at most once a minute, only when something of it has changed, and only so many devices at a time, so that the
 * work in one go is bounded. Where a sensor is, its seller says in its offer. No IO and no clock of its own.
 */
import type { Entry, Update } from '../ledger/chain.ts'
import type { Network } from '../ledger/network.ts'
import { checkOffer } from '../ledger/offer.ts'
import type { Account } from '../schemas/hex.ts'
import { QUALITY_SENSORS_MAX, type Quality, type SensorQuality } from '../schemas/quality.ts'
import type { Transaction } from '../schemas/transaction.ts'
import { judge } from './plausibility.ts'
import { QualityHistory } from './quality-history.ts'
import { ofBatch, ofSample, type Series, SeriesBook } from './series.ts'

/** A device's opinion is told this often at most. */
export const TELL_MS = 60_000
/** Devices that are judged in one go. */
const DEVICES_AT_ONCE = 8
/** Devices whose offers are remembered; the one that was heard longest ago makes room. */
const OFFERS_MAX = 2_000
/** An offer of one device is looked at this often at most: its signature costs some. */
const OFFER_MS = 1_000

interface Offered {
  readonly heardMs: number
  readonly until: number
  /** By sensor. */
  readonly places: ReadonlyMap<string, string>
}

interface Told {
  readonly atMs: number
  /** Undefined before the first. */
  readonly quality: Quality | undefined
}

export class QualityBook {
  readonly #network: Network
  readonly #series: SeriesBook
  readonly #history: QualityHistory
  readonly #offers = new Map<Account, Offered>()
  readonly #told = new Map<Account, Told>()
  /** Devices that have said something since they were judged. */
  readonly #changed = new Set<Account>()

  constructor(network: Network, history = new QualityHistory(), seriesMax?: number) {
    this.#network = network
    this.#history = history
    this.#series = new SeriesBook(seriesMax)
  }

  /** What was told of each device and still stands: to be told again to a broker that may have forgotten. */
  get standing(): readonly Quality[] {
    return [...this.#told.values()].flatMap(({ quality }) => (quality === undefined ? [] : [quality]))
  }

  /** Takes what blocks confirmed; what they take back stays, and is known when it comes again. */
  update({ connected }: Pick<Update, 'connected'>): void {
    for (const { transactions, entry } of connected)
      this.block(
        entry,
        transactions.map(({ transaction }) => transaction),
      )
  }

  block({ height, time }: Pick<Entry, 'height' | 'time'>, transactions: readonly Transaction[]): void {
    this.#history.block(height, time)
    for (const tx of transactions) {
      if (tx.type !== 'reading' && tx.type !== 'batch') continue
      const heard = tx.type === 'reading' ? ofSample(tx.sample) : ofBatch(tx)
      if (!this.#series.take(tx.from, heard, height)) continue
      this.#changed.add(tx.from)
      this.#history.readings(tx.from, heard.sensor, heard.count, height)
    }
  }

  /** Takes what stood on a device's offer topic; an empty one takes it back. `nowMs`: Unix milliseconds. */
  offer(publisher: Account, bytes: Uint8Array, nowMs: number): void {
    if (bytes.length === 0) {
      this.#offers.delete(publisher)
      return
    }
    const before = this.#offers.get(publisher)
    if (before !== undefined && Math.abs(nowMs - before.heardMs) < OFFER_MS) return
    const checked = checkOffer(this.#network, bytes, publisher, nowMs)
    if (!checked.ok) return
    const places = new Map<string, string>()
    for (const { type, name, place } of checked.value.items)
      if (type === 'readings' || type === 'topic') places.set(name, placeOf(place))
    this.#offers.delete(publisher)
    this.#offers.set(publisher, { heardMs: nowMs, until: checked.value.until, places })
    for (const oldest of this.#offers.keys()) {
      if (this.#offers.size <= OFFERS_MAX) break
      this.#offers.delete(oldest)
    }
  }

  /** New opinions, a few at a time: call again soon. `nowMs`: Unix milliseconds; `height`: of the tip. */
  due(nowMs: number, height: number): readonly Quality[] {
    const devices = [...this.#changed]
      .filter((device) => this.#isDue(device, nowMs))
      .slice(0, DEVICES_AT_ONCE)
    if (devices.length === 0) return []
    const wanted = new Set(devices)
    const own = new Map<Account, Series[]>()
    const byUnit = new Map<string, Series[]>()
    for (const series of this.#series.all()) {
      if (wanted.has(series.device)) put(own, series.device, series)
      put(byUnit, series.unit, series)
    }
    return devices.flatMap((device) => {
      const quality = { device, height, sensors: this.#sensors(own.get(device) ?? [], byUnit, nowMs) }
      const before = this.#told.get(device)?.quality
      const isNews = quality.sensors.length > 0 && keyOf(before) !== keyOf(quality)
      this.#changed.delete(device)
      this.#told.set(device, { atMs: nowMs, quality: isNews ? quality : before })
      return isNews ? [quality] : []
    })
  }

  /** Devices of which no reading is remembered any more: what was told of them is taken back. */
  gone(): readonly Account[] {
    const there = new Set([...this.#series.all()].map(({ device }) => device))
    const gone = [...this.#told.keys()].filter((device) => !there.has(device))
    for (const device of gone) {
      this.#told.delete(device)
      this.#changed.delete(device)
    }
    return gone
  }

  #isDue(device: Account, nowMs: number): boolean {
    const told = this.#told.get(device)
    return told === undefined || Math.abs(nowMs - told.atMs) >= TELL_MS
  }

  #sensors(
    own: readonly Series[],
    byUnit: ReadonlyMap<string, readonly Series[]>,
    nowMs: number,
  ): SensorQuality[] {
    const sorted = [...own].sort((a, b) => (a.sensor < b.sensor ? -1 : 1))
    return sorted.slice(0, QUALITY_SENSORS_MAX).map((series) => {
      const others = (byUnit.get(series.unit) ?? []).filter(({ device }) => device !== series.device)
      const place = this.#placeOf(series, nowMs)
      const neighbours = place === '' ? [] : others.filter((other) => this.#placeOf(other, nowMs) === place)
      const judged = judge(series, { place, neighbours, others })
      this.#history.score(series.device, series.sensor, judged.score)
      return { ...judged, past: this.#history.of(series.device, series.sensor) }
    })
  }

  #placeOf({ device, sensor }: Series, nowMs: number): string {
    const offered = this.#offers.get(device)
    return offered === undefined || offered.until <= nowMs ? '' : (offered.places.get(sensor) ?? '')
  }
}

/** Places are alike if they are written alike, but for case and spaces around. */
const placeOf = (text: string): string => text.trim().toLowerCase()

/** What makes an opinion another one: not how many readings it rests on, nor the offset, which moves with each. */
const keyOf = (quality: Quality | undefined): string =>
  JSON.stringify(quality?.sensors.map(({ readings: _, offset: __, ...rest }) => rest) ?? [])

function put<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [value])
  else list.push(value)
}
