/**
 * Memory that all connections share: bytes of incomplete frames, and bytes that clients have not read yet.
 */
export type BudgetCut = 'readers-too-slow'

/** A connection as the budget sees it. */
interface Member {
  /** Bytes that its client has not read yet. */
  readonly backlog: number
  cut(reason: BudgetCut): void
}

export class Budget {
  readonly #members = new Set<Member>()
  readonly #outgoingTotalBytesMax: number
  receiving = 0
  outgoing = 0

  constructor(outgoingTotalBytesMax: number) {
    this.#outgoingTotalBytesMax = outgoingTotalBytesMax
  }

  add(member: Member): void {
    this.#members.add(member)
  }
  remove(member: Member): void {
    this.#members.delete(member)
  }

  /** Cuts off whoever is furthest behind while all together wait for too much. */
  settle(): void {
    while (this.outgoing > this.#outgoingTotalBytesMax) {
      let worst: Member | undefined
      for (const member of this.#members) if (member.backlog > (worst?.backlog ?? 0)) worst = member
      if (worst === undefined) return
      worst.cut('readers-too-slow')
    }
  }
}
