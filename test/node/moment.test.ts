/** Which pair of ticks a proof from a data directory takes, and why there is none. */
import t, { type Test } from 'tap'
import { checkMoment } from '../../ledger/sandwich.ts'
import { buildMoment, findTransaction } from '../../node/moment.ts'
import { type Hash, ZERO_HASH } from '../../schemas/hex.ts'
import { alice, bob } from '../helpers/ledger.ts'
import { SMALL } from '../helpers/long-chain.ts'
import { MemoryDisk } from '../helpers/memory-disk.ts'
import { bytesOf, MomentLab, network, OTHERS, smallLab, storeLab } from '../helpers/moment-lab.ts'

/** What is in a lab's data directory about a transaction: heights of the ticks and of the blocks, or why there is nothing. */
function asker(lab: MomentLab) {
  const { store, hands } = storeLab(lab)
  return (height: number, transaction: Hash) => {
    const built = buildMoment(store, hands, { height, transaction })
    if (!built.ok) return built.fault
    const checked = checkMoment(network, built.value)
    if (!checked.ok) return checked.fault.message
    const { after, before, block } = checked.value
    return [after.height, block, before.height]
  }
}

const paid = (lab: MomentLab) => lab.chain.transfer(alice, bob.account, 1)

t.test(
  'a proof is the closest pair that the hands have, byte for byte that of who put it together by hand',
  async (t) => {
    const { lab, paid: first, batch, read, later } = smallLab()
    const { store, hands } = storeLab(lab)
    const build = (height: number, transaction: Hash, sample = batch.samples[9]) => {
      const built = buildMoment(store, hands, { height, transaction, sample })
      return built.ok ? Buffer.from(built.value).toString('hex') : built.fault
    }
    const hex = (...[choice]: Parameters<MomentLab['proof']>) =>
      Buffer.from(bytesOf(lab.proof(choice))).toString('hex')
    t.equal(build(1, first.id), hex({ height: 1, root: 1, before: 1, last: 4 }))
    t.equal(build(2, read.id), hex({ height: 2, index: 1, root: 2, before: 2, last: 4 }))
    const sample = batch.samples.slice(2, 3)
    t.equal(build(2, batch.sealed.id, sample[0]), hex({ height: 2, root: 2, before: 2, last: 4, sample }))
    const ask = asker(lab)
    t.strictSame(ask(1, first.id), [0, 1, 1])
    t.strictSame(ask(5, later.id), [2, 5, 4], 'tick 3 names only the block before')
  },
)

t.test('a miner that lags behind: the tick is taken that a block below has named', async (t) => {
  const lab = new MomentLab()
  lab.block()
  lab.tick()
  const old = lab.hands.slow.hashAt(0)
  lab.block()
  const event = paid(lab)
  lab.block([event], old)
  lab.tick()
  t.strictSame(asker(lab)(3, event.id), [1, 3, 2])
})

t.test('256 blocks below are looked at, and no more', async (t) => {
  for (const [below, after] of [
    [256, 1],
    [257, 0],
  ] as const) {
    const lab = new MomentLab()
    const zero = lab.hands.slow.hashAt(0)
    lab.block()
    lab.tick()
    lab.block()
    for (let count = 1; count < below; count++) lab.block([], zero)
    const event = paid(lab)
    lab.block([event], zero)
    lab.tick()
    t.strictSame(asker(lab)(2 + below, event.id), [after, 2 + below, 2])
  }
})

t.test(
  'a tick that nobody knows, or that was undone, is none: a block below names a better one',
  async (t) => {
    const lab = new MomentLab()
    lab.block()
    lab.tick()
    lab.block()
    const event = paid(lab)
    lab.block([event], 'ab'.repeat(32) as Hash)
    lab.tick()
    t.strictSame(asker(lab)(3, event.id), [1, 3, 2])
    const none = new MomentLab()
    const unknown = paid(none)
    none.block([unknown], ZERO_HASH)
    none.tick()
    t.equal(asker(none)(1, unknown.id), 'no block at or below 1 names a tick of the slow hand')
  },
)

t.test(
  'anchors below the event, of undone blocks, from beyond our tip, and of other ledgers are passed over',
  async (t) => {
    const lab = new MomentLab()
    const ledger = network.genesisHash
    lab.block()
    const event = paid(lab)
    lab.block([event])
    lab.tick(1)
    lab.tickOf([{ ledger, height: 2, block: 'ab'.repeat(32) as Hash }])
    lab.tickOf([{ ledger, height: 99, block: 'ab'.repeat(32) as Hash }])
    lab.tickOf(OTHERS)
    lab.tickOf([])
    const ask = (): unknown => asker(lab)(2, event.id)
    t.match(ask(), 'no tick names block 2 or a later one yet: wait for the next tick')
    lab.block()
    lab.tick()
    t.strictSame(ask(), [0, 2, 6])
  },
)

t.test('what is not there is said', async (t) => {
  const { lab, paid: first, read } = smallLab()
  const ask = asker(lab)
  t.equal(ask(2, first.id), `block 2 does not hold transaction ${first.id}`)
  for (const height of [0, 7, 2 ** 32 - 1]) t.equal(ask(height, first.id), `block ${height} is not kept here`)
  const fresh = new MomentLab()
  const event = paid(fresh)
  fresh.block([event])
  t.match(asker(fresh)(1, event.id), /wait for the next tick/)
  const { store } = storeLab(lab)
  const looked: number[] = []
  t.equal(
    findTransaction(store, read.id, (height) => void looked.push(height)),
    2,
  )
  t.strictSame(looked, [6, 5, 4, 3, 2], 'from the tip down')
  t.equal(
    findTransaction(store, 'ab'.repeat(32) as Hash, () => {}),
    undefined,
  )
})

t.test('a ledger that no longer has its old blocks proves what it has', async (t) => {
  const lab = new MomentLab()
  const early = paid(lab)
  lab.block([early])
  lab.tick()
  while (lab.blocks.length < 520) lab.block()
  const late = paid(lab)
  lab.block([late])
  lab.tick()
  while (lab.blocks.length < 540) lab.block()
  prunes(t, lab, early.id, late.id)
})

function prunes(t: Test, lab: MomentLab, early: Hash, late: Hash): void {
  const disk = new MemoryDisk()
  const { store, hands } = storeLab(lab, disk, { ...SMALL, bytesMax: 1 })
  t.ok(store.keptFrom > 0, `blocks are kept from ${store.keptFrom} on`)
  const refused = buildMoment(store, hands, { height: 1, transaction: early })
  t.match(refused, { fault: 'block 1 is not kept here' })
  t.equal(
    findTransaction(store, early, () => {}),
    undefined,
  )
  t.equal(
    findTransaction(store, late, () => {}),
    521,
  )
  const built = buildMoment(store, hands, { height: 521, transaction: late })
  const checked = built.ok ? checkMoment(network, built.value) : undefined
  t.match(checked, { value: { after: { height: 1 }, before: { height: 2 }, block: 521 } })
  const first = store.keptFrom + 1
  const block = lab.blocks[first - 1]
  t.equal(block?.header.height, first)
}
