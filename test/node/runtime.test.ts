import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { writeGenesis } from '../../node/genesis-file.ts'
import { openRuntime, sessionOptions, storageLimits, untilAborted } from '../../node/runtime.ts'
import { testGenesis } from '../helpers/ledger.ts'
import { temporary } from '../helpers/processes.ts'
import { recordingLog } from '../helpers/rig.ts'

function lab(t: Test): { data: string; genesis: string } {
  const folder = temporary(t)
  const genesis = join(folder, 'genesis.json')
  writeGenesis(genesis, testGenesis())
  return { data: join(folder, 'data'), genesis }
}

t.test('the first start makes a key and founds the store; later ones need no genesis', (t) => {
  const { data, genesis } = lab(t)
  const { log, lines } = recordingLog()
  t.throws(() => openRuntime(data, undefined, log), {
    code: 'config',
    message: /name the network's genesis file/,
  })
  const first = openRuntime(data, genesis, log)
  const { account } = first.signer
  t.equal(statSync(join(data, 'key.json')).mode & 0o777, 0o600)
  t.throws(() => openRuntime(data, genesis, log), { code: 'store-locked' })
  first.close()
  const second = openRuntime(data, undefined, log)
  t.equal(second.signer.account, account)
  t.equal(second.store.chain.network.genesis.name, 'test')
  t.equal(second.store.maySettle(), false, 'not before a node has listened')
  second.close()
  t.ok(lines.some(({ event, fields }) => event === 'ledger open' && fields.height === 0))
  t.end()
})

t.test('what goes wrong leaves the directory unlocked', (t) => {
  const { data, genesis } = lab(t)
  const { log } = recordingLog()
  openRuntime(data, genesis, log).close()
  const path = join(data, 'chain.log')
  const bytes = readFileSync(path)
  bytes[40] = (bytes[40] ?? 0) ^ 1
  writeFileSync(path, bytes)
  t.throws(() => openRuntime(data, undefined, log), {
    code: 'store-corrupt',
    message: /record 0 \(genesis\)/,
  })
  t.strictSame(
    readdirSync(data).filter((name) => name.startsWith('lock-')),
    [],
  )
  t.ok(readFileSync(path).equals(bytes), 'a damaged store is left as it is')
  t.end()
})

t.test('a torn write is cut off and told', (t) => {
  const { data, genesis } = lab(t)
  const { log, lines } = recordingLog()
  openRuntime(data, genesis, log).close()
  const path = join(data, 'chain.log')
  writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.from([0, 0])]))
  openRuntime(data, undefined, log).close()
  t.match(lines.find(({ event }) => event.startsWith('cut off'))?.fields, { bytes: 2 })
  t.ok(existsSync(path))
  t.end()
})

t.test('the password and the certificate authority come from their files', (t) => {
  const folder = temporary(t)
  writeFileSync(join(folder, 'password'), 'secret\n')
  writeFileSync(join(folder, 'ca.pem'), 'PEM')
  const url = 'mqtts://10.0.0.1'
  t.strictSame(
    sessionOptions({
      url,
      username: 'me',
      passwordFile: join(folder, 'password'),
      caFile: join(folder, 'ca.pem'),
    }),
    { url, ca: 'PEM', username: 'me', password: 'secret' },
  )
  t.throws(() => sessionOptions({ url, passwordFile: join(folder, 'none') }), {
    code: 'config',
    message: /cannot read .*none/,
  })
  t.strictSame(sessionOptions({ url }), { url, ca: undefined, username: undefined, password: undefined })
  t.end()
})

t.test('a budget leaves room for what is written before old blocks are deleted', async (t) => {
  const all = { bytesMax: Number.POSITIVE_INFINITY, ageMsMax: Number.POSITIVE_INFINITY }
  t.strictSame(storageLimits({ keep: 'all', megabytesMax: 16, daysMax: 3 }), all)
  t.match(storageLimits({ keep: 'recent', megabytesMax: 16, daysMax: 3 }), { ageMsMax: 3 * 86_400_000 })
  t.strictSame(storageLimits({ keep: 'recent', megabytesMax: 16 }), { ...all, bytesMax: 14 << 20 })
})

t.test('a program runs until its signal, or its first fatal error', async (t) => {
  const abort = new AbortController()
  const running = untilAborted(abort.signal)
  abort.abort()
  await running.done
  await untilAborted(abort.signal).done
  const failing = untilAborted(new AbortController().signal)
  failing.fail(new Error('disk'))
  failing.fail(new Error('later'))
  await t.rejects(failing.done, { message: 'disk' })
})
