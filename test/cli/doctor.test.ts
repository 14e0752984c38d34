/** The doctor before machines that are trees of files: a Pi 3, 4 and 5, a laptop; and before real brokers. */
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { EventEmitter } from 'node:events'
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { PassThrough } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { examination } from '../../cli/doctor/examination.ts'
import { examine, type Finding, works } from '../../cli/doctor/finding.ts'
import { type Machine, thisComputer } from '../../cli/doctor/machine.ts'
import { section, styleOf, summary } from '../../cli/doctor/report.ts'
import type { SubjectOptions } from '../../cli/doctor/subject.ts'
import type { GpioConstructor } from '../../edge-agent/gpio/onoff.ts'
import { WorldError } from '../../node/error.ts'
import { writeGenesis } from '../../node/genesis-file.ts'
import { createKey } from '../../node/key-file.ts'
import { bob, testGenesis, testNetwork } from '../helpers/ledger.ts'
import { run, temporary } from '../helpers/processes.ts'
import { Rig } from '../helpers/rig.ts'

const NOW_MS = Date.UTC(2026, 10, 24, 4, 30)
/** No broker listens there. */
const NOBODY = 'mqtt://127.0.0.1:1'
const LIMITS = { quietMs: 100, blockMsMax: 10_000 }

interface Fake {
  /** By path below the root. */
  readonly files?: Readonly<Record<string, string>>
  /** What programs print, by their name and arguments; others are not installed. */
  readonly programs?: Readonly<Record<string, string>>
  /** Devices and files that this user may not use. */
  readonly forbidden?: readonly string[]
  readonly machine?: Partial<Machine>
}

const gpioLibrary = class {
  readSync = () => 1
  writeSync() {}
  watch() {}
  unexport() {}
} as unknown as GpioConstructor

/** A program that prints a text, or that is not installed. */
function program(text: string | undefined): ChildProcessWithoutNullStreams {
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() }
  const child = Object.assign(new EventEmitter(), streams)
  setImmediate(() => {
    streams.stdout.end(text)
    streams.stderr.end()
    if (text === undefined) child.emit('error', new Error('spawn ENOENT'))
    else child.emit('exit', 0, null)
  })
  return child as unknown as ChildProcessWithoutNullStreams
}

function fake(
  t: Test,
  { files = {}, programs = {}, forbidden = [], machine = {} }: Fake,
): Machine & { root: string } {
  const root = realpathSync(temporary(t))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return {
    ...thisComputer(),
    root,
    procRoot: join(root, 'proc'),
    sysRoot: join(root, 'sys'),
    devRoot: join(root, 'dev'),
    runRoot: join(root, 'run'),
    etcRoot: join(root, 'etc'),
    platform: 'linux',
    arch: 'arm64',
    nodeVersion: '20.19.2',
    user: 'pi',
    now: () => NOW_MS,
    mayUse: (path) => !forbidden.some((each) => path === join(root, each)),
    space: () => ({ free: 20e9, total: 30e9 }),
    loadGpio: async () => gpioLibrary,
    spawn: (command, args) => program(programs[[command, ...args].join(' ')] ?? programs[command]),
    ...machine,
  }
}

/** What was found, by part. */
async function findings(
  machine: Machine,
  options: SubjectOptions = {},
  limits = LIMITS,
): Promise<ReadonlyMap<string, Finding>> {
  const lists = await Promise.all(
    examination(machine, { broker: NOBODY, data: join(machine.procRoot, '../data'), ...options }, limits).map(
      (each) => each.findings,
    ),
  )
  return new Map(lists.flat().map((finding) => [finding.part, finding]))
}

