import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { PurchaseFiles, purchasesOf } from '../../../cli/file-purchase/record.ts'
import { COIN } from '../../../ledger/amount.ts'
import { openChunk } from '../../../node/file-cipher.ts'
import { FILE_CHUNK_BYTES } from '../../../schemas/file-message.ts'
import { fromHex, type Hash } from '../../../schemas/hex.ts'
import { BUYER, FileMarket, Killed, PRICE, RIVAL, SELLER } from '../../helpers/file-market.ts'
import { seeded, TestChain } from '../../helpers/ledger.ts'
import { lyingSeller } from '../../helpers/lying-seller.ts'

/** Bytes that no two chunks have in common: three chunks, the last one short. */
const BYTES = Uint8Array.from(
  { length: 2 * 65_536 + 1_000 },
  (_, at) => (at * 7 + Math.floor(at / 251)) % 256,
)
const FILES = { 'day.bin': BYTES }
const RICH = 100 * COIN

const purchasesIn = (market: FileMarket, buyer = BUYER): readonly string[] =>
  purchasesOf(join(market.data, 'purchases'), buyer.account)

/** Throws Killed when something happens for the n-th time. */
function killAt(what: string, times = 1): (what: string) => void {
  let left = times
  return (happens) => {
    if (happens === what && --left === 0) throw new Killed()
  }
}

t.test('a file is bought: fetched, paid under a lock, opened with the key from the ledger', async (t) => {
  const market = new FileMarket(t, { files: FILES })
  market.startSeller()
  const { outcome, events, out } = await market.buy('day.bin')
  t.strictSame(outcome, { status: 'bought', out })
  t.ok(readFileSync(out).equals(BYTES))
  t.equal(market.coins(BUYER), RICH - PRICE)
  const order = events.map(({ event }) => event)
  t.ok(order.indexOf('fetched') < order.indexOf('paying'), 'the ciphertext first, then the payment')
  t.strictSame(
    readdirSync(market.data).filter((name) => name.endsWith('.part')),
    [],
    'no draft is left',
  )
  market.mine()
  t.equal(market.keysTold(), 1, 'the seller has claimed')
})

t.test('files of every awkward size are bought', async (t) => {
  const files = Object.fromEntries(
    [0, 1, FILE_CHUNK_BYTES - 1, FILE_CHUNK_BYTES, FILE_CHUNK_BYTES + 1].map((size) => [
      `f${size}`,
      BYTES.slice(0, size),
    ]),
  )
  const market = new FileMarket(t, { files })
  market.startSeller()
  for (const [name, bytes] of Object.entries(files)) {
    const { outcome, out } = await market.buy(name)
    t.match(outcome, { status: 'bought' }, name)
    t.ok(readFileSync(out).equals(bytes), name)
  }
})

t.test('a price by the kilobyte follows the size, but where a file has a price of its own', async (t) => {
  const config = { price: undefined, perKilobyte: '0.0100001', prices: { 'own.bin': '3' } }
  const market = new FileMarket(t, { files: { ...FILES, 'own.bin': BYTES.subarray(0, 10) }, config })
  market.startSeller()
  t.match((await market.buy('day.bin')).outcome, { status: 'bought' })
  t.equal(market.coins(BUYER), RICH - 132_073_321, '132.072 times 1000010, rounded up')
  t.match((await market.buy('own.bin', { wish: { coinsMax: 3 * COIN, hoursMax: 48 } })).outcome, {
    status: 'bought',
  })
  t.equal(market.coins(BUYER), RICH - 132_073_321 - 3 * COIN)
})

