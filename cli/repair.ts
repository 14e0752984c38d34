/** `pinledger repair`: makes a damaged ledger one that opens again, and says what it did. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { audit } from '../node/append-log.ts'
import { OUTBOX_FILE } from '../node/backup.ts'
import { openDataDir } from '../node/data-dir.ts'
import { type Disk, openDisk } from '../node/disk.ts'
import { WorldError } from '../node/error.ts'
import { repair } from '../node/repair.ts'
import { checkLedger } from './ledgers.ts'

export function repairCommand(
  { data, json }: { data: string; json: boolean },
  now: Date,
  out: (text: string) => void,
): void {
  if (!existsSync(data)) throw new WorldError('usage', `no directory ${data}: see --data`)
  // An outbox can be damaged where there is no ledger yet.
  if (!existsSync(join(data, OUTBOX_FILE))) checkLedger(data)
  const dir = openDataDir(data)
  try {
    const at = now.toISOString().replace(/[-:]/g, '').slice(0, 15)
    const disk = openDisk(dir.path)
    const before = new Set(disk.list())
    const { steps: done, height } = repair(disk, at)
    const pieces = disk.list().filter((name) => name.includes('.cut-') && !before.has(name))
    const cut = pieces.map((name) => `the last write was not whole: it was cut off and kept as ${name}`)
    const steps = [...done, ...cut, ...repairOutbox(disk, at)]
    if (json) out(`${JSON.stringify({ steps, height: height ?? null })}\n`)
    else {
      for (const step of steps) out(`${step}\n`)
      out(
        height === undefined
          ? 'no ledger is left: the next start needs --genesis FILE and fetches everything from its peers\n'
          : `${steps.length === 0 ? 'nothing to repair: ' : ''}the ledger opens at height ${height}\n`,
      )
    }
  } finally {
    dir.close()
  }
}

/** Moves a damaged outbox aside: without it an agent goes on where the ledger says. */
function repairOutbox(disk: Disk, at: string): string[] {
  if (!disk.list().includes(OUTBOX_FILE)) return []
  const file = disk.open(OUTBOX_FILE)
  let why: string | undefined
  try {
    for (const read of audit(file))
      if (!read.ok && !read.fault.unfinished)
        why ??= `record ${read.fault.record} at offset ${read.fault.position}: ${read.fault.message} (${read.fault.code})`
  } finally {
    file.close()
  }
  if (why === undefined) return []
  disk.rename(OUTBOX_FILE, `${OUTBOX_FILE}.damaged-${at}`)
  return [
    `${OUTBOX_FILE} was moved to ${OUTBOX_FILE}.damaged-${at}: ${why}`,
    'readings and payments that were not yet in a block are not sent again',
  ]
}
