/** A backup of a running agent: what its logs say of each other is what a crash could have left. */
import t from 'tap'
import { audit, type LogFile, openAppendLog } from '../../node/append-log.ts'
import { copyLogs } from '../../node/backup.ts'
import type { Disk } from '../../node/disk.ts'
import { MemoryDisk } from '../helpers/memory-disk.ts'

const NAMES = ['wires.log', 'outbox.log', 'channels.log']

/** Numbers that a log's records stand for. */
function numbersIn(disk: MemoryDisk, name: string): Set<number> {
  const numbers = new Set<number>()
  for (const read of audit(disk.open(name))) if (read.ok) numbers.add(read.value.bytes[0] ?? 0)
  return numbers
}

t.test('its logs are all in it, and come back as they were', async (t) => {
  const source = new MemoryDisk()
  const names = ['wires.log', 'hand.log', 'outbox.log', 'channels.log']
  for (const name of names) openAppendLog(source.open(name)).append([{ kind: 1, bytes: new Uint8Array(50) }])
  source.files.set('channels.log.new', new Uint8Array(20))
  const copy = new MemoryDisk()
  t.strictSame(
    copyLogs(source, copy).files.map(({ name }) => name),
    names,
  )
  const back = new MemoryDisk()
  copyLogs(copy, back)
  for (const name of names) t.strictSame(back.files.get(name), source.files.get(name), name)
})

t.test('made between any of its writes, nothing in it stands on what is missing', async (t) => {
  const source = new MemoryDisk()
  const [wires, outbox, channels] = NAMES.map((name) => openAppendLog(source.open(name)))
  const note = (log: typeof wires, number: number): void =>
    void log?.append([{ kind: 1, bytes: Uint8Array.of(number) }])
  /** One more channel and one more payment of a wire, each log in the order in which agents write. */
  const writes = function* (): Generator<void> {
    for (let number = 0; ; number++) {
      for (const log of [channels, outbox, wires]) yield note(log, number)
    }
  }
  const running = writes()
  for (let before = 0; before < 12; before++) {
    running.next()
    // The agent goes on while each file is opened.
    const busy: Disk = {
      list: () => source.list(),
      open(name): LogFile {
        for (let write = 0; write < 1 + (before % 4); write++) running.next()
        return source.open(name)
      },
      rename: () => t.fail('a copy renames nothing'),
      remove: () => t.fail('a copy removes nothing'),
    }
    const copy = new MemoryDisk()
    copyLogs(busy, copy)
    const [remembered, sent, planned] = NAMES.map((name) => numbersIn(copy, name))
    for (const number of sent ?? []) if (!planned?.has(number)) t.fail('a channel without its number')
    for (const number of remembered ?? []) if (!sent?.has(number)) t.fail('a payment that was never sent')
    t.ok((sent?.size ?? 0) > 0)
  }
})

t.test('what is damaged is not copied, and a copy that is damaged is told', async (t) => {
  for (const name of NAMES) {
    const source = new MemoryDisk()
    for (const each of NAMES) {
      const log = openAppendLog(source.open(each))
      for (let batch = 0; batch < 3; batch++) log.append([{ kind: 1, bytes: new Uint8Array(50) }])
    }
    const bytes = Uint8Array.from(source.files.get(name) ?? [])
    bytes[40] = (bytes[40] ?? 0) ^ 1
    source.files.set(name, bytes)
    t.throws(() => copyLogs(source, new MemoryDisk()), {
      code: 'store-corrupt',
      message: /would be no backup/,
    })
  }
})
