/**
 * Agents that trade readings over a channel as they run: a real broker, a validator, a sensor that counts, a buyer with a configuration.
 * What each has on its disk afterwards, and the ledger, agree within one reading.
 */
import { join } from 'node:path'
import t from 'tap'
import { COIN } from '../../ledger/amount.ts'
import { ChannelLog } from '../../node/channel/channel-log.ts'
import type { Books } from '../../node/channel/records.ts'
import { createKey } from '../../node/key-file.ts'
import { replaceableLog } from '../../node/replaceable-log.ts'
import { systemTimers } from '../../node/timers.ts'
import { claimNotice } from '../../schemas/channel-message.ts'
import { decode } from '../../schemas/codec.ts'
import { parseTopic } from '../../schemas/topic.ts'
import { join as joinBroker } from '../broker/running-broker.ts'
import { alice } from '../helpers/ledger.ts'
import { temporary } from '../helpers/processes.ts'
import { Rig } from '../helpers/rig.ts'
import { countingScript, keepMining, openShop } from '../helpers/shop.ts'
import { waitUntil } from '../helpers/wait-until.ts'

/** Opens the log of an agent that has ended. */
function booksOf(data: string): Books {
  const log = new ChannelLog(replaceableLog(join(data, 'channels.log')), {
    timers: systemTimers,
    nowMs: () => performance.now(),
    onFatal(error) {
      throw error
    },
  })
  log.close()
  return log.books
}

for (const mode of ['payword', 'signed'] as const)
  t.test(`${mode}: a buyer opens a channel, pays reading by reading, and the seller claims`, async (t) => {
    const data = temporary(t)
    const buyerKey = createKey(join(data, 'key.json'))
    const rig = await Rig.start(t, {
      allocations: [
        { account: alice.account, amount: COIN },
        { account: buyerKey.account, amount: 100 * COIN },
      ],
    })
    const running = await rig.validator()
    const stopMining = await keepMining(t, rig, running, 200)
    const place = { url: rig.url, genesis: rig.genesis, clock: rig.clock() }
    const notices: unknown[] = []
    const person = await joinBroker(t, rig.broker)
    person.on('message', (name, payload) => {
      const parsed = parseTopic(name)
      if (parsed?.kind === 'claim' && !parsed.json) notices.push(decode(claimNotice, payload, 256))
      if (parsed?.kind === 'channel') t.fail('somebody else hears what they say')
    })
    await person.subscribeAsync('pinledger/+/#')
    const sell = { perReading: '0.01', claimAboveCoins: '0.05', delayBlocksMin: 5 }
    const sensor = { name: 'soil', driver: 'script', file: countingScript(t, 0.1), unit: '%', sell }
    const seller = await openShop(t, place, { sensors: [sensor] })
    const buy = { from: seller.account, sensor: 'soil', perReadingMax: '0.02', deposit: '1', mode }
    const buyer = await openShop(t, place, { buys: [{ ...buy, delayBlocks: 50 }] }, data)
    const bought = () => buyer.lines.filter(({ event }) => event === 'bought a reading').length
    await waitUntil('a dozen readings are bought', () => bought() >= 12)
    const earned = () => rig.chain.chain.state.account(seller.account).balance
    await waitUntil('the seller has claimed', () => earned() > 0)
    await buyer.stop()
    await seller.stop()
    await stopMining()

    const [purchase] = booksOf(buyer.data).purchases.values()
    const [sale] = booksOf(seller.data).sales.values()
    const [paid, proven] = [purchase?.index ?? 0, sale?.index ?? 0]
    t.ok(paid >= 12 && paid >= proven && paid - proven <= 1, `${paid} paid, ${proven} proven`)
    const delivered = proven + (sale?.pending === undefined ? 0 : 1)
    t.ok(delivered - proven <= 1 && delivered >= paid)
    t.equal(purchase?.price, 0.01 * COIN, 'the price is the one that is offered, not the most')
    t.ok(earned() <= proven * 0.01 * COIN, `${earned()} are claimed`)
    const entry = purchase?.channel && rig.chain.chain.state.channel(purchase.channel)
    t.equal(entry?.paid, earned())
    t.ok(notices.length > 0, 'its best proof is there for whoever would claim for it')
  })