t.test('what costs more than it may, or cannot be paid, is not bought', async (t) => {
  const market = new FileMarket(t, { files: FILES })
  market.startSeller()
  const reason = async (...args: Parameters<FileMarket['buy']>) => {
    const { outcome } = await market.buy(...args)
    return outcome !== 'killed' && outcome.status === 'not-bought' ? outcome.reason : JSON.stringify(outcome)
  }
  t.match(await reason('day.bin', { wish: { coinsMax: PRICE - 1, hoursMax: 48 } }), 'more than 1.99999999')
  t.match(await reason('day.bin', { wish: { coinsMax: undefined, hoursMax: 48 } }), 'add  --max-coins 2')
  t.match(
    await reason('day.bin', { wish: { coinsMax: PRICE, hoursMax: 0.001 } }),
    'locked for 0.0 hours, more than',
  )
  t.match(await reason('night.bin'), 'no file night.bin is for sale')
  t.match(await reason('day.bin', { buyer: SELLER }), /has \d+ coins|does not answer/)
  t.equal(market.coins(BUYER), RICH)
  market.killSeller()
  t.match(await reason('day.bin'), 'does not answer')
  t.equal(market.coins(BUYER), RICH)
})

t.test('what the account cannot pay is not locked, whatever the seller thinks of it', async (t) => {
  const market = new FileMarket(t)
  const { network } = market.test
  const lie = { text: BYTES, key: new Uint8Array(32).fill(3), quote: { price: RICH + 1 } }
  market.installSeller(lyingSeller(network, SELLER, lie))
  const { outcome, events } = await market.buy('day.bin', { wish: { coinsMax: 2 * RICH, hoursMax: 48 } })
  t.match(outcome, { status: 'not-bought', reason: 'has 100 coins and needs 100.00000001, fees included' })
  t.notOk(events.some(({ event }) => event === 'paying'))
})

t.test('a quote that gets old while the file is fetched is not paid: there is a new one', async (t) => {
  const market = new FileMarket(t)
  const { network } = market.test
  const key = new Uint8Array(32).fill(3)
  market.installSeller(
    lyingSeller(network, SELLER, { text: BYTES, key, quote: { until: market.test.nowMs + 10_000 } }),
  )
  let asked = 0
  const { outcome, events } = await market.buy('day.bin', {
    at(what) {
      if (what === 'fetched' && ++asked === 1) market.mine()
    },
  })
  t.match(outcome, { status: 'not-bought', reason: 'the quote is good for no longer' })
  t.notOk(events.some(({ event }) => event === 'paying'))
})

t.test('what is interrupted while it is fetched goes on where it was', async (t) => {
  const bytes = new Uint8Array(40 * FILE_CHUNK_BYTES).map((_, at) => at % 251)
  const market = new FileMarket(t, { files: { 'large.bin': bytes } })
  market.startSeller()
  const first = await market.buy('large.bin', { at: killAt('fetching', 26) })
  t.equal(first.outcome, 'killed')
  const reached = first.events.findLast(({ event }) => event === 'fetching')
  const second = await market.buy('large.bin')
  t.match(second.outcome, { status: 'bought' })
  t.ok(readFileSync(second.out).equals(bytes))
  const begun = second.events.find(({ event }) => event === 'fetching')
  if (reached?.event !== 'fetching' || begun?.event !== 'fetching') return t.fail('both fetch')
  t.ok(reached.done > FILE_CHUNK_BYTES, `something was fetched: ${reached.done}`)
  t.ok(begun.done >= reached.done, `${reached.done} bytes were there, and it begins with ${begun.done}`)
})

t.test('what the disk lost of the ciphertext in the meantime is fetched again', async (t) => {
  const market = new FileMarket(t, { files: FILES })
  market.startSeller()
  await market.buy('day.bin', { at: killAt('fetching', 3) })
  const [directory = ''] = purchasesIn(market)
  const path = join(directory, 'ciphertext')
  const damaged = readFileSync(path)
  damaged[100] = (damaged[100] ?? 0) ^ 1
  writeFileSync(path, damaged)
  const { outcome, out } = await market.buy('day.bin')
  t.match(outcome, { status: 'bought' })
  t.ok(readFileSync(out).equals(BYTES))
})

