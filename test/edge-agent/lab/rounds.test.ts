/** Rounds of several agents over a broker in virtual time. */
import t from 'tap'
import { Rounds, type RoundsOptions, type Said, SETTLE_MS } from '../../../edge-agent/lab/rounds.ts'
import type { Hash } from '../../../schemas/hex.ts'
import type { LabTip } from '../../../schemas/lab-message.ts'
import { invariant } from '../../../schemas/result.ts'

const hashAt = (hand: number, height: number) => `${hand}-${height}` as Hash
const TIMEOUT_MS = 10_000
const STEP_MS = 100

interface Member {
  readonly rounds: Rounds
  /** Of each hand, as it knows them. */
  readonly heights: number[]
  online: boolean
  alive: boolean
  doneMs: number | undefined
}

/** What the broker keeps: each agent's last words as a tower. */
class Lab {
  nowMs = 0
  readonly members: Member[] = []
  readonly said: { readonly atMs: number; readonly from: number; readonly said: Said }[] = []
  readonly #kept = new Map<number, Said>()
  readonly #mineMs: readonly number[]
  readonly #rounds: number

  constructor(mineMs: readonly number[], rounds = 5) {
    this.#mineMs = mineMs
    this.#rounds = rounds
    for (let self = 0; self < mineMs.length; self++) this.members.push(this.#member(self, [], true))
  }

  member(index: number): Member {
    const member = this.members[index]
    invariant(member !== undefined, 'there is one')
    return member
  }

  #member(self: number, heights: readonly number[], online: boolean): Member {
    const known = this.#mineMs.map((_, index) => heights[index] ?? 0)
    const tips = (): LabTip[] => known.map((height, hand) => ({ height, hash: hashAt(hand, height) }))
    const options: RoundsOptions = {
      ...{ agents: this.#mineMs.length, self, rounds: this.#rounds, timeoutMs: TIMEOUT_MS, tips },
    }
    const rounds = new Rounds(options, this.nowMs)
    if (online) rounds.connected(this.nowMs)
    return { rounds, heights: known, online, alive: true, doneMs: undefined }
  }

  connect(self: number): void {
    const member = this.member(self)
    member.online = true
    member.rounds.connected(this.nowMs)
    for (const [from, said] of this.#kept) this.#hear(self, from, said)
    this.#tell(self)
  }

  disconnect(self: number): void {
    this.member(self).online = false
    this.member(self).rounds.disconnected()
  }

  /** The program dies. */
  kill(self: number): void {
    this.member(self).alive = false
    this.disconnect(self)
  }

  restart(self: number): void {
    this.members[self] = this.#member(self, this.member(self).heights, false)
    this.connect(self)
  }

  /** Everybody who is there gets the newest tick of an agent. */
  #tell(self: number): void {
    const { heights, online } = this.member(self)
    if (!online) return
    const height = heights[self] ?? 0
    for (const member of this.members)
      if (member.online && member.alive) member.heights[self] = Math.max(member.heights[self] ?? 0, height)
  }

  #hear(to: number, from: number, said: Said): void {
    const { rounds, heights } = this.member(to)
    if (rounds.hear(from, said, this.nowMs) && (heights[to] ?? 0) > (said.tips[to]?.height ?? 0))
      this.#tell(to)
  }

  say(from: number, said: Said): void {
    this.said.push({ atMs: this.nowMs, from, said })
    this.#kept.set(from, said)
    for (const [to, { online, alive }] of this.members.entries())
      if (online && alive) this.#hear(to, from, said)
  }

  pass(ms: number): this {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs; this.nowMs += STEP_MS)
      for (const [self, member] of this.members.entries()) {
        if (!member.alive) continue
        const said = member.rounds.step(this.nowMs)
        if (said !== undefined) this.say(self, said)
        if (!member.rounds.mustMine) member.doneMs = undefined
        else if (member.doneMs === undefined) member.doneMs = this.nowMs + (this.#mineMs[self] ?? 0)
        else if (this.nowMs >= member.doneMs) {
          member.heights[self] = (member.heights[self] ?? 0) + 1
          member.doneMs = undefined
          this.#tell(self)
        }
      }
    return this
  }

  get towers(): number[] {
    return this.members.flatMap(({ rounds, alive }, index) => (alive && rounds.isTower ? [index] : []))
  }

  /** Rounds as they were begun: term, round, tower. */
  get begun(): string[] {
    const words = this.said.map(({ from, said }) => `${said.term}.${said.round} by ${from}`)
    return words.filter((word, index) => word !== words[index - 1])
  }

  get outcomes() {
    return this.members.map(({ rounds }) => rounds.outcome)
  }
}

