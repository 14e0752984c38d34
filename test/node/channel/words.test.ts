/** A payer's hash chain: the ledger's hash, cheap to step through, and the same each time. */
import t from 'tap'
import { wordBefore as ledgerWordBefore } from '../../../ledger/channel.ts'
import { buildWordChain, CHAIN_STEPS_MAX, wordBefore, wordChain } from '../../../node/channel/words.ts'
import { hashing } from '../../../node/signing.ts'
import { fromHex, type Hash, hashFromBytes } from '../../../schemas/hex.ts'

const seed = (number: number): Uint8Array => new Uint8Array(32).fill(number)

t.test('each word is the ledger hash of the next, and the anchor that of the first', async (t) => {
  const chain = wordChain(seed(7), 3000)
  for (const step of [1, 2, 1023, 1024, 1025, 2047, 2048, 2049, 2999, 3000])
    t.equal(hashFromBytes(hashing.tagged('word', fromHex(chain.word(step)))), chain.word(step - 1), `${step}`)
  t.equal(chain.word(0), chain.anchor)
  t.equal(chain.word(3000), hashFromBytes(seed(7)), 'the last word is the seed')
  t.equal(ledgerWordBefore(hashing, chain.word(3000), 3000), chain.anchor, 'as the ledger counts')
  t.equal(wordBefore(chain.word(3000), 3000), chain.anchor, 'and as a payee does')
  t.equal(wordBefore(chain.word(5), 0), chain.word(5))
})

t.test('words come in any order, from chains of any length', async (t) => {
  for (const steps of [1, 2, 1023, 1024, 1025, 2048, 2100]) {
    const naive: Hash[] = [hashFromBytes(seed(9))]
    for (let step = 0; step < steps; step++)
      naive.unshift(hashFromBytes(hashing.tagged('word', fromHex(naive[0] ?? ''))))
    const chain = wordChain(seed(9), steps)
    const order = Array.from({ length: steps + 1 }, (_, step) => (step * 769) % (steps + 1))
    const wrong = order.filter((step) => chain.word(step) !== naive[step])
    t.strictSame(wrong, [], `${steps} steps`)
  }
})

t.test('the longest chain lets others run while it is built, and a step is cheap', async (t) => {
  const building = buildWordChain(seed(1), CHAIN_STEPS_MAX)
  let turns = 0
  let next = building.next()
  for (; next.done !== true; next = building.next()) turns++
  t.equal(turns, 128)
  const chain = next.value
  t.equal(wordBefore(chain.word(1_000_000), 1_000_000 - 4096), chain.word(4096))
  t.throws(() => chain.word(CHAIN_STEPS_MAX + 1), /word 1048577 of a chain of 1048576/)
  t.throws(() => wordChain(seed(1), CHAIN_STEPS_MAX + 1), /1 to 1048576 steps/)
})