const NTP = 'timedatectl show --property=NTP --property=NTPSynchronized'
const GROUPS = 'root:x:0:\ngpio:x:993:pi\ni2c:x:994:pi\n'
const chip = (name: string, base: number, label: string, lines: number) => ({
  [`sys/class/gpio/${name}/base`]: `${base}\n`,
  [`sys/class/gpio/${name}/label`]: `${label}\n`,
  [`sys/class/gpio/${name}/ngpio`]: `${lines}\n`,
})
const pi = (model: string, kernel: string, system: string) => ({
  'proc/device-tree/model': `${model}\0`,
  'proc/sys/kernel/osrelease': `${kernel}\n`,
  'proc/meminfo': 'MemTotal:        3884368 kB\nMemAvailable:    3200000 kB\n',
  'etc/os-release': `PRETTY_NAME="${system}"\n`,
  'etc/group': GROUPS,
  'sys/class/thermal/thermal_zone0/temp': '48312\n',
})
const PI_4: Fake = {
  files: {
    ...pi('Raspberry Pi 4 Model B Rev 1.4', '6.6.51+rpt-rpi-v8', 'Debian GNU/Linux 12 (bookworm)'),
    ...chip('gpiochip512', 512, 'pinctrl-bcm2711', 58),
    'sys/class/gpio/export': '',
    'dev/gpiochip0': '',
    'dev/i2c-1': '',
    'sys/bus/w1/devices/28-0316a2799fd4/temperature': '21500\n',
    'sys/bus/w1/devices/w1_bus_master1/uevent': '',
    'sys/devices/platform/soc/soc:firmware/get_throttled': '0\n',
    'run/systemd/timesync/synchronized': '',
    'run/systemd/system/x': '',
  },
  programs: {
    [NTP]: 'NTP=yes\nNTPSynchronized=yes\n',
    'gpiodetect --version': 'gpiodetect (libgpiod) v1.6.3\n',
    gpiodetect: 'gpiochip0 [pinctrl-bcm2711] (58 lines)\n',
    systemctl: 'LoadState=not-found\nActiveState=inactive\n',
  },
}

t.test('a Pi 4 with Bookworm on which all is well', async (t) => {
  const machine = fake(t, PI_4)
  const since = (NOW_MS - 14 * 60_000) / 1_000
  utimesSync(join(machine.runRoot, 'systemd/timesync/synchronized'), since, since)
  const found = await findings(machine)
  const wrong = [...found.values()].filter(({ state, part }) => state === 'fails' && part !== 'broker')
  t.strictSame(wrong, [])
  t.match(found.get('node'), { state: 'works', detail: 'v20.19.2, arm64' })
  t.match(found.get('board')?.detail, /Raspberry Pi 4 Model B Rev 1.4, Debian .*bookworm.*, kernel 6.6.51/)
  t.match(found.get('gpio'), {
    state: 'works',
    detail: /sysfs.*pinctrl-bcm2711 at base 512, GPIO 17 is line 529/,
  })
  t.match(found.get('gpio permission'), { state: 'works' })
  t.match(found.get('1-wire'), { state: 'works', detail: '28-0316a2799fd4' })
  t.match(found.get('i2c'), { state: 'works', detail: '/dev/i2c-1' })
  t.match(found.get('clock'), {
    state: 'works',
    detail: /systemd-timesyncd, last 2026-11-24 04:16:00 UTC \(14 min ago\)/,
  })
  t.match(found.get('temperature'), { state: 'works', detail: '48.3 °C' })
  t.match(found.get('power'), { state: 'works' })
  t.match(found.get('service'), { state: 'absent' })
})

