/**
 * Hostile input on every topic, against a real broker and real validators: each piece is refused with a reason that
 * is logged, told to its sender and to people, nothing of it is stored, and honest traffic goes on.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { FaultCode } from '../../ledger/fault.ts'
import { signTransaction } from '../../ledger/transaction.ts'
import { hashing, type Signer } from '../../node/signing.ts'
import { type Block, block as blockCodec, header as headerCodec } from '../../schemas/block.ts'
import { encode } from '../../schemas/codec.ts'
import { hashFromBytes, type Network } from '../../schemas/hex.ts'
import { KINDS, type Kind, mirror, topic } from '../../schemas/topic.ts'
import { TRANSACTION_BYTES_MAX, transaction } from '../../schemas/transaction.ts'
import { CONNECT, challengeOf, join, loginOptions, raw } from '../broker/running-broker.ts'
import { alice, bob, mine, remake, signer, testGenesis, testNetwork } from '../helpers/ledger.ts'
import { Rig, type RunningValidator } from '../helpers/rig.ts'
import { waitUntil } from '../helpers/wait-until.ts'

/** Every case has a sender of its own, so that being muted after one does not hide the next. */
const senders = Array.from({ length: 100 }, (_, index) => signer(100 + index))
const GENESIS = {
  allocations: [alice, ...senders].map(({ account }) => ({ account, amount: 1_000_000 })),
}

interface Case {
  readonly name: string
  readonly kind: 'tx' | 'block'
  readonly code: FaultCode
  readonly make: (rig: Rig, sender: Signer) => Uint8Array
}

const flip = (bytes: Uint8Array, at: number): Uint8Array => {
  const copy = bytes.slice()
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}
const paid = (rig: Rig, sender: Signer, overrides = {}): Uint8Array =>
  rig.chain.transfer(sender, alice.account, 1, overrides).bytes

/** A block with a header as the case wants it, mined for the target that the header claims. */
const blockWith = (rig: Rig, sender: Signer, header: Partial<Block['header']>): Uint8Array =>
  encode(blockCodec, rig.chain.block([], { miner: sender, header }))

function highHash(rig: Rig, sender: Signer): Uint8Array {
  const block = rig.chain.block([], { miner: sender })
  const hard = mine(rig.chain.network, { ...block, header: { ...block.header, target: 1n << 255n } })
  for (let nonce = 0; ; nonce++) {
    const bytes = encode(blockCodec, {
      ...hard,
      header: { ...block.header, nonce: Uint8Array.from({ length: 8 }, () => nonce) },
    })
    const hash = rig.chain.network.hashing.double(bytes.subarray(0, 115))
    if (BigInt(`0x${Buffer.from(hash).toString('hex')}`) > block.header.target) return bytes
  }
}

