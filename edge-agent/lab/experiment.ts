/**
 * An agent's part in one experiment: it makes ticks of its own hand, hears those of the others, and keeps rounds with them.
 *
 * Of the other hands what came is written once a second. Source: docs/CLOCKCHAIN.md "The clock tower", docs/PROTOCOL.md section 16.
 */
import type { Network } from '../../ledger/network.ts'
import type { TickAdded } from '../../ledger/slow-hand.ts'
import type { HandStore } from '../../node/hand-store.ts'
import { MUTE_MS, Muting } from '../../node/muting.ts'
import { decode, encode } from '../../schemas/codec.ts'
import { type Account, short } from '../../schemas/hex.ts'
import { LAB_ASK_BYTES, LAB_TICKS_MAX, type LabStart, labAsk, labTower } from '../../schemas/lab-message.ts'
import { invariant } from '../../schemas/result.ts'
import type { Anchor, Tick } from '../../schemas/tick.ts'
import type { ParsedTopic } from '../../schemas/topic.ts'
import { ExperimentHand } from '../experiment/hand.ts'
import type { OpenSearch } from '../experiment/search.ts'
import type { Desk } from '../trade.ts'
import { lengthen } from './line.ts'
import { heightMax, letterOf, type SignedOrder, slowest } from './order.ts'
import { Rounds } from './rounds.ts'
import { SaidTicks } from './said-ticks.ts'
import { openTicks, openTower, towerBytes } from './words.ts'

/** Between two questions for the ticks of one hand. */
const ASK_MS = 2_000
/** How long hands that run free wait for each other before they begin. */
const GATHER_MS_MAX = 10_000
const WARN_MS = 10_000

export type End = 'over' | 'failed'

export interface ExperimentModules extends Pick<Desk, 'signer' | 'clock' | 'log' | 'tell' | 'tellPeople'> {
  /** Who ordered it. */
  readonly owner: Account
  readonly network: Network
  /** Of all hands, in the order's order. */
  readonly stores: readonly HandStore[]
  readonly open: OpenSearch
  /** Whether its time is over by the wall clock. */
  readonly isPast: () => boolean
  /** Its round, tower or count of ticks is another. */
  readonly onChange: () => void
  readonly onEnd: (end: End) => void
  readonly onFatal: (error: unknown) => void
}

/** Where it stands, for people. */
export interface Standing {
  readonly hand: string
  readonly round: number | null
  readonly tower: Account | null
  readonly term: number | null
  readonly ticks: number
}

export class Experiment {
  readonly signed: SignedOrder
  readonly #plan: LabStart
  readonly #self: number
  readonly #modules: ExperimentModules
  readonly #own: ExperimentHand
  readonly #said: SaidTicks
  /** Rounds; where hands run free, the one in which they gather. */
  readonly #rounds: Rounds | undefined
  /** Agents that are ready. */
  readonly #here = new Set<number>()
  readonly #muting = new Muting()
  #warnedMs = Number.NEGATIVE_INFINITY
  readonly #hands: ReadonlySet<Anchor['ledger']>
  /** What our last tick named: no later one may name less. */
  readonly #named = new Map<Anchor['ledger'], Anchor>()
  /** Of other hands, not on disk yet. */
  readonly #unsaved = new Map<HandStore, TickAdded[]>()
  readonly #startedMs: number
  readonly #askedMs = new Map<number, number>()
  #isSeeking = false
  #end: End | undefined
  #stopped = false

