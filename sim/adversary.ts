/**
 * A miner that does not play by the rules: what it makes of its finds, and the rubbish that it sends in between.
 *
 * It has a real node beside it, so it knows the chain as well as anybody; its proof of work is real too.
 */
import { executeBlock, transactionsRoot } from '../ledger/block.ts'
import { anchorsRoot } from '../ledger/hand.ts'
import { mayMine } from '../ledger/membership.ts'
import { buildTemplate } from '../ledger/template.ts'
import { sealCoinbase, sealTransaction, signTransaction } from '../ledger/transaction.ts'
import { type Block, block as blockCodec, HEADER_BYTES } from '../schemas/block.ts'
import { encode } from '../schemas/codec.ts'
import { type Hash, hashFromBytes, ZERO_HASH } from '../schemas/hex.ts'
import { handTip as handTipCodec, tip as tipCodec } from '../schemas/message.ts'
import { invariant } from '../schemas/result.ts'
import { type Anchor, type Tick, tick as tickCodec } from '../schemas/tick.ts'
import { topic } from '../schemas/topic.ts'
import type { Play } from './faults.ts'
import { asIfOpen, solve } from './miner.ts'
import type { SimNode } from './node.ts'
import type { Rng } from './random.ts'

/** A withholder shows its blocks once it is so far ahead. */
const WITHHELD_MAX = 3

export class Adversary {
  readonly #node: SimNode
  readonly #random: Rng
  readonly #plays: readonly Play[]
  readonly #tickRandom: Rng
  #withheld: Uint8Array[] = []
  #withheldTicks: Uint8Array[] = []

  constructor(node: SimNode, plays: readonly Play[], random: Rng) {
    this.#node = node
    this.#plays = plays
    this.#random = random
    this.#tickRandom = random.fork('ticks')
  }

  /** In place of publishing the block. */
  found(block: Block): void {
    if (this.#isIntruder) {
      this.#send(block)
      return
    }
    const play = this.#random.pick(this.#plays)
    switch (play) {
      case 'withhold':
        this.#withhold(block)
        return
      case 'wrong-target':
        this.#send(this.#forge(block, { target: block.header.target << 3n }))
        return
      case 'time-lies': {
        const { interval } = this.#network.genesis
        const lie = this.#random.pick([8 * interval, 20 * interval, -block.header.time + 1])
        const forged = this.#forge(block, { time: block.header.time + lie })
        if (lie === 8 * interval) this.#node.announce(forged)
        else this.#send(forged)
        return
      }
      case 'bad-body':
        this.#send(this.#badBody(block))
        return
      case 'spoilt-body':
        this.#spoil(block)
        this.#node.announce(block)
        return
      case 'equivocate': {
        this.#node.announce(block)
        this.#send(this.#forge(block, { time: block.header.time + 1 }))
        return
      }
      case 'spam':
      case 'false-tip':
        this.#node.announce(block)
        return
    }
  }

