import { type LogEntry, openAppendLog } from '../../node/append-log.ts'
import { openLogFile } from '../../node/disk.ts'

/** Puts a record at the end of a log, in a batch of its own, whatever it says; a log that is not there begins with it. */
export function appendTo(path: string, entry: LogEntry): void {
  const log = openAppendLog(openLogFile(path))
  log.append([entry])
  log.close()
}
