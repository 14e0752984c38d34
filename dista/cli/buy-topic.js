/** `pinledger buy topic`: pays for a paid topic and prints its readings until the time is over. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Answers, buy } from './buying.js';
import { EXIT } from './exit.js';
import { Sender } from './sender.js';
import { TopicReader } from './topic-reader.js';
/** What the broker may still forward when the time is over. */
const END_MS = 200;
/** 0 once the time is over, 1 when nothing was sold. Throws WorldError `broker-unreachable`. */
export async function buyTopic(where, signer, purchase, { say, onReading, log, now, signal }) {
    const sender = new Sender(where, signer, purchase.network, log);
    try {
        const place = await sender.start();
        const answers = new Answers(place.network, purchase, signer.account);
        const isGuarded = sender.session.challenged;
        const reader = new TopicReader(purchase.seller, purchase.item.name, {
            network: place.network,
            signer,
            publish: (name, payload) => void sender.session.publish(name, payload, { qos: 1, retain: false }),
            nowMs: () => performance.now(),
            onReading,
            onDenied: (code) => log.warn('the seller gave no key', { code, isGuarded }),
        });
        let isBought = false;
        sender.onMessage((parsed, payload) => {
            answers.take(parsed, payload);
            if (isBought)
                reader.take(parsed, payload);
        });
        sender.session.subscribe(answers.filters());
        const { until } = await buy(sender, place, signer, purchase, answers, say);
        if (until === undefined)
            return EXIT.no;
        isBought = true;
        sender.session.subscribe(reader.filters());
        while (now() < until && !signal.aborted)
            await sleep(Math.min(1_000, until - now()), undefined, { signal }).catch(() => {
                // Ended by hand, which the loop sees.
            });
        if (!signal.aborted)
            await sleep(END_MS);
        return EXIT.ok;
    }
    finally {
        await sender.stop();
    }
}
//# sourceMappingURL=buy-topic.js.map