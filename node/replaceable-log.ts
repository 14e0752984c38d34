/** A log file that can be rewritten: the new one is built beside it and renamed over it once it is whole. */
import { renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import type { LogFile } from './append-log.ts'
import { openLogFile, syncDirectory } from './disk.ts'
import { WorldError } from './error.ts'

export const replaceableLog = (
  path: string,
): { open(): LogFile; fresh(): { file: LogFile; commit(): void } } => ({
  open: () => openLogFile(path),
  fresh() {
    const draft = `${path}.new`
    rmSync(draft, { force: true })
    return {
      file: openLogFile(draft),
      commit() {
        try {
          renameSync(draft, path)
          syncDirectory(dirname(path))
        } catch (error) {
          throw new WorldError(
            'store-write',
            `cannot put ${draft} in the place of ${path}: ${String(error)}`,
            error,
          )
        }
      },
    }
  },
})
