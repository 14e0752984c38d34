/**
 * Flashing with real tools: an image with FAT and ext4 is made, flashed to a file and to a loop device, read back and checked
 * by mtools, fsck and cloud-init; Bookworm's script runs for real over copies of /etc, /home and /var.
 *
 * Root, and the packages fdisk, mtools, dosfstools, e2fsprogs, xz-utils, unzip, zip and cloud-init.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { closeTarget, openTarget } from '../../firmware-config/write-image.ts'
import { createKey } from '../../node/key-file.ts'
import { kill, pinledger, run, temporary } from '../helpers/processes.ts'
import { waitUntil } from '../helpers/wait-until.ts'

const FAT_OFFSET = 8_192 * 512
const FAT_MEBIBYTES = 36
const ROOT_MEBIBYTES = 4 + FAT_MEBIBYTES
const IMAGE_MEBIBYTES = 64
const SSH_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea'

const tool = (program: string, args: readonly string[], input?: string): string =>
  execFileSync(program, args, {
    encoding: 'utf8',
    input,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin`, MTOOLS_SKIP_CHECK: '1' },
  })
const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex')
const onFat = (image: string, name: string): string =>
  tool('mtype', ['-i', `${image}@@${FAT_OFFSET}`, `::/${name}`])

/** What an image of Raspberry Pi OS has, as far as we touch it. */
function makeImage(dir: string, release: 'trixie' | 'bookworm'): string {
  const [image, fat, ext] = ['pi.img', 'fat.img', 'ext.img'].map((name) => join(dir, name)) as [
    string,
    string,
    string,
  ]
  writeFileSync(image, '')
  truncateSync(image, IMAGE_MEBIBYTES * 2 ** 20)
  tool('sfdisk', ['-q', image], 'label: dos\nstart=8192, size=73728, type=c\nstart=81920, type=83\n')
  writeFileSync(fat, '')
  truncateSync(fat, FAT_MEBIBYTES * 2 ** 20)
  tool('mkfs.vfat', ['-F', '32', '-n', 'BOOTFS', fat])
  mkdirSync(join(dir, 'root/etc'), { recursive: true })
  writeFileSync(join(dir, 'root/etc/issue'), 'a Pi\n')
  tool('mkfs.ext4', ['-q', '-d', join(dir, 'root'), ext, '24M'])
  const put = (name: string, text: string) => tool('mcopy', ['-i', fat, '-', `::/${name}`], text)
  put('config.txt', 'dtparam=audio=on\n[cm5]\ndtoverlay=dwc2\n')
  put('cmdline.txt', 'console=tty1 root=PARTUUID=ab-02 rootfstype=ext4 rootwait\n')
  if (release === 'trixie') put('user-data', '#cloud-config\n')
  for (const [part, mebibytes] of [
    [fat, 4],
    [ext, ROOT_MEBIBYTES],
  ] as const)
    tool('dd', [`if=${part}`, `of=${image}`, 'bs=1M', `seek=${mebibytes}`, 'conv=notrunc', 'status=none'])
  return image
}

function makeConfig(dir: string, more = ''): string {
  writeFileSync(join(dir, 'wifi'), 'correct horse battery\n', { mode: 0o600 })
  writeFileSync(
    join(dir, 'pi.yaml'),
    `hostname: pi-greenhouse
user: { name: fleet, sshKeys: ["${SSH_KEY} it's \\"me\\" $(reboot)"] }
ethernet: { address: 192.168.1.20/24, gateway: 192.168.1.1, dns: [192.168.1.1] }
wifi: { country: DE, ssid: "Bob's \\"lab\\" $(reboot)", passphraseFile: wifi }
timeZone: Etc/UTC
ntpServers: [0.pool.ntp.org]
oneWirePin: 4
i2c: true
overlays: ["dht11,gpiopin=17"]
disk: { tmpMegabytesMax: 64, varLogMegabytesMax: 32 }
swap: off
${more}`,
  )
  return join(dir, 'pi.yaml')
}

