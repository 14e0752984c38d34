/**
 * The tests of one folder in one process. Starting a process for each of many small files takes longer than what they test;
 * those of the pure parts have nothing that one of them could leave behind for another.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** `folder` is below test/, beside the compiled caller. */
export async function together(folder: string): Promise<void> {
  const directory = join(import.meta.dirname, '..', folder)
  const files = readdirSync(directory).filter((name) => /(?<!\.slow)\.test\.js$/.test(name))
  if (files.length === 0) throw new Error(`no tests in ${directory}`)
  for (const file of files) await import(pathToFileURL(join(directory, file)).href)
}
