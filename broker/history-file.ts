/**
 * Where a validator keeps what sensors were like on earlier days: `quality.json` in its data directory. Advice, so nothing waits for it
 * and a broken one only begins anew.
 */
import { readFileSync } from 'node:fs'
import { replaceFileDurably } from '../node/disk.ts'
import type { Log } from '../node/log.ts'
import { type SavedHistory, savedHistory } from './quality-history.ts'

export interface HistoryFile {
  /** Undefined: there is none, or none that can be read. */
  load(): SavedHistory | undefined
  save(history: SavedHistory): void
}

export function historyFile(path: string, log: Log): HistoryFile {
  return {
    load() {
      let text: string
      try {
        text = readFileSync(path, 'utf8')
      } catch {
        // The first start.
        return undefined
      }
      try {
        return savedHistory.parse(JSON.parse(text))
      } catch (error) {
        log.warn('the earlier days of sensors are lost: their file cannot be read', {
          file: path,
          error: String(error),
        })
        return undefined
      }
    },
    save(history) {
      try {
        replaceFileDurably(path, Buffer.from(JSON.stringify(history)))
      } catch (error) {
        log.warn('the earlier days of sensors are not kept', { file: path, error: String(error) })
      }
    },
  }
}
