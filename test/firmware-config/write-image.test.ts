/** Images as they come and what may be wrong with them; a target that was cut short has no partition table. */
import { createHash } from 'node:crypto'
import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { expectedHash, hashFile, openImage } from '../../firmware-config/image-source.ts'
import {
  closeTarget,
  finishImage,
  openTarget,
  verifyImage,
  writeImage,
} from '../../firmware-config/write-image.ts'
import { temporary } from '../helpers/processes.ts'

const SIGNAL = new AbortController().signal
const hex = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** 9 MB with a partition table's signature, some of it zeros. */
function content(): Buffer {
  const bytes = Buffer.alloc(9_000_000 - (9_000_000 % 512))
  for (let at = 0; at < 1_000_000; at++) bytes[at] = (at * 7) & 0xff
  bytes.fill(0x5a, 8_600_000)
  bytes.writeUInt16BE(0x55aa, 510)
  return bytes
}
const IMAGE = content()

function files(t: Test) {
  const dir = temporary(t)
  const target = join(dir, 'card.img')
  const fd = openTarget(target, false)
  t.teardown(() => closeTarget(fd))
  const image = join(dir, 'pi.img.gz')
  writeFileSync(image, gzipSync(IMAGE, { level: 1 }))
  return { dir, target, fd, image }
}
const options = { capacityBytes: undefined, onBytes: () => {}, signal: SIGNAL }

t.test(
  'what is written is the image, byte by byte, whatever lay there before; its first sector comes last',
  async (t) => {
    const { target, fd, image } = files(t)
    writeFileSync(target, Buffer.alloc(12_000_000, 0xff))
    let counted = 0
    const onBytes = (bytes: number): void => {
      counted += bytes
    }
    const written = await writeImage(fd, target, (await openImage(image)).open(), { ...options, onBytes })
    t.equal(counted, IMAGE.length)
    t.equal(written.bytes, IMAGE.length)
    t.ok(readFileSync(target).subarray(0, 512).equals(Buffer.alloc(512)), 'no partition table yet')
    counted = 0
    await verifyImage(fd, target, written, { onBytes, signal: SIGNAL })
    t.equal(counted, IMAGE.length)
    await finishImage(fd, target, written)
    t.equal(hex(readFileSync(target)), hex(IMAGE))
  },
)

t.test('a target that gives back one other byte is found out', async (t) => {
  const { target, fd, image } = files(t)
  const written = await writeImage(fd, target, (await openImage(image)).open(), options)
  const bytes = readFileSync(target)
  bytes[8_700_000] = 0
  writeFileSync(target, bytes)
  await t.rejects(verifyImage(fd, target, written, options), { code: 'store-write', message: /Try another$/ })
})

t.test(
  'stopped or with too little room, the target has no partition table, and the message says what to do',
  async (t) => {
    const { target, fd, image } = files(t)
    const stop = new AbortController()
    const onBytes = (): void => stop.abort()
    const source = await openImage(image)
    await t.rejects(writeImage(fd, target, source.open(), { ...options, onBytes, signal: stop.signal }), {
      message: /Run the same command again/,
    })
    t.ok(readFileSync(target).subarray(0, 512).equals(Buffer.alloc(512)))
    await t.rejects(writeImage(fd, target, source.open(), { ...options, capacityBytes: 6_000_000 }), {
      code: 'store-write',
      message: /take a larger card/,
    })
    const full = '/dev/full'
    const fullFd = openTarget(full, false)
    t.teardown(() => closeTarget(fullFd))
    await t.rejects(writeImage(fullFd, full, source.open(), options), {
      message: /there is no room for the image/,
    })
  },
)

t.test('a truncated image and one that is none are told, before a partition table is written', async (t) => {
  const { dir, target, fd, image } = files(t)
  truncateSync(image, 5_000)
  await t.rejects(writeImage(fd, target, (await openImage(image)).open(), options), {
    code: 'child',
    message: /is damaged \(unexpected end of file\): fetch it again/,
  })
  const text = join(dir, 'text.img')
  writeFileSync(text, 'x'.repeat(1_000))
  await t.rejects(writeImage(fd, target, (await openImage(text)).open(), options), {
    message: /no disk image/,
  })
  writeFileSync(text, '')
  await t.rejects(writeImage(fd, target, (await openImage(text)).open(), options), { message: /is empty/ })
  await t.rejects(openImage(join(dir, 'none.img')), { code: 'usage', message: /there is no image file/ })
  await t.rejects(openImage(dir), { message: /no regular file/ })
})

t.test(
  'what unpacks to more than an image for a Pi is refused, by what it claims or as it comes',
  async (t) => {
    const { dir, target, fd, image } = files(t)
    const raw = join(dir, 'large.img')
    writeFileSync(raw, '')
    truncateSync(raw, 65 * 2 ** 30)
    await t.rejects(openImage(raw), { code: 'usage', message: /unpacks to 69\.8 GB, more than an image/ })
    const source = await openImage(image, 5_000_000)
    await t.rejects(writeImage(fd, target, source.open(), options), {
      message: /unpacks to more than 0\.0 GB/,
    })
  },
)

t.test('the hash comes from the command line or from a file as sha256sum writes it, by name', async (t) => {
  const { dir, image } = files(t)
  const hash = await hashFile(image, () => {}, SIGNAL)
  t.equal(hash, hex(readFileSync(image)))
  t.equal(expectedHash(hash.toUpperCase(), image), hash)
  const sums = join(dir, 'SHA256SUMS')
  const given = (text: string) => {
    writeFileSync(sums, text)
    return expectedHash(sums, image)
  }
  t.equal(given(`${'0'.repeat(64)}  other.img\n${hash} *pi.img.gz\n`), hash)
  t.equal(given(`${hash}\n`), hash)
  t.throws(() => given(`${hash}  other.img\n`), { message: /has no SHA-256 of pi\.img\.gz/ })
  t.throws(() => given('nothing\n'), { message: /has no SHA-256/ })
  t.throws(() => expectedHash('abc', image), { code: 'usage', message: /expected 64 hex digits, or a file/ })
})
