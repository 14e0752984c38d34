import t from 'tap'
import { TAGS } from '../../ledger/hashing.ts'
import { toHex } from '../../schemas/hex.ts'
import { LOGIN_TAG, loginMessage, ownsClientId } from '../../schemas/login.ts'

const account = 'ab'.repeat(32)
const challenge = '5a'.repeat(32)

t.test('what is signed: the challenge, then the client id', async (t) => {
  t.equal(toHex(loginMessage(challenge, 'pi-ü')), `${challenge}70692dc3bc`)
  t.equal(LOGIN_TAG, TAGS.login, 'under a tag of its own')
})

t.test('a client id belongs to its account, with or without a suffix', async (t) => {
  for (const good of [account, `${account}-agent`, `${account}-a-1`, `${account}-${'x'.repeat(32)}`]) {
    t.equal(ownsClientId(account, good), true, good)
  }
})

t.test('no other client id does', async (t) => {
  const other = 'cd'.repeat(32)
  for (const bad of [
    '',
    other,
    `${other}-${account}`,
    `${account}x`,
    `${account}-`,
    `${account}-A`,
    `${account}-a/b`,
    `${account}-a\n`,
    `${account}-${'x'.repeat(33)}`,
    account.toUpperCase(),
    account.slice(1),
  ]) {
    t.equal(ownsClientId(account, bad), false, bad)
  }
})