const CASES: readonly Case[] = [
  { name: 'an empty transaction', kind: 'tx', code: 'bad-encoding', make: () => new Uint8Array(0) },
  {
    name: 'garbage for a transaction',
    kind: 'tx',
    code: 'bad-encoding',
    make: () => Uint8Array.from({ length: 300 }, (_, at) => (at * 89) & 0xff),
  },
  {
    name: 'a truncated transaction',
    kind: 'tx',
    code: 'bad-encoding',
    make: (rig, sender) => paid(rig, sender).slice(0, -1),
  },
  {
    name: 'a transaction with a byte too many',
    kind: 'tx',
    code: 'bad-encoding',
    make: (rig, sender) => Uint8Array.of(...paid(rig, sender), 0),
  },
  {
    name: 'an oversize transaction',
    kind: 'tx',
    code: 'bad-encoding',
    make: (rig, sender) => Uint8Array.of(...paid(rig, sender), ...new Uint8Array(TRANSACTION_BYTES_MAX)),
  },
  {
    name: 'a transaction of 1 MiB',
    kind: 'tx',
    code: 'bad-encoding',
    make: () => new Uint8Array(1 << 20),
  },
  {
    name: 'a transaction of a type that nobody knows',
    kind: 'tx',
    code: 'bad-encoding',
    make: (rig, sender) => {
      const bytes = paid(rig, sender)
      bytes[0] = 99
      return bytes
    },
  },
  {
    name: 'a transaction for another network',
    kind: 'tx',
    code: 'wrong-network',
    make: (rig, sender) => paid(rig, sender, { network: '0badcafe' as Network }),
  },
  {
    name: 'a transaction that was signed on another network and relabelled',
    kind: 'tx',
    code: 'bad-signature',
    make: (rig, sender) => {
      const other = testNetwork({ name: 'other' })
      const { transaction: tx } = rig.chain.transfer(sender, alice.account, 1)
      const { signature: _, ...unsigned } = tx
      const { transaction: foreign } = signTransaction(other, unsigned, sender.sign)
      return encode(transaction, { ...tx, signature: foreign.signature })
    },
  },
  {
    name: 'a transaction with one bit of its signature flipped',
    kind: 'tx',
    code: 'bad-signature',
    make: (rig, sender) => flip(paid(rig, sender), paid(rig, sender).length - 40),
  },
  {
    name: 'a transaction whose amount was raised after signing',
    kind: 'tx',
    code: 'bad-signature',
    make: (rig, sender) => {
      const { transaction: tx } = rig.chain.transfer(sender, alice.account, 1)
      return encode(transaction, { ...tx, ...(tx.type === 'transfer' ? { amount: 900 } : {}) })
    },
  },
  {
    name: "somebody else's valid transaction under the sender's own name",
    kind: 'tx',
    code: 'wrong-publisher',
    make: (rig) => rig.chain.transfer(alice, bob.account, 5, { nonce: 7 }).bytes,
  },
  {
    name: 'a payment to a key of small order',
    kind: 'tx',
    code: 'bad-account',
    make: (rig, sender) => paid(rig, sender, { to: `01${'00'.repeat(31)}` }),
  },
  {
    name: 'a nonce that leaves a gap too wide to be held',
    kind: 'tx',
    code: 'nonce-gap',
    make: (rig, sender) => paid(rig, sender, { nonce: 65 }),
  },
  {
    name: 'a payment of more than the account has',
    kind: 'tx',
    code: 'insufficient-balance',
    make: (rig, sender) => paid(rig, sender, { amount: 1_000_001 }),
  },
  {
    name: 'amount and fee that overflow together',
    kind: 'tx',
    code: 'insufficient-balance',
    make: (rig, sender) =>
      paid(rig, sender, { amount: Number.MAX_SAFE_INTEGER, fee: Number.MAX_SAFE_INTEGER }),
  },
  {
    name: 'a transaction that has expired',
    kind: 'tx',
    code: 'expired',
    make: (rig, sender) => paid(rig, sender, { expiry: 0 }),
  },
  {
    name: 'garbage for a block',
    kind: 'block',
    code: 'bad-encoding',
    make: () => Uint8Array.from({ length: 500 }, (_, at) => (at * 57) & 0xff),
  },
  {
    name: 'a truncated block',
    kind: 'block',
    code: 'bad-encoding',
    make: (rig, sender) => blockWith(rig, sender, {}).slice(0, -1),
  },
  {
    name: 'a block larger than the network allows',
    kind: 'block',
    code: 'block-too-large',
    make: (rig, sender) => Uint8Array.of(...blockWith(rig, sender, {}), ...new Uint8Array(65_536)),
  },
  {
    name: 'a block with an easier target of its own choice',
    kind: 'block',
    code: 'bad-target',
    make: (rig, sender) => blockWith(rig, sender, { target: (1n << 255n) - 1n }),
  },
  { name: 'a block without proof of work', kind: 'block', code: 'high-hash', make: highHash },
  {
    name: 'a block at a height that does not follow',
    kind: 'block',
    code: 'bad-height',
    make: (rig, sender) => blockWith(rig, sender, { height: rig.chain.chain.tip.height + 2 }),
  },
  {
    name: "a block that is not after its parent's time",
    kind: 'block',
    code: 'time-too-old',
    make: (rig, sender) => blockWith(rig, sender, { time: rig.chain.chain.tip.time }),
  },
  {
    name: 'a block from twelve intervals ahead, which is held',
    kind: 'block',
    code: 'time-too-new',
    make: (rig, sender) =>
      blockWith(rig, sender, { time: rig.chain.nowMs + 12 * rig.chain.network.genesis.interval }),
  },
  {
    name: 'a foreign block re-attributed to the sender, who signs the coinbase again',
    kind: 'block',
    code: 'bad-content',
    make: (rig, sender) => {
      const honest = rig.chain.block([], { miner: bob })
      const stolen = remake(rig.chain.network, honest, { coinbase: { from: sender.account } }, sender)
      return encode(blockCodec, { ...stolen, header: honest.header })
    },
  },
  {
    name: 'a transaction slipped under a valid header',
    kind: 'block',
    code: 'bad-transactions-root',
    make: (rig, sender) => {
      const block = rig.chain.block([], { miner: sender })
      const extra = rig.chain.transfer(sender, alice.account, 1).transaction
      return encode(blockCodec, { ...block, transactions: [extra] })
    },
  },
  {
    name: 'a block whose coinbase somebody else signed',
    kind: 'block',
    code: 'bad-signature',
    make: (rig, sender) =>
      encode(blockCodec, rig.chain.block([], { miner: alice, coinbase: { from: sender.account } })),
  },
  {
    name: 'a block that pays its miner too much',
    kind: 'block',
    code: 'bad-reward',
    make: (rig, sender) =>
      encode(blockCodec, rig.chain.block([], { miner: sender, coinbase: { reward: 5_000_000_001 } })),
  },
  {
    name: 'a block that claims another state',
    kind: 'block',
    code: 'bad-state-root',
    make: (rig, sender) => {
      const stateRoot = rig.chain.network.block0Hash
      return encode(blockCodec, rig.chain.block([], { miner: sender, coinbase: { stateRoot } }))
    },
  },
  {
    name: 'a block of another network',
    kind: 'block',
    code: 'wrong-network',
    make: (rig, sender) => {
      const network = '0badcafe' as Network
      return encode(blockCodec, rig.chain.block([], { miner: sender, coinbase: { network } }))
    },
  },
]

