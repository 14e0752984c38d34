/** A disk in memory whose power fails, or which is full, at a write that the test chooses; what returned before stays. */
import type { LogFile } from '../../node/append-log.ts'
import type { Disk } from '../../node/disk.ts'
import { WorldError } from '../../node/error.ts'

export class PowerCut extends Error {}

function named(change: () => void): void {
  try {
    change()
  } catch (error) {
    throw new WorldError('store-write', String(error), error)
  }
}

export class MemoryDisk implements Disk {
  readonly files: Map<string, Uint8Array>
  /** Writes so far: appends, cuts, names. */
  writes = 0
  /** Bytes appended so far. */
  written = 0
  /** The write with this number fails, and every one after it. */
  failAt = Number.POSITIVE_INFINITY
  /** Of the failing append, so many bytes of a thousand arrive; a name that is changed by then is changed from 500 on. */
  arrives = 0
  error: () => Error = () => new PowerCut('the power fails')

  constructor(files: ReadonlyMap<string, Uint8Array> = new Map()) {
    this.files = new Map(files)
  }

  /** What is found when the power is back. */
  after(): MemoryDisk {
    return new MemoryDisk(this.files)
  }

  /** Whether it has these files, byte for byte; to compare them with a difference printed takes minutes. */
  holds(files: ReadonlyMap<string, Uint8Array>): boolean {
    const same = (name: string, bytes: Uint8Array): boolean => {
      const found = this.files.get(name)
      return found !== undefined && Buffer.compare(found, bytes) === 0
    }
    return this.files.size === files.size && [...files].every(([name, bytes]) => same(name, bytes))
  }

  list(): readonly string[] {
    return [...this.files.keys()]
  }

  open(name: string): LogFile {
    const disk = this
    let key = name
    if (!disk.files.has(name)) disk.files.set(name, new Uint8Array(0))
    const bytes = (): Uint8Array => {
      const found = disk.files.get(key) ?? disk.files.get(key.replace(/\.new$/, ''))
      if (found === undefined) throw new Error(`${key} is gone`)
      return found
    }
    return {
      path: name,
      get size() {
        return bytes().length
      },
      read(offset, length) {
        if (offset + length > bytes().length) throw new Error(`${name} ends before ${offset + length}`)
        return bytes().slice(offset, offset + length)
      },
      append(more) {
        const old = bytes()
        disk.#write(
          () => disk.files.set(key, Uint8Array.from(Buffer.concat([old, more]))),
          () => {
            const some = more.subarray(0, Math.floor((more.length * disk.arrives) / 1000))
            disk.files.set(key, Uint8Array.from(Buffer.concat([old, some])))
          },
        )
        disk.written += more.length
      },
      truncate(size) {
        if (size === bytes().length) return
        const shorter = bytes().slice(0, size)
        disk.#write(() => disk.files.set(key, shorter))
      },
      setAside(cut, offset) {
        disk.#write(() => disk.files.set(`${name}.cut-${offset}`, cut.slice()))
      },
      close() {
        key = name
      },
    }
  }

  rename(from: string, to: string): void {
    const bytes = this.files.get(from)
    if (bytes === undefined) throw new Error(`no ${from}`)
    named(() =>
      this.#write(() => {
        this.files.delete(from)
        this.files.set(to, bytes)
      }),
    )
  }

  remove(name: string): void {
    if (this.files.has(name)) named(() => this.#write(() => this.files.delete(name)))
  }

  #write(done: () => void, partly = () => void (this.arrives >= 500 && done())): void {
    if (this.writes++ >= this.failAt) {
      if (this.writes === this.failAt + 1) partly()
      throw this.error()
    }
    done()
  }
}
