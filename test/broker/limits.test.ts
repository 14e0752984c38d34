/** Bounds of different parts that have to fit each other. */
import t from 'tap'
import { withMirror } from '../../broker/announcer.ts'
import { GRANT_BOOK_LIMITS } from '../../broker/grant-book.ts'
import { LIMITS } from '../../broker/limits.ts'
import { RetainedMessages } from '../../broker/retained.ts'
import { GRANT_SENSORS_MAX, grant } from '../../schemas/grant.ts'
import { accountView } from '../../schemas/message.ts'
import { topic } from '../../schemas/topic.ts'
import { NETWORK, signerOf } from './running-broker.ts'

const [judge, seller, buyer] = [1, 2, 3].map((seed) => signerOf(seed).account) as [
  ReturnType<typeof signerOf>['account'],
  ReturnType<typeof signerOf>['account'],
  ReturnType<typeof signerOf>['account'],
]

/** What a broker counts for these retained messages. */
function kept(messages: ReturnType<typeof withMirror>): {
  readonly messages: number
  readonly bytes: number
} {
  const retained = new RetainedMessages(LIMITS, new Set([judge]))
  for (const { topic, payload } of messages)
    retained.store({ cmd: 'publish', topic, payload: Buffer.from(payload), qos: 1, retain: true, dup: false })
  return { messages: retained.count, bytes: retained.bytes }
}

function granted(sensors: number) {
  const until = 281_474_976_710_655
  const items = Array.from({ length: sensors }, (_, index) => ({ sensor: `${index}`.padEnd(25, 'x'), until }))
  const name = topic(NETWORK, 'grant', judge, seller, buyer)
  return kept(withMirror(name, grant, { seller, buyer, height: 2 ** 32 - 1, sensors: items }))
}

t.test('all grants and accounts that a validator tells have room on the broker', async (t) => {
  const { entriesMax } = GRANT_BOOK_LIMITS
  const max = Number.MAX_SAFE_INTEGER
  const view = { account: seller, height: 2 ** 32 - 1, nonce: max, balance: max, maturing: max }
  const account = kept(withMirror(topic(NETWORK, 'account', judge, seller), accountView, view))
  for (const each of [1, GRANT_SENSORS_MAX]) {
    const pair = granted(each)
    const pairs = Math.ceil(entriesMax / each)
    t.ok(
      pairs * pair.bytes + 1000 * account.bytes < LIMITS.retainedPerValidatorBytesMax,
      `${each} sensors for each`,
    )
    t.ok(pairs * pair.messages + 1000 * account.messages < LIMITS.retainedPerValidatorMax)
  }
  t.ok(LIMITS.grantsPerValidatorMax >= entriesMax)
})

t.test('who subscribes to # takes what three validators and all devices retain', async (t) => {
  const { outgoingBytesMax, retainedPerValidatorBytesMax, retainedDevicesBytesMax } = LIMITS
  t.ok(outgoingBytesMax >= 3 * retainedPerValidatorBytesMax + retainedDevicesBytesMax)
})
