/** SSH from the desk as a careful owner has it: keys only, and the host keys of the first contact ever after. */
import { appendFileSync, writeFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import type { Desk, Output, RunOptions } from './desk.ts'

/** The user that the firmware-config makes. */
export const USER = 'fleet'

export interface Shell {
  /** For `ssh -F`. */
  readonly config: string
  readonly publicKey: string
  /** Waits until the host answers, takes its key down as known, and waits until it lets the owner in; throws after `timeoutMs`. */
  meet(name: string, timeoutMs: number): Promise<void>
  /** Runs a shell command on a guest; throws with what it said unless its code is 0. */
  on(name: string, command: string, options?: RunOptions): Promise<string>
  /** As `on`, whatever its code. */
  try(name: string, command: string, options?: RunOptions): Promise<Output>
}

/** Makes the owner's key, and a configuration that names the hosts. */
export async function openShell(desk: Desk, hosts: ReadonlyMap<string, string>): Promise<Shell> {
  const [key, known, config] = [desk.path('owner'), desk.path('known_hosts'), desk.path('ssh_config')]
  await desk.do('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'owner', '-f', key])
  writeFileSync(known, '')
  const names = [...hosts].map(([name, address]) => `Host ${name} ${address}\n  HostName ${address}\n`)
  const common = {
    User: USER,
    IdentityFile: key,
    IdentitiesOnly: 'yes',
    BatchMode: 'yes',
    UserKnownHostsFile: known,
    GlobalKnownHostsFile: '/dev/null',
    StrictHostKeyChecking: 'yes',
    ConnectTimeout: '5',
    ServerAliveInterval: '2',
    ControlMaster: 'auto',
    ControlPath: desk.path('ssh-%h'),
    ControlPersist: '60',
  }
  const options = Object.entries(common).map(([name, value]) => `  ${name} ${value}\n`)
  writeFileSync(config, `${names.join('')}Host *\n${options.join('')}`)

  const attempt: Shell['try'] = (name, command, options) =>
    desk.run('ssh', ['-F', config, name, command], options)
  return {
    config,
    publicKey: (await desk.do('ssh-keygen', ['-y', '-f', key])).out.trim(),
    async meet(name, timeoutMs) {
      const deadline = performance.now() + timeoutMs
      let said = 'nothing'
      let isKnown = false
      do {
        if (!isKnown) {
          const { out } = await desk.run('ssh-keyscan', ['-T', '1', '-t', 'ed25519', hosts.get(name) ?? name])
          isKnown = out.includes('ssh-ed25519')
          if (isKnown) appendFileSync(known, `${out}\n`)
          continue
        }
        // While a machine boots, sshd answers and lets in only root: pam_nologin(8).
        const { code, err } = await attempt(name, 'true')
        if (code === 0) return
        said = err
        await setTimeout(200)
      } while (performance.now() < deadline)
      throw new Error(`waited ${timeoutMs} ms in vain for SSH on ${name}, which said ${said}`)
    },
    async on(name, command, options) {
      const { code, out, err } = await attempt(name, command, options)
      if (code !== 0) throw new Error(`${name}: ${command} ended with ${code}:\n${out}\n${err}`)
      return out
    },
    try: attempt,
  }
}
