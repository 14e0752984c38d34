import t from 'tap'
import { describe } from '../../cli/sharing.ts'
import { share } from '../../cli/splits.ts'
import { alice, bob } from '../helpers/ledger.ts'

t.test('a share is an account and a percentage to the hundredth', async (t) => {
  const of = (percent: string) => share(`${bob.account}=${percent}`)[0]?.parts
  t.strictSame([of('30%'), of('12.5%'), of('0.01%'), of('100%')], [3_000, 1_250, 1, 10_000])
  const wrong = ['0%', '0.00%', '101%', '30', '-1%', '1.234%', '3e1%', ' 30%', '30%=', '']
  for (const percent of wrong) t.throws(() => of(percent), /expected an account and 0.01% to 100%/, percent)
  t.throws(() => share('abc=30%'), /expected an account/)
  const twice = share(`${bob.account}=60%`)
  t.throws(() => share(`${bob.account}=60%`, twice), /each account once/)
  t.throws(() => share(`${alice.account}=40.01%`, twice), /at most 100%/)
  t.equal(share(`${alice.account}=40%`, twice).length, 2)
  const four = Array(4).fill({ account: bob.account, parts: 1 })
  t.throws(() => share(`${alice.account}=1%`, four), /at most 4 shares/)
  const both = share(`${alice.account}=1%`, share(`${bob.account}=2%`))
  t.strictSame(both, [
    { account: bob.account, parts: 200 },
    { account: alice.account, parts: 100 },
  ])
})

t.test('shares in words', async (t) => {
  t.equal(describe([]), 'everything stays')
  t.equal(describe([{ account: bob.account, parts: 1_250 }]), `12.5% to ${bob.account}, 87.5% stays`)
})
