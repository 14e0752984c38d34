/** docs/CLOCKCHAIN.md: its figures and plots are what its commands print and draw today. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type LabOptions, labCommand, PLOT_FILES } from '../../cli/clock-lab.ts'
import { temporary } from '../helpers/processes.ts'
import { fromRoot } from '../helpers/root.ts'

const text = readFileSync(fromRoot('docs/CLOCKCHAIN.md'), 'utf8')
const blocks = [...text.matchAll(/```\n\$ pinledger clock lab(.*)\n([^`]*)```/g)].map(
  ([, options = '', printed = '']) => ({ words: options.split(' ').filter((word) => word !== ''), printed }),
)

function lab(words: readonly string[], out?: string): string {
  const value = (name: string): string | undefined => {
    const at = words.indexOf(name)
    return at < 0 ? undefined : words[at + 1]
  }
  const ticks = value('--ticks')
  const options: LabOptions = {
    trace: value('--trace') ?? 'step',
    ...(ticks === undefined ? {} : { ticks: Number(ticks) }),
    ...(out === undefined ? {} : { out }),
    interval: 10,
    halfLife: 64,
    seed: 1,
    json: false,
  }
  let printed = ''
  labCommand(options, {
    out: (text) => {
      printed += text
    },
    err: () => {},
    nowMs: () => 0,
  })
  return printed
}
/** The table alone: what stands above and below it is the same every time. */
const tableOf = (printed: string): string => /^rule .*\n(?:.+\n)*/m.exec(printed)?.[0] ?? ''

t.test('the figures are what the commands above them print', async (t) => {
  t.equal(blocks.length, 3)
  for (const { words, printed } of blocks) {
    t.strictSame(
      words.filter((word) => word.startsWith('--') && word !== '--trace' && word !== '--ticks'),
      [],
      'options that this test knows',
    )
    t.not(tableOf(printed), '', words.join(' '))
    t.equal(tableOf(printed), tableOf(lab(words)), words.join(' '))
  }
})

t.test('the plots are what the command below them draws', async (t) => {
  const folder = temporary(t)
  t.match(text, 'node dist/cli/main.js clock lab --trace step --out docs/figures')
  lab(['--trace', 'step'], folder)
  for (const name of Object.values(PLOT_FILES)) {
    t.match(text, `](figures/${name})`)
    const committed = readFileSync(fromRoot('docs/figures', name), 'utf8')
    t.ok(committed === readFileSync(join(folder, name), 'utf8'), `${name}: run the command again`)
    t.ok(committed.length < 60_000)
  }
})
