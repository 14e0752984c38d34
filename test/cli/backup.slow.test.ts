/** The commands around a data directory, as a person calls them, while another store has it open. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openDisk } from '../../node/disk.ts'
import { writeGenesis } from '../../node/genesis-file.ts'
import { createKey } from '../../node/key-file.ts'
import { longChain, SMALL, storeOf } from '../helpers/long-chain.ts'
import { run, temporary } from '../helpers/processes.ts'

const long = longChain(400)
const { chain } = long.test

t.test('backup, restore, snapshot and repair on a directory', async (t) => {
  const root = temporary(t)
  const at = (name: string): string => join(root, name)
  mkdirSync(at('data'))
  createKey(join(at('data'), 'key.json'))
  writeGenesis(at('genesis.json'), long.genesis)
  const store = storeOf(openDisk(at('data')), long, { ...SMALL, windowBlocks: 10_000 })
  t.teardown(() => store.close())

  const results = await Promise.all([
    run(t, ['backup', '--data', at('data'), '--to', at('copy')]),
    run(t, ['backup', '--data', at('data'), '--to', at('safe'), '--with-key', '--json']),
    run(t, ['snapshot', 'export', '--data', at('data'), '--out', at('lab.snapshot'), '--json']),
  ])
  for (const { code, err } of results) t.equal(code, 0, err)
  t.match(results[0]?.out, /2 files, \d+ bytes, a ledger of height 400, without a key/)
  t.notOk(existsSync(join(at('copy'), 'key.json')))
  t.equal(statSync(join(at('safe'), 'key.json')).mode & 0o777, 0o600)
  t.match(JSON.parse(results[2]?.out ?? ''), { height: 256, hash: chain.at(256)?.hash })
  t.equal(statSync(at('lab.snapshot')).mode & 0o777, 0o600)

  const damaged = join(at('copy'), 'chain-0000000256.log')
  const bytes = readFileSync(damaged)
  bytes[60_000] = (bytes[60_000] ?? 0) ^ 1
  writeFileSync(damaged, bytes)
  const again = await Promise.all([
    run(t, ['restore', '--from', at('safe'), '--data', at('back'), '--json']),
    run(t, ['restore', '--from', at('safe'), '--data', at('data')]),
    run(t, ['backup', '--data', at('data'), '--to', at('copy')]),
    run(t, ['snapshot', 'import', at('lab.snapshot'), '--data', at('new'), '--genesis', at('genesis.json')]),
    run(t, ['snapshot', 'import', at('lab.snapshot'), '--data', at('other'), '--hash', chain.tip.hash]),
    run(t, ['snapshot', 'export', '--data', at('data'), '--out', at('lab.snapshot')]),
    run(t, ['repair', '--data', at('copy')]),
  ])
  t.strictSame(
    again.map(({ code }) => code),
    [0, 2, 2, 0, 2, 2, 0],
  )
  t.match(JSON.parse(again[0]?.out ?? ''), { height: 400, key: true })
  t.match(again[1]?.err, /not empty/)
  t.match(again[3]?.out, /height 256\n {2}block [0-9a-f]{64}.*Compare/s)
  t.match(again[4]?.err, /refused: it is of block/)
  t.match(again[5]?.err, /is there already/)
  t.match(again[6]?.out, /moved to chain-0000000256.log.damaged-.*the ledger opens at height 256/s)
  t.ok(readdirSync(at('copy')).some((name) => name.includes('.damaged-')))

  const outbox = Buffer.alloc(200, 7)
  writeFileSync(join(at('back'), 'outbox.log'), outbox)
  const tail = readFileSync(join(at('back'), 'chain-0000000256.log'))
  tail[tail.length - 3] = (tail.at(-3) ?? 0) ^ 1
  writeFileSync(join(at('back'), 'chain-0000000256.log'), tail)
  const [mended, ...wrong] = await Promise.all([
    run(t, ['repair', '--data', at('back')]),
    run(t, ['repair', '--data', root]),
    run(t, ['backup', '--data', root, '--to', at('whole')]),
    run(t, ['snapshot', 'export', '--data', root, '--out', at('whole')]),
  ])
  const nothing = await run(t, ['restore', '--from', root, '--data', at('whole')])
  t.match(nothing, { code: 2, err: /no backup in .*: see --from/ })
  t.notOk(existsSync(at('whole')), 'nothing is left behind')
  t.match(mended, { code: 0, out: /outbox.log was moved to outbox.log.damaged-.*opens at height 399/s })
  t.match(mended.out, 'the last write was not whole: it was cut off and kept as chain-0000000256.log.cut-')
  for (const { code, err } of wrong) {
    t.equal(code, 2)
    t.match(err, /no ledger in .*: name one program's directory, such as --data /, 'a directory of several')
  }

  const verified = await run(t, ['verify', '--data', at('new')])
  t.match(verified.out, /ok\n {2}height 256/)
  t.match(verified.out, /blocks up to 256 were deleted/)
})