t.test('messages that are lost, doubled or changed on the way change nothing but the time', async (t) => {
  for (const seed of [1, 2, 3]) {
    const market = new FileMarket(t, { files: FILES })
    market.startSeller()
    const random = seeded(seed)
    market.tamper = (payload) => {
      if (random() < 0.3) return undefined
      if (random() > 0.2) return payload
      const changed = payload.slice()
      const at = Math.floor(random() * changed.length)
      changed[at] = (changed[at] ?? 0) ^ (1 << Math.floor(random() * 8))
      return changed
    }
    const { outcome, out } = await market.buy('day.bin')
    t.match(outcome, { status: 'bought' }, `seed ${seed}`)
    t.ok(readFileSync(out).equals(BYTES))
    t.equal(market.coins(BUYER), RICH - PRICE)
  }
})

t.test('a seller that sends other bytes than it quoted is not paid', async (t) => {
  const market = new FileMarket(t)
  const { network } = market.test
  const key = new Uint8Array(32).fill(3)
  const spoil = (chunk: Uint8Array, index: number) => (index === 1 ? chunk.map((byte) => byte ^ 1) : chunk)
  market.installSeller(lyingSeller(network, SELLER, { text: BYTES, key, onSend: spoil }))
  const { outcome, out } = await market.buy('day.bin')
  t.match(outcome, { status: 'not-bought', reason: 'the seller sends other bytes than it quoted' })
  t.equal(market.coins(BUYER), RICH)
  t.notOk(existsSync(out))
})

t.test(
  'a seller that quotes what its key does not open is paid, and convicted by what it signed',
  async (t) => {
    const market = new FileMarket(t)
    const { network } = market.test
    const key = new Uint8Array(32).fill(3)
    const spoil = (chunk: Uint8Array) => chunk.map((byte) => byte ^ 1)
    market.installSeller(lyingSeller(network, SELLER, { text: BYTES, key, onQuote: spoil, onSend: spoil }))
    const { outcome, out } = await market.buy('day.bin', {
      at: (what) => what === 'locked' && market.tell(key),
    })
    t.match(outcome, { status: 'spoilt' })
    t.notOk(existsSync(out))
    const [directory = ''] = purchasesIn(market)
    t.strictSame(readdirSync(directory).sort(), ['ciphertext', 'purchase.json'])
  },
)

t.test(
  'a seller that vanishes after the payment has earned nothing: the coins come back by themselves',
  async (t) => {
    const market = new FileMarket(t, { files: FILES })
    market.startSeller()
    const { outcome, out } = await market.buy('day.bin', {
      at: (what) => what === 'paying' && market.killSeller(),
    })
    t.match(outcome, { status: 'refunded' })
    t.equal(market.coins(BUYER), RICH)
    t.notOk(existsSync(out))
    t.equal(market.keysTold(), 0)
    market.startSeller()
    market.mine(3)
    t.equal(market.keysTold(), 0, 'nor does it tell the key when it is back')
    const again = await market.buy('day.bin')
    t.match(again.outcome, { status: 'bought' }, 'and the file can be bought anew')
    t.equal(market.coins(BUYER), RICH - PRICE)
  },
)

t.test('a refund that a reorganisation takes away is made again', async (t) => {
  const market = new FileMarket(t, { files: FILES })
  market.startSeller()
  const { test } = market
  let refunds = 0
  const { outcome, events } = await market.buy('day.bin', {
    at(what) {
      if (what === 'paying') market.killSeller()
      if (what === 'refunding') refunds++
      if (what !== 'returned' || refunds > 1) return
      // Another branch from below the refund, on which its nonce is used for something else.
      const other = new TestChain(test.network)
      for (let height = 1; height < test.chain.tip.height; height++)
        other.acceptBytes(test.archive.block(test.chain.at(height)?.hash as Hash))
      other.grow(2, [other.transfer(BUYER, RIVAL.account, 1)])
      t.equal(test.follow(other)?.ok, true)
      t.equal(market.coins(BUYER), RICH - PRICE - 1, 'the refund is gone')
    },
  })
  t.match(outcome, { status: 'refunded' })
  t.equal(refunds, 2)
  t.equal(market.coins(BUYER), RICH - 1)
  const left = events.flatMap((event) => (event.event === 'returned' ? [event.blocksLeft] : []))
  t.equal(left[0], 5)
  t.equal(left.at(-1), 1, 'it is over once nothing is expected to take it away')
})

