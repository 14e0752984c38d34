/** `pinledger flash` and `firmware` as a person meets them, as far as that goes without disks and packages. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import t, { type Test } from 'tap'
import { type FirmwareOptions, firmwareCommand } from '../../cli/firmware.ts'
import { type FlashOptions, flashCommand } from '../../cli/flash.ts'
import { FlashProgress } from '../../cli/flash-progress.ts'
import { temporary } from '../helpers/processes.ts'

const SSH_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea'

function place(t: Test) {
  const dir = temporary(t)
  const image = join(dir, 'pi.img')
  const bytes = Buffer.alloc(4_096)
  bytes.writeUInt16BE(0x55aa, 510)
  writeFileSync(image, bytes)
  const config = join(dir, 'pi.yaml')
  writeFileSync(config, `hostname: pi-1\nuser: { name: fleet, sshKeys: ["${SSH_KEY}"] }\n`)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return {
    dir,
    options: { image, config, sha256, to: join(dir, 'card.img'), yesErase: false, list: false, json: false },
  }
}

/** Runs it with a terminal at which `answer` is typed, or with none. */
async function flash(options: FlashOptions, answer?: string) {
  const input = Object.assign(new PassThrough(), { isTTY: answer !== undefined })
  const output = Object.assign(new PassThrough(), { isTTY: answer !== undefined })
  if (answer !== undefined) input.end(answer)
  const printed: string[] = []
  const code = await flashCommand(options, {
    input: input as unknown as NodeJS.ReadStream,
    output: output as unknown as NodeJS.WriteStream,
    print: (text) => void printed.push(text),
    nowMs: Date.now,
    signal: new AbortController().signal,
    checkTools: async () => {},
  })
  return { code, printed: printed.join(''), said: String(output.read() ?? '') }
}

t.test(
  'flash: missing options, a wrong hash and a target without room for it are told, and nothing is written',
  async (t) => {
    const { options } = place(t)
    await t.rejects(flash({ ...options, sha256: undefined as never }), {
      code: 'usage',
      message: /needs --image, --sha256/,
    })
    await t.rejects(flash({ ...options, sha256: '0'.repeat(64) }), {
      code: 'usage',
      message: /has SHA-256 [0-9a-f]{64}, expected 0{64}.*Fetch it again\. Nothing was written/,
    })
    await t.rejects(flash({ ...options, to: '/dev/sdzz' }), { message: /there is no such device.*--list/ })
    t.notOk(existsSync(options.to))
  },
)

t.test('flash: what is there goes only by its typed name or --yes-erase', async (t) => {
  const { options } = place(t)
  writeFileSync(options.to, 'precious')
  await t.rejects(flash(options), {
    code: 'usage',
    message: /this erases the file .*card\.img\. Add --yes-erase/,
  })
  for (const answer of ['no\n', 'pi.img\n', '\n', '']) {
    const { code, said } = await flash(options, answer)
    t.equal(code, 1, JSON.stringify(answer))
    t.match(said, /Type card\.img to go on: [\s\S]*nothing was written/)
  }
  t.equal(readFileSync(options.to, 'utf8'), 'precious')
  // This image has no boot partition: it comes as far as that.
  await t.rejects(flash(options, 'card.img\n'), { message: /no FAT boot partition/ })
  t.notMatch(readFileSync(options.to, 'utf8'), 'precious')
  t.ok(readFileSync(options.to).subarray(0, 512).equals(Buffer.alloc(512)), 'no Pi starts from it')
})

t.test('flash --list shows disks without touching any', async (t) => {
  const { options } = place(t)
  const { code, printed } = await flash({ ...options, list: true, json: true })
  t.equal(code, 0)
  t.type(JSON.parse(printed).disks, Array)
})

t.test('progress: a moving line on a terminal, ten lines elsewhere, JSON when asked', async (t) => {
  const run = (isTTY: boolean, json: boolean): string[] => {
    const lines: string[] = []
    const write = (text: string): void => void lines.push(text)
    let nowMs = 0
    const progress = new FlashProgress({ output: { isTTY, write }, print: write, nowMs: () => nowMs }, json)
    progress.begin('writing', 100e6)
    for (let at = 0; at < 100; at++) {
      nowMs += 100
      progress.count(1e6)
    }
    progress.end()
    return lines
  }
  const plain = run(false, false)
  t.equal(plain.length, 10)
  t.equal(plain[3], 'writing   ########............  40 %  0.04 of 0.10 GB  10.0 MB/s  6 s left\n')
  t.strictSame(JSON.parse(run(false, true)[9] ?? ''), { event: 'progress', phase: 'writing', percent: 100 })
  const moving = run(true, false)
  t.ok(moving.length > 20 && moving.every((line) => line.startsWith('\r')))
  t.match(moving.at(-1), /100 %.*\n$/)
})

t.test(
  'firmware: files for those who flash by other means, into a directory or a boot partition',
  async (t) => {
    const { dir, options } = place(t)
    const out = join(dir, 'boot')
    const firmware = (more: Partial<FirmwareOptions> = {}): string => {
      let printed = ''
      firmwareCommand({ config: options.config, out, json: false, ...more }, (text) => {
        printed += text
      })
      return printed
    }
    t.throws(() => firmware(), { code: 'usage', message: /Add --release trixie or --release bookworm/ })
    const said = firmware({ release: 'trixie' })
    t.match(said, /Add to config\.txt of the boot partition:\n {2}\[all\]\n {2}dtparam=watchdog=on\n/)
    t.match(said, /Add to the one line of cmdline\.txt: ds=nocloud\n/)
    t.match(said, /pinledger admit/)
    t.notOk(
      existsSync(join(out, 'config.txt')),
      "an image's own file must not be replaced by our lines alone",
    )
    const partition = join(dir, 'partition')
    mkdirSync(partition)
    writeFileSync(join(partition, 'cmdline.txt'), 'rootwait\n')
    writeFileSync(join(partition, 'config.txt'), 'dtparam=audio=on\n')
    t.strictSame(JSON.parse(firmware({ out: partition, json: true })), {
      out: partition,
      release: 'bookworm',
      files: ['firstrun.sh', 'config.txt', 'cmdline.txt'],
      add: {},
      account: null,
    })
    firmware({ out: partition, release: 'trixie' })
    t.notOk(existsSync(join(partition, 'firstrun.sh')), "the other release's script goes")
    t.equal(readFileSync(join(partition, 'cmdline.txt'), 'utf8'), 'rootwait ds=nocloud\n')
  },
)