t.test('a Pi 3 with a weak supply, a hot processor, little memory and no time', async (t) => {
  const files = {
    ...pi('Raspberry Pi 3 Model B Plus Rev 1.3', '6.12.25+rpt-rpi-v8', 'Debian GNU/Linux 12 (bookworm)'),
    ...chip('gpiochip512', 512, 'pinctrl-bcm2835', 54),
    ...chip('gpiochip566', 566, 'raspberrypi-exp-gpio', 8),
    'sys/class/gpio/export': '',
    'proc/meminfo': 'MemTotal:         927000 kB\nMemAvailable:     120000 kB\n',
    'sys/class/thermal/thermal_zone0/temp': '81700\n',
    'etc/group': 'gpio:x:993:other\n',
    'run/systemd/timesync/other': '',
    'run/systemd/system/x': '',
  }
  const programs = {
    [NTP]: 'NTP=yes\nNTPSynchronized=no\n',
    vcgencmd: 'throttled=0x50005\n',
    systemctl: 'LoadState=loaded\nActiveState=failed\nSubState=failed\nResult=exit-code\nNRestarts=7\n',
  }
  const found = await findings(fake(t, { files, programs, forbidden: ['sys/class/gpio/export'] }))
  t.match(found.get('power'), {
    state: 'fails',
    detail: 'now: the voltage is too low, the processor is slowed down',
    remedy: /power supply made for this Pi/,
  })
  t.match(found.get('temperature'), { state: 'fails', remedy: /heat sink/ })
  t.match(found.get('memory'), {
    state: 'warns',
    detail: '117 of 905 MB available; an agent takes up to 200 MB',
  })
  t.match(found.get('gpio'), { state: 'works', detail: /pinctrl-bcm2835 at base 512/ })
  t.match(found.get('gpio permission'), { state: 'fails', remedy: /^sudo usermod -aG gpio pi / })
  t.match(found.get('clock'), {
    state: 'fails',
    detail:
      /systemd-timesyncd has reached no time server; a Pi has no clock of its own, and an agent does not mine/,
    remedy: /^timedatectl timesync-status/,
  })
  t.match(found.get('service agent'), { state: 'fails', remedy: /^journalctl -u pinledger-agent / })
})

t.test('what was throttled since the start but is not now is a warning', async (t) => {
  const files = { ...PI_4.files, 'sys/devices/platform/soc/soc:firmware/get_throttled': '10000\n' }
  const found = await findings(fake(t, { ...PI_4, files }))
  t.match(found.get('power'), {
    state: 'warns',
    detail: 'since the start, but not now: the voltage is too low',
  })
})

t.test('a Pi 5 with Trixie: no sysfs, the character device, chrony', async (t) => {
  const files = {
    ...pi('Raspberry Pi 5 Model B Rev 1.0', '6.12.47+rpt-rpi-2712', 'Debian GNU/Linux 13 (trixie)'),
    'dev/gpiochip0': '',
    'dev/gpiochip10': '',
    'run/chrony/chronyd.pid': '1',
    'run/systemd/system/x': '',
  }
  const programs: Record<string, string> = {
    [NTP]: 'NTP=yes\nNTPSynchronized=yes\n',
    chronyc: `C0248F97,192.0.2.7,3,${NOW_MS / 1_000 - 90}.5,-0.0000,0.0,0.0,-4.9,0.0,0.1,0.01,0.001,64.2,Normal\n`,
    'gpiodetect --version': 'gpiodetect (libgpiod) v2.2.1\n',
    gpiodetect: 'gpiochip0 [pinctrl-rp1] (54 lines)\ngpiochip10 [gpio-brcmstb@107d508500] (32 lines)\n',
  }
  const good = await findings(fake(t, { files, programs }))
  t.match(good.get('gpio'), { state: 'works', detail: /gpiochip0 \(pinctrl-rp1\), gpiod tools version 2/ })
  t.match(good.get('gpio permission'), { state: 'works' })
  t.match(good.get('clock'), { state: 'works', detail: /synchronised by chrony, last .* \(90 s ago\)/ })
  t.match(good.get('1-wire'), { state: 'absent', remedy: /dtoverlay=w1-gpio/ })

  const { chronyc: _, gpiodetect: __, 'gpiodetect --version': ___, ...rest } = programs
  const bad = await findings(
    fake(t, { files, programs: { ...rest, [NTP]: 'NTP=yes\nNTPSynchronized=no\n' } }),
  )
  t.match(bad.get('gpio'), { state: 'fails', remedy: 'sudo apt install gpiod' })
  t.match(bad.get('clock'), {
    state: 'fails',
    detail: /chrony has reached no time server/,
    remedy: /^chronyc sources/,
  })

  const dark = ['dev/gpiochip0', 'dev/gpiochip10']
  const blind = await findings(
    fake(t, { files, programs: { ...programs, gpiodetect: '\n' }, forbidden: dark }),
  )
  t.match(blind.get('gpio'), { state: 'fails', remedy: undefined })
  t.match(blind.get('gpio permission'), { state: 'fails', remedy: /udevadm/ })

  const forbidden = ['dev/gpiochip0']
  const closed = await findings(fake(t, { files, programs, forbidden }))
  t.match(closed.get('gpio permission'), {
    state: 'fails',
    detail: /though it is in group gpio/,
    remedy: /udevadm/,
  })
  const unkept = await findings(fake(t, { files: pi('Raspberry Pi 5 Model B Rev 1.0', '6.12', 'x') }))
  t.match(unkept.get('clock'), { state: 'fails', remedy: /^sudo apt install systemd-timesyncd/ })
})

