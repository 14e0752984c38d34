/** Ansible at the desk: the inventory of this fleet, and what a playbook's run came to. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { fromRoot } from '../../helpers/root.ts'
import type { Desk } from './desk.ts'
import type { Shell } from './ssh.ts'

const FOLDER = fromRoot('ansible')
const PLAYBOOK_MS_MAX = 900_000

/** What the last lines of a run say of one host. */
export interface Recap {
  readonly ok: number
  readonly changed: number
  readonly unreachable: number
  readonly failed: number
}

export interface Played {
  readonly code: number | null
  readonly recap: ReadonlyMap<string, Recap>
  /** Tasks that changed something, with their hosts. */
  readonly changes: readonly string[]
  readonly text: string
  readonly ms: number
}

export interface Inventory {
  readonly hosts: object
  readonly variables: object
  readonly hostVariables: Readonly<Record<string, object>>
}

export function writeInventory(desk: Desk, { hosts, variables, hostVariables }: Inventory): void {
  const folder = (...names: string[]): string => desk.path('inventory', ...names)
  for (const name of ['group_vars', 'host_vars']) mkdirSync(folder(name), { recursive: true })
  writeFileSync(folder('hosts.yml'), stringify(hosts))
  writeFileSync(folder('group_vars', 'pinledger.yml'), stringify(variables))
  for (const [name, values] of Object.entries(hostVariables))
    writeFileSync(folder('host_vars', `${name}.yml`), stringify(values))
}

/** Runs one of our playbooks over the fleet. */
export async function play(
  desk: Desk,
  { config }: Shell,
  playbook: string,
  ...args: readonly string[]
): Promise<Played> {
  const { code, out, err, ms } = await desk.run(
    'ansible-playbook',
    ['--inventory', desk.path('inventory'), join(FOLDER, 'playbooks', playbook), ...args],
    {
      cwd: FOLDER,
      timeoutMs: PLAYBOOK_MS_MAX,
      environment: {
        LC_ALL: 'C.UTF-8',
        ANSIBLE_HOME: desk.path('ansible'),
        ANSIBLE_LOCAL_TEMP: desk.path('ansible', 'tmp'),
        ANSIBLE_NOCOLOR: '1',
        ANSIBLE_SSH_ARGS: `-F ${config}`,
      },
    },
  )
  const lines = out.split('\n')
  const changes: string[] = []
  let task = ''
  for (const line of lines) {
    task = /^(?:TASK|RUNNING HANDLER) \[(.*)\]/.exec(line)?.[1] ?? task
    const host = /^changed: \[(\S+)\]/.exec(line)?.[1]
    if (host !== undefined) changes.push(`${host}: ${task}`)
  }
  return { code, recap: recapOf(lines), changes, text: `${out}\n${err}`, ms }
}

function recapOf(lines: readonly string[]): Map<string, Recap> {
  const pattern = /^(\S+)\s*: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)/
  return new Map(
    lines.flatMap((line) => {
      const [, host, ...counts] = pattern.exec(line) ?? []
      const [ok = 0, changed = 0, unreachable = 0, failed = 0] = counts.map(Number)
      return host === undefined ? [] : [[host, { ok, changed, unreachable, failed }]]
    }),
  )
}
