/** What an agent sells by time, as its configuration says. */
import type { Item, ItemKind } from '../../schemas/receipt-memo.ts'
import type { Terms, Wanted } from './settlement.ts'

/** Sensors and outputs, with their terms where they are sold. */
export interface Goods {
  readonly outputs: readonly { readonly name: string; readonly sell?: Terms | undefined }[]
  readonly sensors: readonly {
    readonly name: string
    readonly sell?: (Omit<Terms, 'perMinute'> & { readonly perMinute?: number | undefined }) | undefined
  }[]
}

export class Shop {
  /** By kind and name; `not-for-sale` for what is there, but has no price. */
  readonly #wanted = new Map<string, Terms | 'not-for-sale'>()
  /** Deepest that a payment has to be. */
  readonly confirmationsMax: number
  /** How far ahead anything can be bought. */
  readonly secondsMax: number

  constructor({ outputs, sensors }: Goods) {
    const add = (kind: ItemKind, name: string, terms: Terms | undefined): void =>
      void this.#wanted.set(`${kind} ${name}`, terms ?? 'not-for-sale')
    for (const { name, sell } of outputs) add('on', name, sell)
    for (const { name, sell } of sensors) {
      const perMinute = sell?.perMinute
      add('topic', name, sell === undefined || perMinute === undefined ? undefined : { ...sell, perMinute })
    }
    const sold = [...this.#wanted.values()].filter((terms) => terms !== 'not-for-sale')
    this.confirmationsMax = Math.max(0, ...sold.map(({ confirmations }) => confirmations))
    this.secondsMax = Math.max(0, ...sold.map(({ secondsMax }) => secondsMax))
  }

  /** Without anything to sell, whatever is paid is a gift. */
  get isEmpty(): boolean {
    return this.confirmationsMax === 0
  }

  wanted({ kind, name }: Item): Wanted {
    return this.#wanted.get(`${kind} ${name}`) ?? 'unknown-item'
  }

  /** How deep a payment for this has to be before it is settled; what is given back waits for the most careful of all items. */
  confirmations(item: Item): number {
    const wanted = this.wanted(item)
    return typeof wanted === 'string' ? this.confirmationsMax : wanted.confirmations
  }
}
