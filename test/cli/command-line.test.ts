/** Help and wrong usage, in this process: starting one for each of these would take a minute. */
import t from 'tap'
import { runCommandLine } from '../../cli/command-line.ts'

const COMMANDS = [
  ...['up', 'broker', 'validator', 'agent', 'keygen', 'account', 'pay', 'watch', 'verify'],
  ...['genesis', 'admit', 'revoke', 'members', 'clock'],
  ...['market', 'split', 'buy', 'snapshot', 'repair', 'backup', 'restore'],
  ...['sim', 'clock', 'doctor', 'firmware', 'flash', 'outputs'],
]
const ACCOUNT = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'

const LAMP = ['buy', 'output', 'lamp', '--key', 'k', '--of', 'a']

async function run(args: readonly string[]) {
  const said = { out: '', err: '' }
  const code = await runCommandLine(args, {
    writeOut: (text) => {
      said.out += text
    },
    writeErr: (text) => {
      said.err += text
    },
  })
  return { ...said, code }
}

t.test('help on every level has an example and the exit codes', async (t) => {
  const top = await run(['--help'])
  for (const command of COMMANDS) t.match(top.out, new RegExp(`^ {2}${command} `, 'm'))
  for (const command of ['', ...COMMANDS]) {
    const { code, out, err } = command === '' ? top : await run([command, '--help'])
    t.equal(code, 0, `${command} --help`)
    t.equal(err, '')
    t.match(out, new RegExp(`Example:\n {2}\\$ pinledger ${command}`), `${command} has an example`)
    for (const exit of [0, 1, 2, 3, 70]) t.match(out, new RegExp(`^ {2}${exit} `, 'm'))
  }
})

t.test('wrong usage: exit code 2 and a message that says what to do', async (t) => {
  const cases: readonly [args: readonly string[], said: RegExp][] = [
    [['pya'], /Did you mean pay\?/],
    [['up', '--dat', 'x'], /Did you mean --data\?/],
    [['up', '--mqtt-port', '70000'], /expected a port from 0 \(any free one\) to 65535/],
    [['up', '--mqtt-port', '1e3'], /expected a port/],
    [['up', '--duration', '-5'], /expected seconds, such as 60/],
    [['up', '--preset', 'moon'], /Allowed choices are bench, field, bitcoin/],
    [['account', 'abc'], /expected an account: 64 lowercase hex digits/],
    [['account', ACCOUNT, '--height', '3'], /--height go with --proven/],
    [['account', ACCOUNT, '--proven', '--height', '3'], /--transaction and --height go together/],
    [['account', ACCOUNT, '--proven', '--transaction', 'abc'], /expected a transaction id/],
    [['account', ACCOUNT, '--proven', '--height', '0'], /expected a height, such as 12/],
    [['pay', '--key', 'k', '--to', ACCOUNT, '--amount', '1,5'], /expected coins, such as 0\.25/],
    [['pay', '--key', 'k', '--to', ACCOUNT], /--amount/],
    [
      ['pay', '--key', 'k', '--to', ACCOUNT, '--amount', '1', '--memo', 'x'.repeat(81)],
      /--memo: at most 80 bytes/,
    ],
    [
      ['pay', '--key', 'k', '--to', ACCOUNT, '--amount', '1', '--network', 'zz'],
      /--network: expected 8 or 64/,
    ],
    [['genesis', '--name', 'lab'], /--out/],
    [['genesis', '--name', 'Lab', '--out', '/nonexistent/g'], /--name: 1 to 32 of a-z/],
    [
      ['genesis', '--name', 'a', '--out', '/nonexistent/g', '--allocate', ACCOUNT],
      /an account and its coins/,
    ],
    [
      ['genesis', '--name', 'a', '--out', '/nonexistent/g', '--authority', ACCOUNT, ACCOUNT],
      /each account once/,
    ],
    [
      ['genesis', '--name', 'a', '--out', '/nonexistent/g', '--threshold', '2'],
      /--threshold: at most as many/,
    ],
    [['sim', '--nodes', '100000'], /expected 2 to 200 machines/],
    [['sim', '--seeds', '0'], /a whole number from 1 on/],
    [['snapshot', 'export', '--data', 'x'], /--out/],
    [['snapshot', 'import', 'x'], /--data/],
    [['clock', 'mine', '--difficulty', '16'], /leading zero hex digits from 1 to 15/],
    [['clock', 'pair', '--difficulty', '3'], /difficulties of two hands, such as 3,2/],
    [['clock', 'pair', '--difficulty', '3,2,1'], /difficulties of two hands/],
    [['clock', 'almost', '--threads', '65'], /expected 1 to 64 threads/],
    [['clock', 'mine', '--on', 'pi-1,,pi-2'], /expected 1 to 26 names of the inventory/],
    [['clock', 'mine', '--on', 'pi-1'], /give it with --inventory/],
    [['repair', '--data', '/nonexistent/x'], /no directory .*see --data/],
    [['admit', ACCOUNT], /--key/],
    [['revoke', 'abc', '--key', 'k'], /expected an account: 64 lowercase hex digits/],
    [['admit', ACCOUNT, '--key', 'k', '--network', 'zz'], /--network: expected 8 or 64/],
    [['buy', 'output', 'lamp', '--key', 'k', '--coins', '1'], /--of/],
    [
      ['buy', 'output', 'lamp', '--key', 'k', '--of', 'a'],
      /--minutes or --seconds, or how much with --coins/,
    ],
    [[...LAMP, '--minutes', '1', '--coins', '1'], /'--minutes <minutes>' cannot be used with .*'--coins/],
    [[...LAMP, '--minutes', '1', '--seconds', '5'], /cannot be used with .*'--seconds/],
    [[...LAMP, '--seconds', '1', '--coins', '1'], /cannot be used with .*'--coins/],
    [[...LAMP, '--max-coins', '1', '--coins', '1'], /cannot be used with .*'--max-coins/],
    [[...LAMP, '--minutes', '0.001'], /expected minutes, such as 2 or 0\.5/],
    [[...LAMP, '--seconds', '1.5'], /a whole number from 1 on/],
    [['buy', 'topic', 'soil', '--key', 'k', '--of', 'a', '--coins', '1,5'], /expected coins, such as 0\.25/],
    [['buy', 'outpt', 'lamp'], /Did you mean output\?/],
    [['agent'], /--config/],
    [['validator'], /give the missing options, or a file with --config/],
    [['broker'], /validators: .*\n?.*give the missing options/s],
    [['verify', '--data', '/nonexistent/x'], /no ledger in .*see --data/],
    [['watch', '--broker', 'http://somewhere'], /expected mqtt:, mqtts:, ws: or wss:/],
    [['agent', '--config', '/nonexistent.yaml'], /there is no config file .*Make one/],
  ]
  for (const [args, expected] of cases) {
    const { code, err, out } = await run(args)
    t.equal(code, 2, `pinledger ${args.join(' ').slice(0, 60)}`)
    t.match(err, expected)
    t.notMatch(err + out, /at \S+ \(.*:\d+:\d+\)/, 'no stack')
  }
})
