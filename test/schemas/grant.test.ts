import t from 'tap'
import { encode } from '../../schemas/codec.ts'
import { GRANT_BYTES_MAX, GRANT_SENSORS_MAX, grant } from '../../schemas/grant.ts'
import { type Account, toHex } from '../../schemas/hex.ts'
import { codecFacts, refusesToEncode } from '../helpers/codec-facts.ts'

const seller = 'aa'.repeat(32) as Account
const buyer = 'bb'.repeat(32) as Account
const sensors = (count: number, name = 's') =>
  Array.from({ length: count }, (_, index) => ({ sensor: `${name}${index}`.padEnd(32, 'x'), until: 1000 }))

t.test('the layout: seller, buyer, height, sensors with their times', async (t) => {
  const value = { seller, buyer, height: 258, sensors: [{ sensor: 'soil', until: 1_767_225_600_000 }] }
  t.equal(toHex(codecFacts(t, grant, value)), `${seller}${buyer}00000102000104736f696c019b76daa800`)
  t.strictSame(grant.json.parse(grant.toJson(value)), value)
})

t.test('the bound is that of the largest', async (t) => {
  const largest = { seller, buyer, height: 1, sensors: sensors(GRANT_SENSORS_MAX) }
  t.equal(encode(grant, largest).length, GRANT_BYTES_MAX)
  refusesToEncode(t, grant, { ...largest, sensors: sensors(GRANT_SENSORS_MAX + 1) }, 'at most 16')
})
