/** Which disks may be written, over trees of files as the kernel has them; partition tables; what `--to` may name. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { diskOf, listDisks, type Roots } from '../../firmware-config/disks.ts'
import { findBootPartition } from '../../firmware-config/partition-table.ts'
import { deviceNumber, findTarget, whatIsErased } from '../../firmware-config/target.ts'
import { temporary } from '../helpers/processes.ts'

interface Fake {
  readonly name: string
  readonly number: string
  readonly gigabytes?: number
  readonly removable?: boolean
  readonly usb?: boolean
  readonly files?: Readonly<Record<string, string>>
}

/** A machine with these disks, each with one partition (its number ends in 1). */
function machine(t: Test, fakes: readonly Fake[], proc: { mounts?: string; swaps?: string } = {}): Roots {
  const root = temporary(t)
  const put = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  mkdirSync(join(root, 'sys/block'), { recursive: true })
  mkdirSync(join(root, 'sys/dev/block'), { recursive: true })
  for (const { name, number, gigabytes = 32, removable = false, usb = false, files = {} } of fakes) {
    const dir = `sys/devices/${usb ? 'pci0/usb1/1-2' : 'pci0/ata1'}/block/${name}`
    put(`${dir}/size`, `${(gigabytes * 1e9) / 512}\n`)
    put(`${dir}/removable`, removable ? '1\n' : '0\n')
    put(`${dir}/ro`, '0\n')
    put(`${dir}/dev`, `${number}\n`)
    put(`${dir}/${name}1/partition`, '1\n')
    put(`${dir}/${name}1/dev`, `${number}1\n`)
    mkdirSync(join(root, dir, 'holders'))
    for (const [path, text] of Object.entries(files)) put(`${dir}/${path}`, text)
    symlinkSync(join(root, dir), join(root, 'sys/block', name))
    symlinkSync(join(root, dir), join(root, 'sys/dev/block', number))
    symlinkSync(join(root, dir, `${name}1`), join(root, 'sys/dev/block', `${number}1`))
  }
  put('proc/self/mountinfo', proc.mounts ?? '')
  put('proc/swaps', `Filename\tType\tSize\tUsed\tPriority\n${proc.swaps ?? ''}`)
  return { sys: join(root, 'sys'), proc: join(root, 'proc') }
}
const refusals = (roots: Roots): string => listDisks(roots)[0]?.refusals.join('; ') ?? 'no disk'
const mount = (number: string, at: string, source: string): string =>
  `36 25 ${number} / ${at} rw,noatime shared:1 - ext4 ${source} rw\n`

t.test('a card in a reader may be written; nothing speaks against it', async (t) => {
  const roots = machine(t, [
    {
      name: 'sdb',
      number: '8:16',
      removable: true,
      files: { 'device/vendor': 'Generic ', 'device/model': 'STORAGE DEVICE' },
    },
  ])
  t.strictSame(listDisks(roots), [
    { name: 'sdb', bytes: 32e9, model: 'Generic STORAGE DEVICE', removable: true, refusals: [], doubts: [] },
  ])
  t.strictSame(diskOf('8:161', roots), { partOf: 'sdb' })
  t.equal(diskOf('9:9', roots), undefined)
})

t.test(
  'USB disks and SD slots count as removable, others take --yes-erase, and so do those above 256 GB',
  async (t) => {
    const doubts = (fake: Partial<Fake>) =>
      listDisks(machine(t, [{ name: 'sda', number: '8:0', ...fake }]))[0]?.doubts
    t.strictSame(doubts({ usb: true }), [])
    t.strictSame(doubts({ files: { 'device/type': 'SD\n' } }), [])
    t.strictSame(doubts({}), ['not removable'])
    t.strictSame(doubts({ usb: true, gigabytes: 256 }), [])
    t.strictSame(doubts({ usb: true, gigabytes: 257 }), ['larger than 256 GB'])
  },
)

