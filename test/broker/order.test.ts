import t from 'tap'
import { topic } from '../../schemas/topic.ts'
import { login, NETWORK, signerOf, startBroker, until } from './running-broker.ts'

for (const qos of [0, 1] as const)
  t.test(`with QoS ${qos} what one device says comes whole and in its order, retained or not`, async (t) => {
    const broker = await startBroker(t)
    const device = signerOf(1)
    const heard: string[] = []
    const reader = await login(t, broker, signerOf(2))
    reader.on('message', (_, payload) => void heard.push(payload.toString()))
    await reader.subscribeAsync([topic(NETWORK, 'tower', '+'), topic(NETWORK, 'lab-tick', '+')], { qos: 1 })
    const sender = await login(t, broker, device)
    const sent = Array.from({ length: 20 }, (_, index) => String(index))
    // All at once: they come to the broker in one piece.
    for (const [index, words] of sent.entries()) {
      const retain = index % 3 === 0
      sender.publish(topic(NETWORK, retain ? 'tower' : 'lab-tick', device.account), words, { qos, retain })
    }
    await sender.publishAsync(topic(NETWORK, 'lab-tick', device.account), 'last', { qos })
    await until(t, 'the last one is here', () => heard.includes('last'))
    t.strictSame(heard, [...sent, 'last'])
  })
