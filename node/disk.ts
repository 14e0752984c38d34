/**
 * Files that survive a power cut: the logs of a data directory, a file that is created whole or not at all.
 *
 * A new file's name is durable only once its directory is synced, so both functions do that. Files are the
 * owner's alone (mode 0600); Node opens every file with O_CLOEXEC, so that no child process inherits them.
 */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statfsSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { invariant } from '../schemas/result.ts'
import type { LogFile } from './append-log.ts'
import { type ErrorCode, WorldError } from './error.ts'

/**
 * The logs of one data directory. What `open`, `rename` and `remove` did is durable when they return; each may throw, and
 * has then happened or not, but never by half.
 */
export interface Disk {
  /** Names of all files, in no order. */
  list(): readonly string[]
  /** Opens a file, an empty one if there is none. */
  open(name: string): LogFile
  /** Gives a file another name, also that of a file that is there, which is then gone. */
  rename(from: string, to: string): void
  /** Does nothing when there is no such file. */
  remove(name: string): void
}

const OWNER_ONLY = 0o600

/** A directory as a disk; it is made when there is none. Its methods throw WorldError `store-write`. */
export function openDisk(directory: string): Disk {
  attempt(`make ${directory}`, () => {
    if (mkdirSync(directory, { recursive: true, mode: 0o700 }) !== undefined)
      syncDirectory(dirname(directory))
  })
  return {
    ...openDiskReadOnly(directory),
    open: (name) => openLogFile(join(directory, name)),
    rename: (from, to) =>
      attempt(`rename ${join(directory, from)} to ${to}`, () => {
        renameSync(join(directory, from), join(directory, to))
        syncDirectory(directory)
      }),
    remove: (name) =>
      attempt(`remove ${join(directory, name)}`, () => {
        rmSync(join(directory, name), { force: true })
        syncDirectory(directory)
      }),
  }
}

/**
 * A directory to look at, also while another process writes there: `truncate` only hides the end of a file from this reader,
 * and everything else that writes is a bug of the caller. Opening what is not there throws WorldError `usage`.
 */
export function openDiskReadOnly(directory: string): Disk {
  const refuse = () => invariant(false, `${directory} is open for reading only`)
  return {
    list: () =>
      readdirSync(directory, { withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ name }) => name),
    open: (name) => hideable(openLogFileReadOnly(join(directory, name))),
    rename: refuse,
    remove: refuse,
  }
}

function hideable(file: LogFile): LogFile {
  let { size } = file
  const truncate = (to: number): void => {
    size = to
  }
  return Object.defineProperty({ ...file, truncate }, 'size', { get: () => size })
}

function attempt(what: string, action: () => void): void {
  try {
    action()
  } catch (error) {
    throw new WorldError('store-write', `cannot ${what}: ${reason(error)}`, error)
  }
}

/**
 * Opens a log's file for reading and appending, and makes it when there is none. What is cut off from it stays beside it, as
 * `<file>.cut-<offset>`. Throws WorldError `store-write`.
 */
export function openLogFile(path: string): LogFile {
  const file = open(path, constants.O_RDWR | constants.O_CREAT, 'store-write')
  try {
    // Also for a file that was there: who made it may have been killed before its name was durable.
    syncDirectory(dirname(path))
  } catch (error) {
    file.close()
    throw error
  }
  const setAside = (bytes: Uint8Array, offset: number): void => {
    const copy = open(
      `${path}.cut-${offset}`,
      constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC,
      'store-write',
    )
    try {
      attempt(`write ${copy.path}`, () => copy.append(bytes))
    } finally {
      copy.close()
    }
    syncDirectory(dirname(path))
  }
  return Object.defineProperty({ ...file, setAside }, 'size', { get: () => file.size })
}

/**
 * Opens a log's file to look at: it is never made, and appending or cutting is a bug of the caller. Throws
 * WorldError `usage` when there is no such file.
 */
export function openLogFileReadOnly(path: string): LogFile {
  const refuse = () => invariant(false, `${path} is open for reading only`)
  return { ...open(path, constants.O_RDONLY, 'usage'), append: refuse, truncate: refuse }
}

function open(path: string, flags: number, code: ErrorCode): LogFile {
  let fd: number
  try {
    fd = openSync(path, flags | constants.O_NONBLOCK, OWNER_ONLY) // a FIFO must not hang us
  } catch (error) {
    throw new WorldError(code, `cannot open ${path}: ${reason(error)}`, error)
  }
  const stat = fstatSync(fd)
  if (!stat.isFile()) {
    closeSync(fd)
    throw new WorldError(code, `cannot open ${path}: it is not a regular file`)
  }
  let size = stat.size
  return {
    path,
    get size() {
      return size
    },
    read: (offset, length, into) => readExactly(path, fd, offset, into ?? Buffer.allocUnsafe(length)),
    append(bytes) {
      let done = 0
      try {
        while (done < bytes.length) done += writeSync(fd, bytes, done, bytes.length - done, size + done)
        fdatasyncSync(fd)
      } catch (error) {
        throw withRoom(path, error, done)
      }
      size += bytes.length
    },
    truncate(to) {
      ftruncateSync(fd, to)
      fdatasyncSync(fd)
      size = to
    },
    close: () => closeSync(fd),
  }
}

/** For a full disk the error says what is free on it, the first `taken` bytes of the failed write counted as free. */
function withRoom(path: string, error: unknown, taken: number): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error
  try {
    const { bavail, bsize } = statfsSync(dirname(path))
    return new Error(`${reason(error)}, ${bavail * bsize + taken} bytes are free`, { cause: error })
  } catch {
    // A disk that does not even tell this: the first error says enough.
    return error
  }
}

/** Fills `bytes` from `offset` on. */
function readExactly(path: string, fd: number, offset: number, bytes: Uint8Array): Uint8Array {
  const { length } = bytes
  let done = 0
  while (done < length) {
    let count = 0
    let why: unknown = 'the file ends there'
    try {
      count = readSync(fd, bytes, done, length - done, offset + done)
    } catch (error) {
      why = error
    }
    if (count === 0) {
      throw new WorldError(
        'store-corrupt',
        `cannot read ${path} at offset ${offset + done}: ${reason(why)}. Check the disk (dmesg), restore the file from a backup`,
        why,
      )
    }
    done += count
  }
  return bytes
}

/**
 * Creates a file with all its bytes or not at all, durably; never replaces one. Throws the system's own error,
 * with code EEXIST when `path` is taken.
 */
export function createFileDurably(path: string, bytes: Uint8Array): void {
  const draft = `${path}.${randomBytes(6).toString('hex')}.tmp`
  const fd = openSync(draft, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, OWNER_ONLY)
  try {
    try {
      writeFileSync(fd, bytes)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    linkSync(draft, path) // a rename would replace what is there
  } finally {
    unlinkSync(draft)
  }
  syncDirectory(dirname(path))
}

/** Puts a file in the place of another, or of none: a reader finds the old one or the new one, also after a crash. */
export function replaceFileDurably(path: string, bytes: Uint8Array): void {
  const draft = `${path}.new`
  const fd = openSync(draft, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC, OWNER_ONLY)
  try {
    writeFileSync(fd, bytes)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(draft, path)
  syncDirectory(dirname(path))
}

/** Makes the names in a directory durable. */
export function syncDirectory(path: string): void {
  const fd = openSync(path, constants.O_RDONLY)
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error))