  /** In place of publishing the tick: its plays with blocks, as far as a tick can be played with. */
  foundTick(tick: Tick): void {
    const random = this.#tickRandom
    const { header, anchors } = tick
    switch (random.pick(this.#plays)) {
      case 'withhold':
        this.#withholdTick(tick)
        return
      case 'wrong-target':
        this.#sendTick(this.#forgeTick(tick, { target: header.target << 3n }))
        return
      case 'time-lies': {
        const { interval } = this.#hand.genesis
        const lie = random.pick([0.9 * interval, 3 * interval, -header.time + 1])
        const forged = this.#forgeTick(tick, { time: Math.floor(header.time + lie) })
        if (lie === 0.9 * interval) this.#node.announceTick(forged)
        else this.#sendTick(forged)
        return
      }
      case 'bad-body': {
        // That its names are nonsense breaks no rule.
        const named = [
          this.#nonsense(),
          ...anchors.map((each) => ({ ...each, block: this.#nonsense().block })),
        ]
        named.sort((a, b) => (a.ledger < b.ledger ? -1 : 1))
        const content = anchorsRoot(this.#network.hashing, named)
        this.#node.announceTick(this.#forgeTick({ ...tick, anchors: named }, { content }))
        return
      }
      case 'spoilt-body':
        this.#sendTick({ ...tick, anchors: [this.#nonsense()] })
        this.#node.announceTick(tick)
        return
      case 'equivocate':
        this.#node.announceTick(tick)
        this.#sendTick(this.#forgeTick(tick, { time: header.time + 1 }))
        return
      case 'spam':
      case 'false-tip':
        this.#node.announceTick(tick)
        return
    }
  }

  /** Its node has another's block, perhaps before others have it. */
  heard(block: Block): void {
    if (this.#plays.includes('spoilt-body')) this.#spoil(block)
  }

  /** Now and then. */
  idle(): void {
    if (this.#plays.includes('withhold') && this.#random.chance(0.2)) this.#release()
    if (this.#plays.includes('spam')) this.#spam()
    if (this.#plays.includes('false-tip') && this.#random.chance(0.3)) this.#falseTip()
    if (this.#plays.includes('equivocate')) this.#doubleSpend()
  }

  get #isIntruder(): boolean {
    const chain = this.#node.ledger?.chain
    return chain !== undefined && !mayMine(chain.network, chain.state, this.#node.options.signer.account)
  }

  /** Sends the block with one bit of its body changed. */
  #spoil(block: Block): void {
    const spoilt = encode(blockCodec, block)
    const at = this.#random.whole(HEADER_BYTES, spoilt.length - 1)
    spoilt[at] = (spoilt[at] as number) ^ 1
    this.#node.send('block', spoilt)
  }

  #withhold(block: Block): void {
    const bytes = encode(blockCodec, block)
    if (this.#node.ledger?.accept(bytes).ok !== true) return
    this.#withheld.push(bytes)
    if (this.#withheld.length >= WITHHELD_MAX) this.#release()
  }

  #release(): void {
    for (const bytes of this.#withheld) this.#node.send('block', bytes)
    this.#withheld = []
    for (const bytes of this.#withheldTicks) this.#node.sendTick(bytes)
    this.#withheldTicks = []
  }

  #withholdTick(tick: Tick): void {
    const bytes = encode(tickCodec, tick)
    if (this.#node.ledger?.hand?.accept(bytes).ok === true) this.#withheldTicks.push(bytes)
  }

  #forgeTick(tick: Tick, header: Partial<Tick['header']>): Tick {
    return solve(this.#network, { ...tick, header: { ...tick.header, ...header } }, this.#tickRandom)
  }

  #sendTick(tick: Tick): void {
    this.#node.sendTick(encode(tickCodec, tick))
  }

  /** A block that is not there, of a ledger that is not there. */
  #nonsense(): Anchor {
    const [ledger, block] = [this.#tickRandom.bytes(32), this.#tickRandom.bytes(32)].map(hashFromBytes) as [
      Hash,
      Hash,
    ]
    return { ledger, height: 0xffffffff, block }
  }

  /** A block that breaks a rule of the body, behind a proof of work of its own, and right in all else. */
  #badBody(block: Block): Block {
    const { coinbase, transactions } = block
    switch (this.#random.pick(['greed', 'replay', 'overdraft', 'mischief', 'root', 'height'] as const)) {
      case 'greed': {
        const { genesis } = this.#network
        const rich = { ...this.#network, genesis: { ...genesis, subsidy: genesis.subsidy * 2 } }
        return this.#compose(block, transactions, rich)
      }
      case 'replay':
        return this.#compose(block, [...transactions, this.#transfer(0, 1), this.#transfer(0, 1)])
      case 'overdraft':
        return this.#compose(block, [...transactions, this.#transfer(1, 0)])
      case 'mischief':
        return this.#compose(block, [
          ...transactions.filter(({ from }) => from !== coinbase.from),
          ...this.#mischief(),
        ])
      case 'root':
        return this.#reseal({ ...block, coinbase: { ...coinbase, stateRoot: ZERO_HASH } })
      case 'height':
        return this.#reseal({ ...block, coinbase: { ...coinbase, height: coinbase.height + 1 } })
    }
  }

  /** What its mempool, and everybody's, would refuse. */
  #mischief(): Block['transactions'] {
    const { network, tip, state } = this.#chain
    const { account: from, sign } = this.#node.options.signer
    const wish = this.#node.mischief.wish(this.#chain)
    if (wish === undefined) return []
    const { nonce } = state.account(from)
    const fee = network.genesis.feeFloor
    const head = { network: network.id, from, nonce, fee, expiry: tip.height + 20 }
    return [signTransaction(network, wish.fill(head), sign).transaction]
  }

  /** A transfer to itself of so much more than it has, or of a little when nothing is added. */
  #transfer(beyond: number, amount: number): Block['transactions'][number] {
    const { network, tip, state } = this.#chain
    const { account, sign } = this.#node.options.signer
    const { nonce, balance } = state.account(account)
    const own = beyond === 0 ? amount : balance + beyond
    const fee = network.genesis.feeFloor
    const head = { network: network.id, from: account, nonce, fee, expiry: tip.height + 20 }
    return signTransaction(network, { ...head, type: 'transfer', to: account, amount: own, memo: '' }, sign)
      .transaction
  }

  /** The block with other transactions, and with what would follow from them if the rules allowed it. */
  #compose(block: Block, transactions: Block['transactions'], rules = this.#network): Block {
    const network = this.#network
    const { height, from: miner } = block.coinbase
    const sealed = transactions.map((tx) => sealTransaction(network, tx))
    const outcome = executeBlock(
      rules,
      this.#chain.state,
      { ...this.#chain.next, height, miner, reward: 'all' },
      sealed,
    )
    const coinbase = { ...block.coinbase, transactionsRoot: transactionsRoot(network, sealed) }
    const end = outcome.ok ? { reward: outcome.value.reward, stateRoot: outcome.value.state.root() } : {}
    return this.#reseal({ ...block, transactions, coinbase: { ...coinbase, ...end } })
  }

  #reseal(block: Block): Block {
    const network = this.#network
    const message = sealCoinbase(network, block.coinbase).message
    const coinbase = { ...block.coinbase, signature: this.#node.options.signer.sign(message) }
    const content = sealCoinbase(network, coinbase).content as Hash
    return solve(network, { ...block, coinbase, header: { ...block.header, content } }, this.#random)
  }

  #forge(block: Block, header: Partial<Block['header']>): Block {
    return solve(this.#network, { ...block, header: { ...block.header, ...header } }, this.#random)
  }

  #send(block: Block): void {
    this.#node.send('block', encode(blockCodec, block))
  }

  #spam(): void {
    const random = this.#random
    const bytes = random.bytes(random.whole(1, 400))
    this.#node.send(random.chance(0.5) ? 'tx' : 'block', bytes)
    const ledger = this.#node.ledger
    if (ledger === undefined) return
    // An orphan with a proof of work, out of nowhere.
    const orphan = buildTemplate(
      asIfOpen(this.#network),
      ledger.chain,
      [],
      this.#node.options.signer,
      this.#node.clock.now(),
    )
    const parent = Buffer.from(random.bytes(32)).toString('hex') as Hash
    this.#send(this.#forge(orphan, { parent }))
  }

  #falseTip(): void {
    const ledger = this.#node.ledger
    if (ledger === undefined) return
    const honest = ledger.tipMessage()
    const hash = Buffer.from(this.#random.bytes(32)).toString('hex') as Hash
    const claim = { ...honest, hash, height: honest.height + 1000, work: honest.work * 3n }
    const name = topic(this.#network.id, 'tip', this.#node.options.signer.account)
    void ledger.session.publish(name, encode(tipCodec, claim), { qos: 1, retain: true })
    const { hand } = ledger
    if (hand === undefined) return
    const tip = hand.tipMessage()
    const own = topic(hand.slow.hand.id, 'hand', this.#node.options.signer.account)
    const handClaim = { ...tip, hash, height: tip.height + 1000, work: tip.work * 3n }
    void ledger.session.publish(own, encode(handTipCodec, handClaim), { qos: 1, retain: true })
  }

  /** Two transfers with one nonce, to different receivers. */
  #doubleSpend(): void {
    const ledger = this.#node.ledger
    if (ledger === undefined) return
    const { network, tip, state } = ledger.chain
    const { account, sign } = this.#node.options.signer
    const { nonce, balance } = state.account(account)
    for (const amount of [1, 2]) {
      const fee = network.genesis.feeFloor * amount
      if (amount + fee > balance) return
      const sealed = signTransaction(
        network,
        {
          type: 'transfer',
          network: network.id,
          from: account,
          nonce,
          fee,
          expiry: tip.height + 20,
          to: account,
          amount,
          memo: '',
        },
        sign,
      )
      this.#node.send('tx', sealed.bytes)
    }
  }

  get #hand() {
    const { hand } = this.#network
    invariant(hand !== undefined, 'who has found a tick has a hand')
    return hand
  }

  get #network() {
    return this.#chain.network
  }

  get #chain() {
    const { ledger } = this.#node
    invariant(ledger !== undefined, 'an adversary acts while its process runs')
    return ledger.chain
  }
}