t.test('the first agent is the tower, and a round ends when each hand has its tick', async (t) => {
  const lab = new Lab([300, 2_000, 700], 3).pass(20_000)
  t.strictSame(lab.begun, ['1.1 by 0', '1.2 by 0', '1.3 by 0', '1.4 by 0'])
  t.strictSame(lab.outcomes, ['complete', 'complete', 'complete'])
  t.strictSame(
    lab.said.at(-1)?.said.tips.map(({ height }) => height),
    [3, 3, 3],
  )
  const [first] = lab.said
  t.ok((first?.atMs ?? 0) >= SETTLE_MS, 'what the broker has kept is heard first')
})

t.test(
  'a hand that is late holds a round no longer than its time-out; its tick counts when it comes',
  async (t) => {
    const lab = new Lab([300, 25_000], 3).pass(60_000)
    t.strictSame(lab.outcomes, ['complete', 'complete'])
    const begun = new Map(lab.said.map(({ said }) => [said.round, said.tips.map(({ height }) => height)]))
    t.strictSame(
      [...begun.values()],
      [
        [0, 0],
        [1, 0],
        [2, 0],
        [3, 1],
      ],
    )
  },
)

t.test(
  'each takes over when it falls silent, the next in the list first, and the rounds go on',
  async (t) => {
    const lab = new Lab([300, 300, 300, 300], 40).pass(4_000)
    const { round = 0 } = lab.member(1).rounds.followed ?? {}
    lab.kill(0)
    lab.pass(3 * TIMEOUT_MS)
    t.strictSame(lab.towers, [], 'not before three time-outs and one more')
    lab.pass(TIMEOUT_MS + 1_000)
    t.strictSame(lab.towers, [1])
    t.equal(lab.begun.at(-1)?.startsWith('2.'), true)
    t.ok(lab.begun.includes(`2.${round + 1} by 1`), 'the round after the last that it has heard of')
    lab.kill(1)
    lab.pass(5 * TIMEOUT_MS + 1_000)
    t.strictSame(lab.towers, [2])
    t.equal(lab.member(2).rounds.followed?.term, 3)
    lab.pass(400_000)
    t.strictSame(lab.outcomes.slice(2), ['complete', 'complete'])
  },
)

t.test('a tower that is back is an agent; one that nobody has missed goes on', async (t) => {
  const lab = new Lab([300, 300], 40).pass(4_000)
  lab.disconnect(0)
  t.strictSame(lab.towers, [])
  lab.pass(5_000).connect(0)
  lab.pass(SETTLE_MS + STEP_MS)
  t.strictSame(lab.towers, [0])
  t.equal(lab.member(1).rounds.followed?.term, 2)
  lab.kill(0)
  lab.pass(5 * TIMEOUT_MS).restart(0)
  lab.pass(SETTLE_MS + STEP_MS)
  t.strictSame(lab.towers, [1])
  t.equal(lab.member(0).rounds.followed?.from, 1)
  lab.pass(60_000)
  t.strictSame(lab.outcomes, ['complete', 'complete'])
})

t.test('a tower that starts anew goes on with the round that the broker has kept', async (t) => {
  const lab = new Lab([300, 60_000], 5).pass(20_000)
  const before = lab.member(1).rounds.followed
  lab.kill(0)
  lab.restart(0)
  lab.pass(SETTLE_MS + STEP_MS)
  t.match(lab.member(1).rounds.followed, { from: 0, term: 2, round: before?.round, tips: before?.tips })
})

t.test('of two towers the better one stays: a higher term, or the first in the list', async (t) => {
  const lab = new Lab([300, 300, 300], 90).pass(4_000)
  const { tips = [] } = lab.member(0).rounds.followed ?? {}
  lab.say(2, { term: 1, round: 2, leftMs: 0, tips })
  t.strictSame(lab.towers, [0])
  const { length } = lab.said
  lab.pass(STEP_MS)
  t.equal(lab.said[length]?.from, 0, 'who is worse hears of the better one at once')
  lab.say(2, { term: 7, round: 1, leftMs: 0, tips })
  t.strictSame(lab.towers, [])
  lab.pass(SETTLE_MS)
  t.strictSame([lab.towers, lab.member(0).rounds.followed?.term], [[2], 8], 'whoever it was goes on')
})

t.test('a tower that says one round for ever is silent', async (t) => {
  const lab = new Lab([300, 300], 90).pass(4_000)
  lab.kill(0)
  const tips = [0, 0].map((height, hand) => ({ height, hash: hashAt(hand, height) }))
  const said = { term: 1, round: 80, leftMs: 9_999_999, tips }
  for (let second = 0; second < 39; second++) {
    lab.say(0, said)
    lab.pass(1_000)
    t.strictSame(lab.towers, [])
  }
  lab.pass(2_000)
  t.strictSame(lab.towers, [1])
})

t.test('who is cut off is no tower, however long', async (t) => {
  const lab = new Lab([300, 300], 90).pass(4_000)
  lab.disconnect(1)
  lab.pass(20 * TIMEOUT_MS)
  t.strictSame(lab.towers, [0])
  t.notOk(lab.member(1).rounds.isTower)
})

