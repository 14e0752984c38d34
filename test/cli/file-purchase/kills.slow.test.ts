/**
 * Buyer and seller are killed at every step, and started again: the end is always that the buyer has the file and the seller its
 * price, or that the buyer has its coins and nobody has the key.
 */
import { existsSync, readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { COIN } from '../../../ledger/amount.ts'
import { BUYER, FileMarket, Killed, PRICE } from '../../helpers/file-market.ts'
import { seeded } from '../../helpers/ledger.ts'

const BYTES = Uint8Array.from({ length: 3 * 65_536 - 5 }, (_, at) => (at * 7 + Math.floor(at / 251)) % 256)
const RICH = 100 * COIN

function startMarket(t: Test): FileMarket {
  const market = new FileMarket(t, { files: { 'day.bin': BYTES } })
  market.startSeller()
  return market
}

/** The one invariant. */
function settled(t: Test, market: FileMarket, out: string, what: string): 'sold' | 'not sold' {
  market.startSeller()
  market.mine(3)
  const isThere = existsSync(out)
  if (isThere) t.ok(readFileSync(out).equals(BYTES), `${what}: the file is whole`)
  t.equal(market.keysTold(), isThere ? 1 : 0, `${what}: a key for a file`)
  t.equal(market.coins(BUYER), isThere ? RICH - PRICE : RICH, `${what}: a price for a key`)
  return isThere ? 'sold' : 'not sold'
}

/** What happens in an undisturbed purchase, each with its count so far; of the many waits some. */
async function stepsOf(t: Test): Promise<{ what: string; times: number }[]> {
  const counts = new Map<string, number>()
  const steps: { what: string; times: number }[] = []
  const market = startMarket(t)
  const { outcome } = await market.buy('day.bin', {
    at(what) {
      const times = (counts.get(what) ?? 0) + 1
      counts.set(what, times)
      if (what !== 'sleep' || times % 7 === 0) steps.push({ what, times })
    },
  })
  t.match(outcome, { status: 'bought' })
  return steps
}

t.test('the buyer is killed at each step and goes on: it has the file, and has paid once', async (t) => {
  const steps = await stepsOf(t)
  t.ok(steps.length > 15, steps.map(({ what, times }) => `${what} ${times}`).join(', '))
  for (const { what, times } of steps) {
    const market = startMarket(t)
    let left = times
    const at = (happens: string): void => {
      if (happens === what && --left === 0) throw new Killed()
    }
    let { outcome, out } = await market.buy('day.bin', { at })
    // How often it waits, and asks again, is for the machine to say: what did not happen so often kills nobody.
    if (outcome === 'killed') ({ outcome, out } = await market.buy('day.bin'))
    else t.ok(['sleep', 'say', 'preparing', 'trouble'].includes(what), `${what} ${times} was not reached`)
    t.match(outcome, { status: 'bought' }, `${what} ${times}`)
    settled(t, market, out, `${what} ${times}`)
    market.killSeller()
  }
})

t.test('the seller is killed at each step and started again: the sale goes on', async (t) => {
  const steps = (await stepsOf(t)).filter(({ what }) => !['save', 'saved'].includes(what))
  for (const { what, times } of steps) {
    const market = startMarket(t)
    let left = times
    let back: number | undefined
    const { outcome, out } = await market.buy('day.bin', {
      at(happens) {
        if (happens === 'sleep' && back !== undefined && --back === 0) market.startSeller()
        if (happens !== what || --left !== 0) return
        market.killSeller()
        back = 3
      },
    })
    t.match(outcome, { status: 'bought' }, `${what} ${times}`)
    market.killSeller()
    settled(t, market, out, `${what} ${times}`)
    market.killSeller()
  }
})

t.test('the seller is killed just before and just after its claim is durable', async (t) => {
  for (const moment of ['act', 'acted'] as const) {
    const market = startMarket(t)
    let isKilled = false
    market.atSeller = (what) => {
      if (what !== moment || isKilled) return
      isKilled = true
      market.killSeller()
    }
    let waits = 0
    const { outcome, out } = await market.buy('day.bin', {
      at: (what) => what === 'sleep' && isKilled && ++waits === 8 && market.startSeller(),
    })
    t.ok(isKilled)
    t.match(outcome, { status: 'bought' }, moment)
    market.killSeller()
    t.equal(settled(t, market, out, moment), 'sold')
  }
})

t.test('both are killed again and again, at random, for long or short', async (t) => {
  const ends: Record<string, number> = {}
  for (let seed = 1; seed <= 8; seed++) {
    const market = startMarket(t)
    const random = seeded(seed)
    let out = ''
    for (let run = 0; run < 60; run++) {
      const isLast = run === 59
      const { outcome, out: place } = await market.buy('day.bin', {
        at() {
          if (isLast) return
          if (random() < 0.02) market.killSeller()
          else if (market.shop === undefined && random() < 0.1) market.startSeller()
          if (random() < 0.03) throw new Killed()
        },
      })
      out = place
      if (outcome !== 'killed' && ['bought', 'refunded'].includes(outcome.status)) break
      if (isLast) t.fail(`seed ${seed} has not ended: ${JSON.stringify(outcome)}`)
      if (random() < 0.3) market.mine(Math.floor(random() * 4))
      if (market.shop === undefined) market.startSeller()
    }
    market.killSeller()
    const end = settled(t, market, out, `seed ${seed}`)
    ends[end] = (ends[end] ?? 0) + 1
    market.killSeller()
  }
  t.comment(JSON.stringify(ends))
})
