import t from 'tap'
import { openAppendLog } from '../../node/append-log.ts'
import { copyLogs } from '../../node/backup.ts'
import { ChainStore } from '../../node/chain-store.ts'
import { longChain, SMALL, storeOf, tell } from '../helpers/long-chain.ts'
import { MemoryDisk } from '../helpers/memory-disk.ts'

const long = longChain(800)
const { chain } = long.test
const source = new MemoryDisk()
storeOf(source, long).close()
const outbox = openAppendLog(source.open('outbox.log'))
outbox.append([{ kind: 1, bytes: new Uint8Array(100) }])

t.test('a copy has what is committed, opens, and comes back as it was', (t) => {
  const torn = source.after()
  const name = 'chain-0000000768.log'
  const whole = torn.files.get(name) ?? new Uint8Array()
  torn.files.set(name, Uint8Array.from([...whole, 1, 2, 3]))
  torn.files.set('key.json', new Uint8Array(9))
  const copy = new MemoryDisk()
  const { files, height } = copyLogs(torn, copy)
  t.equal(height, 800)
  t.strictSame(
    files.map((file) => file.name),
    ['headers.log', 'chain.log', 'chain-0000000256.log', 'chain-0000000512.log', name, 'outbox.log'],
  )
  t.strictSame(copy.files.get(name), whole, 'what was being written is not in it')
  t.notOk(copy.files.has('key.json'))
  const back = new MemoryDisk()
  copyLogs(copy, back)
  const store = new ChainStore(back, undefined, SMALL)
  t.equal(store.chain.tip.hash, chain.tip.hash)
  t.equal(store.chain.state.root(), chain.state.root())
  store.close()
  t.end()
})

t.test('a copy that is made between any two writes of a running program opens', (t) => {
  const limits = { ...SMALL, bytesMax: 1 }
  const disk = new MemoryDisk()
  const at = long.blocks.length - 36
  const store = storeOf(disk, { ...long, blocks: long.blocks.slice(0, at) }, limits)
  for (const bytes of long.blocks.slice(at, at + 8)) {
    tell(store, [bytes])
    const { height } = copyLogs(disk.after(), new MemoryDisk())
    if (height !== store.chain.tip.height) t.fail('the tip', { height })
  }
  store.close()
  t.end()
})

t.test('damage is not copied, a target has to be empty, and there has to be something', (t) => {
  const damaged = source.after()
  const bytes = Uint8Array.from(damaged.files.get('chain.log') ?? [])
  bytes[5_000] = (bytes[5_000] ?? 0) ^ 1
  damaged.files.set('chain.log', bytes)
  t.throws(() => copyLogs(damaged, new MemoryDisk()), {
    code: 'store-corrupt',
    message: /would be no backup/,
  })
  t.throws(() => copyLogs(source, source), { code: 'usage', message: /not empty/ })
  t.throws(() => copyLogs(new MemoryDisk(), new MemoryDisk()), { code: 'usage', message: /nothing to copy/ })
  const full = new MemoryDisk()
  full.failAt = 3
  full.error = () => new Error('ENOSPC: no space left on device')
  t.throws(() => copyLogs(source, full), { code: 'store-write', message: /no space left/ })
  t.end()
})
