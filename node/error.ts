/**
 * The world failed: a disk, a port, a file, a broker. `code` is for programs, the message for people: what
 * failed, which one, and what to do.
 */
export type ErrorCode =
  | 'config'
  | 'key-file'
  | 'store-corrupt'
  | 'store-write'
  | 'store-locked'
  | 'port-in-use'
  | 'broker-unreachable'
  | 'child'
  | 'sensor'
  | 'usage'

export class WorldError extends Error {
  readonly code: ErrorCode
  constructor(code: ErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'WorldError'
    this.code = code
  }
}
