import t from 'tap'
import { ClaimNotices } from '../../cli/claim-notices.ts'
import type { Account } from '../../schemas/hex.ts'
import { alice, bob } from '../helpers/ledger.ts'
import { bytes32, wordOf } from '../helpers/trade.ts'

const proof = (steps: number) => wordOf([], steps)
/** Publishers that nobody has a key of. */
const nobody = (index: number): Account => index.toString(16).padStart(64, '0') as Account
const [ONE, TWO] = [bytes32(1), bytes32(2)]

t.test("a notice is its publisher's, who replaces it and takes it back; nobody else does", async (t) => {
  const notices = new ClaimNotices()
  notices.hear(alice.account, ONE, proof(5))
  notices.hear(bob.account, ONE, proof(9))
  notices.hear(bob.account, ONE, undefined)
  t.strictSame(notices.next(9), [{ publisher: alice.account, channel: ONE, proof: proof(5) }])
  notices.hear(alice.account, ONE, proof(6))
  t.strictSame(notices.next(9), [{ publisher: alice.account, channel: ONE, proof: proof(6) }])
  notices.hear(alice.account, ONE, undefined)
  t.strictSame(notices.next(9), [])
})

t.test('publishers have their turns, however many notices one has', async (t) => {
  const notices = new ClaimNotices()
  for (let channel = 1; channel <= 200; channel++) notices.hear(bob.account, bytes32(channel), proof(1))
  notices.hear(alice.account, ONE, proof(1))
  notices.hear(alice.account, TWO, proof(1))
  const ofAlice = (max: number) =>
    notices.next(max).filter(({ publisher }) => publisher === alice.account).length
  t.equal(ofAlice(4), 2, 'two of four are hers')
  t.equal(ofAlice(202), 2, 'and each is named once')
  const seen = new Set([0, 1, 2].flatMap(() => notices.next(80).map(({ channel }) => channel)))
  t.equal(seen.size, 200, 'all have their turn')
})

t.test('payees do not wait for the many who are none', async (t) => {
  const notices = new ClaimNotices()
  notices.hear(alice.account, ONE, proof(1))
  for (const notice of notices.next(1)) notices.found(notice, true)
  for (let index = 0; index < 500; index++) notices.hear(nobody(index), TWO, proof(1))
  for (let round = 0; round < 3; round++)
    t.equal(notices.next(40).filter(({ publisher }) => publisher === alice.account).length, 1)
})

t.test('when there is no more room, who was asked about in vain gives way', async (t) => {
  const notices = new ClaimNotices()
  const junk = () => {
    for (let index = 0; index < 1_000; index++)
      for (const channel of [ONE, TWO]) notices.hear(nobody(index), channel, proof(1))
  }
  const holdsAlice = () => notices.next(5_000).some(({ publisher }) => publisher === alice.account)
  junk()
  notices.hear(alice.account, ONE, proof(1))
  t.equal(holdsAlice(), false, 'nothing is known of the others yet')
  for (const notice of notices.next(1)) notices.found(notice, false)
  notices.hear(alice.account, ONE, proof(1))
  t.equal(holdsAlice(), true)
  junk()
  t.equal(holdsAlice(), true, 'and those do not come back in her place')
})

t.test(
  'of one publisher so many channels are remembered, and those that are there are renewed',
  async (t) => {
    const notices = new ClaimNotices()
    const id = (channel: number) => nobody(channel) as string as typeof ONE
    for (let channel = 0; channel < 300; channel++) notices.hear(bob.account, id(channel), proof(1))
    notices.hear(bob.account, id(0), proof(2))
    const all = notices.next(1_000)
    t.equal(all.length, 256)
    t.strictSame(all[0]?.proof, proof(2))
  },
)
