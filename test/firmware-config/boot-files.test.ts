/** What goes onto a boot partition: nothing of pi.yaml breaks out of YAML, shell, config.txt or cmdline.txt. */
import { execFileSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { bootFiles, kernelParameters, releaseOf } from '../../firmware-config/boot-files.ts'
import { withConfigBlock, withParameters } from '../../firmware-config/boot-text.ts'
import { type Device, loadDevice } from '../../firmware-config/device.ts'
import { piConfig } from '../../firmware-config/pi.ts'
import { shellWord } from '../../firmware-config/shell.ts'
import { wifiKey } from '../../firmware-config/wifi.ts'
import { createKey } from '../../node/key-file.ts'
import { temporary } from '../helpers/processes.ts'

/** Of RFC 8032 section 7.1, test 1, as OpenSSH writes it. */
const SSH_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea'
const PARTITION = {
  'config.txt': 'dtparam=audio=on\n[cm5]\ndtoverlay=dwc2\n',
  'cmdline.txt': 'console=tty1 root=PARTUUID=ab-02 rootwait init=/usr/lib/raspberrypi-sys-mods/firstboot\n',
  hasCloudInit: true,
}
const MINIMAL = { hostname: 'pi-1', user: { name: 'fleet', sshKeys: [SSH_KEY] } }

const device = (config: object, more: Partial<Device> = {}): Device => {
  const parsed = piConfig.parse({ ...MINIMAL, ...config })
  return {
    config: parsed,
    sshKeys: parsed.user.sshKeys,
    wifiKey: parsed.wifi === undefined ? undefined : 'ab'.repeat(32),
    account: undefined,
    accountKey: undefined,
    ...more,
  }
}
const file = (of: Device, release: 'trixie' | 'bookworm', name: string): string => {
  const content = bootFiles(of, release, PARTITION).get(name)
  if (content === undefined) throw new Error(`no ${name}`)
  return content
}
const sh = (script: string): string => execFileSync('sh', { input: script, encoding: 'utf8' })

const HOSTILE = [
  '"; reboot; "',
  "'; reboot; '",
  '$(reboot)',
  '`reboot`',
  'a\nrunning: [evil]',
  'a\r\nb',
  '#cloud-config',
  ': {}[]&*!|>%@',
  'no',
  '12:30',
  '1e3',
  '~',
  '\\',
  'EOF',
  '\u2028',
  'é😀',
  '-n',
  '..',
  '{{ x }}',
  '<<',
]

t.test('wifiKey gives the keys of IEEE 802.11 annex J.4', async (t) => {
  t.equal(wifiKey('password', 'IEEE'), 'f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e')
  t.equal(
    wifiKey('ThisIsAPassword', 'ThisIsASSID'),
    '0dc0d6eb90555ed6419756b9a15ec3e3209b63df707dd508d14581f8982721af',
  )
  t.equal(
    wifiKey('a'.repeat(32), 'Z'.repeat(32)),
    'becb93866bb8c3832cb777c2f559807c8c59afcb6eae734885001300a981cc62',
  )
  t.equal(wifiKey('AB'.repeat(32), 'any'), 'ab'.repeat(32), '64 hex digits are the key itself')
  for (const wrong of ['', 'short', 'x'.repeat(65), 'grüße-und-mehr'])
    t.equal(wifiKey(wrong, 'x'), undefined, wrong)
})

t.test('a word of the shell comes back as it was, whatever is in it', async (t) => {
  const words = [...HOSTILE, '', ' a  b ', '*', "''", '!!']
  t.strictSame(sh(`printf '%s\\0' ${words.map(shellWord).join(' ')}`).split('\0'), [...words, ''])
})

t.test('a hostile value in any field is refused, or stays that value in YAML and shell', async (t) => {
  const fields: readonly (readonly [string, (value: string) => object])[] = [
    ['hostname', (hostname) => ({ hostname })],
    ['user.name', (name) => ({ user: { name, sshKeys: [SSH_KEY] } })],
    ['an SSH key', (key) => ({ user: { name: 'fleet', sshKeys: [key] } })],
    ["an SSH key's comment", (comment) => ({ user: { name: 'fleet', sshKeys: [`${SSH_KEY} ${comment}`] } })],
    ['ssid', (ssid) => ({ wifi: { country: 'DE', ssid, passphraseFile: 'w' } })],
    ['country', (country) => ({ wifi: { country, ssid: 'x', passphraseFile: 'w' } })],
    ['address', (address) => ({ ethernet: { address } })],
    ['gateway', (gateway) => ({ ethernet: { address: '10.0.0.2/24', gateway } })],
    ['dns', (dns) => ({ ethernet: { address: '10.0.0.2/24', dns: [dns] } })],
    ['interface', (name) => ({ ethernet: { interface: name } })],
    ['timeZone', (timeZone) => ({ timeZone })],
    ['locale', (locale) => ({ locale })],
    ['ntpServers', (server) => ({ ntpServers: [server] })],
    ['overlays', (overlay) => ({ overlays: [overlay] })],
    ['configLines', (line) => ({ configLines: [line] })],
  ]
  const scripts: string[] = []
  const keys: string[] = []
  for (const [field, config] of fields) {
    for (const [index, value] of HOSTILE.entries()) {
      if (!piConfig.safeParse({ ...MINIMAL, ...config(value) }).success) continue
      const what = `${field}, value ${index}`
      const of = device(config(value))
      const data = parse(file(of, 'trixie', 'user-data'), { version: '1.1' })
      t.strictSame(data.users[0].ssh_authorized_keys, of.sshKeys, what)
      t.equal(data.users[0].name, of.config.user.name, what)
      t.equal(data.hostname, of.config.hostname, what)
      t.strictSame(data.runcmd, [['sh', '/usr/local/lib/pinledger/first-boot.sh']], what)
      const { network } = parse(file(of, 'trixie', 'network-config'), { version: '1.1' })
      if (of.config.wifi !== undefined)
        t.strictSame(Object.keys(network.wifis.wlan0['access-points']), [of.config.wifi.ssid], what)
      const lines = file(of, 'trixie', 'config.txt').split('\n')
      t.equal(lines.filter((line) => line === value).length, field === 'configLines' ? 1 : 0, what)
      t.equal(file(of, 'trixie', 'cmdline.txt').split('\n').length, 2, what)
      keys.push(`${of.sshKeys.join('\n')}\n`)
      // Each step prints its words instead of doing anything, and the end does not touch the boot partition.
      scripts.push(
        file(of, 'bookworm', 'firstrun.sh')
          .replace(/^step\(\) \{$/m, 'step() { printf "%s\\0" "$@"; return')
          .replace(/^sed -i -E[\s\S]*/m, '}\nmain\n'),
      )
    }
  }
  t.ok(scripts.length >= 30, `${scripts.length} hostile values were accepted and written`)
  const printed = sh(scripts.map((script) => `(\n${script}\n)\nprintf '\\1'\n`).join('')).split('\x01')
  for (const [index, key] of keys.entries())
    t.strictSame(
      printed[index]?.split('\0').filter((word) => word === key),
      [key],
      `script ${index}`,
    )
})

t.test('user-data: keys only, no password, a user that Ansible can use', async (t) => {
  const data = parse(file(device({}), 'trixie', 'user-data'))
  t.equal(data.ssh_pwauth, false)
  t.equal(data.disable_root, true)
  t.equal(data.users.length, 1)
  t.equal(data.users[0].lock_passwd, true)
  t.notHas(data.users[0], { passwd: String })
  t.equal(data.users[0].sudo, 'ALL=(ALL) NOPASSWD:ALL')
  t.notHas(data, { rpi: {} })
  const sshd = data.write_files.find(({ path }: { path: string }) => path.includes('sshd'))
  t.match(sshd.content, /^PasswordAuthentication no$/m)
})

t.test(
  'meta-data names another instance when anything changes, and the same when nothing does',
  async (t) => {
    const id = (config: object) => parse(file(device(config), 'trixie', 'meta-data'))['instance-id']
    t.equal(id({}), id({}))
    t.not(id({}), id({ watchdogSeconds: 0 }))
    t.not(id({}), id({ ethernet: { address: '10.0.0.2/24' } }))
  },
)

t.test('the Wi-Fi passphrase is on no file of the card, its key is', async (t) => {
  const dir = temporary(t)
  writeFileSync(join(dir, 'wifi'), 'correct horse battery\n', { mode: 0o600 })
  writeFileSync(join(dir, 'me.pub'), `# mine\n${SSH_KEY} me@laptop\n`)
  writeFileSync(
    join(dir, 'pi.yaml'),
    'hostname: pi-1\nuser: { name: fleet, sshKeyFiles: [me.pub] }\nwifi: { country: DE, ssid: lab, passphraseFile: wifi }\n',
  )
  const of = loadDevice(join(dir, 'pi.yaml'))
  t.strictSame(of.sshKeys, [`${SSH_KEY} me@laptop`])
  const key = wifiKey('correct horse battery', 'lab') ?? ''
  for (const [release, name] of [
    ['trixie', 'network-config'],
    ['bookworm', 'firstrun.sh'],
  ] as const) {
    const all = [...bootFiles(of, release, PARTITION).values()].join('\n')
    t.notMatch(all, 'correct horse')
    t.match(file(of, release, name), key)
    t.match(file(of, release, 'cmdline.txt'), 'cfg80211.ieee80211_regdom=DE')
  }
  chmodSync(join(dir, 'wifi'), 0o644)
  t.throws(() => loadDevice(join(dir, 'pi.yaml')), {
    code: 'config',
    message: /open to other users.*chmod 600/,
  })
  writeFileSync(join(dir, 'wifi'), 'short\n')
  chmodSync(join(dir, 'wifi'), 0o600)
  t.throws(() => loadDevice(join(dir, 'pi.yaml')), { code: 'config', message: /8 to 63 printable/ })
})

t.test('a private SSH key is refused, and not a byte of it shown', async (t) => {
  const dir = temporary(t)
  writeFileSync(join(dir, 'id'), '-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n')
  writeFileSync(join(dir, 'pi.yaml'), 'hostname: pi-1\nuser: { name: fleet, sshKeyFiles: [id] }\n')
  t.throws(() => loadDevice(join(dir, 'pi.yaml')), { code: 'config', message: /ends in \.pub$/ })
  const truncated = SSH_KEY.replace('AAAAC3Nz', 'AAAAC3Na')
  t.notOk(piConfig.safeParse({ ...MINIMAL, user: { name: 'fleet', sshKeys: [truncated] } }).success)
})

t.test('pi.yaml: a mistake is told with file, line, column, field and remedy', async (t) => {
  const dir = temporary(t)
  const told = (text: string): string => {
    writeFileSync(join(dir, 'pi.yaml'), text)
    try {
      loadDevice(join(dir, 'pi.yaml'))
    } catch (error) {
      return error instanceof Error ? error.message : ''
    }
    return ''
  }
  const user = `user: { name: fleet, sshKeys: ["${SSH_KEY}"] }\n`
  t.match(told(`hostname: Pi_1\n${user}`), /pi\.yaml:1:1 hostname: expected a host name/)
  t.match(told(`hostnam: pi\n${user}`), /Did you mean 'hostname'\?/)
  t.match(told('hostname: pi\nuser: { name: fleet }\n'), /there is no password, so nobody could log in/)
  t.match(told('hostname: pi\nuser: { name: root, sshKeys: [] }\n'), /a name that the system does not use/)
  t.match(told(`hostname: pi\n${user}timeZone: Europe/Berln\n`), /timeZone: expected a time zone/)
  t.match(told(`hostname: pi\n${user}ethernet: { gateway: 10.0.0.1 }\n`), /together with an address/)
  t.match(
    told(`hostname: pi\n${user}wifi: { country: DE, ssid: "a\\nb", passphraseFile: w }\n`),
    /wifi\.ssid: expected 1 to 32 bytes/,
  )
  t.match(told(`hostname: pi\n${user}key: own\n`), /pi\.yaml:3:1 key: expected "generate"/)
  t.match(told(`hostname: pi\n${user}key: { place: none.json }\n`), /cannot open key file/)
})

t.test('a placed key is among the files as it is, a generated one is not', async (t) => {
  const dir = temporary(t)
  const { account } = createKey(join(dir, 'key.json'))
  writeFileSync(
    join(dir, 'pi.yaml'),
    `hostname: pi-1\nuser: { name: fleet, sshKeys: ["${SSH_KEY}"] }\nkey: { place: key.json }\n`,
  )
  const of = loadDevice(join(dir, 'pi.yaml'))
  t.equal(of.account, account)
  t.match(file(of, 'trixie', 'pinledger-key.json'), account)
  t.match(file(of, 'trixie', 'user-data'), /step 'account key' place_key/)
  t.notOk(bootFiles(device({}), 'trixie', PARTITION).has('pinledger-key.json'))
  t.notMatch(file(device({}), 'trixie', 'user-data'), 'place_key')
})

t.test(
  'config.txt: our block stands at the end, for all models, and is replaced, not repeated',
  async (t) => {
    const once = withConfigBlock(PARTITION['config.txt'], ['dtparam=i2c_arm=on'])
    t.match(
      once,
      /^dtparam=audio=on\n\[cm5\]\ndtoverlay=dwc2\n# >>> pinledger[^\n]*\n\[all\]\ndtparam=i2c_arm=on\n# <<< pinledger\n$/,
    )
    t.equal(withConfigBlock(once, ['dtparam=i2c_arm=on']), once)
    t.notMatch(withConfigBlock(once, ['dtparam=watchdog=on']), 'i2c')
    t.equal(withConfigBlock(once, []), PARTITION['config.txt'])
    t.throws(() => withConfigBlock('# >>> pinledger\nx=1\n', []), { message: /has no end/ })
    t.throws(() => withConfigBlock('# <<< pinledger\n', []), { message: /ends before it begins/ })
    t.match(
      file(device({ oneWirePin: 4, i2c: true, overlays: ['dht11,gpiopin=17'] }), 'trixie', 'config.txt'),
      /dtparam=watchdog=on\ndtparam=i2c_arm=on\ndtoverlay=w1-gpio,gpiopin=4\ndtoverlay=dht11,gpiopin=17\n/,
    )
  },
)

t.test('cmdline.txt stays one line, keeps what is not ours, and takes our parameters once', async (t) => {
  const config = piConfig.parse({ ...MINIMAL, wifi: { country: 'DE', ssid: 'x', passphraseFile: 'w' } })
  const trixie = withParameters(PARTITION['cmdline.txt'], kernelParameters(config, 'trixie'))
  t.equal(
    trixie,
    'console=tty1 root=PARTUUID=ab-02 rootwait init=/usr/lib/raspberrypi-sys-mods/firstboot cfg80211.ieee80211_regdom=DE ds=nocloud\n',
  )
  t.equal(withParameters(trixie, kernelParameters(config, 'trixie')), trixie)
  const bookworm = withParameters(trixie, kernelParameters(config, 'bookworm'))
  t.match(
    bookworm,
    / systemd\.run=\/boot\/firmware\/firstrun\.sh systemd\.run_success_action=reboot systemd\.unit=kernel-command-line\.target\n$/,
  )
  t.notMatch(bookworm, 'ds=nocloud')
  t.equal(withParameters(bookworm, kernelParameters(config, 'bookworm')), bookworm)
  t.equal(withParameters(bookworm, kernelParameters(config, 'trixie')), trixie)
})

t.test('the release is what pi.yaml says, else what the partition shows', async (t) => {
  const of = (release?: string) =>
    piConfig.parse({ ...MINIMAL, ...(release === undefined ? {} : { release }) })
  t.equal(releaseOf(of(), { hasCloudInit: true }), 'trixie')
  t.equal(releaseOf(of(), { hasCloudInit: false }), 'bookworm')
  t.equal(releaseOf(of('bookworm'), { hasCloudInit: true }), 'bookworm')
  t.throws(() => bootFiles(device({ swap: 'zram' }), 'bookworm', PARTITION), {
    message: /swap: zram is for Trixie/,
  })
})
