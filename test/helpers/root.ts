/** The repository, for tests that read what is not compiled: vectors, documents, scripts, the built program. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Looked for, because tests run from `build/`, not from where they are written. */
function repository(): string {
  let folder = import.meta.dirname
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  return folder
}

export const ROOT = repository()

/** A path below the repository's root. */
export const fromRoot = (...parts: readonly string[]): string => join(ROOT, ...parts)
