import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { replaceableLog } from '../../node/replaceable-log.ts'
import { temporary } from '../helpers/processes.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

t.test('the new file takes the place of the old one when it is committed, and not before', (t) => {
  const path = join(temporary(t), 'outbox.log')
  const log = replaceableLog(path)
  const old = log.open()
  old.append(bytes('old'))
  const fresh = log.fresh()
  fresh.file.append(bytes('new'))
  t.equal(readFileSync(path, 'utf8'), 'old', 'a crash here leaves the old one')
  fresh.commit()
  t.equal(readFileSync(path, 'utf8'), 'new')
  t.equal(existsSync(`${path}.new`), false)
  fresh.file.append(bytes('er'))
  t.equal(readFileSync(path, 'utf8'), 'newer', 'the file stays open under its new name')
  old.close()
  fresh.file.close()
  t.end()
})

t.test('what an earlier crash left half built is thrown away', (t) => {
  const path = join(temporary(t), 'outbox.log')
  writeFileSync(`${path}.new`, 'half')
  const fresh = replaceableLog(path).fresh()
  t.equal(fresh.file.size, 0)
  fresh.file.close()
  t.end()
})