t.test('a laptop has no pins, and what it lacks is no fault', async (t) => {
  const machine = fake(t, {
    files: { 'proc/meminfo': PI_4.files?.['proc/meminfo'] ?? '' },
    machine: { arch: 'x64' },
  })
  const found = await findings(machine)
  for (const part of ['gpio', 'i2c', '1-wire', 'temperature', 'power', 'clock', 'service', 'disk'])
    t.match(found.get(part), { state: 'absent' }, part)
  t.notOk(found.has('gpio permission'))
  const files = { 'run/systemd/system/x': '' }
  const programs = { [NTP]: 'NTP=no\nNTPSynchronized=no\n' }
  const unkept = await findings(fake(t, { files, programs }))
  t.match(unkept.get('clock'), { state: 'warns', remedy: /systemd-timesyncd/ })
  const guest = await findings(fake(t, { files: { ...files, 'run/systemd/container': 'x' }, programs }))
  t.match(guest.get('clock'), { state: 'absent', detail: /clock of its host/ })
  const mac = await findings(fake(t, { machine: { platform: 'darwin', nodeVersion: '18.20.4' } }))
  t.match(mac.get('board'), { state: 'absent' })
  t.match(mac.get('node'), { state: 'fails', detail: /20.15 or later/ })
})

t.test(
  'disks: eMMC says how worn it is, an SD card does not, read-only and full ones are faults',
  async (t) => {
    const on = async (device: Readonly<Record<string, string>>, options = 'rw,noatime', free = 20e9) => {
      const block = 'sys/devices/mmc/block/mmcblk0'
      const machine = fake(t, {
        files: {
          ...Object.fromEntries(
            Object.entries(device).map(([name, text]) => [`${block}/device/${name}`, text]),
          ),
          [`${block}/stat`]: '  100 0 800 10  2000 0 4000000 90 0 0 0\n',
          [`${block}/mmcblk0p2/partition`]: '2\n',
          'data/x': '',
        },
        machine: { space: () => ({ free, total: 30e9 }) },
      })
      mkdirSync(join(machine.sysRoot, 'dev/block'), { recursive: true })
      symlinkSync(join(machine.root, block, 'mmcblk0p2'), join(machine.sysRoot, 'dev/block/179:2'))
      mkdirSync(join(machine.procRoot, 'self'), { recursive: true })
      const mounts = [
        '25 1 0:23 / /tmp/else rw - tmpfs tmpfs rw',
        `24 1 179:2 / / ${options} shared:1 - ext4 /dev/root ${options}`,
      ]
      writeFileSync(join(machine.procRoot, 'self/mountinfo'), mounts.join('\n'))
      return findings(machine, { data: join(machine.root, 'data') })
    }
    const emmc = (life: string, eol: string) => ({
      type: 'MMC',
      name: 'BJTD4R',
      date: '03/2023',
      life_time: life,
      pre_eol_info: eol,
    })
    const fresh = await on(emmc('0x02 0x01', '0x01'))
    t.match(fresh.get('disk'), {
      state: 'works',
      detail: /on \/ \(ext4\) of mmcblk0, 2\.0 GB written since the start/,
    })
    t.match(fresh.get('disk wear'), {
      state: 'works',
      detail: /BJTD4R, made 03\/2023\): 10 to 20 % of its life used/,
    })
    t.match((await on(emmc('0x09 0x02', '0x01'))).get('disk wear'), { state: 'warns' })
    t.match((await on(emmc('0x0b 0x02', '0x01'))).get('disk wear'), { state: 'fails', remedy: /backup/ })
    t.match((await on(emmc('0x01 0x01', '0x03'))).get('disk wear'), {
      state: 'fails',
      detail: /spare blocks/,
    })
    const card = await on({ type: 'SD', name: 'SC32G', date: '09/2021' })
    t.match(card.get('disk wear'), {
      state: 'absent',
      detail: /is an SD card \(SC32G, made 09\/2021\), which does not tell/,
    })
    t.match((await on({}, 'ro,noatime')).get('disk'), {
      state: 'fails',
      detail: /mounted read-only/,
      remedy: /remount,rw \/$/,
    })
    t.match((await on({}, 'rw', 50e6)).get('disk space'), { state: 'fails' })
    t.match((await on({}, 'rw', 500e6)).get('disk space'), { state: 'warns', remedy: /apt clean/ })
  },
)

