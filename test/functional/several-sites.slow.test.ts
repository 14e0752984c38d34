/** Two sites with a broker and a ledger each and one slow hand, joined by the program `pinledger carrier`; events of both are ordered. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { order } from '../../ledger/order.ts'
import { checkMoment } from '../../ledger/sandwich.ts'
import { writeGenesis } from '../../node/genesis-file.ts'
import { buildMoment } from '../../node/moment.ts'
import type { Hash } from '../../schemas/hex.ts'
import { invariant } from '../../schemas/result.ts'
import { handedGenesis, handGenesis } from '../helpers/hand.ts'
import { alice, bob } from '../helpers/ledger.ts'
import { kill, type Program, parsed, pinledger, run, temporary } from '../helpers/processes.ts'
import { CARRIER, TestSite } from '../helpers/sites.ts'
import { waitUntil } from '../helpers/wait-until.ts'

/** Of the carrier that both brokers know, which is signer 203. */
function putKey(directory: string): void {
  mkdirSync(directory, { mode: 0o700 })
  const key = { pinledgerKey: 1, account: CARRIER.account, secret: 'cb'.repeat(32) }
  writeFileSync(join(directory, 'key.json'), JSON.stringify(key), { mode: 0o600 })
}

function genesisOf(directory: string, { rig }: TestSite): string {
  const file = join(directory, `${rig.genesis.name}.json`)
  writeGenesis(file, rig.genesis)
  return file
}

/** A payment that site's miner puts into a block; its height and id. */
async function event(site: TestSite): Promise<{ height: number; transaction: Hash }> {
  const payment = site.rig.chain.transfer(alice, bob.account, 1)
  await site.block([payment])
  return { height: site.rig.chain.chain.tip.height, transaction: payment.id }
}

function proof({ validator: { store, hand } }: TestSite, of: Awaited<ReturnType<typeof event>>): Uint8Array {
  invariant(hand !== undefined, 'the network has a slow hand')
  const built = buildMoment(store, hand, of)
  if (!built.ok) throw new Error(built.fault)
  return built.value
}

function sandwich({ rig }: TestSite, bytes: Uint8Array) {
  const checked = checkMoment(rig.chain.network, bytes)
  if (!checked.ok) throw new Error(checked.fault.message)
  return checked.value
}

async function carrier(t: Test, words: readonly string[]): Promise<Program> {
  const program = pinledger(t, ['carrier', ...words, '--json'])
  const at = new Set<unknown>()
  await program.line('both brokers have it', (line) => {
    const { event: what, broker } = parsed(line) ?? {}
    if (what === 'connected') at.add(broker)
    return at.size === 2
  })
  return program
}

t.test(
  'events of two sites are ordered by a tick between them, also after the carrier was killed',
  async (t) => {
    const directory = temporary(t)
    const home = await TestSite.start(t, 'home')
    const barn = await TestSite.start(t, 'barn')
    const agree = async (): Promise<void> => {
      await waitUntil('both sites have one hand', () => home.newest === barn.newest)
    }
    const data = join(directory, 'carrier')
    putKey(data)
    const genesis = [genesisOf(directory, home), genesisOf(directory, barn)] as const
    const words = [
      ...['--data', data, '--genesis', genesis[0], '--broker', home.rig.url],
      ...['--other-genesis', genesis[1], '--other-broker', barn.rig.url],
    ]
    const first = await carrier(t, words)
    await home.tick()
    await agree()
    const early = await event(home)
    const together = await event(barn)
    await waitUntil('the barn knows of it', () => barn.hand.newestOf(home.ledger)?.height === early.height)
    // The barn's miner names the block of home.
    await barn.tick()
    await agree()

    kill(first.pid, 'SIGKILL')
    await first.ended
    const late = await event(barn)
    await barn.tick()
    await barn.tick()
    await home.tick()
    t.not(home.newest, barn.newest, 'apart')
    const second = await carrier(t, words)
    const open = second.out.map((line) => parsed(line)).find((line) => line?.event === 'slow hand open')
    t.equal(open?.height, 2, 'the hand that it had')
    await agree()
    t.equal(home.hand.slow.tip.height, 4, 'most work')

    const proofs = { early: proof(home, early), together: proof(barn, together), late: proof(barn, late) }
    const [a, b, c] = [
      sandwich(home, proofs.early),
      sandwich(barn, proofs.late),
      sandwich(barn, proofs.together),
    ]
    t.match(order(a, b), { first: 'a', before: { height: 2 }, after: { height: 2 } })
    t.match(order(b, a), { first: 'b' })
    t.strictSame(order(a, c), { first: undefined, why: 'overlap' })

    const files = Object.fromEntries(
      Object.entries(proofs).map(([name, bytes]) => {
        const file = join(directory, `${name}.moment`)
        writeFileSync(file, bytes)
        return [name, file]
      }),
    ) as Record<keyof typeof proofs, string>
    const named = ['--genesis', genesis[0], '--genesis', genesis[1]]
    const asked = await run(t, ['clock', 'order', files.early, files.late, ...named])
    t.equal(asked.code, 0, asked.err)
    t.match(
      asked.out,
      `${files.early} came first: it was there before tick 2, and the block of ${files.late} was made after tick 2`,
    )
    const back = await run(t, [
      ...['clock', 'order', files.late, files.early, '--json'],
      ...['--genesis', genesis[1], '--genesis', genesis[0]],
    ])
    t.match(parsed(back.out), { ok: true, first: files.early, before: { height: 2 }, after: { height: 2 } })
    const unknown = await run(t, ['clock', 'order', files.early, files.together, ...named])
    t.equal(unknown.code, 1)
    t.match(unknown.out, 'which came first is not known: no tick of the slow hand lies between them')
    const swapped = await run(t, ['clock', 'order', files.late, files.early, ...named])
    t.equal(swapped.code, 1)
    t.match(swapped.err, /late\.moment proves nothing against .*home\.json: bad-proof: ledger/)

    second.child.kill('SIGINT')
    t.strictSame(await second.ended, { code: 0, signal: null }, 'it stops cleanly')
  },
)

t.test('a carrier refuses what it cannot join, and says what to do', async (t) => {
  const directory = temporary(t)
  const file = (name: string, hand = handGenesis()): string => {
    const path = join(directory, `${name}.json`)
    writeGenesis(path, handedGenesis({ name, hand }))
    return path
  }
  const [home, barn, other] = [file('home'), file('barn'), file('other', handGenesis({ name: 'other' }))]
  const refused = async (otherGenesis: string, otherBroker: string): Promise<string> => {
    const { code, err } = await run(t, [
      ...[
        'carrier',
        '--data',
        join(directory, 'carrier'),
        '--genesis',
        home,
        '--broker',
        'mqtt://127.0.0.1:1',
      ],
      ...['--other-genesis', otherGenesis, '--other-broker', otherBroker],
    ])
    t.equal(code, 2)
    return err
  }
  t.match(
    await refused(other, 'mqtt://127.0.0.1:2'),
    /\(home\) has slow hand [0-9a-f]{8}, .*\(other\) has [0-9a-f]{8}: /,
  )
  t.match(await refused(barn, 'mqtt://127.0.0.1:1'), /both networks are at mqtt:\/\/127\.0\.0\.1:1: /)
  const { code, err } = await run(t, ['carrier', '--genesis', home])
  t.equal(code, 2)
  t.match(err, /data/)
})
