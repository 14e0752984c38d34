/** Nodes with a slow hand on a broker that the test is: messages wait until they are delivered, and a partition loses them. */
import { setImmediate as turn } from 'node:timers/promises'
import { headerHash, type Position, place } from '../../ledger/header.ts'
import { HandNode } from '../../node/hand-node.ts'
import { HAND_FILE, HandStore } from '../../node/hand-store.ts'
import type { Session } from '../../node/session.ts'
import { decode, encode } from '../../schemas/codec.ts'
import { type Account, type Hash, toHex, ZERO_HASH } from '../../schemas/hex.ts'
import {
  type HandTip,
  handTip,
  MESSAGE_BYTES_MAX,
  type Reply,
  type Request,
  reply,
  request,
} from '../../schemas/message.ts'
import { invariant } from '../../schemas/result.ts'
import { type Anchor, type Tick, tick as tickCodec } from '../../schemas/tick.ts'
import { type Kind, parseTopic, topic } from '../../schemas/topic.ts'
import { type FakeTime, fakeTime } from './fake-time.ts'
import { handedGenesis, mineTick, testHand } from './hand.ts'
import { seeded, TestChain, testNetwork } from './ledger.ts'
import { MemoryDisk } from './memory-disk.ts'
import { recordingLog } from './rig.ts'

export interface Member {
  readonly account: Account
  readonly node: HandNode
  readonly disk: MemoryDisk
  readonly chain: TestChain
  readonly lines: ReturnType<typeof recordingLog>['lines']
  readonly fatal: unknown[]
  ticks: number
}

interface Sent {
  readonly from: Account
  readonly name: string
  readonly payload: Uint8Array
}

const accountOf = (index: number) => toHex(new Uint8Array(32).fill(index)) as Account

export class HandBus {
  readonly time: FakeTime = fakeTime()
  readonly members: Member[] = []
  /** Every message so far. */
  readonly sent: Sent[] = []
  readonly hand
  /** Wall clock of all, which the test moves. */
  nowMs: number
  /** Members that hear each other; undefined: all do. */
  sides: readonly (readonly Member[])[] | undefined
  /** Answers of accounts that are no members. */
  readonly liars = new Map<
    Account,
    (question: Request) => Promise<Omit<Extract<Reply, { type: 'ticks' }>, 'id'> | undefined>
  >()
  readonly #network
  readonly #random = seeded(1)

  constructor(hand = testHand()) {
    this.hand = hand
    this.#network = testNetwork(handedGenesis({ hand: hand.genesis }))
    this.nowMs = hand.genesis.time
  }