t.test('a seller that comes back too late does not tell the key', async (t) => {
  const market = new FileMarket(t, { files: FILES })
  market.startSeller()
  let blocks = 0
  const { outcome } = await market.buy('day.bin', {
    at(what) {
      if (what === 'paying') market.killSeller()
      // 4 blocks have to be left of 12.
      if (what === 'locked' && ++blocks === 10) market.startSeller()
    },
  })
  t.match(outcome, { status: 'refunded' })
  t.equal(market.coins(BUYER), RICH)
  t.equal(market.keysTold(), 0)
  t.match(
    market.lines.filter(({ fields }) => fields.code !== undefined),
    [{ fields: { code: 'too-late' } }],
  )
})

t.test("two buyers of one file: the first one's key opens nothing of the second's", async (t) => {
  const market = new FileMarket(t, { files: FILES })
  market.startSeller()
  const first = await market.buy('day.bin')
  t.match(first.outcome, { status: 'bought' })
  const second = await market.buy('day.bin', { buyer: RIVAL, at: killAt('locked') })
  t.equal(second.outcome, 'killed')
  const [mine = '', theirs = ''] = [...purchasesIn(market), ...purchasesIn(market, RIVAL)]
  const key = fromHex(JSON.parse(readFileSync(join(mine, 'purchase.json'), 'utf8')).key as Hash)
  const sealed = readFileSync(join(theirs, 'ciphertext')).subarray(0, FILE_CHUNK_BYTES + 16)
  t.equal(openChunk(key, { index: 0, last: false }, sealed), undefined)
  t.match((await market.buy('day.bin', { buyer: RIVAL })).outcome, { status: 'bought' })
  market.mine(2)
  t.equal(market.keysTold(), 2)
})

t.test(
  'a file that is overwritten while it is fetched is sold as it is now, never half of each',
  async (t) => {
    const bytes = new Uint8Array(40 * FILE_CHUNK_BYTES).map((_, at) => at % 251)
    const other = bytes.map((byte) => byte ^ 0xff)
    const market = new FileMarket(t, { files: { 'large.bin': bytes } })
    market.startSeller()
    let fetched = 0
    const { outcome, out } = await market.buy('large.bin', {
      at: (what) => what === 'fetching' && ++fetched === 5 && market.put('large.bin', other),
    })
    t.match(outcome, { status: 'bought' })
    t.ok(readFileSync(out).equals(other))
    t.equal(market.coins(BUYER), RICH - PRICE)
  },
)

t.test('a file that is overwritten after it was paid is still sold as it was', async (t) => {
  const market = new FileMarket(t, { files: FILES })
  market.startSeller()
  const { outcome, out } = await market.buy('day.bin', {
    at: (what) => what === 'paying' && market.put('day.bin', new Uint8Array(10)),
  })
  t.match(outcome, { status: 'bought' })
  t.ok(readFileSync(out).equals(BYTES))
})

t.test(
  'a payment that no block takes is void after its expiry, and only then can it be made again',
  async (t) => {
    const market = new FileMarket(t, { files: FILES })
    market.startSeller()
    market.isLosing = true
    const { outcome, events } = await market.buy('day.bin')
    t.match(outcome, { status: 'not-bought', reason: /^the payment was not confirmed before block \d+/ })
    t.equal(events.filter(({ event }) => event === 'paying').length, 1)
    t.equal(market.coins(BUYER), RICH)
    market.isLosing = false
    t.match((await market.buy('day.bin')).outcome, { status: 'bought' })
    t.equal(market.coins(BUYER), RICH - PRICE)
  },
)

