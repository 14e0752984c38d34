/** `split` against a real broker and validator, and what the ledger then does with a payment. */
import { join } from 'node:path'
import t from 'tap'
import { COIN } from '../../ledger/amount.ts'
import { createKey } from '../../node/key-file.ts'
import { alice, bob, carol } from '../helpers/ledger.ts'
import { parsed, pinledger, run, temporary } from '../helpers/processes.ts'
import { Rig } from '../helpers/rig.ts'
import { waitUntil } from '../helpers/wait-until.ts'

t.test('shares are shown, set and cleared, and a payment in between is shared', async (t) => {
  const rig = await Rig.start(t)
  const running = await rig.validator()
  const { node } = running.validator
  const key = join(temporary(t), 'key.json')
  const seller = createKey(key)
  const on = ['--broker', rig.url, '--json']
  await rig.mine([running], [rig.chain.transfer(alice, seller.account, COIN)])
  const balance = (account: typeof seller.account) => node.chain.state.account(account).balance
  const send = async (...args: string[]) => {
    const sending = pinledger(t, ['split', ...args, '--key', key, ...on])
    await waitUntil('it waits', () => node.mempool.size === 1)
    await rig.mine([running], node.mempool.ordered())
    t.strictSame(await sending.ended, { code: 0, signal: null })
    return sending.out.map(parsed)
  }

  const shares = [
    { account: bob.account, parts: 3_000 },
    { account: carol.account, parts: 1_250 },
  ]
  const options = ['--share', `${bob.account}=30%`, '--share', `${carol.account}=12.5%`]
  t.match(await send('set', ...options), [
    { before: [], after: shares },
    { status: 'confirmed', height: 2 },
  ])
  const shown = await run(t, ['split', 'show', seller.account, ...on])
  t.match(JSON.parse(shown.out), { account: seller.account, shares, stays: 5_750, height: 2 })
  const again = await run(t, ['split', 'set', ...options, '--key', key, ...on])
  t.match(again.out.split('\n').map(parsed), [{ before: shares }, { status: 'unchanged' }])

  const before = [seller, bob, carol].map(({ account }) => balance(account))
  await rig.mine([running], [rig.chain.transfer(alice, seller.account, 1_000)])
  // Bob mines, and gets rewards beside.
  const after = [seller, bob, carol].map(({ account }) => balance(account))
  t.equal((after[0] ?? 0) - (before[0] ?? 0), 575)
  t.equal((after[2] ?? 0) - (before[2] ?? 0), 125)

  t.match(await send('clear'), [{ before: shares, after: [] }, { status: 'confirmed' }])
  const none = await run(t, ['split', 'show', seller.account, '--broker', rig.url])
  t.match(none.out, /of what \w{8} earns, everything stays$/)
})

t.test('what the ledger would refuse is not sent', async (t) => {
  const rig = await Rig.start(t)
  const { validator } = await rig.validator()
  const key = join(temporary(t), 'key.json')
  const { account } = createKey(key)
  const set = (...shares: string[]) => {
    const options = shares.flatMap((share) => ['--share', share])
    return run(t, ['split', 'set', '--key', key, ...options, '--broker', rig.url, '--json'])
  }
  const tooMuch = await set(`${bob.account}=60%`, `${carol.account}=41%`)
  t.match([tooMuch.code, tooMuch.out, tooMuch.err], [2, /^$/, /expected at most 100% in all/])
  const twice = await set(`${bob.account}=10%`, `${bob.account}=10%`)
  t.match([twice.code, twice.out, twice.err], [2, /^$/, /expected each account once/])
  const own = await set(`${account}=10%`)
  t.equal(own.code, 1)
  t.match(parsed(own.out.split('\n').at(-1) ?? '')?.reason, 'not the sender')
  t.equal(validator.node.mempool.size, 0)
})
