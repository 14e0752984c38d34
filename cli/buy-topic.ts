/** `pinledger buy topic`: pays for a paid topic and prints its readings until the time is over. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../node/log.ts'
import type { Signer } from '../node/signing.ts'
import { writeTime } from '../schemas/receipt-memo.ts'
import { Answers, buy, type Purchase, type Say } from './buying.ts'
import { EXIT } from './exit.ts'
import { Sender, type Where } from './sender.ts'
import { type Reading, TopicReader } from './topic-reader.ts'

export interface TopicModules {
  readonly say: Say
  readonly onReading: (reading: Reading) => void
  readonly log: Log
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Ends it before its time. */
  readonly signal: AbortSignal
}

/** What the broker may still forward when the time is over. */
const END_MS = 200

/** 0 once the time is over, 1 when nothing was sold, or nothing heard in all that time. Throws WorldError `broker-unreachable`. */
export async function buyTopic(
  where: Where,
  signer: Signer,
  purchase: Purchase,
  { say, onReading, log, now, signal }: TopicModules,
): Promise<number> {
  const sender = new Sender(where, signer, purchase.network, log)
  try {
    const place = await sender.start()
    const answers = new Answers(place.network, purchase, signer.account)
    const isGuarded = sender.session.challenged
    let heard = 0
    const reader = new TopicReader(purchase.seller, purchase.item.name, {
      network: place.network,
      signer,
      publish: (name, payload) => void sender.session.publish(name, payload, { qos: 1, retain: false }),
      nowMs: () => performance.now(),
      onReading: (reading) => {
        heard++
        onReading(reading)
      },
      onDenied: (code) => log.warn('the seller gave no key', { code, isGuarded }),
    })
    sender.onMessage((parsed, payload) => {
      answers.take(parsed, payload)
      // From the receipt on, which is when the time begins.
      if (answers.all.some(({ memo }) => memo.type === 'sold')) reader.take(parsed, payload)
    })
    sender.session.subscribe([...answers.filters(), ...reader.filters()])
    const { until } = await buy(sender, place, signer, purchase, answers, say)
    if (until === undefined) return EXIT.no
    while (now() < until && !signal.aborted)
      await sleep(Math.min(1_000, until - now()), undefined, { signal }).catch(() => {
        // Ended by hand, which the loop sees.
      })
    if (signal.aborted) return EXIT.ok
    await sleep(END_MS)
    if (heard > 0) return EXIT.ok
    const reason = `no reading of ${purchase.item.name} came until ${writeTime(until)}: the sensor said nothing, or the seller, its broker or a validator was away`
    say({ step: 'unheard', reason })
    return EXIT.no
  } finally {
    await sender.stop()
  }
}
