import t from 'tap'
import { Peers } from '../../node/peers.ts'
import { type Account, ZERO_HASH } from '../../schemas/hex.ts'
import type { Tip } from '../../schemas/message.ts'
import { alice, bob, carol } from '../helpers/ledger.ts'

const tip = (work: bigint): Tip => ({
  height: 1,
  hash: ZERO_HASH,
  parent: ZERO_HASH,
  time: 0,
  miner: alice.account,
  target: 1n,
  work,
  stateRoot: ZERO_HASH,
  transactions: 0,
  readings: 0,
  supply: 0,
})
const named = (number: number): Account => number.toString(16).padStart(64, '0') as Account
function heard(...tips: readonly (readonly [Account, bigint])[]): Peers {
  const peers = new Peers()
  for (const [peer, work] of tips) peers.set(peer, tip(work))
  return peers
}

t.test('the best is the peer with the most work, and more than ours', async (t) => {
  const peers = heard([alice.account, 5n], [bob.account, 9n], [carol.account, 7n])
  t.match(peers.best(4n), [bob.account, { work: 9n }])
  t.match(peers.best(8n), [bob.account, { work: 9n }])
  t.equal(peers.best(9n), undefined, 'as much as ours is not better')
  t.equal(new Peers().best(0n), undefined)
})

t.test('of two with the same work the one heard first', async (t) => {
  t.match(heard([alice.account, 9n], [bob.account, 9n]).best(1n), [alice.account, {}])
})

t.test('those who claim at least some work, and how high they say they are', async (t) => {
  const peers = heard([alice.account, 5n], [bob.account, 9n], [carol.account, 7n])
  t.strictSame(peers.claiming(7n), [carol.account, bob.account], 'the last heard first')
  t.strictSame(peers.claiming(10n), [])
  t.strictSame([peers.height(bob.account), peers.height(named(1))], [1, undefined])
})

t.test('those that do not count are passed over', async (t) => {
  const peers = heard([alice.account, 5n], [bob.account, 9n])
  t.match(
    peers.best(4n, (peer) => peer !== bob.account),
    [alice.account, {}],
  )
  t.equal(
    peers.best(5n, (peer) => peer !== bob.account),
    undefined,
  )
})

t.test("a peer's newest claim replaces its last, also when it is of less work", async (t) => {
  const peers = heard([alice.account, 9n], [alice.account, 3n])
  t.equal(peers.size, 1)
  t.match(peers.best(1n), [alice.account, { work: 3n }])
  t.equal(peers.share(9n), false)
})

t.test('a peer shares our work only when it claims exactly that', async (t) => {
  const peers = heard([alice.account, 5n], [bob.account, 9n])
  t.strictSame(
    [4n, 5n, 6n, 9n].map((work) => peers.share(work)),
    [false, true, false, true],
  )
})

t.test('64 peers are remembered, and the one silent for longest makes room', async (t) => {
  const peers = new Peers()
  for (let number = 1; number <= 64; number++) peers.set(named(number), tip(BigInt(number)))
  t.equal(peers.size, 64)
  peers.set(named(1), tip(1n))
  t.equal(peers.size, 64)
  peers.set(named(65), tip(65n))
  t.equal(peers.size, 64)
  t.equal(peers.share(1n), true, 'it has just spoken again')
  t.equal(peers.share(2n), false, 'it has not')
  t.equal(peers.share(65n), true)
})

t.test('without a connection nobody is known', async (t) => {
  const peers = heard([alice.account, 5n])
  peers.clear()
  t.equal(peers.size, 0)
  t.equal(peers.best(0n), undefined)
})