t.test('what was bought before is fetched again for nothing', async (t) => {
  const market = new FileMarket(t, { files: FILES })
  market.startSeller()
  await market.buy('day.bin')
  const out = join(market.data, 'another')
  const { outcome } = await market.buy('day.bin', { out })
  t.match(outcome, { status: 'bought', out })
  t.ok(readFileSync(out).equals(BYTES))
  t.equal(market.coins(BUYER), RICH - PRICE)
})

t.test('a file that is another one by now is paid anew: the old key does not open it', async (t) => {
  const market = new FileMarket(t, { files: FILES })
  market.startSeller()
  await market.buy('day.bin')
  const other = BYTES.map((byte) => byte ^ 0xff)
  market.put('day.bin', other)
  const { outcome, out } = await market.buy('day.bin', { out: join(market.data, 'another') })
  t.match(outcome, { status: 'bought' })
  t.ok(readFileSync(out).equals(other))
  t.equal(market.coins(BUYER), RICH - 2 * PRICE)
})

t.test('the key is found on the ledger by who was away when it was told', async (t) => {
  const market = new FileMarket(t, { files: FILES })
  market.startSeller()
  t.equal((await market.buy('day.bin', { at: killAt('locked') })).outcome, 'killed')
  market.mine(5)
  t.equal(market.keysTold(), 1)
  market.killSeller()
  market.mine(40)
  const { outcome, out } = await market.buy('day.bin', { isPatient: false })
  t.match(outcome, { status: 'bought' }, 'long after the deadline, and without the seller')
  t.ok(readFileSync(out).equals(BYTES))
})

t.test(
  'who does not wait is told how it stands, and gets the coins once the deadline has passed',
  async (t) => {
    const market = new FileMarket(t, { files: FILES })
    market.startSeller()
    await market.buy('day.bin', {
      at(what) {
        if (what === 'paying') market.killSeller()
        if (what === 'locked') throw new Killed()
      },
    })
    const now = () => market.buy('day.bin', { isPatient: false })
    t.match((await now()).outcome, { status: 'open', reason: '2 coins are locked' })
    t.equal(market.coins(BUYER), RICH - PRICE)
    market.mine(30)
    t.match((await now()).outcome, { status: 'refunded' })
    t.equal(market.coins(BUYER), RICH)
  },
)

t.test('a file that is there already is not replaced; the same one is what a killed run wrote', async (t) => {
  const market = new FileMarket(t, { files: FILES })
  market.startSeller()
  const out = join(market.data, 'mine')
  const other = () => writeFileSync(out, 'precious')
  await t.rejects(market.buy('day.bin', { out, at: (what) => what === 'locked' && other() }), {
    code: 'usage',
    message: /is already there and is never replaced/,
  })
  t.equal(readFileSync(out, 'utf8'), 'precious')
  writeFileSync(out, BYTES)
  t.match((await market.buy('day.bin', { out })).outcome, { status: 'bought' })
  t.equal(market.coins(BUYER), RICH - PRICE)
})

t.test('a record that is damaged is not guessed at', async (t) => {
  const market = new FileMarket(t, { files: FILES })
  market.startSeller()
  await market.buy('day.bin', { at: killAt('locked') })
  const [directory = ''] = purchasesIn(market)
  writeFileSync(join(directory, 'purchase.json'), '{"pinledgerPurchase":1}')
  t.throws(() => new PurchaseFiles(directory), { code: 'store-corrupt' })
  writeFileSync(join(directory, 'purchase.json'), 'nonsense')
  t.throws(() => new PurchaseFiles(directory), { code: 'store-corrupt' })
})
