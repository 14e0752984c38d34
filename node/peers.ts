/** What other nodes say of their tips: claims, not facts, of a bounded number of peers. */
import type { Account } from '../schemas/hex.ts'
import type { Tip } from '../schemas/message.ts'

const PEERS_MAX = 64

export class Peers {
  /** In the order in which they were heard. */
  readonly #tips = new Map<Account, Tip>()

  get size(): number {
    return this.#tips.size
  }

  /** Names are cheap, so the peer silent for longest makes room. */
  set(peer: Account, tip: Tip): void {
    this.#tips.delete(peer)
    this.#tips.set(peer, tip)
    if (this.#tips.size <= PEERS_MAX) return
    for (const oldest of this.#tips.keys()) {
      this.#tips.delete(oldest)
      break
    }
  }

  clear(): void {
    this.#tips.clear()
  }

  /** Whether a peer claims exactly this work. */
  share(work: bigint): boolean {
    return [...this.#tips.values()].some((tip) => tip.work === work)
  }

  /** Height that a peer claims. */
  height(peer: Account): number | undefined {
    return this.#tips.get(peer)?.height
  }

  /** Peers that claim at least this work, those heard last first: they are the most likely to be there. */
  claiming(work: bigint): Account[] {
    return [...this.#tips].flatMap(([peer, tip]) => (tip.work >= work ? [peer] : [])).reverse()
  }

  /** The peer with the most work above `work`, of those that `counts`. */
  best(work: bigint, counts: (peer: Account) => boolean = () => true): [Account, Tip] | undefined {
    let best: [Account, Tip] | undefined
    for (const peer of this.#tips) if (peer[1].work > (best?.[1].work ?? work) && counts(peer[0])) best = peer
    return best
  }
}
