/** Outputs on files of the test's own, alone and held by the guard; a killed agent's are in test/system/outputs.test.ts. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openFileLine } from '../../../edge-agent/outputs/file-line.ts'
import { Guard } from '../../../edge-agent/outputs/guard.ts'
import { setSafe } from '../../../edge-agent/outputs/safe.ts'
import { fakeTime } from '../../helpers/fake-time.ts'
import { temporary } from '../../helpers/processes.ts'
import { waitUntil } from '../../helpers/wait-until.ts'

const noPins = () => Promise.reject(new Error('there are no pins'))
const fileOf = (t: Test): string => join(temporary(t), 'brightness')
const text = (file: string): string => readFileSync(file, 'utf8')

t.test('a file gets 1 or 0 and a newline, and keeps it', async (t) => {
  const file = fileOf(t)
  const line = await openFileLine(file, { activeLow: false, initial: 0 })
  t.equal(text(file), '0\n')
  await line.set(1)
  t.equal(text(file), '1\n')
  await line.close()
  t.equal(text(file), '1\n')
})

t.test('activeLow turns it round', async (t) => {
  const file = fileOf(t)
  const line = await openFileLine(file, { activeLow: true, initial: 0 })
  t.equal(text(file), '1\n')
  await line.set(1)
  t.equal(text(file), '0\n')
})

t.test('what stood there goes, and a file that was replaced is written too', async (t) => {
  const file = fileOf(t)
  writeFileSync(file, '255 and more\n')
  const line = await openFileLine(file, { activeLow: false, initial: 0 })
  t.equal(text(file), '0\n')
  writeFileSync(`${file}.new`, '0\n')
  renameSync(`${file}.new`, file)
  await line.set(1)
  t.equal(text(file), '1\n')
})

t.test('one that cannot be written says which, why and what to do', async (t) => {
  const file = join(temporary(t), 'nowhere', 'brightness')
  await t.rejects(openFileLine(file, { activeLow: false, initial: 0 }), {
    code: 'sensor',
    message: new RegExp(`^cannot write ${file}: ENOENT.*; give the agent's user the right to write it`),
  })
})

/** A guard that holds a lamp on a file, and a pin that there is not. */
function guardOf(file: string) {
  const time = fakeTime()
  const faults: string[] = []
  const guard = new Guard(
    {
      lines: [
        { name: 'relay', pin: 17, activeLow: false, access: 'auto', safe: 0 },
        { name: 'lamp', file, activeLow: false, safe: 0 },
      ],
      silenceMsMax: 5_000,
    },
    {
      openAccess: noPins,
      timers: time,
      nowMs: time.nowMs,
      random: () => 0,
      onLevels: () => {},
      onFault: (name) => void faults.push(name),
      onSilence: () => {},
    },
  )
  return { guard, time, faults }
}

t.test(
  'the guard holds it beside pins that fail, sets it again each second, and makes it safe in silence',
  async (t) => {
    const file = fileOf(t)
    const { guard, time, faults } = guardOf(file)
    guard.start()
    await guard.safe()
    guard.drive([1, 1])
    await waitUntil('it is on', () => guard.levels[1] === 1)
    t.equal(text(file), '1\n')
    t.ok(faults.every((name) => name === 'relay'))
    writeFileSync(file, '0\n')
    for (let second = 0; second < 2; second++) {
      guard.drive([1, 1])
      await time.pass(1_000)
    }
    await waitUntil('it is on again', () => text(file) === '1\n')
    await time.pass(5_000)
    await waitUntil(
      'it is safe, and stays so without the guard',
      () => text(file) === '0\n' && guard.outlasts,
    )
    guard.drive([1, 1])
    await waitUntil('it is on, and would stay so', () => text(file) === '1\n' && !guard.outlasts)
    await guard.stop()
    t.equal(text(file), '0\n')
  },
)

t.test('a file that fails is tried again, also one in a directory that comes later', async (t) => {
  const directory = join(temporary(t), 'led')
  const file = join(directory, 'brightness')
  const { guard, time, faults } = guardOf(file)
  guard.start()
  await guard.safe()
  t.ok(faults.includes('lamp'))
  t.equal(existsSync(file), false)
  mkdirSync(directory)
  guard.drive([1, 1])
  await time.pass(2_000)
  guard.drive([1, 1])
  await waitUntil('it is on', () => existsSync(file) && text(file) === '1\n')
  await guard.stop()
})

t.test('pinledger outputs safe sets it without staying', async (t) => {
  const file = fileOf(t)
  writeFileSync(file, '1\n')
  const line = { name: 'lamp', file, activeLow: false, safe: 0 } as const
  t.strictSame(await setSafe([line], noPins), [{ line, kind: 'file', fault: undefined }])
  t.equal(text(file), '0\n')
})
