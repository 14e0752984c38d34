/** `pinledger repair`: makes a damaged ledger one that opens again, and says what it did. */
import { existsSync } from 'node:fs'
import { openDataDir } from '../node/data-dir.ts'
import { openDisk } from '../node/disk.ts'
import { WorldError } from '../node/error.ts'
import { repair } from '../node/repair.ts'

export function repairCommand(
  { data, json }: { data: string; json: boolean },
  now: Date,
  out: (text: string) => void,
): void {
  if (!existsSync(data)) throw new WorldError('usage', `no directory ${data}: see --data`)
  const dir = openDataDir(data)
  try {
    const at = now.toISOString().replace(/[-:]/g, '').slice(0, 15)
    const { steps, height } = repair(openDisk(dir.path), at)
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
