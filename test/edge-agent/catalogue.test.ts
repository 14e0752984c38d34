/** The catalogue on a desk of the test's: a clock that is set by hand, and what would have been published. */
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { Catalogue, RENEW_MS, VALID_MS } from '../../edge-agent/catalogue.ts'
import type { Desk } from '../../edge-agent/trade.ts'
import { checkOffer } from '../../ledger/offer.ts'
import { type OfferItem, offer as offerCodec } from '../../schemas/offer.ts'
import { alice, START_MS, TestChain } from '../helpers/ledger.ts'

const soil = (count: number, price = 5): OfferItem => ({
  ...{ type: 'readings', name: 'soil', price, confirmations: 1, place: '', terms: '' },
  ...{ unit: '%', everyMs: 0, count },
})

function bench(items: readonly OfferItem[]) {
  const test = new TestChain()
  const state = { nowMs: START_MS + 1_000, connected: true, synchronised: true, sends: true, items }
  let monotonicMs = 0
  const told: {
    readonly bytes?: Uint8Array
    readonly mirror?: unknown
    readonly retain: boolean | undefined
  }[] = []
  const desk = {
    chain: test.chain,
    signer: alice,
    clock: {
      now: () => state.nowMs,
      monotonic: () => monotonicMs,
      synchronised: () => state.synchronised,
    },
    get connected() {
      return state.connected
    },
    tell: async (kind: string, levels: readonly string[], bytes: Uint8Array, retain?: boolean) => {
      if (!state.sends) return false
      t.strictSame([kind, levels], ['offer', []])
      told.push({ bytes, retain })
      return true
    },
    tellPeople: async (_kind: string, _levels: readonly string[], mirror: unknown, retain?: boolean) => {
      told.push({ mirror, retain })
      return state.sends
    },
  } as unknown as Desk
  const catalogue = new Catalogue(desk, 'a name', () => state.items)
  return {
    ...{ test, state, told, catalogue },
    check: (bytes: Uint8Array | undefined, nowMs = state.nowMs) =>
      checkOffer(test.network, bytes ?? new Uint8Array(0), alice.account, nowMs),
    async pass(ms: number) {
      for (let left = ms; left > 0; left -= 1_000) {
        state.nowMs += 1_000
        monotonicMs += 1_000
        catalogue.tick()
        await turn()
      }
    },
  }
}

t.test('an offer and its mirror are published at each connection, retained', async (t) => {
  const { catalogue, told, check, state } = bench([soil(3)])
  catalogue.onConnected()
  await turn()
  const [binary, people] = told
  const checked = check(binary?.bytes)
  t.match(checked, {
    value: { name: 'a name', time: state.nowMs, until: state.nowMs + VALID_MS, items: [soil(3)] },
  })
  t.strictSame(people?.mirror, checked.ok && offerCodec.toJson(checked.value))
  t.strictSame([binary?.retain, people?.retain, told.length], [true, true, 2])
  catalogue.onConnected()
  await turn()
  t.equal(told.length, 4)
})

t.test('it is renewed before it is stale, and not for each reading', async (t) => {
  const { catalogue, told, state, check, pass } = bench([soil(3)])
  catalogue.onConnected()
  await pass(60_000)
  state.items = [soil(4)]
  await pass(RENEW_MS - 61_000)
  t.equal(told.length, 2)
  await pass(2_000)
  t.equal(told.length, 4)
  t.match(check(told[2]?.bytes), { value: { items: [soil(4)] } })
  for (let minutes = 0; minutes < 60; minutes++) {
    await pass(60_000)
    t.ok(check(told.at(-2)?.bytes).ok, 'there is always a good one')
  }
})

t.test('a change is told soon, but not each of many', async (t) => {
  const { catalogue, told, state, check, pass } = bench([soil(3)])
  catalogue.onConnected()
  await turn()
  for (let price = 6; price < 20; price++) {
    state.items = [soil(3, price)]
    await pass(1_000)
  }
  t.ok(told.length >= 4 && told.length <= 8, `${told.length} messages`)
  await pass(5_000)
  t.match(check(told.at(-2)?.bytes), { value: { items: [soil(3, 19)] } })
})

t.test('what did not go out is tried again', async (t) => {
  const { catalogue, told, state, pass } = bench([soil(3)])
  state.sends = false
  catalogue.onConnected()
  await pass(20_000)
  t.equal(told.length, 0)
  state.sends = true
  await pass(6_000)
  t.equal(told.length, 2)
  state.connected = false
  await pass(2 * RENEW_MS)
  t.equal(told.length, 2, 'nothing without a connection')
})

t.test('an agent that stops takes its offer back, and one that sells nothing an earlier one', async (t) => {
  const { catalogue, told } = bench([soil(3)])
  catalogue.onConnected()
  await turn()
  await catalogue.stop()
  t.strictSame(told.slice(2), [
    { bytes: new Uint8Array(0), retain: true },
    { mirror: undefined, retain: true },
  ])
  const idle = bench([])
  idle.catalogue.onConnected()
  await idle.pass(3 * RENEW_MS)
  t.strictSame(idle.told, told.slice(2), 'once')
})

t.test('a clock that is not synchronised is behind the chain, whose time counts then', async (t) => {
  const { catalogue, told, state, test, check } = bench([soil(3)])
  test.grow(3)
  state.nowMs = 1_000
  state.synchronised = false
  catalogue.onConnected()
  await turn()
  t.match(check(told[0]?.bytes, test.chain.tip.time), { value: { time: test.chain.tip.time } })
})

t.test('when the clock is set back the offer is made anew', async (t) => {
  const { catalogue, told, state, check, pass } = bench([soil(3)])
  state.nowMs += 86_400_000
  catalogue.onConnected()
  await turn()
  state.nowMs -= 86_400_000
  await pass(6_000)
  t.ok(check(told.at(-2)?.bytes).ok)
})

t.test('a name beyond what an offer carries is cut', async (t) => {
  const { test, state, told } = bench([soil(1)])
  const long = new Catalogue(
    {
      ...{ chain: test.chain, signer: alice, connected: true },
      clock: { now: () => state.nowMs, monotonic: () => 0, synchronised: () => true },
      tell: async (_kind: string, _levels: readonly string[], bytes: Uint8Array) => {
        told.push({ bytes, retain: true })
        return true
      },
      tellPeople: async () => true,
    } as unknown as Desk,
    `\u0007${'ü'.repeat(60)}`,
    () => state.items,
  )
  long.onConnected()
  await turn()
  t.match(checkOffer(test.network, told[0]?.bytes ?? new Uint8Array(), alice.account, state.nowMs), {
    value: { name: `?${'ü'.repeat(31)}` },
  })
})