/** An agent's configuration in the machine's folder; its data directory is `data` there. */
function configure({ root }: { root: string }, text: string): string {
  const file = join(root, 'agent.yaml')
  writeFileSync(file, `name: a\nbroker: { url: "${NOBODY}" }\ndata: data\n${text}`)
  return file
}

t.test('each sensor is read once, outputs are left alone, one that fails costs no other', async (t) => {
  const machine = fake(t, PI_4)
  writeFileSync(join(machine.root, 'flow.yaml'), 'steps: [{ after: 0, value: 4.25 }]\n')
  const config = configure(
    machine,
    `sensors:
  - { name: button, driver: gpio, pin: 17 }
  - { name: heat, driver: host, quantity: temperature, intervalSeconds: 3600 }
  - { name: flow, driver: script, file: flow.yaml, unit: l/s }
  - { name: gone, driver: script, file: gone.yaml, unit: l/s }
outputs:
  - { name: pump, pin: 22, activeLow: true, when: { agent: connected } }
`,
  )
  const found = await findings(machine, { config, broker: undefined, data: undefined })
  t.match(found.get('configuration'), { state: 'works', detail: /of an agent/ })
  t.match(found.get('sensor button'), { state: 'works', detail: 'GPIO 17 says 1 /' })
  t.match(found.get('sensor heat'), { state: 'works', detail: 'driver host says 48.3 Cel' })
  t.match(found.get('sensor flow'), { state: 'works', detail: 'driver script says 4.25 l/s' })
  t.match(found.get('sensor gone'), { state: 'fails', detail: /gone\.yaml/ })
  t.match(found.get('output pump'), {
    state: 'works',
    detail: /GPIO 22, on when low, through sysfs; not switched/,
  })
  t.match(found.get('broker'), {
    state: 'fails',
    detail: /nothing listens on port 1/,
    remedy: /pinledger-broker/,
  })
  t.match(found.get('key'), { state: 'absent' })
})

t.test('lines that a running agent has are not taken from it', async (t) => {
  const machine = fake(t, PI_4)
  mkdirSync(join(machine.root, 'data'), { mode: 0o700 })
  const { openDataDir } = await import('../../node/data-dir.ts')
  const dir = openDataDir(join(machine.root, 'data'))
  t.teardown(() => dir.close())
  const config = configure(machine, 'sensors: [{ name: button, driver: gpio, pin: 17 }]\n')
  const found = await findings(machine, { config, data: undefined })
  const holder = `process ${process.pid}`
  t.match(found.get('sensor button'), {
    state: 'absent',
    detail: `GPIO 17: not tried, since ${holder} has the line`,
  })
  t.match(found.get('data directory'), { state: 'works', detail: new RegExp(`in use by ${holder}`) })
})

