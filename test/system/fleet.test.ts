/**
 * A whole fleet, from cards to a network that pays: four guests are flashed by `pinledger flash`, boot with their own systemd
 * and cloud-init, are found over SSH, and Ansible does the rest. Each test goes on from where the one before it ended.
 *
 *     broker   validator   greenhouse: founder, buys readings   cellar: sells them; its key was placed by the flasher
 *
 * What only a Pi has (its kernel, firmware, pins and watchdog) is not here. Takes root.
 */
import { readdirSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { stringify } from 'yaml'
import { buildDesk, type Desk } from './fleet/desk.ts'
import { bootGuest, type Guest } from './fleet/guest.ts'
import { cachedImage } from './fleet/image.ts'
import { MAIN, storedOn, told, watch } from './fleet/network.ts'
import { type Played, play, writeInventory } from './fleet/playbooks.ts'
import { pack, variant } from './fleet/release.ts'
import { openShell, type Shell, USER } from './fleet/ssh.ts'
import { needsRoot } from './machine.ts'

const NAMES = ['broker', 'validator', 'greenhouse', 'cellar'] as const
type Name = (typeof NAMES)[number]
const AGENTS = ['greenhouse', 'cellar'] as const
const PROGRAM = { broker: 'broker', validator: 'validator', greenhouse: 'agent', cellar: 'agent' } as const
const addressOf = (name: Name): string => `10.78.0.${11 + NAMES.indexOf(name)}`
const URL = `mqtt://${addressOf('broker')}:1883`
const BOOT_MS_MAX = 90_000
const BLOCK_MS_MAX = 90_000
/** Stands in for a card reader's haste: two at once keep two processors busy. */
const CARD_OPTIONS = { timeoutMs: 120_000 } as const
/** What systemd-timesyncd leaves, and who speaks for other time services. */
const TIMESYNC = '/run/systemd/timesync'

const seconds = (sinceMs: number): string => ((performance.now() - sinceMs) / 1000).toFixed(1)

interface Fleet {
  readonly desk: Desk
  readonly shell: Shell
  readonly guests: ReadonlyMap<Name, Guest>
  /** A folder of packages for sites without internet. */
  readonly packages: string
  /** Account of the key that was placed on the cellar's card. */
  readonly cellar: string
}

function guestOf({ guests }: Fleet, name: Name): Guest {
  const guest = guests.get(name)
  if (guest === undefined) throw new Error(`there is no ${name}`)
  return guest
}

const each = <T>(names: readonly Name[], work: (name: Name) => Promise<T>): Promise<T[]> =>
  Promise.all(names.map(work))

/** Runs a playbook that has to end well. */
async function playWell(
  t: Test,
  { desk, shell }: Fleet,
  playbook: string,
  ...args: string[]
): Promise<Played> {
  const played = await play(desk, shell, playbook, ...args)
  t.comment(`${[playbook, ...args].join(' ')}: ${(played.ms / 1000).toFixed(1)} s`)
  if (played.code !== 0)
    throw new Error(`${playbook} ended with ${played.code}:\n${played.text.slice(-6_000)}`)
  return played
}

t.test('a fleet', async (t) => {
  if (needsRoot(t, 'a fleet of guests')) return
  const desk = buildDesk(t)
  const guests = new Map<Name, Guest>()
  let fleet: Fleet | undefined
  let works = true
  /** A test whose failure leaves nothing for the later ones to go on from. */
  const fact = (name: string, body: (t: Test, fleet: Fleet) => Promise<void>): Promise<unknown> =>
    t.test(name, async (t) => {
      if (!works || fleet === undefined) return void t.fail('what this goes on from did not work')
      works = false
      const startedMs = performance.now()
      try {
        await body(t, fleet)
        works = t.passing()
      } finally {
        t.comment(`${((performance.now() - startedMs) / 1000).toFixed(1)} s`)
        if (!works) for (const guest of guests.values()) t.comment(`${guest.name}:\n${lastWords(guest)}`)
      }
    })

  await t.test(
    'cards are flashed with a configuration each, and Pis with them answer over SSH',
    async (t) => {
      const startedMs = performance.now()
      const { image, hashFile, packages, isNew } = cachedImage()
      t.comment(`the image was ${isNew ? 'made' : 'there'}: ${seconds(startedMs)} s`)
      const shell = await openShell(desk, new Map(NAMES.map((name) => [name, addressOf(name)])))
      const cellar = await told(desk, 'keygen', desk.path('cellar.json'))
      const flash = async (name: Name): Promise<void> => {
        const config = desk.path(`${name}.yaml`)
        const pi = {
          hostname: name,
          user: { name: USER, sshKeyFiles: ['owner.pub'] },
          ethernet: { address: `${addressOf(name)}/24` },
          ...(name === 'cellar' ? { key: { place: 'cellar.json' }, oneWirePin: 4 } : {}),
        }
        writeFileSync(config, stringify(pi))
        const card = desk.path(`${name}.img`)
        const args = [
          'flash',
          '--image',
          image,
          '--sha256',
          hashFile,
          '--to',
          card,
          '--config',
          config,
          '--json',
        ]
        await desk.do(process.execPath, [MAIN, ...args], CARD_OPTIONS)
        guests.set(name, bootGuest(desk, name, addressOf(name), card))
      }
      for (const pair of [NAMES.slice(0, 2), NAMES.slice(2)]) await each(pair, flash)
      t.comment(`flashed: ${seconds(startedMs)} s`)
      await each(NAMES, (name) => shell.meet(name, BOOT_MS_MAX))
      const said = await each(NAMES, (name) =>
        shell.on(
          name,
          'cloud-init status --wait >/dev/null && hostname && ! grep FAILED /var/log/pinledger-first-boot.log',
        ),
      )
      t.strictSame(
        said.map((lines) => lines.trim().split('\n')),
        NAMES.map((name) => [name]),
      )
      t.comment(`up: ${seconds(startedMs)} s`)
      fleet = { desk, shell, guests, packages, cellar }
    },
  )

  let release = ''
  await fact('site.yml makes machines that only had SSH a fleet', async (t, fleet) => {
    release = await pack(desk)
    inventory(fleet, release)
    await playWell(t, fleet, 'site.yml')
  })

  await fact('all units are active, sandboxed, and nothing of them is root', async (t, fleet) => {
    await each(NAMES, (name) => soundUnit(t, fleet, name))
  })

  await fact('the owner admits the agent whose account the device tells', async (t, fleet) => {
    await playWell(t, fleet, 'admit.yml', '--limit', 'cellar')
    const views = JSON.parse(await told(desk, 'members', '--broker', URL, '--json'))
    t.match(views, { views: [{ members: [{ account: fleet.cellar }] }] })
  })

  await fact('a second run of site.yml changes nothing, and a dry run would not', async (t, fleet) => {
    for (const args of [[], ['--check', '--diff']]) {
      const { changes, recap } = await playWell(t, fleet, 'site.yml', ...args)
      t.strictSame(changes, [])
      t.strictSame(
        [...recap].map(([name, { changed, failed }]) => [name, changed, failed]).sort(),
        [...NAMES].sort().map((name) => [name, 0, 0]),
      )
    }
  })

  await fact('restarted, all mine and pay and agree on a tip', async (t, fleet) => {
    // The connection goes with the machine: it ends with an error.
    await each(NAMES, (name) => fleet.shell.try(name, 'sudo systemctl reboot'))
    await each(NAMES, (name) => upAgain(fleet, name))
    const seen = watch(t, desk, URL)
    await Promise.all([
      ...AGENTS.map((miner) => seen.next(`${miner} mines`, { event: 'block', miner }, BLOCK_MS_MAX)),
      seen.next('a reading is paid', { event: 'payment', from: 'greenhouse', to: 'cellar' }, BLOCK_MS_MAX),
    ])
    t.ok(await agreed(fleet), 'every ledger holds, and all end on one tip')
    await each(NAMES, (name) => soundUnit(t, fleet, name))
  })

  const current = (fleet: Fleet, name: Name): Promise<string> =>
    fleet.shell.on(name, 'readlink /opt/pinledger/current')
  await fact('a new release goes to one machine after the other', async (t, fleet) => {
    inventory(fleet, await variant(desk, release, '0.9.1'))
    await playWell(t, fleet, 'update.yml')
    const versions = await each(NAMES, (name) => current(fleet, name))
    for (const version of versions) t.match(version, /^releases\/0\.9\.1-[0-9a-f]{8}$/)
  })

  await fact('a release that does not work is taken back by itself', async (t, fleet) => {
    const before = await current(fleet, 'greenhouse')
    inventory(
      fleet,
      await variant(desk, release, '0.9.2', "if (process.argv[2] === 'agent') process.exit(1)"),
    )
    const { code, text, ms } = await play(desk, fleet.shell, 'update.yml', '--limit', 'agents')
    t.comment(`update.yml --limit agents: ${(ms / 1000).toFixed(1)} s`)
    t.not(code, 0)
    t.match(text, /0\.9\.2-[0-9a-f]{8} did not pass on greenhouse/)
    t.equal(await current(fleet, 'greenhouse'), before)
    t.notMatch(await current(fleet, 'cellar'), '0.9.2', 'the machine after it was left as it was')
    await each(AGENTS, (name) => soundUnit(t, fleet, name))
  })

  await fact('a backup of a running agent can be put back', async (t, fleet) => {
    await playWell(t, fleet, 'backup.yml', '--limit', 'cellar')
    const [file = ''] = readdirSync(desk.path('inventory', 'backups', 'cellar'))
    const from = desk.path('inventory', 'backups', 'cellar', file)
    await fleet.shell.on('cellar', 'sudo touch /var/lib/pinledger/agent/of-the-old-one')
    await playWell(
      t,
      fleet,
      'restore.yml',
      '-e',
      'pinledger_restore=cellar',
      '-e',
      `pinledger_restore_from=${from}`,
    )
    const files = await fleet.shell.on('cellar', 'sudo ls /var/lib/pinledger/agent')
    t.match(files, 'key.json')
    t.notMatch(files, 'of-the-old-one')
    await soundUnit(t, fleet, 'cellar')
  })

  await fact('a retired agent may not mine any more', async (t, fleet) => {
    await playWell(t, fleet, 'retire.yml', '-e', 'pinledger_retire=cellar')
    const views = JSON.parse(await told(desk, 'members', '--broker', URL, '--json'))
    t.match(views, { views: [{ count: 0, members: [] }] })
    t.match(
      await fleet.shell.try(
        'cellar',
        'systemctl is-active pinledger-agent; systemctl is-enabled pinledger-agent',
      ),
      {
        out: 'inactive\ndisabled',
      },
    )
  })

  await fact('an agent mines once its clock is synchronised, and not before', async (t, fleet) => {
    const on = (command: string): Promise<string> => fleet.shell.on('greenhouse', command)
    const seen = watch(t, desk, URL)
    // As on a Pi whose systemd-timesyncd has reached no server yet.
    await on(`sudo systemctl mask --runtime --now systemd-timedated && sudo mkdir -p ${TIMESYNC}`)
    await on('sudo systemctl restart pinledger-agent')
    const words =
      "sudo journalctl -u pinledger-agent --since=-2min -o cat --no-pager | grep 'not mining' | tail -1"
    t.match(await on(`until ${words} | grep -m1 clock; do sleep 0.5; done`), /clock is not synchronised/)
    const { height } = await storedOn(desk, guestOf(fleet, 'validator'), 'validator')
    await on('sleep 6')
    t.equal((await storedOn(desk, guestOf(fleet, 'validator'), 'validator')).height, height, 'no block comes')
    await on(`sudo touch ${TIMESYNC}/synchronized`)
    const { miner } = await seen.next('a block comes', { event: 'block' }, BLOCK_MS_MAX)
    t.equal(miner, 'greenhouse')
  })
})

function lastWords(guest: Guest): string {
  try {
    return guest.journal(25)
  } catch (error) {
    // It is going down: the test has failed for another reason, which is not to be lost.
    return String(error)
  }
}

function inventory({ desk, packages, cellar }: Fleet, release: string): void {
  const hosts = (...names: Name[]): object => ({
    hosts: Object.fromEntries(names.map((name) => [name, { ansible_host: addressOf(name) }])),
  })
  writeInventory(desk, {
    hosts: {
      pinledger: {
        children: {
          brokers: hosts('broker'),
          validators: hosts('validator'),
          agents: hosts(...AGENTS),
          founders: hosts('greenhouse'),
        },
      },
    },
    variables: {
      ansible_user: USER,
      pinledger_release: release,
      pinledger_offline_dir: packages,
      pinledger_network_name: 'fleet',
      pinledger_network_preset: 'bench',
      pinledger_network_enrolled: true,
      pinledger_authority_key_file: desk.path('authority.json'),
      pinledger_control_command: [process.execPath, MAIN],
      pinledger_gate_seconds: 2,
    },
    hostVariables: {
      greenhouse: {
        pinledger_edge_agent_settings: {
          wires: [{ when: { device: cellar, sensor: 'load' }, pay: '0.01', for: 'load of the cellar' }],
        },
      },
      cellar: {
        pinledger_edge_agent_settings: {
          sensors: [{ name: 'load', driver: 'host', quantity: 'cpu-load', intervalSeconds: 2 }],
        },
      },
    },
  })
}

/** Looks at a unit as systemd and the kernel see it. */
async function soundUnit(t: Test, { shell }: Fleet, name: Name): Promise<void> {
  const unit = `pinledger-${PROGRAM[name]}.service`
  const properties =
    'ActiveState,NoNewPrivileges,ProtectSystem,ProtectHome,PrivateTmp,DevicePolicy,CapabilityBoundingSet'
  const text = await shell
    .on(
      name,
      `for i in $(seq 60); do systemctl is-active --quiet ${unit} && break; sleep 0.5; done
     systemctl show --property=${properties} ${unit}
     echo failed=$(systemctl list-units --failed --no-legend | wc -l)
     main=$(systemctl show --value --property=MainPID ${unit})
     sudo grep -E '^(NoNewPrivs|Seccomp|CapEff|CapBnd):' /proc/$main/status | tr -d '\\t'
     echo users=$(ps -o user= -p $(cat /sys/fs/cgroup/system.slice/${unit}/cgroup.procs | paste -sd,) | sort -u)
     sudo nsenter --target $main --mount touch /etc/pinledger/try 2>&1`,
      // The last of these has to fail.
    )
    .catch((error: Error) => error.message)
  for (const line of [
    'ActiveState=active',
    'NoNewPrivileges=yes',
    'ProtectSystem=strict',
    'ProtectHome=yes',
    'PrivateTmp=yes',
    'DevicePolicy=closed',
    'CapabilityBoundingSet=',
    'failed=0',
    'NoNewPrivs:1',
    'Seccomp:2',
    'CapEff:0000000000000000',
    'CapBnd:0000000000000000',
    'users=pinledger',
  ])
    t.ok(text.split('\n').includes(line), `${name}: ${line}`, { text })
  t.match(text, 'Read-only file system', `${name}: cannot write its own configuration`)
}

/** Waits until a machine has booted again and runs its unit. */
async function upAgain(fleet: Fleet, name: Name): Promise<void> {
  const deadline = performance.now() + BOOT_MS_MAX
  const unit = `pinledger-${PROGRAM[name]}`
  do {
    if (guestOf(fleet, name).boots() === 1) await new Promise((resolve) => setTimeout(resolve, 100))
    else if ((await fleet.shell.try(name, `systemctl is-active ${unit}`)).code === 0) return
  } while (performance.now() < deadline)
  throw new Error(`waited ${BOOT_MS_MAX} ms in vain until ${name} was up again`)
}

/** Whether validator and agents come to one tip; each look checks all of their ledgers. */
async function agreed(fleet: Fleet): Promise<boolean> {
  const deadline = performance.now() + BLOCK_MS_MAX
  do {
    const ledgers = await Promise.all([
      storedOn(fleet.desk, guestOf(fleet, 'validator'), 'validator'),
      ...AGENTS.map((name) => storedOn(fleet.desk, guestOf(fleet, name), 'agent')),
    ])
    if (new Set(ledgers.map(({ tip }) => tip)).size === 1) return true
  } while (performance.now() < deadline)
  return false
}
