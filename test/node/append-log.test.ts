import { createHash } from 'node:crypto'
import t from 'tap'
import { type AppendLogOptions, audit, type LogFile, openAppendLog } from '../../node/append-log.ts'
import { WorldError } from '../../node/error.ts'

/** A file in memory whose writes can be made to fail after `budget` more bytes, as a full disk's do. */
class MemoryFile implements LogFile {
  readonly path = 'chain.log'
  bytes: Uint8Array
  budget = Number.POSITIVE_INFINITY
  syncFails = false
  truncateFails = false
  closed = 0
  calls: string[] = []
  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.bytes = bytes
  }
  get size(): number {
    return this.bytes.length
  }
  read(offset: number, length: number): Uint8Array {
    if (offset + length > this.bytes.length) throw new RangeError(`read of ${length} at ${offset}`)
    return this.bytes.slice(offset, offset + length)
  }
  append(bytes: Uint8Array): void {
    this.calls.push(`append ${bytes.length}`)
    const room = Math.min(bytes.length, this.budget)
    this.bytes = Buffer.concat([this.bytes, bytes.subarray(0, room)])
    this.budget -= room
    if (room < bytes.length) throw new Error('ENOSPC: no space left on device, write')
    if (this.syncFails) throw new Error('EIO: i/o error, fdatasync')
  }
  truncate(size: number): void {
    this.calls.push(`truncate ${size}`)
    if (this.truncateFails) throw new Error('EIO: i/o error, ftruncate')
    this.bytes = this.bytes.slice(0, size)
  }
  readonly aside: { readonly offset: number; readonly bytes: Uint8Array }[] = []
  setAside(bytes: Uint8Array, offset: number): void {
    this.aside.push({ offset, bytes: Uint8Array.from(bytes) })
  }
  close(): void {
    this.closed++
  }
}

const bytesOf = (text: string) => new TextEncoder().encode(text)
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

/** Batches of several records, one record and an empty payload; each record as `kind:payload`. */
const BATCHES = [['1:genesis'], ['2:block one', '3:undo', '4:'], ['2:block two', '3:u2']] as const

function entries(batch: readonly string[]) {
  return batch.map((text) => ({ kind: Number(text[0]), bytes: bytesOf(text.slice(2)) }))
}

/** The log of BATCHES, and the file's size after each batch (the first is the size with none). */
function build() {
  const file = new MemoryFile()
  const log = openAppendLog(file)
  const ends = [log.size]
  const positions: number[] = []
  for (const batch of BATCHES) {
    positions.push(...log.append(entries(batch)))
    ends.push(log.size)
  }
  return { bytes: file.bytes, ends, positions }
}

function openAndList(file: LogFile, options: AppendLogOptions = {}) {
  const seen: string[] = []
  const log = openAppendLog(file, {
    ...options,
    onRecord: (kind, bytes) => seen.push(`${kind}:${textOf(bytes)}`),
  })
  return { log, seen }
}

const sha = (length: number, ...parts: Uint8Array[]) => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest().subarray(0, length)
}

/** A record made by hand from the layout in the file's header, not by our own writer. */
function record(payload: string, fields: { kind: number; flags: number; sequence: number; length?: number }) {
  const head = Buffer.alloc(12)
  head.writeUInt32BE(fields.length ?? payload.length, 0)
  head[4] = fields.kind
  head[5] = fields.flags
  head.writeUIntBE(fields.sequence, 6, 6)
  const header = Buffer.concat([head, sha(4, head)])
  return Buffer.concat([header, bytesOf(payload), sha(8, header, bytesOf(payload))])
}
const PREAMBLE = Buffer.from('50494e4c4f470001', 'hex')

const faultOf = (file: LogFile) => {
  for (const outcome of audit(file)) if (!outcome.ok) return outcome.fault
  return undefined
}