/** Both file systems are whole, cloud-init takes the user-data, and all that is ours is there. */
function checkCard(t: Test, card: string, dir: string): void {
  const fat = join(dir, 'back.fat')
  tool('dd', [`if=${card}`, `of=${fat}`, 'bs=1M', 'skip=4', `count=${FAT_MEBIBYTES}`, 'status=none'])
  t.doesNotThrow(() => tool('fsck.vfat', ['-n', fat]), 'the FAT is whole')
  const ext = join(dir, 'back.ext4')
  tool('dd', [`if=${card}`, `of=${ext}`, 'bs=1M', `skip=${ROOT_MEBIBYTES}`, 'status=none'])
  t.doesNotThrow(() => tool('e2fsck', ['-fn', ext]), 'the root file system is whole')
  t.equal(tool('debugfs', ['-R', 'cat /etc/issue', ext]), 'a Pi\n')
  t.match(tool('sfdisk', ['-d', card]), /start=\s+8192,[\s\S]*start=\s+81920,/)
  const userData = join(dir, 'user-data')
  writeFileSync(userData, onFat(card, 'user-data'))
  t.match(tool('cloud-init', ['schema', '--config-file', userData]), /Valid/)
  t.match(onFat(card, 'user-data'), /hostname: "pi-greenhouse"/)
  t.match(onFat(card, 'network-config'), /192\.168\.1\.20\/24/)
  t.match(onFat(card, 'meta-data'), /instance-id: "pinledger-pi-greenhouse-/)
  t.match(onFat(card, 'config.txt'), /dtoverlay=dwc2\n# >>> pinledger.*\n\[all\]\ndtparam=watchdog=on\n/)
  t.equal(
    onFat(card, 'cmdline.txt'),
    'console=tty1 root=PARTUUID=ab-02 rootfstype=ext4 rootwait cfg80211.ieee80211_regdom=DE ds=nocloud\n',
  )
  t.notMatch(readFileSync(fat, 'latin1'), 'correct horse', 'the Wi-Fi passphrase is nowhere on it')
}

t.test(
  'an image is flashed as .xz, .gz and .zip, and what comes out is checked by other programs',
  async (t) => {
    const dir = temporary(t)
    const image = makeImage(dir, 'trixie')
    const config = makeConfig(dir)
    const before = sha256(image)
    tool('xz', ['-k', '-1', image])
    tool('gzip', ['-k', '-1', image])
    tool('zip', ['-q', '-j', join(dir, 'pi.zip'), image])
    writeFileSync(join(dir, 'pi.img.xz.sha256'), `${sha256(`${image}.xz`)}  pi.img.xz\n`)
    const card = join(dir, 'card.img')
    for (const [packed, hash] of [
      [`${image}.xz`, join(dir, 'pi.img.xz.sha256')],
      [join(dir, 'pi.zip'), sha256(join(dir, 'pi.zip'))],
      [`${image}.gz`, sha256(`${image}.gz`)],
    ] as const) {
      const args = [
        'flash',
        '--image',
        packed,
        '--sha256',
        hash,
        '--to',
        card,
        '--config',
        config,
        '--yes-erase',
      ]
      const { code, out, err } = await run(t, args)
      t.equal(code, 0, code === 0 ? 'flashed' : err)
      t.match(out, /0\.07 GB written and read back, Raspberry Pi OS trixie/)
      t.match(err, /verifying #{20} 100 %/)
      t.equal(statSync(card).mode & 0o777, 0o600, 'others cannot read what is on it')
      if (packed.endsWith('.xz')) checkCard(t, card, dir)
      else t.match(onFat(card, 'user-data'), /pi-greenhouse/)
    }
    t.equal(sha256(image), before, 'the image itself is not touched')
  },
)

t.test(
  'a truncated image, a wrong hash, a full disk: each is told, and no Pi would start from the target',
  async (t) => {
    const dir = temporary(t)
    const image = makeImage(dir, 'trixie')
    const config = makeConfig(dir)
    tool('xz', ['-k', '-1', image])
    const packed = `${image}.xz`
    const whole = sha256(packed)
    const card = join(dir, 'card.img')
    const flash = (file: string, hash: string, to = card) =>
      run(t, ['flash', '--image', file, '--sha256', hash, '--to', to, '--config', config, '--yes-erase'])
    const room = join(dir, 'room')
    mkdirSync(room)
    tool('mount', ['-t', 'tmpfs', '-o', 'size=20m', 'tmpfs', room])
    t.teardown(() => tool('umount', [room]))
    t.match(await flash(packed, whole, join(room, 'card.img')), {
      code: 3,
      err: /the image is larger than .*take a larger card/,
    })

    const cut = join(dir, 'cut.img.xz')
    copyFileSync(packed, cut)
    truncateSync(cut, statSync(packed).size - 1_000)
    t.match(await flash(cut, whole), { code: 3, err: /is damaged/ })
    const flipped = readFileSync(packed)
    flipped[Math.floor(flipped.length / 2)] = (flipped[Math.floor(flipped.length / 2)] ?? 0) ^ 1
    writeFileSync(cut, flipped)
    t.match(await flash(cut, whole), { code: 2, err: /expected [0-9a-f]{64}.*Nothing was written/ })
    t.notOk(existsSync(card))
    // As published, but published broken.
    t.match(await flash(cut, sha256(cut)), { code: 3, err: /is damaged/ })
    t.ok(
      readFileSync(card)
        .subarray(0, 512)
        .equals(Buffer.alloc(Math.min(512, statSync(card).size))),
    )
  },
)

t.test(
  'killed in the middle, a card has no partition table; the same command again makes it whole',
  async (t) => {
    const dir = temporary(t)
    const image = makeImage(dir, 'trixie')
    // Long enough to be in the middle of it.
    truncateSync(image, 400 * 2 ** 20)
    tool('dd', [
      'if=/dev/urandom',
      `of=${image}`,
      'bs=1M',
      'seek=70',
      'count=60',
      'conv=notrunc',
      'status=none',
    ])
    tool('gzip', ['-k', '-1', image])
    const packed = `${image}.gz`
    const card = join(dir, 'card.img')
    const args = [
      'flash',
      '--image',
      packed,
      '--sha256',
      sha256(packed),
      '--to',
      card,
      '--config',
      makeConfig(dir),
      '--yes-erase',
    ]
    const first = pinledger(t, args)
    await waitUntil(
      'it has begun to write',
      () => existsSync(card) && statSync(card).size > 8_000_000,
      20_000,
    )
    kill(first.pid, 'SIGKILL')
    t.equal((await first.ended).signal, 'SIGKILL', 'it had not finished')
    t.ok(readFileSync(card).subarray(0, 512).equals(Buffer.alloc(512)))
    const { code, err } = await run(t, args)
    t.equal(code, 0, code === 0 ? 'flashed' : err)
    t.match(tool('sfdisk', ['-d', card]), /start=\s+8192,/)
    t.match(onFat(card, 'user-data'), /pi-greenhouse/)
  },
)

t.test(
  'a disk: flashed as a whole, refused while mounted, too small, or without --yes-erase when built in',
  async (t) => {
    const dir = temporary(t)
    const image = makeImage(dir, 'trixie')
    const config = makeConfig(dir)
    const disk = join(dir, 'disk.img')
    writeFileSync(disk, '')
    truncateSync(disk, 80 * 2 ** 20)
    const attach = (file: string): string => {
      const loop = tool('losetup', ['-f', '--show', file]).trim()
      t.teardown(() => tool('losetup', ['-d', loop]))
      return loop
    }
    const loop = attach(disk)
    const flash = (to: string, ...more: readonly string[]) =>
      run(t, ['flash', '--image', image, '--sha256', sha256(image), '--to', to, '--config', config, ...more])
    t.match(await flash(loop), { code: 2, err: /this erases everything on .*not removable.*Add --yes-erase/ })
    const { code, err } = await flash(loop, '--yes-erase')
    t.equal(code, 0, code === 0 ? 'flashed' : err)
    checkCard(t, disk, dir)

    tool('mkfs.ext4', ['-q', '-F', loop])
    const at = join(dir, 'mounted')
    mkdirSync(at)
    const held = openTarget(loop, true)
    t.throws(() => tool('mount', [loop, at]), 'nothing can be mounted meanwhile')
    closeTarget(held)
    tool('mount', [loop, at])
    t.match(await flash(loop, '--yes-erase'), { code: 2, err: /is mounted at .*mounted: run {2}sudo umount/ })
    t.throws(() => openTarget(loop, true), { message: /in use: unmount/ }, 'the kernel refuses too')
    tool('umount', [at])

    const small = join(dir, 'small.img')
    writeFileSync(small, '')
    truncateSync(small, 40 * 2 ** 20)
    t.match(await flash(attach(small), '--yes-erase'), { code: 3, err: /take a larger card/ })
    const listed = await run(t, ['flash', '--list'])
    t.match(listed.out, new RegExp(`${loop} .*only with --yes-erase: not removable`))
    t.match(listed.out, /no: .*holds this system \(\//, 'the disk of this system is never offered')
  },
)

t.test(
  "Bookworm's script does what it says, twice the same, removes itself and leaves the cmdline of others",
  async (t) => {
    const dir = temporary(t)
    const image = makeImage(dir, 'bookworm')
    createKey(join(dir, 'key.json'))
    const config = makeConfig(dir, 'key: { place: key.json }\n')
    const card = join(dir, 'card.img')
    const { code, out, err } = await run(t, [
      'flash',
      '--image',
      image,
      '--sha256',
      sha256(image),
      '--to',
      card,
      '--config',
      config,
    ])
    t.equal(code, 0, code === 0 ? 'flashed' : err)
    t.match(out, /Raspberry Pi OS bookworm/)
    mkdirSync(join(dir, 'boot'))
    for (const name of ['firstrun.sh', 'cmdline.txt', 'pinledger-key.json'])
      writeFileSync(join(dir, 'boot', name), onFat(card, name))
    tool('bash', ['-n', join(dir, 'boot/firstrun.sh')])
    t.match(onFat(card, 'cmdline.txt'), ' systemd.run=/boot/firmware/firstrun.sh ')

    // Its own mount namespace with copies: nothing reaches this machine's own files.
    const guest = join(dir, 'guest.sh')
    writeFileSync(
      guest,
      `set -eu
cd ${dir}
mkdir -p copy/etc copy/home copy/lib copy/log copy/bootdir/firmware bin result
cp -a /etc/. copy/etc/
printf '/dev/mmcblk0p2 / ext4 defaults 0 1\\n/dev/mmcblk0p1 /boot/firmware vfat defaults 0 2\\n' >copy/etc/fstab
printf '#!/bin/sh\\necho "$@" >>${dir}/result/systemctl\\n' >bin/systemctl
chmod 755 bin/systemctl
cp boot/* copy/bootdir/firmware/
for pair in copy/etc:/etc copy/home:/home copy/lib:/var/lib copy/log:/var/log copy/bootdir:/boot; do
  mount --bind "\${pair%%:*}" "\${pair#*:}"
done
export PATH=${dir}/bin:/usr/sbin:/usr/bin:/sbin:/bin
sh /boot/firmware/firstrun.sh
cp /var/log/pinledger-first-boot.log result/log1
ls -A /boot/firmware >result/boot
cp /boot/firmware/cmdline.txt result/cmdline
state() { cat /etc/hostname /etc/hosts /etc/fstab /etc/ssh/sshd_config.d/10-pinledger.conf /etc/sudoers.d/90-pinledger
  getent shadow fleet | cut -d: -f1-2; cat /home/fleet/.ssh/authorized_keys; ls -lnR /var/lib/pinledger /home/fleet/.ssh | grep -v ^total
  stat -c '%a %U' /home/fleet/.ssh/authorized_keys /var/lib/pinledger/agent/key.json /etc/NetworkManager/system-connections/*; id -nG fleet; }
state >result/state1
cat /etc/NetworkManager/system-connections/pinledger-wifi.nmconnection >result/wifi
cat /var/lib/pinledger/agent/key.json >result/key
visudo -c -q -f /etc/sudoers.d/90-pinledger 2>/dev/null || command -v visudo >/dev/null && echo sudoers >result/sudoers
cp boot/* /boot/firmware/
sh /boot/firmware/firstrun.sh
state >result/state2
`,
    )
    chmodSync(guest, 0o755)
    tool('unshare', ['--mount', '--propagation', 'private', 'sh', guest])
    const result = (name: string): string => readFileSync(join(dir, 'result', name), 'utf8')
    t.notMatch(result('log1'), 'FAILED')
    t.match(result('log1'), /finished, failed=0/)
    t.equal(result('boot'), 'cmdline.txt\n', 'neither the script nor the key is left')
    t.equal(
      result('cmdline'),
      'console=tty1 root=PARTUUID=ab-02 rootfstype=ext4 rootwait cfg80211.ieee80211_regdom=DE\n',
    )
    const state = result('state1')
    t.match(state, /^pi-greenhouse\n/)
    t.match(state, /^127\.0\.1\.1\tpi-greenhouse$/m)
    t.match(state, /^\/dev\/mmcblk0p2 \/ ext4 defaults,noatime 0 1$/m)
    t.match(state, /^fleet:\*$/m, 'no password opens the account')
    t.match(state, /^fleet ALL=\(ALL\) NOPASSWD:ALL$/m)
    t.ok(state.includes(`\n${SSH_KEY} it's "me" $(reboot)\n`), 'the SSH key is there to the letter')
    t.match(state, /^600 fleet\n600 pinledger\n600 root\n600 root$/m)
    t.match(
      result('wifi'),
      new RegExp(`ssid=${[...Buffer.from('Bob\'s "lab" $(reboot)')].map((byte) => `${byte};`).join('')}`),
    )
    t.equal(result('key'), readFileSync(join(dir, 'key.json'), 'utf8'))
    t.match(result('systemctl'), /enable ssh/)
    t.equal(result('state2'), state, 'a second run changes nothing')
  },
)