t.test('a broken configuration is a finding, and the rest is looked at', async (t) => {
  const machine = fake(t, PI_4)
  const config = configure(machine, 'sensors: [{ name: button, driver: gpoi, pin: 17 }]\n')
  const found = await findings(machine, { config })
  t.match(found.get('configuration'), { state: 'fails', detail: /agent\.yaml:4:/, remedy: /agent\.yaml/ })
  t.match(found.get('gpio'), { state: 'works' })
  t.match((await findings(machine, { config: join(machine.root, 'no.yaml') })).get('configuration'), {
    state: 'fails',
  })
  const installed = join(machine.etcRoot, 'pinledger/broker.yaml')
  mkdirSync(dirname(installed))
  const unseen = await findings(machine, { broker: undefined, data: undefined })
  t.match(unseen.get('configuration'), { state: 'absent', remedy: 'sudo -u pinledger pinledger doctor' })
  writeFileSync(installed, 'validators: []\nmqttPort: 1\n')
  const broker = await findings(machine, { broker: undefined, data: undefined })
  t.match(broker.get('configuration'), { state: 'works', detail: `${installed}, of a broker` })
  t.match(broker.get('broker'), { state: 'fails', detail: /mqtt:\/\/127\.0\.0\.1:1:/ })
})

t.test('a key that others may read is a fault, and no finding has a secret', async (t) => {
  const machine = fake(t, PI_4)
  const data = join(machine.root, 'data')
  mkdirSync(data, { mode: 0o700 })
  const { account } = createKey(join(data, 'key.json'))
  writeGenesis(join(data, 'genesis.json'), testGenesis())
  const own = { uid: process.getuid?.() }
  const good = await findings({ ...machine, ...own }, { data })
  t.match(good.get('key'), { state: 'works', detail: new RegExp(`^account ${account}, mode 0600`) })
  chmodSync(join(data, 'key.json'), 0o644)
  const open = await findings({ ...machine, ...own }, { data })
  t.match(open.get('key'), { state: 'fails', remedy: `chmod 600 ${join(data, 'key.json')}` })
  chmodSync(data, 0o777)
  t.match((await findings(machine, { data })).get('data directory'), { state: 'fails', remedy: /chmod 700/ })
  chmodSync(join(data, 'key.json'), 0o600)
  const { secret } = JSON.parse(readFileSync(join(data, 'key.json'), 'utf8')) as { secret: string }
  for (const found of [good, open]) t.notMatch(JSON.stringify([...found.values()]), new RegExp(secret))
})

t.test(
  'an enrolled network: login, blocks, clocks and admission, as an agent that runs would have them',
  async (t) => {
    const activations = [1, 2, 3, 4, 5].map((type) => ({ type, height: 0 }))
    const rig = await Rig.start(t, { authorities: [bob.account], activations })
    const running = await rig.validator()
    await rig.mine([running])
    const now = (): number => rig.chain.chain.tip.time
    const machine = fake(t, { ...PI_4, machine: { now } })
    const data = join(machine.root, 'data')
    mkdirSync(data, { mode: 0o700 })
    const { account } = createKey(join(data, 'key.json'))
    const genesis = join(machine.root, 'genesis.json')
    writeGenesis(genesis, rig.genesis)
    const config = configure(machine, `genesis: ${genesis}\n`)
    const options = { config, broker: rig.url, data: undefined }
    const still = await findings(machine, options, { ...LIMITS, blockMsMax: 150 })
    t.match(still.get('time difference'), { state: 'works', detail: /^no block came within 0\.15 s/ })
    let isOver = false
    const mining = (async () => {
      for (; !isOver; await sleep(100)) await rig.mine([running])
    })()
    const found = await findings(machine, options)
    const { id } = testNetwork(rig.genesis)
    t.match(found.get('login'), { state: 'works', detail: `as ${account}` })
    t.match(found.get('genesis'), { state: 'works', detail: new RegExp(`^network ${id} `) })
    t.match(found.get('network'), {
      state: 'works',
      detail: new RegExp(`^${id}, 1 validator, newest block #\\d`),
    })
    t.match(found.get('time difference'), { state: 'works', detail: /^a block that just came is/ })
    t.match(found.get('admission'), {
      state: 'fails',
      remedy: `pinledger admit ${account} --key authority.json --broker ${rig.url}`,
    })

    const late = await findings({ ...machine, now: () => now() - 3_600_000 }, options)
    t.match(late.get('time difference'), { state: 'fails', detail: /60 min behind/, remedy: /set-ntp/ })
    const early = await findings({ ...machine, now: () => now() + 3_600_000 }, options)
    t.match(early.get('time difference'), { state: 'fails', detail: /60 min ahead/ })

    isOver = true
    await mining

    const guest = await findings(
      machine,
      { broker: rig.url, data: join(machine.root, 'none') },
      { ...LIMITS, blockMsMax: 150 },
    )
    t.match(guest.get('login'), { state: 'works', detail: /as a guest/ })
    t.match(guest.get('admission'), { state: 'absent' })

    writeGenesis(join(machine.root, 'other.json'), testGenesis({ name: 'other' }))
    const stranger = await findings(machine, {
      ...options,
      config: configure(machine, 'genesis: other.json\n'),
    })
    t.match(stranger.get('network'), { state: 'fails', detail: new RegExp(`at the broker is ${id}`) })
  },
)