t.test('what cannot be is not heard', async (t) => {
  const lab = new Lab([300, 300], 5).pass(4_000)
  const { rounds } = lab.member(1)
  const { tips = [] } = rounds.followed ?? {}
  const good = { term: 9, round: 1, leftMs: 0, tips }
  t.notOk(rounds.hear(2, good, lab.nowMs), 'nobody of the order')
  t.notOk(rounds.hear(-1, good, lab.nowMs))
  t.notOk(rounds.hear(0, { ...good, tips: tips.slice(1) }, lab.nowMs))
  t.notOk(rounds.hear(0, { ...good, round: 0 }, lab.nowMs))
  t.notOk(rounds.hear(0, { ...good, round: 7 }, lab.nowMs))
  t.notOk(rounds.hear(0, { ...good, term: 0 }, lab.nowMs))
  t.ok(rounds.hear(0, { ...good, round: 6 }, lab.nowMs))
  t.equal(rounds.outcome, 'complete')
})

t.test('a term far above the others is a lie, and one tower does not use up all terms', async (t) => {
  const lab = new Lab([300, 300], 90).pass(4_000)
  const { rounds } = lab.member(1)
  const { tips = [] } = rounds.followed ?? {}
  const said = { round: 2, leftMs: 0, tips }
  t.notOk(rounds.hear(0, { ...said, term: 0xffffffff }, lab.nowMs))
  lab.kill(0)
  lab.pass(5 * TIMEOUT_MS)
  t.strictSame(lab.towers, [1])
  let heard = 0
  for (let term = 3; term < 1_000; term++) if (rounds.hear(0, { ...said, term }, lab.nowMs)) heard++
  t.ok(heard <= 32, `${heard} were heard at once`)
  for (let term = 1_000; term < 1_100; term++)
    if (rounds.hear(0, { ...said, term }, lab.nowMs + 5_000)) heard++
  t.ok(heard <= 32 + 5, 'and then one a second')
})

t.test('what the broker has kept is heard in any order', async (t) => {
  const lab = new Lab([300, 300, 300], 90).pass(4_000)
  const { tips = [] } = lab.member(1).rounds.followed ?? {}
  lab.disconnect(1)
  const { rounds } = lab.member(1)
  rounds.connected(lab.nowMs)
  for (const term of [2, 3]) t.ok(rounds.hear(term - 1, { term, round: 9, leftMs: 0, tips }, lab.nowMs))
  t.equal(rounds.followed?.term, 3)
})

t.test('after the highest term nobody takes over, and it ends all the same', async (t) => {
  const lab = new Lab([300, 300], 5).pass(4_000)
  const { rounds } = lab.member(1)
  const { tips = [] } = rounds.followed ?? {}
  lab.kill(0)
  for (let term = 65_000; term < 0xffffffff; term += 65_000)
    rounds.hear(0, { term, round: 2, leftMs: 0, tips }, term)
  rounds.hear(0, { term: 0xffffffff, round: 2, leftMs: 0, tips }, 0xffffffff + 1_000)
  t.equal(rounds.followed?.term, 0xffffffff)
  lab.pass(14 * TIMEOUT_MS)
  t.strictSame([lab.towers, rounds.outcome], [[], undefined])
  lab.pass(3 * TIMEOUT_MS)
  t.equal(rounds.outcome, 'unfinished')
})

t.test('a round that needs no ticks ends when it is said to be whole', async (t) => {
  let isWhole = false
  const tips = (): LabTip[] => [0, 1].map((hand) => ({ height: 0, hash: hashAt(hand, 0) }))
  const options = { agents: 2, self: 0, rounds: 1, timeoutMs: TIMEOUT_MS, tips, isWhole: () => isWhole }
  const rounds = new Rounds(options, 0)
  rounds.connected(0)
  t.match(rounds.step(SETTLE_MS), { term: 1, round: 1 })
  t.equal(rounds.step(SETTLE_MS + 1), undefined)
  isWhole = true
  t.match(rounds.step(SETTLE_MS + 2), { round: 2 })
  t.equal(rounds.outcome, 'complete')
})

t.test('a tower that counts more ticks of ours than there are gets one a round', async (t) => {
  const lab = new Lab([300, 300], 90).pass(4_000)
  const { rounds, heights } = lab.member(1)
  const tips = [0, 1_000].map((height, hand) => ({ height, hash: hashAt(hand, height) }))
  t.ok(rounds.hear(0, { term: 1, round: 50, leftMs: 0, tips }, lab.nowMs))
  t.ok(rounds.mustMine)
  heights[1] = (heights[1] ?? 0) + 1
  t.notOk(rounds.mustMine)
  t.ok(rounds.hear(0, { term: 1, round: 51, leftMs: 0, tips }, lab.nowMs))
  t.ok(rounds.mustMine)
})
