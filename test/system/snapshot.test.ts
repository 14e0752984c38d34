/**
 * A network of 100,000 blocks: how long a ledger takes to open, a snapshot to be made and taken, a new machine to be at the
 * same tip; what an agent with a budget keeps on its disk while it fetches all of them; and that forged snapshots are refused.
 *
 * The chain is made once, in memory, with signatures that the maker does not check again; the programs check them all.
 * Figures are printed. PINLEDGER_BLOCKS=<number> tries it with a shorter chain.
 */
import { cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { stringify } from 'yaml'
import { buildTemplate } from '../../ledger/template.ts'
import { audit, type LogRecord, openAppendLog } from '../../node/append-log.ts'
import { ChainStore } from '../../node/chain-store.ts'
import { openDisk, openLogFile, openLogFileReadOnly } from '../../node/disk.ts'
import { RECORD } from '../../node/records.ts'
import { signatures } from '../../node/signing.ts'
import { block as blockCodec } from '../../schemas/block.ts'
import { encode } from '../../schemas/codec.ts'
import type { Genesis } from '../../schemas/genesis.ts'
import type { Account } from '../../schemas/hex.ts'
import { invariant } from '../../schemas/result.ts'
import { SimDisk } from '../../sim/disk.ts'
import { Rng } from '../../sim/random.ts'
import { mine, signer } from '../helpers/ledger.ts'
import { type Program, parsed, pinledger, run, temporary } from '../helpers/processes.ts'
import { foundQuickNetwork } from '../helpers/quick-network.ts'
import { waitUntil } from '../helpers/wait-until.ts'
import { EASY, LabMiner, listen, pay, retainedTip, startBroker, type Tip } from './lab.ts'

const BLOCKS = Number(process.env.PINLEDGER_BLOCKS ?? 100_000)
const INTERVAL_MS = 10_000
const MINER = signer(76)
const PAYEES = Array.from({ length: 200 }, (_, index) => signer(index + 1).account)
const PAYS_EVERY_BLOCKS = 10
const IMPORT_SECONDS_MAX = 20
const JOIN_SECONDS_MAX = 10
/** Of an agent; the chain takes more than twice as much. */
const BUDGET_MB = 32
/** Where the agent was when its budget was set: from there on it fetches. */
const AGENT_HEIGHT = Math.floor(BLOCKS * 0.85)
const ENOUGH_MS = 300_000
const HISTORY_BLOCKS = 2_000

const seconds = (ms: number): string => (ms / 1000).toFixed(1)
/** Processor time of this process so far, which a busy machine does not change much. */
const cpuMs = (): number => (process.cpuUsage().user + process.cpuUsage().system) / 1000
const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`

/** Resident memory of a process now, in bytes. */
const memoryOf = ({ pid }: Program): number =>
  1024 * Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])

/** Bytes of what `storage` counts in a directory (docs/OPERATIONS.md), and of what is just being written. */
function bytesIn(directory: string): number {
  let bytes = 0
  for (const name of existsSync(directory) ? readdirSync(directory) : []) {
    // A file may go between the two calls: that is what deleting old blocks does.
    if (/^(chain(-\d{10})?|headers)\.log(\.new)?$/.test(name))
      bytes += statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0
  }
  return bytes
}

function writeDisk(disk: SimDisk, directory: string): void {
  for (const name of disk.list()) {
    const { size, read } = disk.open(name)
    writeFileSync(join(directory, name), read(0, size), { mode: 0o600 })
  }
}

/** Founds a chain in `archive`, a payment in some of its blocks; `early` gets what it was at AGENT_HEIGHT. */
function makeArchive(archive: string, early: string, genesis: Genesis, blocks = BLOCKS): void {
  const disk = new SimDisk(new Rng('archive'))
  const believing = { ...signatures, verify: () => true }
  const store = new ChainStore(disk, genesis, { signatures: believing })
  const { chain } = store
  for (let height = 1, nonce = 0; height <= blocks; height++) {
    const nowMs = chain.tip.time + genesis.interval
    const payee = PAYEES[nonce % PAYEES.length] as Account
    const payments =
      height % PAYS_EVERY_BLOCKS === 0 ? [pay(chain, MINER, payee, 1 + (nonce % 7), nonce++)] : []
    const block = buildTemplate(chain.network, chain, payments, MINER, nowMs)
    const outcome = chain.accept(encode(blockCodec, mine(chain.network, block)), nowMs)
    invariant(outcome.ok, 'a block of ours is valid')
    store.save(outcome.value)
    if (height === AGENT_HEIGHT) writeDisk(disk, early)
  }
  store.close()
  writeDisk(disk, archive)
}

const recordsOf = (path: string): LogRecord[] => {
  const file = openLogFileReadOnly(path)
  try {
    return [...audit(file)].flatMap((read) => (read.ok ? [read.value] : []))
  } finally {
    file.close()
  }
}

/** Writes a snapshot anew, with good checksums, each record as `change` wants it. */
function forge(from: string, to: string, change: (record: LogRecord) => Uint8Array): void {
  const log = openAppendLog(openLogFile(to))
  for (const record of recordsOf(from)) log.append([{ kind: record.kind, bytes: change(record) }])
  log.close()
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes)
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}

t.test(`a network of ${BLOCKS} blocks`, async (t) => {
  t.setTimeout(900_000)
  const data = temporary(t)
  const time = Date.now() - (BLOCKS + 1) * INTERVAL_MS
  const found = foundQuickNetwork(data, { interval: INTERVAL_MS, time, ...EASY }, [MINER.account])
  const [firstAccount, secondAccount] = found.validators as [Account, Account]
  const directory = (name: string): string => join(data, name)
  const archive = directory('validator-1')
  let [startedMs, startedCpuMs] = [performance.now(), cpuMs()]
  makeArchive(archive, directory('agent-1'), found.genesis)
  const took = (): string =>
    `${seconds(performance.now() - startedMs)} s (${seconds(cpuMs() - startedCpuMs)} s of processor time)`
  t.comment(`made in ${took()}: ${megabytes(bytesIn(archive))} on disk`)

  startedMs = performance.now()
  startedCpuMs = cpuMs()
  const opened = new ChainStore(openDisk(archive), undefined)
  const openedIn = took()
  const made = { tip: opened.chain.tip.hash, root: opened.chain.state.root(), base: opened.chain.base.height }
  opened.close()
  t.comment(`the archive opens in ${openedIn}, the window begins at ${made.base}`)

  const { url } = await startBroker(t, found.validators)
  const validator = (name: string): Program =>
    pinledger(t, [
      ...['validator', '--name', name, '--data', directory(name)],
      ...['--genesis', found.genesisFile, '--broker', url, '--json'],
    ])
  startedMs = performance.now()
  const first = validator('validator-1')
  const tip = await retainedTip(t, url, firstAccount)
  t.comment(`a validator on it announces its tip ${seconds(performance.now() - startedMs)} s after its start`)
  t.match(tip, { height: BLOCKS, hash: made.tip, stateRoot: made.root })

  const file = join(data, 'lab.snapshot')
  const exported = await run(t, ['snapshot', 'export', '--data', archive, '--out', file, '--json'])
  t.equal(exported.code, 0, exported.err)
  const snapshot = parsed(exported.out) ?? {}
  t.comment(
    `exported in ${seconds(exported.ms)} s: ${megabytes(statSync(file).size)}, height ${snapshot.height}`,
  )

  const take = (name: string, ...more: readonly string[]) =>
    run(t, ['snapshot', 'import', file, '--data', directory(name), '--genesis', found.genesisFile, ...more])
  // The second validator has a key already: an account is made before a ledger is taken.
  const taken = await take('validator-2', '--hash', String(snapshot.hash), '--json')
  t.equal(taken.code, 0, taken.err)
  t.strictSame({ ...parsed(taken.out), where: '' }, { ...snapshot, where: '' }, 'both say the same of it')
  t.comment(`pinledger snapshot import: ${seconds(taken.ms)} s for ${snapshot.height} headers`)
  t.ok(taken.ms < IMPORT_SECONDS_MAX * 1000, `import within ${IMPORT_SECONDS_MAX} s`)
  cpSync(directory('validator-2'), directory('lab'), { recursive: true })

  const announced = await listen(t, url)
  const same = (account: Account, as: Pick<Tip, 'hash' | 'stateRoot'>): boolean =>
    announced(account).tips.some((each) => each.hash === as.hash && each.stateRoot === as.stateRoot)

  await t.test('a machine that joins from the snapshot is at the same tip within seconds', async (t) => {
    const startedMs = performance.now()
    const second = validator('validator-2')
    await waitUntil('it announces the same tip and state root', () => same(secondAccount, tip), ENOUGH_MS)
    const joinedMs = performance.now() - startedMs
    t.comment(
      `started to the same tip: ${seconds(joinedMs)} s; with the import ${seconds(joinedMs + taken.ms)} s`,
    )
    t.ok(joinedMs < JOIN_SECONDS_MAX * 1000, `within ${JOIN_SECONDS_MAX} s`)
    t.comment(`memory: the archive ${megabytes(memoryOf(first))}, the new one ${megabytes(memoryOf(second))}`)
    t.ok(bytesIn(directory('validator-2')) < bytesIn(archive) / 2, 'and it keeps no old blocks')

    const lab = new LabMiner(directory('lab'), found.genesis, url, MINER, PAYEES[0] as Account)
    t.teardown(() => lab.stop())
    lab.node.start()
    await waitUntil(
      'the miner has the tip',
      () => lab.node.chain.tip.height >= BLOCKS && lab.node.inSync,
      ENOUGH_MS,
    )
    for (let count = 0; count < 20; count++) {
      lab.pay()
      lab.block()
    }
    const { chain } = lab.node
    const now = { hash: chain.tip.hash, stateRoot: chain.state.root() }
    t.equal(chain.tip.height, BLOCKS + 20)
    await waitUntil(
      'both validators follow new blocks',
      () => same(firstAccount, now) && same(secondAccount, now),
      ENOUGH_MS,
    )
    t.pass('blocks of a miner that began with a snapshot are taken by those who have everything')
    second.child.kill('SIGTERM')
    t.match(await second.ended, { code: 0 })
  })

  await t.test('what is wrong with a snapshot is refused with its reason', async (t) => {
    const forged = join(data, 'forged.snapshot')
    const other = join(data, 'other.json')
    const founding = await run(t, ['genesis', '--name', 'other', '--first-work', '1', '--out', other])
    t.equal(founding.code, 0, founding.err)
    const bytes = readFileSync(file)
    const records = recordsOf(file)
    const lastOf = (kind: number): number => records.filter((each) => each.kind === kind).at(-1)?.record ?? 0
    const flip = (kind: number, at: number) =>
      forge(file, forged, (each) =>
        each.record === lastOf(kind) ? flipped(each.bytes, at < 0 ? each.bytes.length + at : at) : each.bytes,
      )
    const cases: [string, () => void, RegExp, ...string[]][] = [
      [
        'a flipped byte',
        () => writeFileSync(forged, flipped(bytes, bytes.length >> 1)),
        /record \d+: .*checksum/,
      ],
      ['an end that is missing', () => writeFileSync(forged, bytes.subarray(0, -9)), /torn-tail/],
      ['another network', () => writeFileSync(forged, bytes), /is of network/, '--genesis', other],
      ['another block', () => writeFileSync(forged, bytes), /is of block/, '--hash', tip.hash],
      ['headers without work', () => flip(RECORD.headers, 2_000), /high-hash/],
      ['a state that does not fit', () => flip(RECORD.state, -1), /root of its state/],
    ]
    const empty = directory('empty')
    for (const [what, make, message, ...more] of cases) {
      if (existsSync(forged)) writeFileSync(forged, '')
      make()
      const options = more.includes('--genesis') ? more : ['--genesis', found.genesisFile, ...more]
      const { code, err } = await run(t, ['snapshot', 'import', forged, '--data', empty, ...options])
      t.equal(code, 2, what)
      t.match(err, /is refused/, what)
      t.match(err, message, what)
      t.comment(`${what}: ${err.split('\n').at(-1)}`)
      t.equal(
        bytesIn(empty) < bytes.length && !readdirSync(empty).some((name) => /^chain.*log$/.test(name)),
        true,
      )
    }
    const there = await take('validator-2')
    t.match(there, { code: 2, err: /there is a ledger already/ })
  })

  await t.test(
    'an agent with a budget deletes old blocks while others arrive, and never takes more',
    async (t) => {
      const agent = directory('agent-1')
      const config = join(data, 'pruned.yaml')
      const storage = { keep: 'recent', megabytesMax: BUDGET_MB }
      const more = { genesis: found.genesisFile, storage, mine: { duty: 0 } }
      writeFileSync(config, stringify({ name: 'pruned', broker: { url }, data: agent, ...more }))
      const { height } = await retainedTip(t, url, firstAccount)
      t.comment(`before: ${megabytes(bytesIn(agent))}`)
      const program = pinledger(t, ['agent', '--config', config, '--json'])
      await program.line('the ledger is open', (line) => parsed(line)?.event === 'ledger open')
      const [startedMs, before] = [performance.now(), bytesIn(agent)]
      let most = 0
      const full = (): boolean => {
        most = Math.max(most, bytesIn(agent))
        return program.out.some((line) => Number(parsed(line)?.height) >= height)
      }
      await waitUntil('it has caught up', full, ENOUGH_MS)
      const perSecond = (1000 * (height - AGENT_HEIGHT)) / (performance.now() - startedMs)
      t.comment(`${height - AGENT_HEIGHT} blocks fetched and checked, ${Math.round(perSecond)} a second`)
      t.comment(
        `on disk ${megabytes(before)} at first, at most ${megabytes(most)}; the archive has ${megabytes(bytesIn(archive))}`,
      )
      t.comment(`memory ${megabytes(memoryOf(program))}`)
      t.ok(Math.max(before, most) <= BUDGET_MB * 2 ** 20, 'never more than its budget')
      t.ok(bytesIn(archive) > 2 * BUDGET_MB * 2 ** 20, 'which is less than the chain takes')
      program.child.kill('SIGTERM')
      t.match(await program.ended, { code: 0 })
      const checked = await run(t, ['verify', '--data', agent])
      t.equal(checked.code, 0, checked.out + checked.err)
      t.match(checked.out, new RegExp(`height ${height}`))
      t.comment(`verify in ${seconds(checked.ms)} s: ${checked.out}`)
    },
  )
})

t.test(
  'a machine that began with a snapshot checks its history afterwards, and remembers that',
  async (t) => {
    const data = temporary(t)
    const time = Date.now() - (HISTORY_BLOCKS + 1) * INTERVAL_MS
    const found = foundQuickNetwork(data, { interval: INTERVAL_MS, time, ...EASY }, [MINER.account])
    const [first, second] = found.validators as [Account, Account]
    const [archive, fresh] = [join(data, 'validator-1'), join(data, 'validator-2')]
    makeArchive(archive, join(data, 'agent-1'), found.genesis, HISTORY_BLOCKS)
    const { url } = await startBroker(t, found.validators)
    const validator = (name: string): Program =>
      pinledger(t, [
        ...['validator', '--name', name, '--data', join(data, name)],
        ...['--genesis', found.genesisFile, '--broker', url, '--json'],
      ])
    const file = join(data, 'lab.snapshot')
    for (const args of [
      ['export', '--data', archive, '--out', file],
      ['import', file, '--data', fresh, '--genesis', found.genesisFile],
    ]) {
      const { code, err } = await run(t, ['snapshot', ...args])
      t.equal(code, 0, err)
    }
    validator('validator-1')
    const tip = await retainedTip(t, url, first)
    const announced = await listen(t, url)
    const program = validator('validator-2')
    const startedMs = performance.now()
    await waitUntil(
      'it has the tip',
      () => announced(second).tips.some(({ hash }) => hash === tip.hash),
      ENOUGH_MS,
    )
    const mark = join(fresh, 'history-checked.json')
    t.notOk(existsSync(mark), 'it works before its history is checked')
    await waitUntil('the history is checked', () => existsSync(mark), ENOUGH_MS)
    t.comment(`${HISTORY_BLOCKS} blocks: checked ${seconds(performance.now() - startedMs)} s after the start`)
    t.comment(readFileSync(mark, 'utf8'))
    await waitUntil('what it took is gone', () => !existsSync(join(fresh, 'history')), ENOUGH_MS)
    program.child.kill('SIGTERM')
    t.match(await program.ended, { code: 0 })
    const checked = await run(t, ['verify', '--data', fresh])
    t.equal(checked.code, 0, checked.out + checked.err)
  },
)
