/** A device without a ledger proves balances and transactions to itself, over a real broker and a real validator. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { provenCommand, type Wish } from '../../cli/proven.ts'
import { answer } from '../../node/answers.ts'
import { decode, encode } from '../../schemas/codec.ts'
import { genesis as genesisCodec } from '../../schemas/genesis.ts'
import { reply, request, tip as tipCodec } from '../../schemas/message.ts'
import { topic } from '../../schemas/topic.ts'
import { alice, carol, signer, TestChain, testNetwork } from '../helpers/ledger.ts'
import { Rig, recordingLog } from '../helpers/rig.ts'

/** Runs the command; what it printed, in words or as JSON. */
async function prove(
  rig: Rig,
  wish: Partial<Wish>,
  { json = false, tty = false, nowMs = rig.chain.nowMs } = {},
) {
  const { log, lines } = recordingLog()
  let [out, err] = ['', '']
  const code = await provenCommand(
    { url: rig.url },
    { account: carol.account, genesis: undefined, transaction: undefined, ...wish },
    json,
    {
      log,
      now: () => nowMs,
      limits: { findMsMax: 1_000, replyMsMax: 1_000 },
      out: (text) => {
        out += text
      },
      err: {
        tty,
        write: (text) => {
          err += text
        },
      },
    },
  )
  return { code, out, err, warnings: lines.filter(({ level }) => level === 'warn') }
}

function genesisFile(t: Test, rig: Rig, name = 'genesis.json'): string {
  const file = join(t.testdir({}), name)
  writeFileSync(file, JSON.stringify(genesisCodec.toJson(rig.chain.network.genesis)))
  return file
}

t.test('a balance and a transaction are proven under the headers of a validator', async (t) => {
  const rig = await Rig.start(t)
  const running = await rig.validator()
  const payment = rig.chain.transfer(alice, carol.account, 250_000_000)
  await rig.mine([running], [payment])
  for (let count = 0; count < 3; count++) await rig.mine([running])
  const { tip } = rig.chain.chain
  const genesis = genesisFile(t, rig)
  const transaction = { id: payment.id, height: 1 }

  const words = await prove(rig, { genesis, transaction })
  t.strictSame(words.warnings, [])
  t.equal(
    words.out,
    `network ${rig.chain.network.id}, height 4: 2.5 coins, 0 transactions sent, proved under 4 headers of work ${tip.work}\n` +
      `transaction ${payment.id}, a transfer, is in block 1: 4 confirmations of work ${tip.work}\n`,
  )
  t.equal(words.err, 'headers 4, all checked\n')
  t.equal(words.code, 0)

  const shown = await prove(rig, { transaction }, { json: true, tty: true, nowMs: rig.chain.nowMs + 1e6 })
  t.match(JSON.parse(shown.out), {
    ...{ network: rig.chain.network.id, genesis: rig.chain.network.genesisHash, account: carol.account },
    ...{ headers: 4, tip: tip.hash, work: String(tip.work) },
    balance: { balance: 250_000_000, nonce: 0, height: 4, confirmations: 1 },
    inclusion: {
      id: payment.id,
      height: 1,
      confirmations: 4,
      transaction: { type: 'transfer', amount: 250_000_000 },
    },
  })
  t.match(shown.err, /headers 4 of 4\r/, 'a terminal sees how far it is')
  t.match(shown.err, /is what the broker said: compare it/)
  t.match(shown.err, /newest header is \d+ s old: blocks stopped, or are kept from us/)
  t.equal(shown.code, 0)

  const wrong = await prove(rig, {
    genesis,
    account: signer(9).account,
    transaction: { id: payment.id, height: 2 },
  })
  t.match(
    wrong.out,
    /0 coins, 0 transactions sent, proved under 4 headers/,
    'that it has nothing is proven too',
  )
  t.match(wrong.out, /nobody could prove that transaction .* is in block 2/)
  t.equal(wrong.code, 1)
})

t.test('a validator that lies is seen through, and the next one asked', async (t) => {
  const rig = await Rig.start(t)
  const running = await rig.validator()
  for (let count = 0; count < 3; count++) await rig.mine([running])
  const liar = await rig.device(signer(202))
  // Its branch gives carol coins, has less work than the honest one, and is said to have more.
  const theirs = new TestChain(rig.chain.network)
  theirs.grow(1, [theirs.transfer(alice, carol.account, 7)], alice)
  const asked: string[] = []
  liar.client.on('message', (name, payload) => {
    const question = decode(request, payload, 8192)
    if (!question.ok || !name.includes('/request/')) return
    const asker = name.split('/')[3] ?? ''
    // The honest validator asks, too.
    if (asker !== running.signer.account) asked.push(question.value.type)
    const { id } = question.value
    const answered =
      question.value.type === 'getHeaders'
        ? ({ type: 'headers', headers: [theirs.chain.header(1)] } as const)
        : answer(theirs.chain, question.value)
    if (answered === undefined) return
    void liar.send('reply', encode(reply, { ...answered, id }), { levels: [asker], qos: 1 })
  })
  await liar.client.subscribeAsync(topic(rig.chain.network.id, 'request', '+', liar.signer.account))
  const claim = { ...running.validator.node.tipMessage(), height: 99, work: 1n << 200n }
  await liar.send('tip', encode(tipCodec, claim), { retain: true, qos: 1 })
  const shown = await prove(rig, { genesis: genesisFile(t, rig) })
  t.match(shown.out, /height 3: 0 coins, .* under 3 headers/)
  t.equal(shown.code, 0)
  t.strictSame(asked.slice(0, 2), ['getHeaders', 'getBalance'], 'it was asked first')
  t.match(shown.warnings, [{ event: 'refused a proof', fields: { code: 'not-best' } }])
})

t.test('it says when there is no validator, or more than one network', async (t) => {
  const rig = await Rig.start(t)
  const alone = prove(rig, { genesis: genesisFile(t, rig) })
  await t.rejects(alone, { code: 'broker-unreachable', message: /no validator at .* tells of network/ })
  const validator = await rig.device(signer(201))
  for (const network of [rig.chain.network, testNetwork({ name: 'other' })]) {
    const payload = Buffer.from(encode(genesisCodec, network.genesis))
    await validator.client.publishAsync(topic(network.id, 'genesis', validator.signer.account), payload, {
      retain: true,
      qos: 1,
    })
  }
  await t.rejects(prove(rig, {}), { code: 'usage', message: /2 networks .* say which by --genesis/ })
})
