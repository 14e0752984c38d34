/**
 * The tests of whole folders in one process. Starting a process for each of many small files takes longer than what they test;
 * they leave nothing behind for each other.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** `folders` are below test/, compiled. */
export async function together(...folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    const directory = join(import.meta.dirname, '..', folder)
    const files = readdirSync(directory).filter((name) => /(?<!\.slow)\.test\.js$/.test(name))
    if (files.length === 0) throw new Error(`no tests in ${directory}`)
    for (const file of files) await import(pathToFileURL(join(directory, file)).href)
  }
}
