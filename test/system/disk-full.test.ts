/**
 * Disks that fill up: a program on one stops, says which file, how much and what is free, and ends with exit code 3; nothing
 * that it announced is lost, and it goes on once there is room.
 *
 * Each data directory is a small file system of its own (tmpfs), which takes root to mount.
 */
import {
  closeSync,
  cpSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { connectAsync } from 'mqtt'
import t, { type Test } from 'tap'
import { stringify } from 'yaml'
import type { Account } from '../../schemas/hex.ts'
import { signer } from '../helpers/ledger.ts'
import { type Ended, type Program, pinledger, run, temporary } from '../helpers/processes.ts'
import { foundQuickNetwork } from '../helpers/quick-network.ts'
import { waitUntil } from '../helpers/wait-until.ts'
import { EASY, LabMiner, listen, missing, startBroker, storedLedger } from './lab.ts'
import { command, needsRoot } from './machine.ts'

const DISK_BYTES = 4 << 20
const BALLAST = 'ballast'
/** What a start takes before it comes to the ledger: one page for the lock. */
const LOCK_BYTES = 4096
const ENOUGH_MS = 60_000
const MINER = signer(76)
const PAYEE = signer(77).account
/** What a person has to read: the file, what was needed and what is free. */
const FULL = /cannot write (\d+) bytes to (\S+) \(ENOSPC[^)]*, (\d+) bytes are free\)/

/** A small disk of its own at `path`; undefined where none can be made, which the test has then said. */
async function mountDisk(t: Test, path: string): Promise<string | undefined> {
  if (needsRoot(t, 'a disk that is full')) return undefined
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const fault = await command('mount', [
    '-t',
    'tmpfs',
    '-o',
    `size=${DISK_BYTES},mode=0700`,
    'pinledger-test',
    path,
  ])
  if (fault !== undefined) {
    t.comment(`LEFT OUT: a disk that is full: ${fault.trim()}; run it where mount(8) is allowed`)
    t.not(process.env.CI, 'true', 'in CI mounting has to be allowed')
    return undefined
  }
  t.teardown(async () => void (await command('umount', ['-l', path])))
  return path
}

/** Fills a disk up to `leave` bytes. */
function fill(disk: string, leave: number): void {
  const file = openSync(join(disk, BALLAST), 'w')
  const page = Buffer.alloc(4096, 1)
  let size = 0
  try {
    for (;;) size += writeSync(file, page)
  } catch {
    // It is full, as it should be.
  }
  ftruncateSync(file, Math.max(0, size - leave))
  closeSync(file)
}

const free = (disk: string): void => rmSync(join(disk, BALLAST), { force: true })

/** The log that was written last. */
function newestLog(directory: string): string {
  const [newest = ''] = readdirSync(directory)
    .filter((name) => /^chain.*\.log$/.test(name))
    .map((name) => join(directory, name))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)
  return newest
}

/** Checks how a program ended, and that a person can understand why; returns the file's name. */
function stopped(t: Test, { code, err }: Pick<Ended, 'code'> & { readonly err: string }): string {
  t.equal(code, 3, 'the exit code says that the world failed')
  t.notMatch(err, /bug in pinledger| {4}at /, 'and it is no bug of ours')
  const [, needed, path = '', left] = FULL.exec(err) ?? []
  t.ok(Number(needed) > Number(left), `${path}: needs ${needed} bytes, ${left} are free`)
  if (path === '') t.fail(err)
  return path
}

async function ending(t: Test, program: Program): Promise<string> {
  const { code } = await program.ended
  return stopped(t, { code, err: program.err.join('\n') })
}

