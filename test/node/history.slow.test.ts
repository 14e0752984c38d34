import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ChainStore } from '../../node/chain-store.ts'
import { openDisk } from '../../node/disk.ts'
import { expectHistory, History } from '../../node/history.ts'
import type { Log } from '../../node/log.ts'
import type { Question } from '../../node/requests.ts'
import { readSnapshot, snapshotHeight, writeSnapshot } from '../../node/snapshot.ts'
import type { Timers } from '../../node/timers.ts'
import { accept, refuse } from '../../schemas/result.ts'
import { alice, bob } from '../helpers/ledger.ts'
import { longChain, SMALL, storeOf } from '../helpers/long-chain.ts'
import { MemoryDisk } from '../helpers/memory-disk.ts'
import { temporary } from '../helpers/processes.ts'
import { waitUntil } from '../helpers/wait-until.ts'

const HEIGHT = 512
const long = longChain(700)
const stored = new MemoryDisk()
storeOf(stored, long).close()

/** A data directory that was founded from a snapshot. */
function fromSnapshot(data: string): ChainStore {
  const disk = new MemoryDisk()
  const source = new ChainStore(stored.after(), undefined, { ...SMALL, readOnly: true })
  writeSnapshot(source, snapshotHeight(source, HEIGHT), disk.open('snapshot'))
  source.close()
  const options = { genesis: undefined, hash: undefined, nowMs: Number.MAX_SAFE_INTEGER }
  for (const _ of readSnapshot(disk.open('snapshot'), openDisk(data), options));
  expectHistory(data)
  return new ChainStore(openDisk(data), undefined)
}

type Serve = (height: number, count: number) => Uint8Array[]
const honest: Serve = (height, count) =>
  Array.from({ length: count }, (_, at) =>
    long.test.archive.block(long.test.chain.at(height + at)?.hash as never),
  )

/** A node's history with peers that answer as `serve` does, and time that passes when it is asked for. */
function open(data: string, store: ChainStore, serve: Serve, asked: Question[] = []) {
  const logged: string[] = []
  const fatal: unknown[] = []
  const due: (() => void)[] = []
  const timers: Timers = {
    after: (_delay, run) => {
      due.push(run)
      return () => due.splice(due.indexOf(run), 1)
    },
    turn: async () => {},
  }
  const line = (event: string) => void logged.push(event)
  const log: Log = { debug: line, info: line, warn: line, error: line }
  const history = new History(data, store.chain, {
    requests: {
      async ask(_peer, question) {
        asked.push(question)
        if (question.type !== 'getBlocks') return refuse({ code: 'timeout', message: 'not served' })
        const blocks = serve(question.height, question.hashes.length)
        return accept({ type: 'blocks', id: 1, blocks }) as never
      },
    },
    peers: () => [alice.account, bob.account],
    log,
    monotonic: () => 0,
    timers,
    onFatal: (error) => fatal.push(error),
  })
  const pass = async (isOver: () => boolean) =>
    waitUntil('the history is where it should be', () => {
      due.shift()?.()
      return isOver() || fatal.length > 0
    })
  return { history, logged, fatal, pass }
}

t.test(
  'the history below a snapshot is fetched and executed, also over a restart, and then it is said',
  async (t) => {
    const data = temporary(t)
    const store = fromSnapshot(data)
    t.teardown(() => store.close())
    const asked: Question[] = []
    const first = open(data, store, honest, asked)
    first.history.start()
    await first.pass(() => asked.length >= 3)
    first.history.stop()

    const before = asked.length
    const second = open(data, store, honest, asked)
    second.history.start()
    await second.pass(() => !existsSync(join(data, 'history')))
    t.strictSame(second.fatal, [])
    const again = asked[before]
    t.ok(again?.type === 'getBlocks' && again.height > 1, 'it went on where it was')
    const checked = JSON.parse(readFileSync(join(data, 'history-checked.json'), 'utf8'))
    t.equal(checked.height, HEIGHT)
    t.equal(checked.hash, store.chain.base.hash)
    t.equal(checked.stateRoot, store.chain.state.root())
    t.ok(second.logged.includes('the history below the snapshot is valid'))
    second.history.stop()

    const idle = open(data, store, honest, asked)
    const questions = asked.length
    idle.history.start()
    t.equal(asked.length, questions, 'there is nothing more to check')
    idle.history.stop()
  },
)

t.test('who has no such blocks, sends others or spoilt ones is passed over', async (t) => {
  const data = temporary(t)
  const store = fromSnapshot(data)
  t.teardown(() => store.close())
  let turn = 0
  const serve: Serve = (height, count) => {
    turn++
    if (turn % 4 === 1) return []
    if (turn % 4 === 2) return honest(height + 1, count)
    const blocks = honest(height, count)
    const [one] = blocks
    if (turn % 4 === 3 && one !== undefined)
      return [Uint8Array.from(one, (byte, at) => (at === 130 ? byte ^ 1 : byte))]
    return blocks
  }
  const { history, fatal, pass } = open(data, store, serve)
  history.start()
  await pass(() => !existsSync(join(data, 'history')))
  t.strictSame(fatal, [])
  t.ok(existsSync(join(data, 'history-checked.json')))
  history.stop()
})
