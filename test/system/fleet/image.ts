/** The image that all guests are flashed with, kept between runs under the hash of what makes it. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fromRoot } from '../../helpers/root.ts'

const HERE = 'test/system/fleet'
const NAME = 'raspios.img'
const MINUTES_MS_MAX = 15 * 60_000

export interface Image {
  readonly image: string
  /** Its SHA-256, as sha256sum writes it. */
  readonly hashFile: string
  /** A folder of packages for sites without internet. */
  readonly packages: string
  readonly isNew: boolean
}

/** Makes it when it is missing, in some two minutes; throws with what the scripts said. */
export function cachedImage(): Image {
  const scripts = ['root.sh', 'image.sh'].map((name) => fromRoot(HERE, name))
  const digest = createHash('sha256')
  for (const source of [...scripts, fromRoot(HERE, 'image.ts')]) digest.update(readFileSync(source))
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'pinledger', 'fleet')
  const folder = join(cache, digest.digest('hex').slice(0, 16))
  const isNew = !existsSync(folder)
  if (isNew) {
    // A folder has its name only once it is whole; older recipes and torn runs go.
    mkdirSync(cache, { recursive: true })
    for (const name of readdirSync(cache)) rmSync(join(cache, name), { recursive: true, force: true })
    const partial = `${folder}.${process.pid}`
    mkdirSync(partial)
    const [root = '', image = ''] = scripts
    bash(root, partial)
    bash(image, join(partial, 'root.tar'), join(partial, NAME))
    rmSync(join(partial, 'root.tar'))
    const hash = createHash('sha256')
      .update(readFileSync(join(partial, NAME)))
      .digest('hex')
    writeFileSync(join(partial, `${NAME}.sha256`), `${hash}  ${NAME}\n`)
    renameSync(partial, folder)
  }
  return {
    image: join(folder, NAME),
    hashFile: join(folder, `${NAME}.sha256`),
    packages: join(folder, 'packages'),
    isNew,
  }
}

function bash(...args: string[]): void {
  const { status, stderr, error } = spawnSync('bash', args, { encoding: 'utf8', timeout: MINUTES_MS_MAX })
  if (status !== 0) throw new Error(`${args.join(' ')}: ${error?.message ?? stderr.slice(-2_000)}`)
}
