import t from 'tap'
import { contradict, Finality, linkMessage, nextLink, sameLink } from '../../ledger/finality.ts'
import { createNetwork } from '../../ledger/network.ts'
import { hashing, type Signer, signatures } from '../../node/signing.ts'
import type { Certificate, Checkpoint, Link, Vote } from '../../schemas/checkpoint.ts'
import type { Genesis } from '../../schemas/genesis.ts'
import type { Hash } from '../../schemas/hex.ts'
import { codeOf, signer, testGenesis, testNetwork } from '../helpers/ledger.ts'

const SIGNERS = [11, 12, 13, 14, 15].map(signer)
const [one, two, three, four, five] = SIGNERS as [Signer, Signer, Signer, Signer, Signer]
const named = (count: number, checkpointThreshold: number): Partial<Genesis> => ({
  checkpointSigners: SIGNERS.slice(0, count).map(({ account }) => account),
  checkpointThreshold,
})
const network = testNetwork(named(5, 4))
const zero: Checkpoint = { height: 0, hash: network.block0Hash }
/** A block of a made-up branch. */
const at = (height: number, branch = 'a'): Checkpoint => ({
  height,
  hash: `${branch}${height}`.padEnd(64, '0') as Hash,
})
const linked = (source: Checkpoint, target: Checkpoint): Link => ({ source, target })
const cast = (by: Signer, link: Link, on = network): Vote => ({
  ...link,
  signer: by.account,
  signature: by.sign(linkMessage(on, link)),
})
const certified = (link: Link, by: readonly Signer[]): Certificate => ({
  ...link,
  signatures: by.map((each) => ({
    signer: SIGNERS.indexOf(each),
    signature: each.sign(linkMessage(network, link)),
  })),
})

t.test('5.checkpoints: a genesis needs more than half of its signers', async (t) => {
  const fault = (count: number, threshold: number) => {
    const made = createNetwork(testGenesis(named(count, threshold)), { hashing, signatures })
    return made.ok ? 'ok' : (made.fault as { field: string; message: string })
  }
  for (const [count, threshold] of [
    [0, 0],
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 5],
  ] as const)
    t.equal(fault(count, threshold), 'ok', `${threshold} of ${count}`)
  t.match(fault(0, 1), { field: 'checkpointThreshold', message: '0 without checkpointSigners, got 1' })
  for (const [count, threshold] of [
    [1, 0],
    [2, 1],
    [4, 2],
    [5, 2],
    [5, 0],
    [3, 4],
  ] as const) {
    const expected = `${Math.floor(count / 2) + 1} to ${count} of ${count} checkpointSigners, got ${threshold}`
    t.match(fault(count, threshold), { field: 'checkpointThreshold', message: expected })
  }
  const twice = { ...testGenesis(named(2, 2)), checkpointSigners: [one.account, one.account] }
  t.equal(createNetwork(twice, { hashing, signatures }).ok, false, 'each signer once')
})

t.test('k votes for one link make a certificate, k - 1 do not', async (t) => {
  const finality = new Finality(network)
  const link = linked(zero, at(8))
  for (const by of [five, one, three]) {
    const counted = finality.count(cast(by, link))
    t.ok(counted.ok)
    t.equal(counted.ok && counted.value.certificate, undefined)
  }
  const counted = finality.count(cast(two, link))
  const certificate = counted.ok ? counted.value.certificate : undefined
  t.strictSame(certificate, certified(link, [one, two, three, five]), 'by signer, ascending')
  t.equal(codeOf(finality.check(certificate as Certificate)), 'ok')
})

t.test('votes for one target from different sources do not add up', async (t) => {
  const finality = new Finality(network)
  for (const [by, source] of [
    [one, at(8)],
    [two, at(8)],
    [three, at(16)],
    [four, at(16)],
  ] as const) {
    const counted = finality.count(cast(by, linked(source, at(24))))
    t.equal(counted.ok && counted.value.certificate, undefined)
  }
})

