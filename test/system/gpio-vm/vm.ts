/**
 * A virtual machine with simulated GPIO lines: Debian's kernel in QEMU, this machine's files read-only, a network by which it
 * gets at this machine's broker, and a shell that takes the test's commands.
 *
 * Emulated, without KVM: it runs everywhere, and some ten times slower than the machine itself.
 */
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { startProgram } from '../../helpers/processes.ts'
import { fromRoot } from '../../helpers/root.ts'
import { waitUntil } from '../../helpers/wait-until.ts'

/** This machine, as seen from the inside. */
export const HOST = '10.0.2.2'

/** A boot takes 10 s, a command some 50 ms; on a machine that does other things too, a multiple. */
const BOOT_MS = 180_000
const COMMAND_MS = 120_000
/** Of what is fetched, when it is not there yet. */
const BUILD_MS = 300_000

export interface Vm {
  /** Runs a script of bash inside, as root; resolves with what it wrote, throws when it fails. */
  sh(script: string): Promise<string>
  /** Runs a script again and again; resolves with what it wrote once it succeeds. */
  until(what: string, script: string, timeoutMs?: number): Promise<string>
}

/** Starts the machine; it ends with the test. */
export async function startVm(t: Test): Promise<Vm> {
  const directory = await made(t, 'build.sh')
  const { port, connected } = await listen(t)
  const machine = startProgram(t, 'qemu-system-x86_64', qemuOptions(directory, port))
  const lastWords = (): string => [...machine.out, ...machine.err].slice(-30).join('\n')
  t.teardown(() => {
    if (!t.passing()) t.comment(`console of the virtual machine:\n${lastWords()}`)
  })
  let over = false
  const ended = machine.ended.then(() => {
    over = true
  })
  ended.catch(() => {
    over = true
  })
  await waitUntil('the virtual machine is up', () => connected() !== undefined || over, BOOT_MS)
  const socket = connected()
  if (socket === undefined) throw new Error(`the virtual machine ended:\n${lastWords()}`)

  const answers = new Map<string, Answer>()
  createInterface({ input: socket }).on('line', (line) => {
    const [, id = '', status, output = ''] = /^(\d+) (\d+) (.*)$/.exec(line) ?? []
    const text = output.replace(/\\(.)/g, (_, character) => (character === 'n' ? '\n' : character))
    answers.set(id, { status: Number(status), output: text.trim() })
  })
  let count = 0
  const ask = async (script: string): Promise<Answer> => {
    const id = String(++count)
    socket.write(`${id} ${script.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n`)
    await waitUntil(`the virtual machine has run: ${script}`, () => answers.has(id) || over, COMMAND_MS)
    const answer = answers.get(id)
    if (answer === undefined)
      throw new Error(`the virtual machine ended while it ran: ${script}\n${lastWords()}`)
    answers.delete(id)
    return answer
  }
  return {
    async sh(script) {
      const { status, output } = await ask(script)
      if (status !== 0) throw new Error(`status ${status} of: ${script}\n${output}`)
      return output
    },
    async until(what, script, timeoutMs = 120_000) {
      const deadline = performance.now() + timeoutMs
      for (;;) {
        const { status, output } = await ask(script)
        if (status === 0) return output
        if (performance.now() > deadline)
          throw new Error(`waited ${timeoutMs} ms in vain until ${what}: ${script}\n${output}`)
        // Each look costs an emulated processor more than this one.
        await sleep(200)
      }
    },
  }
}

interface Answer {
  readonly status: number
  readonly output: string
}

/** Runs a script of this directory that makes something, when it is not there yet, and says where. */
export async function made(t: Test, script: string): Promise<string> {
  const program = startProgram(t, fromRoot('test/system/gpio-vm', script), [])
  const timer = setTimeout(() => program.child.kill('SIGKILL'), BUILD_MS)
  const { code } = await program.ended.finally(() => clearTimeout(timer))
  const directory = program.out.at(-1)
  if (code === 0 && directory !== undefined) return directory
  throw new Error(`${script} ended with ${code}:\n${program.err.slice(-20).join('\n')}`)
}

/** Where the machine's shell calls; the one connection, once it is there. */
async function listen(t: Test): Promise<{ port: number; connected: () => Socket | undefined }> {
  let socket: Socket | undefined
  const server = createServer((each) => {
    socket = each
    // The machine's end is seen by its process.
    each.on('error', () => {})
  }).listen(0, '127.0.0.1')
  t.teardown(() => {
    socket?.destroy()
    server.close()
  })
  await waitUntil('there is a port', () => server.listening)
  return { port: (server.address() as { port: number }).port, connected: () => socket }
}

function qemuOptions(directory: string, port: number): string[] {
  const kernel = [
    ...['console=ttyS0', 'quiet', 'panic=-1'],
    ...['mitigations=off', 'no_timer_check', 'random.trust_cpu=1'],
    // On a busy machine the kernel measures an emulated processor's own clock wrong, by up to ten times.
    'clocksource=hpet',
    ...[`serve=${fromRoot('test/system/gpio-vm/serve.sh')}`, `control=${port}`],
  ]
  return [
    ...['-accel', 'tcg,thread=multi', '-smp', '2', '-m', '1024', '-nodefaults', '-no-reboot'],
    ...['-display', 'none', '-serial', 'stdio'],
    ...['-kernel', join(directory, 'vmlinuz'), '-initrd', join(directory, 'initramfs')],
    ...['-append', kernel.join(' ')],
    ...['-virtfs', 'local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap'],
    ...['-netdev', 'user,id=net', '-device', 'virtio-net-pci,netdev=net,romfile='],
  ]
}