  constructor(signed: SignedOrder, plan: LabStart, self: number, modules: ExperimentModules) {
    this.signed = signed
    this.#plan = plan
    this.#self = self
    this.#modules = modules
    const { stores, clock } = modules
    const { agents, rounds, timeoutMs, mode } = plan
    this.#startedMs = clock.monotonic()
    this.#hands = new Set(stores.map(({ slow }) => slow.hand.genesisHash))
    const { slow } = this.#store(self)
    this.#own = new ExperimentHand({ label: letterOf(self), hand: slow.hand, slow, now: clock.now })
    this.#said = new SaidTicks({
      ...{ ...modules, order: signed.hash, store: this.#store(self), isPrompt: mode === 'rounds' },
      turn: () => this.#turn(),
    })
    if (slow.tip.height > 0) this.#name(this.#said.tick(slow.tip.height))
    const all = { agents: agents.length, self, tips: () => stores.map(tipOf) }
    const gathering = {
      rounds: 1,
      timeoutMs: Math.min(timeoutMs, GATHER_MS_MAX),
      isWhole: () => this.#here.size === agents.length,
    }
    if (mode !== 'alone')
      this.#rounds = new Rounds(
        { ...all, ...(mode === 'free' ? gathering : { rounds, timeoutMs }) },
        clock.monotonic(),
      )
  }

  get standing(): Standing {
    const followed = this.#plan.mode === 'rounds' ? this.#rounds?.followed : undefined
    return {
      hand: letterOf(this.#self),
      round: followed?.round ?? null,
      tower: followed === undefined ? null : (this.#plan.agents[followed.from]?.account ?? null),
      term: followed?.term ?? null,
      ticks: this.#store(this.#self).slow.tip.height,
    }
  }

  /** Opens the search; when that cannot be, the experiment has failed. */
  async start(isConnected: boolean): Promise<void> {
    if (isConnected) this.onConnected()
    try {
      await this.#own.start(this.#modules.open)
    } catch (error) {
      return this.#fail(error)
    }
    // What was sought before there was a search.
    this.#own.refresh()
    this.#here.add(this.#self)
    this.#sayHere()
    this.#turn()
  }

  onConnected(): void {
    this.#rounds?.connected(this.#nowMs)
    this.#said.onConnected()
    this.#sayHere()
  }

  onDisconnected(): void {
    this.#rounds?.disconnected()
  }

  onMessage({ kind, publisher }: ParsedTopic, payload: Uint8Array): void {
    const from = this.#plan.agents.findIndex(({ account }) => account === publisher)
    if (kind === 'lab-ask' && (from >= 0 || publisher === this.#modules.owner))
      this.#hearAsk(publisher, payload)
    if (kind === 'lab-ask' || from < 0 || this.#muting.isMuted(publisher, this.#nowMs)) return
    if (kind === 'tower') this.#hearTower(from, publisher, payload)
    if (kind === 'lab-tick' && from !== this.#self) this.#hearTicks(from, publisher, payload)
    this.#turn()
  }

  /** Once a second. */
  tick(): void {
    this.#save()
    this.#said.answer()
    this.#sayHere()
    this.#turn()
  }

  /** Nothing of it is heard or written after this. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#said.stop()
    await this.#own.stop()
    this.#said.send()
    this.#save()
    for (const store of this.#modules.stores) store.close()
  }

  get #nowMs(): number {
    return this.#modules.clock.monotonic()
  }

  #store(index: number): HandStore {
    const store = this.#modules.stores[index]
    invariant(store !== undefined, 'each hand has its store')
    return store
  }

  #hearTower(from: number, publisher: Account, payload: Uint8Array): void {
    if (this.#rounds === undefined) return
    const opened = openTower(this.#from(publisher), payload)
    if (!opened.ok) return void this.#count(publisher, opened.fault)
    const said = opened.value
    const before = this.#rounds.followed
    const isHeard = this.#rounds.hear(from, said, this.#nowMs)
    const isNew = before?.round !== said.round || before.from !== from || before.term !== said.term
    if (!(isHeard && isNew) && from !== this.#self) this.#count(publisher, 'ignored')
    if (!isHeard || this.#plan.mode === 'free') return
    for (const [index, { height }] of said.tips.entries())
      if (index !== this.#self && height > this.#store(index).slow.tip.height) this.#ask(index)
    const counted = said.tips[this.#self]?.height ?? 0
    const { height } = this.#store(this.#self).slow.tip
    if (height > counted && from !== this.#self) this.#said.ask('tower', counted)
    if (counted > height && isNew) {
      // A tower that lies can begin a round with each message.
      if (this.#nowMs - this.#warnedMs >= WARN_MS)
        this.#modules.log.warn('the tower knows more ticks of our hand than we have', { counted, height })
      this.#warnedMs = this.#nowMs
    }
    // Whoever is late names what is newest now.
    this.#own.refresh()
    if (isNew) this.#modules.onChange()
  }

  #hearTicks(from: number, publisher: Account, payload: Uint8Array): void {
    const opened = openTicks(this.#from(publisher), payload)
    if (!opened.ok) return void this.#count(publisher, opened.fault)
    const { ticks } = opened.value
    this.#here.add(from)
    const store = this.#store(from)
    const { added, gap, fault } = lengthen(store.slow, this.#hands, heightMax(this.#plan, from), ticks)
    if (gap) this.#ask(from)
    if (fault !== undefined) {
      this.#modules.log.warn('a tick of an experiment is not taken', { hand: letterOf(from), reason: fault })
      this.#count(publisher, 'rejected')
    }
    if (added.length === 0) return void this.#count(publisher, 'ignored')
    const unsaved = this.#unsaved.get(store) ?? []
    unsaved.push(...added.map(({ added }) => added))
    this.#unsaved.set(store, unsaved)
    if (this.#plan.mode === 'free') this.#own.refresh()
  }

  #hearAsk(asker: Account, payload: Uint8Array): void {
    const asked = decode(labAsk, payload, LAB_ASK_BYTES)
    if (asked.ok && asked.value.order === this.signed.hash) this.#said.ask(asker, asked.value.above)
  }

  #from(by: Account) {
    return { network: this.#modules.network, order: this.signed.hash, by }
  }

  /** Something that is of no use. */
  #count(publisher: Account, why: 'ignored' | 'rejected'): void {
    if (this.#muting.count(publisher, why, this.#nowMs))
      this.#modules.log.warn('an agent of an experiment says too much that is of no use', {
        from: short(publisher),
        'muted-seconds': MUTE_MS / 1000,
      })
  }

  /** For hands that run free to begin at once: no ticks, but that this one is ready. */
  #sayHere(): void {
    if (this.#plan.mode === 'free' && this.#here.has(this.#self) && this.#rounds?.outcome === undefined)
      this.#said.say([])
  }

  #ask(index: number): void {
    const agent = this.#plan.agents[index]?.account
    if (agent === undefined || this.#nowMs - (this.#askedMs.get(index) ?? -ASK_MS) < ASK_MS) return
    this.#askedMs.set(index, this.#nowMs)
    const above = this.#store(index).slow.tip.height
    void this.#modules.tell('lab-ask', [agent], encode(labAsk, { order: this.signed.hash, above }))
  }

  /** Does what there is to do. */
  #turn(): void {
    if (this.#end !== undefined || this.#stopped) return
    const said = this.#rounds?.step(this.#nowMs)
    if (said !== undefined) {
      const { network, signer, tell, tellPeople, onChange } = this.#modules
      const body = { order: this.signed.hash, ...said }
      const bytes = towerBytes(network, body, (message) => signer.sign(message))
      void tell('tower', [], bytes, true)
      void tellPeople('tower', [], labTower.toJson({ ...body, signature: bytes.slice(-64) }), true)
      this.#own.refresh()
      onChange()
    }
    if (this.#isOver()) return void this.#finish('over')
    if (!this.#isSeeking && this.#wants()) this.#seek()
  }

  #isOver(): boolean {
    const { mode, rounds, timeoutMs } = this.#plan
    if (this.#modules.isPast()) return true
    if (mode === 'rounds') return this.#rounds?.outcome !== undefined
    // Whoever it waits for is not coming any more.
    if (this.#nowMs - this.#startedMs > 2 * rounds * timeoutMs) return true
    if (this.#said.unsent > 0) return false
    const { height } = this.#store(mode === 'alone' ? this.#self : slowest(this.#plan)).slow.tip
    return height >= rounds
  }

  #wants(): boolean {
    const { height } = this.#store(this.#self).slow.tip
    if (height >= heightMax(this.#plan, this.#self)) return false
    if (this.#plan.mode === 'rounds') return this.#rounds?.mustMine === true
    // Who was there before, or has heard the others begin, waits for nobody.
    const isBegun = this.#plan.mode === 'alone' || height > 0 || this.#rounds?.outcome !== undefined
    return isBegun && this.#said.unsent < LAB_TICKS_MAX
  }

  #seek(): void {
    this.#isSeeking = true
    this.#own
      .seek(() => this.#anchors())
      .then((made) => {
        this.#isSeeking = false
        if (made === undefined) return
        this.#named.clear()
        this.#name(made.added.tick)
        this.#said.add(made)
      })
      .catch((error: unknown) => {
        this.#isSeeking = false
        this.#fail(error)
      })
  }

  #fail(error: unknown): void {
    if (this.#stopped || this.#end !== undefined) return
    this.#modules.log.error('the search of an experiment has failed', { error: String(error) })
    this.#finish('failed')
  }

  /** What a tick names: in rounds where the others ended when it began, free their newest, and never less than before. */
  #anchors(): Anchor[] {
    if (this.#plan.mode === 'alone') return []
    const began = this.#plan.mode === 'rounds' ? this.#rounds?.followed?.tips : undefined
    const anchors: Anchor[] = []
    for (const [index, { slow }] of this.#modules.stores.entries()) {
      if (index === this.#self) continue
      const ledger = slow.hand.genesisHash
      const known = slow.tip.height
      const height = Math.min(known, began?.[index]?.height ?? known)
      const named = this.#named.get(ledger)
      anchors.push(
        named !== undefined && named.height >= height
          ? named
          : { ledger, height, block: slow.hashAt(height) },
      )
    }
    return anchors
  }

  #name({ anchors }: Tick): void {
    for (const anchor of anchors) this.#named.set(anchor.ledger, anchor)
  }

  #save(): void {
    for (const [store, added] of this.#unsaved) store.save(added)
    this.#unsaved.clear()
  }

  #finish(end: End): void {
    this.#end = end
    void this.#own.stop()
    this.#save()
    this.#modules.onEnd(end)
  }
}

const tipOf = ({ slow: { tip } }: HandStore) => ({ height: tip.height, hash: tip.hash })
