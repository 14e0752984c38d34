/**
 * Files in the root of a FAT partition inside an image or a disk, through mtools: no mounting, so no root for an image.
 *
 * Contents go through pipes, never through temporary files: there are secrets among them.
 */
import { WorldError } from '../node/error.ts'
import { runCommand } from './command.ts'
import type { Partition } from './partition-table.ts'

/** Throws WorldError `child` that says what to install. */
export const checkMtools = (): Promise<unknown> => runCommand('mdir', ['-V'])

export class Fat {
  readonly #drive: string
  readonly #where: string

  constructor(path: string, { offsetBytes }: Partition) {
    // mtools ends the name at @@ and has no way to write one in it.
    if (path.includes('@@'))
      throw new WorldError('usage', `${path}: the name must not have @@ in it, rename the file`)
    this.#drive = `${path}@@${offsetBytes}`
    this.#where = `the boot partition of ${path}`
  }

  /** Content of a file; undefined when there is none. */
  async read(name: string): Promise<Buffer | undefined> {
    if (!(await this.has(name))) return undefined
    const { code, out, err } = await runCommand('mtype', ['-i', this.#drive, `::/${name}`])
    if (code !== 0) throw this.#failed(`read ${name} from`, err)
    return out
  }

  async has(name: string): Promise<boolean> {
    const { code } = await runCommand('mdir', ['-b', '-i', this.#drive, `::/${name}`])
    return code === 0
  }

  /** Replaces what is there. */
  async write(name: string, content: string): Promise<void> {
    const { code, err } = await runCommand('mcopy', ['-o', '-i', this.#drive, '-', `::/${name}`], content)
    if (code !== 0) throw this.#failed(`write ${name} to`, err)
  }

  async remove(name: string): Promise<void> {
    if (!(await this.has(name))) return
    const { code, err } = await runCommand('mdel', ['-i', this.#drive, `::/${name}`])
    if (code !== 0) throw this.#failed(`delete ${name} from`, err)
  }

  #failed(what: string, err: string): WorldError {
    const full = /disk full/i.test(err)
    return new WorldError(
      'store-write',
      `cannot ${what} ${this.#where}: ${err || 'mtools failed'}${full ? '. It is full: use an image as Raspberry Pi publishes it' : ''}`,
    )
  }
}
