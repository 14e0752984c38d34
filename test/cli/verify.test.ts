/** What `pinledger verify` says of a ledger whose network has a slow hand. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openAppendLog } from '../../node/append-log.ts'
import { ChainStore } from '../../node/chain-store.ts'
import { openDisk, openLogFile } from '../../node/disk.ts'
import { HAND_RECORD, HandStore } from '../../node/hand-store.ts'
import { encode } from '../../schemas/codec.ts'
import { invariant } from '../../schemas/result.ts'
import { tick as tickCodec } from '../../schemas/tick.ts'
import { handedGenesis, mineTick } from '../helpers/hand.ts'
import { run, temporary } from '../helpers/processes.ts'

/** A ledger without a block beside a hand of two ticks, and the next tick. */
function ledger(t: Test) {
  const data = temporary(t)
  const disk = openDisk(data)
  const chain = new ChainStore(disk, handedGenesis())
  const { hand } = chain.chain.network
  invariant(hand !== undefined, 'the network has a hand')
  chain.close()
  const store = new HandStore(disk.open('hand.log'), hand)
  for (let height = 1; height <= 2; height++) {
    const added = store.slow.accept(
      encode(tickCodec, mineTick(hand, store.slow.tip)),
      Number.POSITIVE_INFINITY,
    )
    invariant(added.ok, 'it holds')
    store.save([added.value])
  }
  const next = mineTick(hand, store.slow.tip)
  store.close()
  return { data, log: join(data, 'hand.log'), next }
}

const verify = (t: Test, data: string, ...options: readonly string[]) =>
  run(t, ['verify', '--data', data, ...options])

t.test('a slow hand that holds is counted, and its unfinished last write is no fault', async (t) => {
  const { data, log } = ledger(t)
  t.match(await verify(t, data), { code: 0, out: /: ok\n(.*\n)* {2}slow hand ok, 2 ticks\n/ })
  writeFileSync(log, readFileSync(log).subarray(0, -5))
  const torn = await verify(t, data)
  t.match(torn, {
    code: 0,
    out: /slow hand ok, 1 ticks \(an unfinished write of \d+ bytes at the end will be cut off at the next start\)\n/,
  })
  // As PROTOCOL.md section 10 has it: damage to a batch that was promised looks the same as a write in pieces.
  const { data: other, log: otherLog } = ledger(t)
  const pieces = readFileSync(otherLog)
  pieces[pieces.length - 1] = (pieces.at(-1) ?? 0) ^ 1
  writeFileSync(otherLog, pieces)
  t.match(await verify(t, other), {
    code: 1,
    out: /FAULT after block 0: hand\.log: store-corrupt: record 2: checksum .* \(bad-payload\)\n.*What to do: /,
  })
})

t.test(
  'a tick that breaks a rule is a fault: in which record, at which height, against which rule',
  async (t) => {
    const { data, log, next } = ledger(t)
    const opened = openAppendLog(openLogFile(log))
    const easier = { ...next, header: { ...next.header, target: next.header.target + 1n } }
    opened.append([{ kind: HAND_RECORD.tick, bytes: encode(tickCodec, easier) }])
    opened.close()
    const { code, out } = await verify(t, data, '--json')
    t.equal(code, 1)
    const fault = /^hand\.log: record 3: tick 3: bad-target: target: /
    t.match(JSON.parse(out), { ok: false, fault, stores: [{ ok: false, fault, ticks: 2 }] })
  },
)