t.test('the bytes are those of the documented layout', async (t) => {
  const file = new MemoryFile()
  const log = openAppendLog(file)
  const positions = log.append([
    { kind: 7, bytes: bytesOf('abc') },
    { kind: 255, bytes: bytesOf('') },
  ])
  const expected = Buffer.concat([
    PREAMBLE,
    record('abc', { kind: 7, flags: 0, sequence: 0 }),
    record('', { kind: 255, flags: 1, sequence: 1 }),
  ])
  t.equal(Buffer.from(file.bytes).toString('hex'), expected.toString('hex'))
  t.same(positions, [8, 8 + 16 + 3 + 8])
  t.equal(
    Buffer.from(file.bytes.subarray(0, 24)).toString('hex'),
    '50494e4c4f470001' + '00000003070000000000000082345e70',
    'frozen bytes of the first header',
  )
})

t.test('a log gives back what was appended, in order, with positions that read', async (t) => {
  const { bytes, positions } = build()
  const file = new MemoryFile(bytes)
  const at: number[] = []
  const log = openAppendLog(file, { onRecord: (_kind, _bytes, position) => at.push(position) })
  t.same(at, positions)
  t.equal(log.torn, 0)
  t.equal(log.records, 6)
  t.equal(log.size, bytes.length)
  t.same(
    positions.map((position) => log.read(position)).map(({ kind, bytes }) => `${kind}:${textOf(bytes)}`),
    BATCHES.flat(),
  )
  t.same(
    [...audit(file)].map((outcome) => outcome.ok && outcome.value.record),
    [0, 1, 2, 3, 4, 5],
  )
})

t.test(
  'one batch is one append, and opening makes what is there durable before it is built on',
  async (t) => {
    const { bytes } = build()
    const file = new MemoryFile(bytes)
    const log = openAppendLog(file)
    log.append(entries(BATCHES[1]))
    t.same(file.calls, [`truncate ${bytes.length}`, 'append 85'])
  },
)

