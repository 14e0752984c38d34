/**
 * Who lacks ticks of an agent's hand, and whose turn it is.
 *
 * Each has one place in the row, and goes to its end when it was answered: who asks for everything all the time gets every second
 * answer at most, and nobody is kept from his.
 */
import type { Account } from '../../schemas/hex.ts'

/** `tower`: counts fewer of our ticks than there are. `self`: what was said last may have been lost. */
export type Asker = Account | 'tower' | 'self'

export class Asks {
  readonly #above = new Map<Asker, number>()

  /** `above`: height of the last tick that the asker has. */
  ask(asker: Asker, above: number): void {
    this.#above.set(asker, Math.min(this.#above.get(asker) ?? above, above))
  }

  /** Whom to answer next, with ticks above this height; undefined when nobody lacks any. */
  next(): number | undefined {
    for (const [asker, above] of this.#above) {
      this.#above.delete(asker)
      return above
    }
    return undefined
  }

  /** Ticks above `above` up to height `last` were said: whoever asked for some of them has heard them, too. */
  answered(above: number, last: number): void {
    for (const [asker, lacks] of this.#above) if (lacks >= above && lacks < last) this.#above.delete(asker)
  }
}
