/**
 * GPIO lines that are files, for a guard that runs as a process: `--access-module file-gpio.mjs?root=DIR&kind=gpiod`.
 *
 * `DIR/17` holds the level of GPIO 17 and the process that holds it. As in the kernel, a line of kind `gpiod` has one holder,
 * and nobody drives it once that has let go (no file) or has ended (`lineOf` looks); one of kind `sysfs` stays.
 */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const query = new URL(import.meta.url).searchParams
const root = query.get('root')
const kind = query.get('kind')

function isRunning(pid) {
  try {
    return !/\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return false // It has ended.
  }
}

export const openAccess = async () => ({
  kind,
  openInput: () => Promise.reject(new Error('outputs only')),
  async openOutput(bcm, { initial }) {
    const file = join(root, `${bcm}`)
    if (existsSync(join(root, 'broken'))) throw new Error(`GPIO ${bcm} is broken`)
    if (kind === 'gpiod' && existsSync(file) && isRunning(Number(readFileSync(file, 'utf8').split(' ')[1])))
      throw new Error(`GPIO ${bcm} is busy`)
    // In one step: who reads meanwhile sees a level, never an empty file.
    const set = (level) => {
      const next = `${file}.${process.pid}`
      writeFileSync(next, `${level} ${process.pid}`)
      renameSync(next, file)
    }
    set(initial)
    return {
      set: async (level) => set(level),
      close: async () => {
        if (kind === 'gpiod') rmSync(file)
      },
    }
  },
})