/** What must stay as it is. */
const stored = ({ store, validator }: RunningValidator) => ({
  bytes: store.size,
  height: store.chain.tip.height,
  tip: store.chain.tip.hash,
  stateRoot: store.chain.state.root(),
  waiting: validator.node.mempool.size,
})

/** What a person sees with an MQTT client. */
async function refusals(t: Test, rig: Rig): Promise<readonly { from: string; code: string; kind: string }[]> {
  const seen: { from: string; code: string; kind: string }[] = []
  const person = await join(t, rig.broker)
  person.on('message', (_topic, payload) => void seen.push(JSON.parse(String(payload))))
  await person.subscribeAsync(mirror(topic(rig.chain.network.id, 'refused', '+')))
  return seen
}

/** An honest payment is accepted, and confirmed in the next block, at every validator. */
async function goesOn(t: Test, rig: Rig, validators: readonly RunningValidator[]): Promise<void> {
  const device = await rig.device(alice)
  const transfer = rig.chain.transfer(alice, bob.account, 10)
  const said = (status: string) =>
    device.receipts.filter((each) => each.transaction === transfer.id && each.status === status).length
  await device.send('tx', transfer.bytes, { qos: 1 })
  await waitUntil('it is accepted', () => said('accepted') === validators.length)
  await rig.mine(validators, [transfer])
  await waitUntil('it is confirmed', () => said('confirmed') === validators.length)
  t.pass('honest traffic goes on')
  await device.client.endAsync()
}

