/** A proof of when something happened, read from a file. */
import { readFileSync } from 'node:fs'
import { WorldError } from '../node/error.ts'
import { MOMENT_BYTES_MAX } from '../schemas/moment.ts'

/** Throws WorldError `usage`. */
export function readMoment(file: string): Uint8Array {
  let bytes: Uint8Array
  try {
    bytes = readFileSync(file)
  } catch (error) {
    throw new WorldError('usage', `cannot read ${file}: ${String(error)}`, error)
  }
  if (bytes.length > MOMENT_BYTES_MAX)
    throw new WorldError(
      'usage',
      `${file} has ${bytes.length} bytes, a proof has at most ${MOMENT_BYTES_MAX}`,
    )
  return bytes
}
