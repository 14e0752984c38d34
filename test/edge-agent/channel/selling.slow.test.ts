/** So many buyers that one is forgotten. Run by npm run test:system. */
import t from 'tap'
import type { Hello } from '../../../node/channel/conversation.ts'
import type { Hash } from '../../../schemas/hex.ts'
import { lab, others, parse } from './selling-lab.ts'

t.test('of more than 1,024 buyers those that were silent for longest are forgotten', async (t) => {
  const the = lab({ accepts: () => true })
  const { selling, sent, buyer } = the
  const all = others(the, 1_024)
  const hello = parse(buyer.hello()) as Hello
  const greet = (channels: readonly Hash[]): void => {
    for (const channel of channels) selling.hello({ ...hello, channel })
  }
  const isKnown = (): boolean => {
    sent.splice(0)
    the.say({ type: 'stop', code: 'done', message: '' })
    return sent.length === 0
  }
  the.begin()
  greet(all.slice(0, 1_023))
  t.ok(isKnown())
  greet(all.slice(1_023))
  t.ok(isKnown(), 'it has just said something, the others have not')
  greet(all.slice(1))
  greet(all.slice(0, 1))
  t.notOk(isKnown())
})
