/**
 * A machine's disk: it survives crashes of its process, can crash it at any write, and can be full.
 *
 * What returned from a write is durable. A write during which the power fails leaves a prefix of what was written,
 * some of its last sectors zero, or all of it, without anybody having been told.
 */
import type { LogFile } from '../node/append-log.ts'
import type { Rng } from './random.ts'

/** Thrown out of a write when the power fails; only the simulation catches it. */
export class PowerCut extends Error {}

const SECTOR_BYTES = 512

class SimFile {
  bytes = Buffer.alloc(4096)
  size = 0

  append(bytes: Uint8Array): void {
    if (this.size + bytes.length > this.bytes.length) {
      const larger = Buffer.alloc(2 * (this.size + bytes.length))
      this.bytes.copy(larger, 0, 0, this.size)
      this.bytes = larger
    }
    this.bytes.set(bytes, this.size)
    this.size += bytes.length
  }
}

export class SimDisk {
  readonly #random: Rng
  readonly #files = new Map<string, SimFile>()
  /** Handles of an earlier process no longer write. */
  #process = 0
  #writesUntilCut = Number.POSITIVE_INFINITY
  full = false
  /** Bytes written so far. */
  written = 0

  constructor(random: Rng) {
    this.#random = random
  }

  /** The power fails during the write after `writes` more. */
  cutAfter(writes: number): void {
    this.#writesUntilCut = writes
  }

  /** The process has died; the next one opens the files anew. */
  restart(): void {
    this.#process++
    this.#writesUntilCut = Number.POSITIVE_INFINITY
  }

  list(): readonly string[] {
    return [...this.#files.keys()].sort()
  }

  remove(name: string): void {
    this.#changing(() => this.#files.delete(name))
  }

  rename(from: string, to: string): void {
    this.#changing(() => {
      const file = this.#files.get(from)
      if (file === undefined) throw Object.assign(new Error(`no file ${from}`), { code: 'ENOENT' })
      this.#files.delete(from)
      this.#files.set(to, file)
    })
  }

  /** Opens a file, an empty one if there is none. */
  open(name: string): LogFile {
    const file = this.#files.get(name) ?? new SimFile()
    this.#files.set(name, file)
    const process = this.#process
    const alive = (): void => {
      if (process !== this.#process) throw new PowerCut(`${name} belongs to a dead process`)
    }
    return {
      path: name,
      get size() {
        return file.size
      },
      read: (offset, length) => {
        alive()
        if (offset + length > file.size) throw new Error(`${name} ends before ${offset + length}`)
        return file.bytes.subarray(offset, offset + length)
      },
      append: (bytes) => {
        alive()
        if (this.full) {
          // A full disk takes what still fits.
          file.append(bytes.subarray(0, this.#random.whole(0, bytes.length - 1)))
          throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
        }
        this.written += bytes.length
        if (this.#writesUntilCut-- > 0) file.append(bytes)
        else {
          file.append(this.#torn(bytes))
          throw new PowerCut(`power cut while ${bytes.length} bytes were written to ${name}`)
        }
      },
      truncate: (size) => {
        alive()
        file.size = Math.min(size, file.size)
      },
      close: () => {},
    }
  }

  #changing(change: () => void): void {
    if (this.#writesUntilCut-- > 0) {
      change()
      return
    }
    if (this.#random.chance(0.5)) change()
    throw new PowerCut('power cut while a directory was changed')
  }

  #torn(bytes: Uint8Array): Uint8Array {
    // A copy: the slice of a Buffer is a view of it, and what is written here may be a constant of the program.
    const kept = new Uint8Array(bytes.subarray(0, this.#random.whole(0, bytes.length)))
    if (this.#random.chance(0.3)) {
      // The file grew before the data was there.
      const from = Math.floor(this.#random.between(0, kept.length) / SECTOR_BYTES) * SECTOR_BYTES
      kept.fill(0, from)
    }
    return kept
  }
}
