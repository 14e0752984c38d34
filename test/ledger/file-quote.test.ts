import t from 'tap'
import { checkFileMessage, hasHashlocks, signFileMessage } from '../../ledger/file-quote.ts'
import { encode } from '../../schemas/codec.ts'
import { fileMessage, type Quote } from '../../schemas/file-message.ts'
import type { Hash } from '../../schemas/hex.ts'
import { alice, bob, carol, codeOf, testNetwork } from '../helpers/ledger.ts'

const network = testNetwork()
const hash = (byte: string) => byte.repeat(32) as Hash
const [seller, buyer] = [alice, bob]
const head = {
  seller: seller.account,
  buyer: buyer.account,
  name: 'day.bin',
  publicKey: new Uint8Array(32).fill(1),
}
const quote: { readonly type: 'quote' } & Omit<Quote, 'signature'> = {
  type: 'quote',
  ...{ ...head, sellerKey: new Uint8Array(32).fill(2), file: hash('33'), size: 65_537, chunks: 2 },
  ...{ ciphertext: hash('44'), price: 5, lock: hash('55'), blocks: 120, minutes: 30, confirmations: 3 },
  until: 7,
}
const request = { type: 'quoteRequest', ...head } as const
const refusal = {
  type: 'refusal',
  ...{ seller: seller.account, buyer: buyer.account, about: hash('11'), code: 'busy' as const, message: '' },
} as const

t.test('what is signed by the one for the other is taken', async (t) => {
  const check = (bytes: Uint8Array, from = seller, to = buyer) =>
    checkFileMessage(network, bytes, from.account, to.account)
  t.match(check(signFileMessage(network, quote, seller.sign)), { ok: true, value: quote })
  t.match(check(signFileMessage(network, refusal, seller.sign)), { ok: true, value: refusal })
  t.match(check(signFileMessage(network, request, buyer.sign), buyer, seller), { ok: true, value: request })
})

t.test('what is signed by somebody else, for somebody else or on another network is not', async (t) => {
  const signed = signFileMessage(network, quote, seller.sign)
  const code = (bytes: Uint8Array, from = seller, to = buyer, on = network) =>
    codeOf(checkFileMessage(on, bytes, from.account, to.account))
  t.equal(code(signed, carol), 'foreign-name', 'a quote of alice under the name of carol')
  t.equal(code(signed, seller, carol), 'foreign-name', 'a quote for bob shown to carol')
  t.equal(code(signFileMessage(network, quote, carol.sign)), 'bad-signature')
  t.equal(code(signed, seller, buyer, testNetwork({ name: 'other' })), 'bad-signature')
  t.equal(code(signFileMessage(network, request, seller.sign), buyer, seller), 'bad-signature')
  t.equal(code(signFileMessage(network, request, buyer.sign)), 'foreign-name', 'a request is not an answer')
  for (let at = 1; at < signed.length; at += 13) {
    const changed = signed.slice()
    changed[at] = (changed[at] ?? 0) ^ 1
    t.not(code(changed), 'ok', `byte ${at}`)
  }
  t.equal(code(signed.subarray(0, -1)), 'bad-encoding')
})

t.test('what no honest seller says is refused', async (t) => {
  const wrong = (change: Partial<Quote>) => {
    const bytes = signFileMessage(network, { ...quote, ...change }, seller.sign)
    return codeOf(checkFileMessage(network, bytes, seller.account, buyer.account))
  }
  t.equal(wrong({ chunks: 3 }), 'bad-quote')
  t.equal(wrong({ size: 2 ** 30 + 1, chunks: 16_385 }), 'bad-quote')
  t.equal(wrong({ price: 0 }), 'bad-quote')
  t.equal(wrong({ blocks: 0 }), 'bad-quote')
  t.equal(wrong({ minutes: 0 }), 'bad-quote')
  t.equal(wrong({ confirmations: 0 }), 'bad-quote')
  t.equal(wrong({ size: 2 ** 30, chunks: 16_384 }), 'ok')
})

t.test('chunks and requests for them are sealed, and not looked at here', async (t) => {
  const bytes = encode(fileMessage, {
    type: 'chunk',
    ...{ lock: hash('55'), index: 0, sealed: new Uint8Array(1) },
  })
  t.equal(codeOf(checkFileMessage(network, bytes, carol.account, buyer.account)), 'ok')
})

t.test('a network has hashlocks when all three types are active', async (t) => {
  const { activations } = network.genesis
  t.ok(hasHashlocks(network, 1))
  for (const type of [9, 10, 11]) {
    const without = {
      genesis: { ...network.genesis, activations: activations.filter((each) => each.type !== type) },
    }
    t.notOk(hasHashlocks(without, 1), `without type ${type}`)
    const later = {
      genesis: {
        ...network.genesis,
        activations: activations.map((each) => ({ ...each, height: each.type === type ? 10 : 0 })),
      },
    }
    t.notOk(hasHashlocks(later, 9), `before type ${type} is active`)
    t.ok(hasHashlocks(later, 10))
  }
})
