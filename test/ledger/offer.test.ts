import t from 'tap'
import { checkOffer, OFFER_AHEAD_MS_MAX, OFFER_MS_MAX, signOffer } from '../../ledger/offer.ts'
import { encode } from '../../schemas/codec.ts'
import { toHex } from '../../schemas/hex.ts'
import { OFFER_BYTES_MAX, type Offer, type OfferItem, offer as offerCodec } from '../../schemas/offer.ts'
import { alice, bob, codeOf, START_MS, testNetwork } from '../helpers/ledger.ts'

const network = testNetwork()
const lamp: OfferItem = {
  type: 'output',
  name: 'lamp',
  price: 5,
  confirmations: 1,
  place: '',
  terms: '',
  secondsMin: 10,
  secondsMax: 600,
}
const soil: OfferItem = {
  type: 'readings',
  name: 'soil',
  price: 1,
  confirmations: 1,
  place: 'bed',
  terms: '',
  unit: '%',
  everyMs: 0,
  count: 3,
}
const facts = {
  from: alice.account,
  time: START_MS,
  until: START_MS + 1000,
  name: 'alice',
  items: [lamp, soil],
}
const made = (overrides: Partial<Offer> = {}, signer = alice, on = network) =>
  signOffer(on, { ...facts, ...overrides }, signer.sign)
const verdict = (bytes: Uint8Array, nowMs = START_MS, publisher = alice.account) =>
  checkOffer(network, bytes, publisher, nowMs)

t.test('a signed offer is good from its time on until its end', async (t) => {
  const { offer, bytes } = made()
  t.strictSame(verdict(bytes), { ok: true, value: offer })
  t.equal(codeOf(verdict(bytes, START_MS + 999)), 'ok')
  t.equal(codeOf(verdict(bytes, START_MS + 1000)), 'stale')
  t.equal(codeOf(verdict(bytes, START_MS - OFFER_AHEAD_MS_MAX)), 'ok', 'clocks differ')
  t.equal(codeOf(verdict(bytes, START_MS - OFFER_AHEAD_MS_MAX - 1)), 'early')
})

t.test('any byte changed is noticed', async (t) => {
  const { bytes } = made()
  for (let at = 0; at < bytes.length; at++) {
    const spoilt = bytes.slice()
    spoilt[at] = (spoilt[at] ?? 0) ^ 1
    // Two encodings of one R would be a signature, too, but no bit flip makes one.
    const outcome = verdict(spoilt)
    if (outcome.ok) t.fail(`byte ${at} may be changed`)
  }
  t.equal(codeOf(verdict(bytes.slice(0, -1))), 'bad-encoding')
  t.equal(codeOf(verdict(new Uint8Array(OFFER_BYTES_MAX + 1))), 'bad-encoding')
  t.equal(codeOf(verdict(new Uint8Array(0))), 'bad-encoding')
})

t.test('the signature is over the whole genesis hash, under a tag of its own', async (t) => {
  const { bytes, offer } = made()
  // Another network whose hash begins with the same 4 bytes.
  const genesisHash = `${network.genesisHash.slice(0, 8)}${'0'.repeat(56)}` as typeof network.genesisHash
  t.equal(codeOf(checkOffer({ ...network, genesisHash }, bytes, alice.account, START_MS)), 'bad-signature')
  const body = bytes.subarray(0, -64)
  for (const tag of ['sign', 'claim', 'wiring'] as const) {
    const genesis = Buffer.from(network.genesisHash, 'hex')
    const signature = alice.sign(network.hashing.tagged(tag, genesis, body))
    const other = encode(offerCodec, { ...offer, signature })
    t.equal(codeOf(verdict(other)), 'bad-signature', `signed as ${tag}`)
  }
})

t.test('another network, a foreign name, and a foreign signature are refused', async (t) => {
  const other = testNetwork({ name: 'other' })
  t.equal(codeOf(verdict(made({}, alice, other).bytes)), 'wrong-network')
  const { bytes } = made()
  t.equal(codeOf(verdict(bytes, START_MS, bob.account)), 'foreign-name', "alice's offer on bob's topic")
  t.equal(codeOf(verdict(made({}, bob).bytes)), 'bad-signature')
})

t.test('a key of small order, for which everybody can sign, offers nothing', async (t) => {
  const weak = `01${'00'.repeat(31)}` as typeof alice.account
  const signature = new Uint8Array(64)
  signature[0] = 1
  const bytes = encode(offerCodec, { ...facts, network: network.id, from: weak, signature })
  t.equal(network.signatures.verify(signature, new Uint8Array(32), weak), true, 'it would verify')
  t.equal(codeOf(verdict(bytes, START_MS, weak)), 'bad-signature')
})

t.test('what makes no sense is refused, with the field', async (t) => {
  const bad = (overrides: Partial<Offer>) => {
    const outcome = verdict(made(overrides).bytes)
    return outcome.ok ? 'ok' : `${outcome.fault.code} ${outcome.fault.message}`
  }
  t.match(bad({ until: START_MS }), /^bad-offer until: 1 to 86400000 ms after time, got 0/)
  t.equal(bad({ until: START_MS + OFFER_MS_MAX }), 'ok')
  t.match(bad({ until: START_MS + OFFER_MS_MAX + 1 }), /^bad-offer until/)
  t.match(bad({ items: [lamp, soil, lamp] }), /^bad-offer items.2.name: output lamp stands twice/)
  t.equal(
    bad({ items: [soil, { ...soil, type: 'topic', secondsMin: 1, secondsMax: 1, freeEveryMs: 0 }] }),
    'ok',
  )
  t.match(bad({ items: [{ ...soil, price: 0 }] }), /^bad-offer items.0.price/)
  t.match(bad({ items: [{ ...soil, confirmations: 0 }] }), /^bad-offer items.0.confirmations/)
  t.match(bad({ items: [{ ...lamp, secondsMin: 0 }] }), /^bad-offer items.0.secondsMin/)
  t.match(bad({ items: [{ ...lamp, secondsMin: 601 }] }), /^bad-offer items.0.secondsMax/)
  t.equal(bad({ items: [] }), 'ok')
  t.equal(toHex(made().bytes.subarray(0, 4)), network.id)
})