t.test('a check that throws or hangs is a finding of its own', async (t) => {
  const said = (run: Parameters<typeof examine>[0]['run']) => examine({ part: 'x', msMax: 30, run })
  t.match(await said(() => Promise.reject(new WorldError('sensor', 'no such thing'))), [
    { state: 'fails', detail: 'no such thing' },
  ])
  t.match(await said(() => Promise.reject(new Error('ours'))), [
    { state: 'fails', detail: /^bug in pinledger.*ours/s },
  ])
  const hanging = await said(async (say) => {
    say(works('y', 'fine'))
    await new Promise(() => {})
  })
  t.match(hanging, [
    { part: 'y', state: 'works' },
    { part: 'x', state: 'fails', detail: /no answer within 0\.03 s/ },
  ])
})

t.test(
  'the report is aligned, marks what fails without colour and without UTF-8, and takes no control characters',
  async (t) => {
    const found: Finding[] = [
      works('a', 'fine, 21 °C'),
      {
        part: 'b',
        state: 'fails',
        detail: `broken ${'word '.repeat(20)}\x1b[2J`,
        remedy: `sudo mend ${'x'.repeat(90)}`,
      },
    ]
    const plain = section('Things', found, { colour: false, utf8: false, columns: 60 })
    const lines = plain.split('\n')
    t.equal(lines[1]?.indexOf('fine'), lines[2]?.indexOf('broken'))
    t.match(plain, /^ {2}ok {3}a .*fine, 21 C$/m)
    t.match(plain, /^ {2}FAIL b /m)
    t.match(plain, /-> sudo mend x{90}$/m)
    t.notOk([...plain].some((letter) => letter > '~' || (letter < ' ' && letter !== '\n')))
    const rich = section('Things', found, { colour: true, utf8: true, columns: 60 })
    t.match(rich, /✓/)
    t.ok(rich.includes('\x1b[1;31m✗'))
    t.equal(summary(found, styleOf({}, {})), '1 part fails: b; 1 work; 0 are not here\n')
    t.match(styleOf({ isTTY: true, columns: 300 }, { LANG: 'de_DE.UTF-8' }), {
      colour: true,
      utf8: true,
      columns: 120,
    })
    t.match(styleOf({ isTTY: true }, { LC_ALL: 'C', LANG: 'de_DE.UTF-8', NO_COLOR: '1' }), {
      colour: false,
      utf8: false,
    })
  },
)

t.test('this machine, by the program: JSON, and exit code 1 when something fails', async (t) => {
  const { code, out, err } = await run(t, ['doctor', '--broker', NOBODY, '--json'], { cwd: temporary(t) })
  t.equal(err, '')
  const found = JSON.parse(out) as Finding[]
  t.equal(code, 1)
  t.match(
    found.find(({ part }) => part === 'broker'),
    { state: 'fails', remedy: /pinledger broker/ },
  )
  for (const { part, state, detail } of found)
    t.ok(/^(works|warns|fails|absent)$/.test(state) && detail !== '', part)
})