t.test('a vote that is no vote is refused', async (t) => {
  const finality = new Finality(network)
  const count = (vote: Vote) => codeOf(finality.count(vote))
  const good = cast(one, linked(zero, at(8)))
  t.equal(count(cast(signer(66), linked(zero, at(8)))), 'not-a-signer')
  t.equal(count({ ...good, signature: new Uint8Array(64) }), 'bad-signature', 'forged')
  t.equal(count({ ...good, signer: two.account }), 'bad-signature', "another's")
  t.equal(count({ ...good, target: at(16) }), 'bad-signature', 'for another target')
  const other = testNetwork({ ...named(5, 4), name: 'other' })
  t.equal(count(cast(one, linked(zero, at(8)), other)), 'bad-signature', 'of another network')
  t.equal(count(cast(one, linked(at(0), at(8)))), 'bad-checkpoint', 'from another block 0')
  t.equal(count(cast(one, linked(zero, at(9)))), 'bad-checkpoint', 'not a checkpoint')
  t.equal(count(cast(one, linked(at(9), at(16)))), 'bad-checkpoint', 'not from a checkpoint')
  t.equal(count(cast(one, linked(at(8), at(8)))), 'bad-checkpoint', 'to itself')
  t.equal(count(cast(one, linked(at(16), at(8)))), 'bad-checkpoint', 'downwards')
  t.equal(count(good), 'ok')
  t.equal(count(good), 'known', 'replayed')
  t.equal(count({ ...good, signature: new Uint8Array(64) }), 'known', 'and then costs no signature check')
})

t.test('what is final is settled: older votes are stale, and links across it are refused', async (t) => {
  const finality = new Finality(network)
  for (const by of [one, two, three]) finality.count(cast(by, linked(at(16), at(24))))
  finality.settle(16)
  t.equal(codeOf(finality.count(cast(one, linked(at(8), at(16))))), 'known')
  t.equal(codeOf(finality.count(cast(five, linked(at(8), at(24))))), 'below-final')
  t.equal(codeOf(finality.check(certified(linked(at(8), at(24)), [one, two, three, four]))), 'below-final')
  const counted = finality.count(cast(four, linked(at(16), at(24))))
  t.ok(counted.ok && counted.value.certificate, 'votes above it still count')
})

t.test('two votes for one height, and one link around another, contradict each other', async (t) => {
  const inner = linked(at(16), at(24))
  t.ok(contradict(inner, linked(at(16), at(24, 'b'))), 'one height, two blocks')
  t.ok(contradict(inner, linked(at(8), at(24))), 'one target, two sources')
  t.ok(contradict(inner, linked(at(8), at(32))), 'around it')
  t.ok(contradict(linked(at(8), at(32)), inner), 'in the other order')
  t.notOk(contradict(inner, inner), 'the same vote again')
  t.notOk(contradict(inner, linked(at(16), at(32))))
  t.notOk(contradict(inner, linked(at(24), at(32))))
  t.notOk(contradict(inner, linked(at(8), at(16))))
})

t.test('a signer that contradicts itself is named, with the earlier vote, and is one voice', async (t) => {
  const finality = new Finality(network)
  const first = cast(one, linked(at(8), at(16)))
  finality.count(first)
  const again = finality.count(cast(one, linked(at(8), at(16, 'b'))))
  t.strictSame(again.ok && again.value.contradicts, first)
  for (const by of [two, three, four])
    for (const source of [zero, at(8)]) {
      const counted = finality.count(cast(by, linked(source, at(24))))
      t.equal(counted.ok && counted.value.certificate, undefined)
    }
  // Three came from 0 first: their second source must not complete another link.
  const counted = finality.count(cast(five, linked(at(8), at(24))))
  t.equal(counted.ok && counted.value.certificate, undefined)
  const last = finality.count(cast(one, linked(at(8), at(24))))
  t.equal(last.ok && last.value.certificate, undefined)
})