t.test(
  'what is mounted, swap, held by LVM or RAID, write-protected or without a card is refused',
  async (t) => {
    const disk: Fake = { name: 'sdb', number: '8:16', removable: true }
    t.match(
      refusals(machine(t, [disk], { mounts: mount('8:161', '/media/my\\040card', '/dev/sdb1') })),
      'sdb1 is mounted at /media/my card: run  sudo umount /dev/sdb1',
    )
    t.match(
      refusals(machine(t, [disk], { mounts: mount('8:16', '/mnt', '/dev/sdb') })),
      'sdb is mounted at /mnt',
    )
    t.match(
      refusals(machine(t, [disk], { mounts: mount('0:42', '/mnt', '/dev/sdb1') })),
      'sdb1 is mounted',
      'also where the file system has a number of its own, as btrfs',
    )
    t.match(
      refusals(machine(t, [disk], { mounts: mount('8:161', '/', '/dev/sdb1') })),
      'sdb1 holds this system (/)',
    )
    t.match(
      refusals(machine(t, [disk], { mounts: mount('8:161', '/boot/firmware', '/dev/sdb1') })),
      'holds this system',
    )
    t.match(refusals(machine(t, [disk], { swaps: '/dev/sdb1\tpartition\t1\t0\t-2\n' })), 'sdb1 is swap')
    t.match(
      refusals(machine(t, [{ ...disk, files: { 'sdb1/holders/dm-0/x': '' } }])),
      'sdb1 is in use by dm-0',
    )
    t.match(refusals(machine(t, [{ ...disk, files: { 'holders/md0/x': '' } }])), 'sdb is in use by md0')
    t.match(refusals(machine(t, [{ ...disk, files: { ro: '1\n' } }])), 'write-protected')
    t.strictSame(
      listDisks(machine(t, [{ ...disk, gigabytes: 0 }])),
      [],
      'a reader without a card is not listed',
    )
    t.equal(refusals(machine(t, [disk], { mounts: mount('8:171', '/mnt', '/dev/sdc1') })), '')
  },
)

t.test(
  '--to: a device that is not there, a device that is no disk, a directory and the image are refused',
  async (t) => {
    const dir = temporary(t)
    const image = join(dir, 'a.img')
    writeFileSync(image, 'x')
    symlinkSync(image, join(dir, 'b.img'))
    t.throws(() => findTarget('/dev/sdzz', image), { code: 'usage', message: /there is no such device/ })
    t.throws(() => findTarget('/dev/null', image), { message: /it is no disk/ })
    t.throws(() => findTarget(dir, image), { message: /neither a disk nor a file/ })
    t.throws(() => findTarget(join(dir, 'b.img'), image), { message: /it is the image itself/ })
    t.throws(() => findTarget(join(dir, 'none/c.img'), image), { message: /there is no directory/ })
    const target = findTarget(join(dir, 'c.img'), image)
    t.match(target, { kind: 'file', exists: false })
    t.equal(whatIsErased(target), undefined)
    t.equal(deviceNumber(0x810), '8:16')
    t.equal(deviceNumber((1 << 20) | (179 << 8) | 2), '179:258', 'minor numbers above 255')
  },
)

const SECTOR = 512
/** An image of `sectors` with a FAT sector at `fatAt`. */
function disk(sectors: number, fatAt: number): Buffer {
  const bytes = Buffer.alloc(sectors * SECTOR)
  bytes.writeUInt16BE(0x55aa, 510)
  bytes.write('FAT32   ', fatAt * SECTOR + 82)
  bytes.writeUInt16BE(0x55aa, fatAt * SECTOR + 510)
  return bytes
}
const boot = (bytes: Buffer) =>
  findBootPartition(bytes.subarray(0, SECTOR), (at, length) => bytes.subarray(at, at + length), bytes.length)
const entry = (bytes: Buffer, index: number, type: number, first: number, sectors: number): void => {
  bytes[446 + index * 16 + 4] = type
  bytes.writeUInt32LE(first, 446 + index * 16 + 8)
  bytes.writeUInt32LE(sectors, 446 + index * 16 + 12)
}

t.test('the boot partition is the first FAT of an MBR or a GPT, if it lies within the image', async (t) => {
  const mbr = disk(100, 20)
  entry(mbr, 0, 0x83, 10, 5)
  entry(mbr, 1, 0x0c, 20, 30)
  t.strictSame(boot(mbr), { offsetBytes: 20 * SECTOR, bytes: 30 * SECTOR })
  entry(mbr, 1, 0x0c, 20, 81)
  t.equal(boot(mbr), undefined, 'it ends behind the image')
  const gpt = disk(100, 50)
  entry(gpt, 0, 0xee, 1, 99)
  gpt.write('EFI PART', SECTOR)
  gpt.writeBigUInt64LE(2n, SECTOR + 72)
  gpt.writeUInt32LE(4, SECTOR + 80)
  gpt.writeUInt32LE(128, SECTOR + 84)
  gpt.writeBigUInt64LE(50n, 2 * SECTOR + 128 + 32)
  gpt.writeBigUInt64LE(59n, 2 * SECTOR + 128 + 40)
  t.strictSame(boot(gpt), { offsetBytes: 50 * SECTOR, bytes: 10 * SECTOR })
  const ext = disk(100, 20)
  entry(ext, 0, 0x0c, 30, 20)
  t.equal(boot(ext), undefined, 'the table says FAT, the sector does not')
  t.equal(boot(Buffer.alloc(SECTOR)), undefined)
})