  /** Starts a node; on a disk that another has left, or an empty one. */
  join(index = this.members.length + 1, disk = new MemoryDisk()): Member {
    const account = accountOf(index)
    const { log, lines } = recordingLog()
    const fatal: unknown[] = []
    const chain = new TestChain(this.#network)
    const session = {
      connected: true,
      publish: async (name: string, payload: Uint8Array) => this.#publish(account, name, payload),
    } as unknown as Session
    const member: Member = {
      ...{ account, disk, chain, lines, fatal, ticks: 0 },
      node: new HandNode({
        ...{ store: new HandStore(disk.open(HAND_FILE), this.hand), chain: chain.chain, self: account },
        ...{ session, log, random: this.#random, timers: this.time },
        clock: { now: () => this.nowMs, monotonic: this.time.nowMs, synchronised: () => true },
        onTick: () => void member.ticks++,
        onFatal: (error) => void fatal.push(error),
      }),
    }
    member.node.start()
    this.members.push(member)
    return member
  }

  leave(member: Member): void {
    member.node.stop()
    this.members.splice(this.members.indexOf(member), 1)
  }

  /** Mines a tick on a member's hand, takes it there and sends it. */
  async mine(member: Member): Promise<Tick> {
    const { slow } = member.node
    this.nowMs += this.hand.genesis.interval
    const time = Math.max(this.nowMs, slow.tip.time + 1)
    const tick = mineTick(this.hand, slow.tip, member.node.anchors(), { time })
    const bytes = encode(tickCodec, tick)
    const outcome = member.node.accept(bytes)
    invariant(outcome.ok, outcome.ok ? '' : outcome.fault.message)
    await member.node.publish(bytes)
    return tick
  }

  /** Every member says where its hand ends, as a validator does. */
  async announce(...members: readonly Member[]): Promise<void> {
    for (const { account, node } of members)
      await this.send(account, 'hand', encode(handTip, node.tipMessage()))
  }

  /** A claim by who is no member. */
  claim(from: number, claimed: Partial<HandTip>): Promise<boolean> {
    const tip = { ...(this.members[0] as Member).node.tipMessage(), ...claimed }
    return this.send(accountOf(from), 'hand', encode(handTip, tip))
  }

  /** Answers each question after so many milliseconds. */
  liar(
    index: number,
    answer: (question: Request) => readonly Uint8Array[] | undefined,
    afterMs = 0,
  ): Account {
    const account = accountOf(index)
    this.liars.set(account, async (question) => {
      if (afterMs > 0) await new Promise<void>((resolve) => void this.time.after(afterMs, resolve))
      const ticks = answer(question)
      return ticks && { type: 'ticks', ticks }
    })
    return account
  }

  send(from: Account, kind: Kind, payload: Uint8Array, retain = false): Promise<boolean> {
    return this.#publish(from, topic(this.hand.id, kind, from), payload, retain)
  }

  /** Lets so much time pass, in steps, with everything that is sent meanwhile. */
  async pass(ms = 1_000): Promise<void> {
    for (let passed = 0; passed < ms; passed += 250) {
      await this.time.pass(Math.min(250, ms - passed))
      for (let count = 0; count < 8; count++) await turn()
    }
  }

  asked(to: Account): number {
    return this.sent.filter(({ name }) => name.includes('/request/') && name.endsWith(to)).length
  }

  tips(): Set<Hash> {
    return new Set(this.members.map(({ node }) => node.newest))
  }

  async #publish(from: Account, name: string, payload: Uint8Array, retain = false): Promise<boolean> {
    const parsed = parseTopic(name)
    invariant(parsed?.network === this.hand.id, `all is under the hand's id: ${name}`)
    this.sent.push({ from, name, payload })
    const side = this.sides?.find((each) => each.some(({ account }) => account === from))
    await turn()
    for (const member of [...this.members])
      if ((side ?? this.members).includes(member)) member.node.receive(parsed, payload, retain)
    const lie = parsed.kind === 'request' ? this.liars.get(parsed.rest[0] as Account) : undefined
    const question = lie && decode(request, payload, MESSAGE_BYTES_MAX)
    const answer = question?.ok ? await lie?.(question.value) : undefined
    if (question?.ok && answer !== undefined) {
      const back = topic(this.hand.id, 'reply', parsed.rest[0] as string, from)
      await this.#publish(
        parsed.rest[0] as Account,
        back,
        encode(reply, { ...answer, id: question.value.id }),
      )
    }
    return true
  }
}

export const bytesOf = (tick: Tick) => encode(tickCodec, tick)
/** With these on the same parent at the same time it is another tick. */
export const OTHER: readonly Anchor[] = [{ ledger: ZERO_HASH, height: 1, block: ZERO_HASH }]
export const told = ({ lines }: Member, event: string) => lines.filter((line) => line.event === event)

/** Ticks on a place, encoded. */
export function ticksOn(bus: HandBus, parent: Position, count: number, stepMs = bus.hand.genesis.interval) {
  const list: Uint8Array[] = []
  let at = parent
  for (; list.length < count; ) {
    const tick = mineTick(bus.hand, at, OTHER, { time: at.time + stepMs })
    list.push(bytesOf(tick))
    at = place(bus.hand, headerHash(bus.hand.hashing, tick.header), tick.header, at)
  }
  return { list, tip: at }
}

/** A bus whose first member has mined so many ticks that the others heard. */
export async function started(members: number, ticks: number) {
  const bus = new HandBus()
  for (let count = 0; count < members; count++) bus.join()
  for (let count = 0; count < ticks; count++) await bus.mine(bus.members[0] as Member)
  return { bus, members: bus.members as unknown as [Member, Member, Member] }
}