t.test('every piece of hostile input is refused with a reason, and nothing of it is stored', async (t) => {
  const rig = await Rig.start(t, GENESIS)
  const validators = await Promise.all([rig.validator(1), rig.validator(2)])
  await rig.mine(validators)
  const people = await refusals(t, rig)
  for (const [index, { name, kind, code, make }] of CASES.entries()) {
    const sender = senders[index] as Signer
    const device = await rig.device(sender)
    const before = validators.map(stored)
    await device.send(kind, make(rig, sender), { qos: 1 })
    await waitUntil(`${name}: both validators say ${code}`, () =>
      validators.every(({ lines }) =>
        lines.some(
          ({ event, fields }) =>
            event === `refused a ${kind === 'tx' ? 'transaction' : 'block'}` &&
            fields.from === sender.account.slice(0, 8) &&
            fields.code === code &&
            String(fields.reason).length > 10,
        ),
      ),
    ).catch((error: unknown) => {
      const lines = validators[0].lines.filter(({ fields }) => fields.from === sender.account.slice(0, 8))
      t.fail(name, { error, lines })
    })
    await waitUntil(
      `${name}: people see why`,
      () => people.filter((each) => each.from === sender.account && each.code === code).length === 2,
    )
    if (kind === 'tx')
      await waitUntil(
        'its sender is told',
        () => device.receipts.filter((each) => each.status === 'refused' && each.code === code).length === 2,
      )
    t.strictSame(validators.map(stored), before, `${name}: ${code}, nothing is stored`)
    await device.client.endAsync()
  }
  await goesOn(t, rig, validators)
})

t.test('a confirmed transaction cannot be played again', async (t) => {
  const rig = await Rig.start(t, GENESIS)
  const validator = await rig.validator()
  const device = await rig.device(alice)
  const transfer = rig.chain.transfer(alice, bob.account, 10)
  await rig.mine([validator], [transfer])
  const before = stored(validator)
  await device.send('tx', transfer.bytes)
  await waitUntil('refused', () =>
    device.receipts.some(({ transaction: id, code }) => id === transfer.id && code === 'nonce-too-low'),
  )
  t.strictSame(stored(validator), before)
  await goesOn(t, rig, [validator])
})

t.test('a held block is taken when its time has come, and not before', async (t) => {
  const rig = await Rig.start(t, GENESIS)
  const validator = await rig.validator()
  const device = await rig.device(bob)
  const { interval } = rig.chain.network.genesis
  const early = rig.chain.block([], { header: { time: rig.chain.nowMs + 10 * interval } })
  await device.send('block', encode(blockCodec, early), { qos: 1 })
  await waitUntil('it is held', () => validator.counts.refused.includes('time-too-new'))
  t.equal(validator.store.chain.tip.height, 0)
  const { tip } = await rig.mine([validator]).then(() => validator.store.chain)
  t.equal(tip.height, 1, 'the honest chain goes on meanwhile')
  const hash = hashFromBytes(hashing.double(encode(headerCodec, early.header)))
  await waitUntil('an interval later it is taken', () => validator.store.chain.entry(hash) !== undefined)
  t.equal(validator.store.chain.tip.hash, tip.hash, 'beside the block that was there first')
})

t.test(
  'the broker lets nobody publish what is not theirs, retained events, or on other topics',
  async (t) => {
    const rig = await Rig.start(t, GENESIS)
    const validator = await rig.validator()
    const before = stored(validator)
    const network = rig.chain.network.id
    const rest = (kind: Kind) => Array<string>(KINDS[kind].levels).fill('x')
    const refused = new Set<string>()
    let seed = 0
    const attempt = async (name: string, reason: string, retain = false, anonymous = false) => {
      // The broker logs at most fifty refusals in ten seconds.
      if (seed > 0 && seed % 40 === 0) await sleep(11_000)
      const sender = senders[seed++] as Signer
      const own = name.replaceAll('SELF', sender.account)
      const login = loginOptions(sender, await challengeOf(t, rig.broker))
      const client = await join(t, rig.broker, anonymous ? {} : login)
      const closed = new Promise<void>((resolve) => client.once('close', () => resolve()))
      client.publish(own, 'garbage', { qos: 0, retain })
      await closed
      const line = () =>
        rig.broker.lines.some(({ fields }) => fields.reason === reason && fields.topic === own)
      await waitUntil(`the broker logs ${reason} for ${own}`, line)
      refused.add(`${reason} ${name}`)
    }
    for (const kind of Object.keys(KINDS) as Kind[]) {
      const ownTopic = topic(network, kind, 'SELF', ...rest(kind))
      if (KINDS[kind].publisher === 'device')
        await attempt(topic(network, kind, alice.account, ...rest(kind)), 'anonymous-publish', false, true)
      await attempt(topic(network, kind, alice.account, ...rest(kind)), 'foreign-name')
      if (KINDS[kind].publisher === 'validator') await attempt(ownTopic, 'validators-only')
      else if (!KINDS[kind].retained) await attempt(ownTopic, 'retained-event', true)
    }
    t.equal(refused.size, 24 + 36 + 12 + 14, 'every kind of topic was tried')
    for (const name of ['pinledger', 'x', `pinledger/${network}/tx/SELF/more`, 'pinledger/challenge'])
      await attempt(name, 'unknown-topic')
    t.strictSame(stored(validator), before)
    await goesOn(t, rig, [validator])
  },
)

