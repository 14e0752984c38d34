import t from 'tap'
import { LIMITS, type Limits } from '../../broker/limits.ts'
import { Login, looksOwned } from '../../broker/login.ts'
import { signatures } from '../../node/signing.ts'
import { loginOptions, signerOf } from './running-broker.ts'

const pump = signerOf(1)

/** A login with a clock in our hand and challenges that count up. */
function bench(limits: Partial<Limits> = {}) {
  const clock = { ms: 0 }
  let count = 0
  let verified = 0
  const login = new Login(
    { ...LIMITS, ...limits },
    {
      signatures: {
        isAccount: (account) => signatures.isAccount(account),
        verify(...args) {
          verified += 1
          return signatures.verify(...args)
        },
      },
      random: (bytes) => new Uint8Array(bytes).fill(++count),
      now: () => clock.ms,
    },
  )
  const attempt = (challenge: string, suffix = '', address = 'here') => {
    const { username, password, clientId } = loginOptions(pump, challenge, suffix)
    const result = login.verify({ username, password: Buffer.from(password), clientId, address })
    return result.ok ? result.value : result.fault.code
  }
  return { clock, login, attempt, verified: () => verified }
}

t.test('the current and the previous challenge are valid, an older one is not', async (t) => {
  const { clock, login, attempt } = bench()
  const first = login.renew() ?? ''
  t.equal(login.renew(), undefined, 'not due yet')
  clock.ms = 60_000
  const second = login.renew() ?? ''
  t.equal(attempt(first), pump.account)
  t.equal(attempt(second), pump.account)
  clock.ms = 120_000
  const third = login.renew() ?? ''
  t.equal(attempt(first, '-again'), 'wrong-signature')
  t.equal(attempt(third), pump.account)
})

t.test('a client id logs in once per challenge, another one of the account too', async (t) => {
  const { login, attempt } = bench()
  const challenge = login.renew() ?? ''
  t.equal(attempt(challenge), pump.account)
  t.equal(attempt(challenge), 'replayed-login')
  t.equal(attempt(challenge, '-b'), pump.account)
})

t.test('a used challenge is renewed soon', async (t) => {
  const { clock, login, attempt } = bench()
  const challenge = login.renew() ?? ''
  attempt(challenge)
  t.equal(login.renew(), undefined)
  clock.ms = LIMITS.challengeUsedMs
  const next = login.renew() ?? ''
  t.equal(attempt(next), pump.account, 'and the same client id logs in again')
})

t.test('after too many failures an address is refused unseen, others are not', async (t) => {
  const { clock, login, attempt, verified } = bench({ loginFailuresPerMinuteMax: 3 })
  const challenge = login.renew() ?? ''
  for (let count = 0; count < 3; count++) t.equal(attempt('ff'.repeat(32)), 'wrong-signature')
  const before = verified()
  t.equal(attempt(challenge), 'too-many-failures')
  t.equal(verified(), before, 'no signature is looked at')
  t.equal(attempt(challenge, '', 'there'), pump.account)
  clock.ms = 60_000
  t.equal(attempt(challenge, '-later'), pump.account, 'the minute is over')
})

t.test('a challenge takes only so many logins', async (t) => {
  const { login, attempt } = bench({ loginsPerChallengeMax: 1 })
  const challenge = login.renew() ?? ''
  t.equal(attempt(challenge, '-a'), pump.account)
  t.equal(attempt(challenge, '-b'), 'too-many-logins')
})

t.test('malformed credentials are refused before any signature', async (t) => {
  const { login, verified } = bench()
  const { username, password, clientId } = loginOptions(pump, login.renew() ?? '')
  const good = { username, password: Buffer.from(password), clientId, address: 'here' }
  const small = '01'.padEnd(64, '0') // a small-order point is no account
  for (const [what, change, code] of [
    ['upper case', { username: username.toUpperCase() }, 'bad-user-name'],
    ['small order', { username: small, clientId: small }, 'bad-user-name'],
    ['no password', { password: undefined }, 'bad-password'],
    ['short password', { password: Buffer.from(password.slice(2)) }, 'bad-password'],
    ['password in upper case', { password: Buffer.from(password.toUpperCase()) }, 'bad-password'],
    ['odd suffix', { clientId: `${clientId}-Ü` }, 'foreign-client-id'],
  ] as const) {
    t.match(login.verify({ ...good, ...change }), { ok: false, fault: { code } }, what)
  }
  t.equal(verified(), 0)
})

t.test("client ids that look like an account's", async (t) => {
  t.equal(looksOwned(pump.account), true)
  t.equal(looksOwned(`${pump.account.toUpperCase()}-x`), true)
  t.equal(looksOwned('guest-0123'), false)
})
