/**
 * The simulator: seeds that must pass, and rules broken on purpose that it must notice.
 *
 * Runs the built program, in two processes at once.
 */
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { z } from 'zod'
import { INVARIANTS } from '../../sim/invariants.ts'
import { ROOT } from '../helpers/root.ts'
import { MUTATIONS, type Mutation } from './mutations.ts'

const run = promisify(execFile)

/** They take what others leave of the processors, so they may take long; none of them ends a run that is still of use. */
const PATIENCE_MS = 3_000_000

const line = z.object({
  seed: z.int(),
  height: z.int(),
  final: z.int(),
  digest: z.string(),
  speed: z.number(),
  deepest: z.int(),
  violation: z.object({ invariant: z.string(), message: z.string(), node: z.string() }).optional(),
})
type Line = z.infer<typeof line>

/** `pinledger sim` with these arguments; the lines that it printed, also when it found something. */
async function sim(dist: string, ...args: readonly string[]): Promise<Line[]> {
  const command = [join(dist, 'cli/main.js'), 'sim', '--json', ...args]
  const { stdout } = await run(process.execPath, command, { maxBuffer: 64 << 20 }).catch((error: unknown) => {
    const { stdout, code } = z.object({ stdout: z.string(), code: z.literal(1) }).parse(error)
    return { stdout, code }
  })
  return stdout
    .trim()
    .split('\n')
    .map((text) => line.parse(JSON.parse(text)))
}

const dist = join(ROOT, 'dist')
const faultOf = ({ seed, violation }: Line): string | undefined =>
  violation && `seed ${seed}: ${violation.invariant} at ${violation.node}: ${violation.message}`

t.test('200 seeds of 30 minutes and 3 of a day pass, 20 nodes under all faults', async (t) => {
  t.setTimeout(PATIENCE_MS)
  const [first, second] = await Promise.all([
    (async () => [
      ...(await sim(dist, '--seed', '1', '--seeds', '115')),
      ...(await sim(dist, '--seed', '1002', '--hours', '24')),
    ])(),
    (async () => [
      ...(await sim(dist, '--seed', '116', '--seeds', '85')),
      ...(await sim(dist, '--seed', '1003', '--seeds', '2', '--hours', '24')),
    ])(),
  ])
  const lines = [...first, ...second]
  t.strictSame(
    lines.flatMap((each) => faultOf(each) ?? []),
    [],
  )
  t.equal(lines.length, 203)
  t.ok(
    lines.some(({ deepest }) => deepest >= 6),
    'there were deep reorganisations among them',
  )
  t.ok(
    lines.some(({ final }) => final >= 100),
    'there were final blocks among them',
  )
})

t.test('a seed runs the same way twice', async (t) => {
  t.setTimeout(120_000)
  const [once, again] = await Promise.all([sim(dist, '--seed', '12'), sim(dist, '--seed', '12')])
  t.equal(once[0]?.digest, again[0]?.digest)
  t.not(once[0]?.digest, (await sim(dist, '--seed', '13'))[0]?.digest)
})

/** The built program with one rule broken, below node_modules so that it finds its packages. */
function mutant({ file, find, replace }: Mutation, index: number): string {
  const folder = join(ROOT, 'node_modules/.cache/pinledger-mutants', String(index))
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  cpSync(dist, join(folder, 'dist'), { recursive: true, filter: (name) => !name.endsWith('.map') })
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  const path = join(folder, 'dist', file)
  const source = readFileSync(path, 'utf8')
  const parts = source.split(find)
  if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times: ${find}`)
  writeFileSync(path, parts.join(replace))
  return join(folder, 'dist')
}

t.test('there is a broken rule for each invariant', async (t) => {
  const broken = new Set(MUTATIONS.flatMap(({ invariants }) => invariants))
  t.strictSame(
    INVARIANTS.filter((name) => !broken.has(name)),
    [],
  )
})

t.test('each broken rule is noticed within 200 seeds', async (t) => {
  t.setTimeout(PATIENCE_MS)
  const table = readFileSync(join(ROOT, 'docs/SIMULATOR.md'), 'utf8')
  const left = [...MUTATIONS.entries()]
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [index, mutation] = next
      const lines = await sim(mutant(mutation, index), '--seed', '1', '--seeds', '200')
      const last = lines.at(-1)
      const found = last?.violation?.invariant
      t.ok(
        mutation.invariants.some((each) => each === found),
        `${mutation.name}: ${found ?? 'not noticed'} at seed ${last?.seed}`,
      )
      const row = `| ${mutation.name} | ${mutation.invariants.map((each) => `\`${each}\``).join(', ')} |`
      t.ok(table.includes(row), `docs/SIMULATOR.md has the row ${row}`)
    }
  }
  await Promise.all([work(), work()])
  rmSync(join(ROOT, 'node_modules/.cache/pinledger-mutants'), { recursive: true, force: true })
})