t.test('a signer has eight places: the highest targets stay', async (t) => {
  const finality = new Finality(network)
  for (let height = 8; height <= 64; height += 8) finality.count(cast(one, linked(zero, at(height))))
  t.equal(codeOf(finality.count(cast(one, linked(zero, at(72))))), 'ok')
  t.equal(codeOf(finality.count(cast(one, linked(zero, at(8))))), 'known', 'too low by now')
  for (const by of [two, three]) finality.count(cast(by, linked(zero, at(8))))
  const without = finality.count(cast(four, linked(zero, at(8))))
  t.equal(without.ok && without.value.certificate, undefined, 'its vote is no longer counted')
  const complete = finality.count(cast(five, linked(zero, at(8))))
  t.ok(complete.ok && complete.value.certificate, 'four others are enough')
})

t.test(
  'a certificate needs k different signers of the genesis, ascending, and every signature',
  async (t) => {
    const finality = new Finality(network)
    const link = linked(at(8), at(16))
    const check = (certificate: Certificate) => codeOf(finality.check(certificate))
    const good = certified(link, [one, two, four, five])
    t.equal(check(good), 'ok')
    t.equal(check(certified(link, SIGNERS)), 'ok', 'more than k')
    t.equal(check(certified(link, [one, two, four])), 'bad-checkpoint', 'too few')
    t.equal(check(certified(link, [one, one, two, four])), 'bad-checkpoint', 'one twice')
    t.equal(check(certified(link, [two, one, four, five])), 'bad-checkpoint', 'another order')
    t.equal(check({ ...good, target: at(24) }), 'bad-signature', 'for another link')
    const [first] = good.signatures as [Certificate['signatures'][number]]
    const replaced = (signer: number) => ({
      ...good,
      signatures: [...good.signatures.slice(0, 3), { ...first, signer }],
    })
    t.equal(check(replaced(4)), 'bad-signature', "another's signature")
    t.equal(check(replaced(5)), 'not-a-signer')
    t.equal(check({ ...good, source: at(9) }), 'bad-checkpoint')
  },
)

t.test(
  'an honest signer votes four blocks deep, upwards, and never with one link around another',
  async (t) => {
    const chain = (height: number) => at(height).hash
    const next = (tip: number, justified: Checkpoint, last?: Link) => nextLink(tip, justified, chain, last)
    t.equal(next(11, zero), undefined, 'not deep enough')
    t.strictSame(next(12, zero), linked(zero, at(8)))
    t.strictSame(next(27, zero), linked(zero, at(16)), 'the highest that is deep enough')
    t.equal(next(20, at(16)), undefined, 'justified already')
    t.equal(next(20, zero, linked(zero, at(16, 'b'))), undefined, 'voted for this height on another branch')
    t.equal(next(20, zero, linked(zero, at(24, 'b'))), undefined, 'voted for a higher one')
    t.strictSame(next(28, zero, linked(zero, at(16, 'b'))), linked(zero, at(24)))
    t.equal(next(36, at(8), linked(at(16, 'b'), at(24, 'b'))), undefined, 'its last vote would lie inside')
    t.equal(
      nextLink(12, zero, () => undefined, undefined),
      undefined,
      'the block is not here',
    )
  },
)

t.test('whatever a signer follows, its votes never contradict each other', async (t) => {
  const random = (() => {
    let state = 7
    return (below: number) => {
      state = (state * 48_271) % 2_147_483_647
      return state % below
    }
  })()
  const votes: Link[] = []
  for (let round = 0; round < 400; round++) {
    const branch = 'abc'[random(3)] as string
    const justified = at(8 * random(12), 'abc'[random(3)])
    const link = nextLink(random(120) + round, justified, (height) => at(height, branch).hash, votes.at(-1))
    if (link !== undefined) votes.push(link)
  }
  t.ok(votes.length > 10, `${votes.length} votes`)
  for (const [index, vote] of votes.entries())
    t.notOk(votes.some((other, at) => at !== index && (sameLink(vote, other) || contradict(vote, other))))
})