t.test('a flipped bit is damage and changes nothing, unless only the last batch has it', async (t) => {
  const { bytes, ends, positions } = build()
  const last = { batch: ends.at(-2) ?? 0, record: positions.at(-1) ?? 0 }
  const wrong: string[] = []
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const spoilt = Uint8Array.from(bytes)
    spoilt[bit >> 3] = (spoilt[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    const file = new MemoryFile(spoilt)
    const fault = faultOf(file)
    if (fault === undefined || fault.code === 'torn-tail') wrong.push(`bit ${bit}: ${fault?.code}`)
    // A head that was hit in front of a whole record could be the end of the batch before.
    const cut = bit >> 3 >= last.record || bit >> 3 >= last.batch + 16
    try {
      const log = openAppendLog(file)
      if (!cut || log.torn !== bytes.length - last.batch || log.cut === undefined)
        wrong.push(`bit ${bit} opens`)
      t.same(file.aside, [{ offset: last.batch, bytes: spoilt.slice(last.batch) }])
    } catch (error) {
      if (cut || !(error instanceof WorldError && error.code === 'store-corrupt'))
        wrong.push(`bit ${bit}: ${String(error)}`)
      if (file.calls.length > 0 || file.closed !== 1) wrong.push(`bit ${bit}: ${file.calls.join()}`)
    }
    t.throws(() => openAppendLog(new MemoryFile(spoilt), { sealed: true }), { code: 'store-corrupt' })
  }
  t.same(wrong, [])
  t.ok(bytes.length * 8 > 1400, 'a log of some size')
})

t.test('a last batch of which sectors were never written is cut off, whichever they are', async (t) => {
  const file = new MemoryFile()
  const log = openAppendLog(file)
  log.append([{ kind: 1, bytes: new Uint8Array(3000).fill(1) }])
  const promised = log.size
  log.append([2, 3, 4].map((kind) => ({ kind, bytes: new Uint8Array(700).fill(kind) })))
  const whole = file.bytes
  for (let sectors = 1; sectors < 2 ** 5; sectors++) {
    const torn = Uint8Array.from(whole)
    for (let at = promised; at < torn.length; at++)
      if (((sectors >> ((at >> 9) - (promised >> 9))) & 1) === 1) torn[at] = 0
    const opened = openAppendLog(new MemoryFile(torn), { continues: (kind) => kind > 2 })
    t.equal(opened.size, promised, `sectors ${sectors.toString(2)}`)
  }
  const before = Uint8Array.from(whole)
  before.fill(0, 8, 512)
  t.throws(
    () => openAppendLog(new MemoryFile(before), { continues: (kind) => kind > 2 }),
    { code: 'store-corrupt' },
    'not one that was promised',
  )
})

t.test('cut at every length, a log recovers to its last whole batch and takes the next', async (t) => {
  const { bytes, ends } = build()
  const wrong: string[] = []
  for (let length = 0; length <= bytes.length; length++) {
    const whole = ends.filter((end) => end <= length)
    const kept = BATCHES.slice(0, Math.max(whole.length - 1, 0))
    const keptBytes = whole.at(-1) ?? 0
    const file = new MemoryFile(bytes.slice(0, length))
    const fault = faultOf(file)
    const expected = length === keptBytes ? undefined : 'torn-tail'
    if (fault?.code !== expected || (fault && fault.bytes !== length - keptBytes))
      wrong.push(`${length}: audit ${fault?.code}`)
    const { log, seen } = openAndList(file)
    if (seen.join() !== kept.flat().join()) wrong.push(`${length}: ${seen.join()}`)
    if (log.torn !== length - keptBytes) wrong.push(`${length}: torn ${log.torn}`)
    if (log.size !== Math.max(keptBytes, 8) || file.size !== log.size)
      wrong.push(`${length}: size ${log.size}`)
    const [position = 0] = log.append(entries(['9:next']))
    if (textOf(log.read(position).bytes) !== 'next') wrong.push(`${length}: read`)
    const again = openAndList(new MemoryFile(file.bytes))
    if (again.seen.join() !== [...kept.flat(), '9:next'].join() || again.log.torn !== 0)
      wrong.push(`${length}: again ${again.seen.join()}`)
  }
  t.same(wrong, [])
})

t.test('a disk that is full after any number of bytes loses nothing that was announced', async (t) => {
  const { bytes } = build()
  const wrong: string[] = []
  for (const truncateFails of [false, true]) {
    for (let budget = 0; budget < bytes.length; budget++) {
      const file = new MemoryFile()
      file.budget = budget
      const announced: string[] = []
      let failure: unknown
      try {
        const log = openAppendLog(file)
        for (const batch of BATCHES) {
          try {
            log.append(entries(batch))
            announced.push(...batch)
          } catch (error) {
            failure ??= error
            file.truncateFails = truncateFails
            file.budget = Number.POSITIVE_INFINITY // even with room again: the log has stopped writing
          }
        }
      } catch (error) {
        failure = error
      }
      if (!(failure instanceof WorldError && failure.code === 'store-write'))
        wrong.push(`${budget}: ${String(failure)}`)
      const after = new MemoryFile(file.bytes)
      const { log, seen } = openAndList(after)
      if (seen.join() !== announced.join()) wrong.push(`${budget}: ${seen.join()}`)
      if (!truncateFails && budget >= 8 && log.torn !== 0) wrong.push(`${budget}: torn ${log.torn}`)
    }
  }
  t.same(wrong, [])
})

t.test('after a failed append the log reads, refuses every append and says why', async (t) => {
  const file = new MemoryFile()
  const log = openAppendLog(file)
  const [position = 0] = log.append(entries(['1:kept']))
  file.budget = 10
  const size = log.size
  t.throws(() => log.append(entries(['2:lost'])), {
    code: 'store-write',
    message: /28 bytes to chain\.log \(ENOSPC.*Nothing that was announced is lost.*28 bytes free/,
  })
  t.equal(log.size, size)
  t.equal(file.size, size, 'cut back')
  file.budget = Number.POSITIVE_INFINITY
  t.throws(() => log.append(entries(['2:later'])), { code: 'store-write', message: /ENOSPC/ })
  t.equal(textOf(log.read(position).bytes), 'kept')
  log.close()
})

t.test('a failed fdatasync stops the log although every byte was written', async (t) => {
  const file = new MemoryFile()
  const log = openAppendLog(file)
  file.syncFails = true
  t.throws(() => log.append(entries(['1:a'])), { code: 'store-write', message: /EIO/ })
  file.syncFails = false
  t.throws(() => log.append(entries(['1:a'])), { code: 'store-write' })
})

t.test('a torn tail that cannot be cut off is a write error, and the file is closed', async (t) => {
  const { bytes } = build()
  const file = new MemoryFile(bytes.slice(0, -1))
  file.truncateFails = true
  t.throws(() => openAppendLog(file), { code: 'store-write' })
  t.equal(file.closed, 1)
})

t.test('well-formed headers that lie are damage, each with its code', async (t) => {
  const first = record('a', { kind: 1, flags: 1, sequence: 0 })
  const cases: Record<string, Uint8Array> = {
    'bad-flags': record('b', { kind: 1, flags: 3, sequence: 1 }),
    'bad-sequence': record('b', { kind: 1, flags: 1, sequence: 2 }),
    'too-long': record('b', { kind: 1, flags: 1, sequence: 1, length: 16 * 2 ** 20 + 1 }),
    'bad-header': new Uint8Array(16),
    'bad-payload': Buffer.concat([
      record('b', { kind: 1, flags: 1, sequence: 1 }).subarray(0, -8),
      Buffer.alloc(8),
    ]),
  }
  for (const [code, bytes] of Object.entries(cases)) {
    const file = new MemoryFile(Buffer.concat([PREAMBLE, first, bytes]))
    t.match(faultOf(file), { code, record: 1, position: 33 }, code)
    if (code === 'bad-header' || code === 'bad-payload') t.equal(openAppendLog(file).torn, bytes.length, code)
    else t.throws(() => openAppendLog(file), { code: 'store-corrupt' }, code)
  }
  t.match(faultOf(new MemoryFile(Buffer.from('50494e4c4f470002', 'hex'))), { code: 'bad-version' })
  t.match(faultOf(new MemoryFile(Buffer.from('{"a":1}\n'))), { code: 'bad-magic' })
  t.match(faultOf(new MemoryFile(Buffer.from('{'))), { code: 'bad-magic' }, 'shorter than the first 8 bytes')
})

t.test('a batch that never ends is damage, not something to hold in memory', async (t) => {
  const payload = 'x'.repeat(15 * 2 ** 20)
  const batch = [0, 1, 2, 3, 4].map((sequence) => record(payload, { kind: 1, flags: 0, sequence }))
  t.match(faultOf(new MemoryFile(Buffer.concat([PREAMBLE, ...batch]))), { code: 'too-long', record: 4 })
})

t.test('the message of damage names file, record, kind, offset and what to do', async (t) => {
  const { bytes, positions } = build()
  const spoilt = Uint8Array.from(bytes)
  const position = positions[2] ?? 0
  spoilt[position + 17] = (spoilt[position + 17] ?? 0) ^ 4
  const kindName = (kind: number) => (kind === 3 ? 'undo' : 'other')
  t.throws(() => openAppendLog(new MemoryFile(spoilt), { kindName }), {
    code: 'store-corrupt',
    message: new RegExp(
      `chain\\.log is damaged at record 2 \\(undo\\), offset ${position}: .*bad-payload.*[Rr]estore`,
    ),
  })
  t.throws(() => openAppendLog(new MemoryFile(spoilt)), { message: /record 2 \(kind 3\)/ })
})

t.test(
  'damage inside a batch hides the whole batch from an audit, and only what is after is lost',
  async (t) => {
    const { bytes, positions } = build()
    const spoilt = Uint8Array.from(bytes)
    spoilt[(positions[3] ?? 0) + 20] = 0xff
    const seen = [...audit(new MemoryFile(spoilt))].map((o) => (o.ok ? textOf(o.value.bytes) : o.fault.code))
    t.same(seen, ['genesis', 'bad-payload'])
  },
)

t.test('read checks again what the disk gives back', async (t) => {
  const file = new MemoryFile()
  const log = openAppendLog(file)
  const [first = 0, second = 0] = log.append(entries(['1:a', '2:b']))
  file.bytes[second + 16] = 0x78
  t.equal(textOf(log.read(first).bytes), 'a')
  t.throws(() => log.read(second), { code: 'store-corrupt', message: /record 1 \(kind 2\)/ })
  t.throws(() => log.read(first + 1), { code: 'store-corrupt' }, 'a position inside a record')
  t.throws(() => log.read(log.size), /invariant/)
  t.throws(() => log.read(-1), /invariant/)
})

t.test('what the caller does wrong is an invariant and writes nothing', async (t) => {
  const file = new MemoryFile()
  const log = openAppendLog(file)
  t.throws(() => log.append([]), /at least one/)
  t.throws(() => log.append([{ kind: 256, bytes: bytesOf('') }]), /kind 256/)
  t.throws(() => log.append([{ kind: 1, bytes: new Uint8Array(16 * 2 ** 20 + 1) }]), /payload of/)
  const large = { kind: 1, bytes: new Uint8Array(15 * 2 ** 20) }
  t.throws(() => log.append([large, large, large, large, large]), /batch of/)
  t.equal(file.size, 8)
  log.close()
  log.close()
  t.equal(file.closed, 1)
  t.throws(() => log.append(entries(['1:a'])), /closed/)
  t.throws(() => log.read(8), /closed/)
})

t.test('an error thrown by onRecord closes the file and comes through', async (t) => {
  const file = new MemoryFile(build().bytes)
  const onRecord = () => {
    throw new Error('unknown kind')
  }
  t.throws(() => openAppendLog(file, { onRecord }), /unknown kind/)
  t.equal(file.closed, 1)
})

t.test('batches that lie across reads of the file, and larger ones, come back whole', async (t) => {
  const file = new MemoryFile()
  const log = openAppendLog(file)
  const batches: readonly (readonly number[])[] = [
    ...[300_000, 1, 262_144, 262_143, 0, 1_000_000].map((size) => [size]),
    ...Array.from({ length: 20 }, (_, index) => [100_000 + index, 60_000, 5]),
    Array.from({ length: 60 }, (_, index) => 20_000 + index),
    ...Array.from({ length: 40 }, (_, index) => [index, 9_000]),
  ]
  const expected: string[] = []
  let count = 0
  const seen = (kind: number, bytes: Uint8Array) => `${kind} ${bytes.length} ${sha(8, bytes).toString('hex')}`
  for (const sizes of batches) {
    const records = sizes.map((size) => ({ kind: ++count % 256, bytes: new Uint8Array(size).fill(count) }))
    for (const { kind, bytes } of records) expected.push(seen(kind, bytes))
    log.append(records)
  }
  const intoOurs = Object.create(file, {
    read: {
      value: (offset: number, length: number, into = new Uint8Array(length)) => {
        into.set(file.bytes.subarray(offset, offset + length))
        return into
      },
    },
  }) as LogFile
  for (const each of [file, intoOurs]) {
    const records: string[] = []
    openAppendLog(each, { onRecord: (kind, bytes) => records.push(seen(kind, bytes)) })
    t.strictSame(records, expected, 'to whoever opens it')
    // Those that an audit gives stay.
    const all = [...audit(each)].map((outcome) => (outcome.ok ? outcome.value : undefined))
    t.strictSame(
      all.map((record) => record && seen(record.kind, record.bytes)),
      expected,
      'in an audit',
    )
    t.strictSame(
      all.map((record) => record?.record),
      [...expected.keys()],
    )
  }
})
