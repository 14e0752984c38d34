/** Releases as `npm pack` makes them, and variants of one with another version and, if asked for, a fault. */
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ROOT } from '../../helpers/root.ts'
import type { Desk } from './desk.ts'

/** Packs what is built; the file, with its SHA-256 beside it. */
export async function pack(desk: Desk): Promise<string> {
  const folder = desk.path('release')
  mkdirSync(folder)
  // Without scripts: they would build anew what other tests are running.
  await desk.do('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], {
    cwd: ROOT,
  })
  const [name = ''] = readdirSync(folder)
  await addHash(desk, join(folder, name))
  return join(folder, name)
}

/** `release` as `version`; `prelude` is run before the program's own first line. */
export async function variant(desk: Desk, release: string, version: string, prelude = ''): Promise<string> {
  const folder = desk.path(`release-${version}`)
  mkdirSync(folder)
  await desk.do('tar', ['-xzf', release, '-C', folder])
  const file = join(folder, 'package', 'package.json')
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as object
  writeFileSync(file, JSON.stringify({ ...manifest, version }))
  if (prelude !== '') {
    const main = join(folder, 'package', 'dist', 'cli', 'main.js')
    const [hashbang, ...lines] = readFileSync(main, 'utf8').split('\n')
    writeFileSync(main, [hashbang, prelude, ...lines].join('\n'), { mode: 0o755 })
  }
  const packed = join(dirname(release), `pinledger-${version}.tgz`)
  await desk.do('tar', [
    '-C',
    folder,
    '--use-compress-program',
    'gzip -1',
    '-cf',
    `${packed}.part`,
    'package',
  ])
  renameSync(`${packed}.part`, packed)
  await addHash(desk, packed)
  return packed
}

async function addHash(desk: Desk, file: string): Promise<void> {
  writeFileSync(`${file}.sha256`, (await desk.do('sha256sum', [file])).out)
}