t.test('garbage on every topic that a device may use disturbs nobody', async (t) => {
  const rig = await Rig.start(t, GENESIS)
  const validator = await rig.validator()
  const device = await rig.device(senders[0] as Signer)
  const before = stored(validator)
  const toValidator = { levels: [validator.signer.account] }
  const kinds = (Object.keys(KINDS) as Kind[]).filter((kind) => KINDS[kind].publisher === 'device')
  for (const size of [0, 1, 7, 200, 9_000]) {
    const garbage = Uint8Array.from({ length: size }, (_, at) => (at * 31 + size) & 0xff)
    for (const kind of kinds) {
      const levels = KINDS[kind].levels === 0 ? [] : ['sensor-1']
      await device.send(kind, garbage, kind === 'request' || kind === 'reply' ? toValidator : { levels })
    }
  }
  const warned = (event: string) => validator.lines.some((line) => line.event === event)
  for (const event of ['refused a request', 'refused a reply', 'refused a block', 'refused a transaction'])
    await waitUntil(`the validator logs: ${event}`, () => warned(event))
  t.strictSame(stored(validator), before)
  await goesOn(t, rig, [validator])
})

t.test('frames that are no MQTT, or too long, end only their own connection', async (t) => {
  const rig = await Rig.start(t, GENESIS)
  const validator = await rig.validator()
  const noise = await raw(t, rig.broker)
  noise.send(Uint8Array.from({ length: 64 }, (_, at) => (at * 73 + 5) & 0xff))
  await noise.closed
  const claim = await raw(t, rig.broker)
  claim.send(CONNECT, Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0x7f))
  await claim.closed
  const device = await rig.device(senders[0] as Signer)
  const closed = new Promise<void>((resolve) => device.client.once('close', () => resolve()))
  device.client.publish(topic(rig.chain.network.id, 'tx', device.signer.account), Buffer.alloc(2 << 20))
  await closed
  t.ok(rig.broker.refused('frame-too-large'))
  await goesOn(t, rig, [validator])
})

t.test(
  '10,000 wrong signatures in a burst: the sender is muted, honest traffic goes on meanwhile',
  async (t) => {
    const rig = await Rig.start(t, GENESIS)
    const validators = await Promise.all([rig.validator(1), rig.validator(2)])
    const device = await rig.device(senders[0] as Signer)
    const before = validators.map(stored)
    const valid = paid(rig, device.signer)
    const burst = async (): Promise<void> => {
      for (let count = 0; count < 10_000; count++) {
        const bytes = valid.slice()
        new DataView(bytes.buffer).setUint32(bytes.length - 64, count)
        const sent = device.send('tx', bytes)
        if (count % 200 === 199) await sent
      }
    }
    const sent = burst()
    await waitUntil('the sender is muted', () =>
      validators.every(({ lines }) =>
        lines.some(({ event }) => event.startsWith('not listening to a sender')),
      ),
    )
    await goesOn(t, rig, validators)
    await sent
    for (const [index, validator] of validators.entries()) {
      t.ok(validator.counts.refused.length < 100, `only ${validator.counts.refused.length} cost a check`)
      t.equal(stored(validator).waiting, before[index]?.waiting)
      t.equal(stored(validator).height, 1, 'one honest block')
    }
  },
)

t.test('the test network has room for what is tested', (t) => {
  t.equal(testGenesis(GENESIS).blockBytesMax, 65_536)
  t.ok(CASES.length <= senders.length)
  t.end()
})