t.test('a validator whose disk fills up under load', async (t) => {
  const data = temporary(t)
  const disk = await mountDisk(t, join(data, 'small'))
  if (disk === undefined) return
  const found = foundQuickNetwork(data, { interval: 100, ...EASY }, [MINER.account])
  const account = found.validators[0] as Account
  const { url } = await startBroker(t, found.validators)
  const announced = await listen(t, url)
  const lab = new LabMiner(join(data, 'lab'), found.genesis, url, MINER, PAYEE)
  t.teardown(() => lab.stop())
  const start = (): Program =>
    pinledger(t, [
      ...['validator', '--name', 'small', '--data', disk],
      ...['--genesis', found.genesisFile, '--broker', url, '--json'],
    ])
  const { tips } = announced(account)
  /** All that it announced is in what is on the disk now, looked at in a copy. */
  const holds = (what: string): void => {
    const copy = join(temporary(t), 'copy')
    cpSync(disk, copy, {
      recursive: true,
      filter: (path) => !path.endsWith(BALLAST) && !path.endsWith('lock'),
    })
    const ledger = storedLedger(copy)
    t.strictSame(
      missing(announced(account), ledger),
      [],
      `${what}: what it announced is there, height ${ledger.tip.height}`,
    )
  }

  fill(disk, 0)
  const first = start()
  t.match(await first.ended, { code: 3 }, 'full at the very start, without a key: it ends')
  t.match(first.err.join('\n'), new RegExp(`${disk}.*ENOSPC`), 'names the file')
  t.notMatch(first.err.join('\n'), /bug in pinledger/)
  free(disk)
  cpSync(join(data, 'validator-1', 'key.json'), join(disk, 'key.json'))
  fill(disk, LOCK_BYTES)
  const second = start()
  t.match(await second.ended, { code: 3 }, 'with a key and no room for a ledger: it ends')
  t.match(second.err.join('\n'), new RegExp(`${disk}.*ENOSPC`), 'names the file')
  free(disk)
  lab.start(100, 4)
  const healthy = start()
  await waitUntil('it runs once there is room', () => tips.length > 20, ENOUGH_MS)

  fill(disk, 32 << 10)
  t.match(await ending(t, healthy), /chain/)
  holds('the disk is full')
  const verified = await run(t, ['verify', '--data', disk, '--json'])
  t.equal(verified.code, 0, 'a ledger on a full disk verifies')

  fill(disk, LOCK_BYTES)
  const again = start()
  t.match(await ending(t, again), /\.log/, 'another start on the full disk ends the same way')
  holds('after that')

  const log = newestLog(disk)
  truncateSync(log, statSync(log).size - 5)
  fill(disk, LOCK_BYTES)
  const torn = start()
  t.match(await ending(t, torn), /\.log/, 'so does one that first cuts off an unfinished write')
  t.match(torn.out.join('\n'), /cut off an unfinished write/)
  t.equal((await run(t, ['verify', '--data', disk, '--json'])).code, 0, 'and leaves a ledger that verifies')

  free(disk)
  const last = start()
  const goal = lab.node.chain.tip.height
  await waitUntil('it goes on', () => (tips.at(-1)?.height ?? 0) > goal, ENOUGH_MS)
  last.child.kill('SIGINT')
  t.strictSame(await last.ended, { code: 0, signal: null })
  holds('in the end')
  t.ok(announced(account).confirmed.size > 50, `${announced(account).confirmed.size} receipts`)
  t.equal((await run(t, ['verify', '--data', disk, '--json'])).code, 0)
})

t.test("an agent whose outbox's disk fills up", async (t) => {
  const data = temporary(t)
  const disk = await mountDisk(t, join(data, 'small'))
  if (disk === undefined) return
  const found = foundQuickNetwork(data, { interval: 100, ...EASY }, [MINER.account])
  const account = found.agents[0] as Account
  cpSync(join(data, 'agent-1', 'key.json'), join(disk, 'key.json'))
  writeFileSync(
    join(data, 'steps.yaml'),
    stringify({
      steps: [
        { after: 0.1, value: 1 },
        { after: 0.1, value: 2 },
      ],
      repeat: true,
    }),
  )
  const config = join(data, 'small.yaml')
  writeFileSync(
    config,
    stringify({
      name: 'small',
      broker: { url: 'mqtt://127.0.0.1:1883' },
      data: disk,
      genesis: found.genesisFile,
      mine: { duty: 0 },
      sensors: [{ name: 'steps', driver: 'script', file: join(data, 'steps.yaml'), unit: 'count' }],
    }),
  )
  const { url } = await startBroker(t, found.validators)
  const said = new Set<string>()
  const client = await connectAsync(url)
  t.teardown(() => client.endAsync(true))
  client.on('message', (_name, payload) => said.add((JSON.parse(String(payload)) as { id: string }).id))
  await client.subscribeAsync(`pinledger/+/tx/${account}/json`, { qos: 1 })
  const lab = new LabMiner(join(data, 'lab'), found.genesis, url, MINER, PAYEE)
  t.teardown(() => lab.stop())
  // No blocks until it has ended: only the outbox grows.
  lab.node.start()
  const start = (): Program => pinledger(t, ['agent', '--config', config, '--broker', url, '--json'])

  const agent = start()
  await agent.line('it is connected', (line) => line.includes('"connected"'))
  await waitUntil('it signs', () => said.size > 5, ENOUGH_MS)
  fill(disk, 8192)
  t.match(await ending(t, agent), /outbox\.log$/)
  const before = [...said]
  fill(disk, LOCK_BYTES)
  t.match(await ending(t, start()), /outbox\.log$/, 'another start on the full disk ends the same way')
  free(disk)
  const last = start()
  await last.line('it is connected', (line) => line.includes('"connected"'))
  const blocks = setInterval(() => lab.block(), 100)
  t.teardown(() => clearInterval(blocks))
  const confirmed = () => new Set<string>(lab.confirmed().map(({ id }) => id))
  await waitUntil(
    'what it announced is confirmed',
    () => before.every((id) => confirmed().has(id)),
    ENOUGH_MS,
  )
  last.child.kill('SIGINT')
  t.strictSame(await last.ended, { code: 0, signal: null })
  clearInterval(blocks)
  const numbers = lab
    .confirmed()
    .flatMap(({ transaction: tx }) =>
      tx.from === account && tx.type === 'reading' ? [tx.sample.sequence] : [],
    )
  t.strictSame(
    numbers,
    numbers.map((_, index) => index),
    `${numbers.length} readings are on the ledger, none missing, none twice`,
  )
})
