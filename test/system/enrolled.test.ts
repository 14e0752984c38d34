/** An enrolled network with real processes: an authority mines, admits an agent, which mines, and revokes it again. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { stringify } from 'yaml'
import { type Program, parsed, pinledger, run, temporary } from '../helpers/processes.ts'

/** Hashes of the first block: some four a second with two agents at a tenth of a core. */
const FIRST_WORK = '20000'

t.test(
  'an agent mines from its admission to its revocation, and rests before and after with a reason',
  async (t) => {
    const data = temporary(t)
    const path = (...names: string[]): string => join(data, ...names)
    const keys = await Promise.all(
      ['authority', 'member', 'validator'].map(async (name) => {
        mkdirSync(path(name), { mode: 0o700 })
        return (await run(t, ['keygen', path(name, 'key.json')])).out.trim()
      }),
    )
    const [authority = '', member = '', validator = ''] = keys
    const genesis = path('genesis.json')
    const founded = await run(t, [
      ...['genesis', '--preset', 'bench', '--name', 'lab', '--first-work', FIRST_WORK],
      ...['--authority', authority, '--out', genesis, '--json'],
    ])
    t.match(parsed(founded.out), { authorities: [authority], firstWork: Number(FIRST_WORK) })

    const broker = pinledger(t, [
      ...['broker', '--validator', validator, '--host', '127.0.0.1'],
      ...['--mqtt-port', '0', '--ws-port', '0', '--http-port', '0', '--json'],
    ])
    const listening = await broker.line('the broker listens', (line) => parsed(line)?.event === 'listening')
    const url = `mqtt://127.0.0.1:${String(parsed(listening)?.mqtt)}`
    const agent = (name: string): Program => {
      const config = { name, broker: { url }, data: path(name), genesis, mine: { threads: 1, duty: 0.1 } }
      writeFileSync(path(`${name}.yaml`), stringify(config))
      return pinledger(t, ['agent', '--config', path(`${name}.yaml`), '--json'])
    }
    const validating = pinledger(t, [
      ...['validator', '--name', 'v', '--data', path('validator'), '--genesis', genesis],
      ...['--broker', url, '--http-port', '0', '--json'],
    ])
    const watch = pinledger(t, ['watch', '--broker', url, '--json'])
    const outsider = agent('member')
    agent('authority')
    const block = (what: string, check: (height: number, miner: unknown) => boolean) =>
      watch.line(what, (line) => {
        const { event, height, miner } = parsed(line) ?? {}
        return event === 'block' && check(Number(height), miner)
      })
    const rests = (line: string): boolean =>
      parsed(line)?.event === 'not mining' && line.includes('not admitted')
    await block('the authority mines', (_, miner) => miner === 'authority')
    t.match(await outsider.line('the other rests', rests), `pinledger admit ${member}`)

    const say = (...args: string[]) => run(t, [...args, '--broker', url, '--json'])
    const key = ['--key', path('authority', 'key.json')]
    const admitted = await say('admit', member, ...key)
    t.equal(admitted.code, 0, admitted.out + admitted.err)
    const from = Number(parsed(admitted.out)?.height)
    await block('the member mines', (_, miner) => miner === 'member')
    const [members, again, foreign] = await Promise.all([
      say('members'),
      say('admit', member, ...key),
      say('revoke', authority, '--key', path('member', 'key.json')),
    ])
    t.match(JSON.parse(members.out), {
      views: [{ validator, authorities: [authority], count: 1, members: [{ account: member, since: from }] }],
    })
    t.equal(again.code, 1)
    t.match(parsed(again.out), { status: 'refused', reason: /^already-member: / })
    t.equal(foreign.code, 1)
    t.match(parsed(foreign.out), { status: 'refused', reason: /is no authority of network/ })

    const restsBefore = outsider.out.filter(rests).length
    const revoked = await say('revoke', member, ...key)
    t.equal(revoked.code, 0, revoked.out + revoked.err)
    const until = Number(parsed(revoked.out)?.height)
    await block('others go on', (height) => height >= until + 4)
    t.ok(outsider.out.filter(rests).length > restsBefore, 'it rests again')
    const mined = watch.out
      .map(parsed)
      .filter((line) => line?.event === 'block' && line.miner === 'member')
      .map((line) => Number(line?.height))
    t.ok(mined.length > 0)
    t.ok(
      mined.every((height) => height > from && height <= until),
      `mined ${mined.join(', ')}, admitted in ${from}, revoked in ${until}`,
    )

    for (const program of [validating, outsider]) program.child.kill('SIGINT')
    t.strictSame(await validating.ended, { code: 0, signal: null })
    const check = await run(t, ['verify', '--data', path('validator'), '--json'])
    t.equal(check.code, 0, check.out)
  },
)
