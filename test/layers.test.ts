/** Imports follow the arrows of docs/ARCHITECTURE.md. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import t from 'tap'
import { ROOT } from './helpers/root.ts'

const PURE =
  /\b(Date\.now|new Date\b|process\.|Math\.random|performance\.|setTimeout|setInterval|Buffer\b|console\.)/

/** What each folder may import besides itself. */
const MAY: Record<string, { folders: readonly string[]; packages: readonly RegExp[] }> = {
  schemas: { folders: [], packages: [/^zod$/, /^@noble\//] },
  ledger: { folders: ['schemas'], packages: [/^@noble\//] },
  node: {
    folders: ['ledger', 'schemas'],
    packages: [/^node:/, /^zod$/, /^yaml$/, /^mqtt$/, /^prom-client$/, /^@noble\//],
  },
  broker: {
    folders: ['node', 'ledger', 'schemas'],
    packages: [/^node:/, /^zod$/, /^aedes/, /^ws$/, /^prom-client$/],
  },
  'edge-agent': {
    folders: ['node', 'ledger', 'schemas'],
    packages: [/^node:/, /^zod$/, /^yaml$/, /^onoff$/],
  },
  sim: { folders: ['node', 'ledger', 'schemas', 'edge-agent'], packages: [/^node:/] },
  'firmware-config': { folders: ['node', 'schemas'], packages: [/^node:/, /^zod$/, /^yaml$/] },
  cli: {
    folders: ['node', 'ledger', 'schemas', 'broker', 'edge-agent', 'firmware-config', 'sim'],
    packages: [/^node:/, /^zod$/, /^yaml$/, /^commander$/],
  },
  bench: { folders: ['node', 'ledger', 'schemas', 'broker', 'edge-agent', 'sim'], packages: [/.*/] },
}

const files = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name))

const imports = (source: string): string[] =>
  [...source.matchAll(/(?:^|\n)(?:import|export)\b[^'"]*?from '([^']+)'|\bimport\('([^']+)'\)/g)].map(
    (match) => match[1] ?? match[2] ?? '',
  )

for (const [folder, { folders, packages }] of Object.entries(MAY)) {
  t.test(`${folder} imports only ${[...folders, 'what it may'].join(', ')}`, async (t) => {
    for (const file of files(folder)) {
      const source = readFileSync(join(ROOT, file), 'utf8')
      for (const name of imports(source)) {
        if (name.startsWith('.')) {
          const target = normalize(join(dirname(file), name)).split('/')[0] ?? ''
          t.ok(target === folder || folders.includes(target), `${file} imports ${name}`)
        } else
          t.ok(
            packages.some((pattern) => pattern.test(name)),
            `${file} imports ${name}`,
          )
      }
    }
  })
}

t.test('schemas and ledger know no clock, disk, socket or randomness', async (t) => {
  for (const file of [...files('schemas'), ...files('ledger')]) {
    const code = readFileSync(join(ROOT, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
    t.notMatch(code, PURE, file)
  }
})

t.test('one file names onoff, one imports the MQTT client', async (t) => {
  const naming = (pattern: RegExp) =>
    Object.keys(MAY)
      .filter((folder) => folder !== 'bench')
      .flatMap(files)
      .filter((file) => pattern.test(readFileSync(join(ROOT, file), 'utf8')))
  t.strictSame(naming(/'onoff'/), ['edge-agent/gpio/onoff.ts'])
  t.strictSame(naming(/from 'mqtt'/), ['node/connection.ts'])
})
