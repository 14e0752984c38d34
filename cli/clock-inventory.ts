/**
 * How to reach a machine by SSH, from an Ansible inventory in YAML: a file, or a folder with hosts.yml.
 *
 * Of it are read hosts, groups and the variables `ansible_host`, `ansible_user`, `ansible_port`, `ansible_ssh_private_key_file`
 * and `ansible_connection`: of groups (those of a parent first), group_vars, the host, host_vars, each over the one before, in
 * Ansible's own order. Nothing else of the inventory is looked at, least of all a secret.
 * Source: Ansible documentation, "How to build your inventory", "How variables are merged".
 */
import { readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseDocument } from 'yaml'
import { z } from 'zod'
import { WorldError } from '../node/error.ts'
import { harmless } from '../node/log.ts'

export interface SshHost {
  /** Its name in the inventory. */
  readonly name: string
  /** Name or address that ssh is given. */
  readonly address: string
  readonly user: string | undefined
  readonly port: number | undefined
  readonly keyFile: string | undefined
}

const FILE_BYTES_MAX = 1 << 20
const GROUP_DEPTH_MAX = 16
/** Names that a shell, ssh and a terminal take as they are. */
const plain = z
  .string()
  .regex(
    /^[A-Za-z0-9_.:%[\]][A-Za-z0-9_.:%@[\]-]*$/,
    'expected a name or an address, without templates or spaces',
  )
const connection = z.object({
  ansible_host: plain.optional(),
  ansible_user: plain.optional(),
  ansible_port: z.int().min(1).max(65_535).optional(),
  ansible_ssh_private_key_file: z
    .string()
    .refine((path) => !path.includes('{{') && !path.startsWith('-'), 'expected a path, without templates')
    .optional(),
  ansible_connection: z.enum(['ssh', 'smart'], 'only ssh is spoken here').optional(),
})
type Variables = Readonly<Record<string, unknown>>

const variables = z.record(z.string(), z.unknown()).nullish()
interface Group {
  readonly hosts?: Readonly<Record<string, Variables | null | undefined>> | null | undefined
  readonly vars?: Variables | null | undefined
  readonly children?: Readonly<Record<string, Group | null | undefined>> | null | undefined
}
const group: z.ZodType<Group> = z.lazy(() =>
  z.object({
    hosts: z.record(z.string(), variables).nullish(),
    vars: variables,
    children: z.record(z.string(), group.nullish()).nullish(),
  }),
)
const inventory = z.record(z.string(), group.nullish())

/** The hosts of these names, in this order. Throws WorldError `config` or `usage` with what to do. */
export function readHosts(path: string, names: readonly string[]): SshHost[] {
  const file = hostsFile(path)
  const parsed = inventory.safeParse(readYaml(file, true))
  if (!parsed.success)
    throw new WorldError(
      'config',
      `${file} is no Ansible inventory in YAML: ${parsed.error.issues[0]?.path.join('.') ?? ''} ${parsed.error.issues[0]?.message ?? ''}`,
    )
  const tree = new Tree(parsed.data)
  return names.map((name) => {
    const host = tree.hosts.get(name)
    if (host === undefined)
      throw new WorldError(
        'usage',
        `${harmless(name)} is not in ${file}, which has ${[...tree.hosts.keys()].sort().map(harmless).join(', ') || 'no hosts'}`,
      )
    return reach(file, name, tree, host)
  })
}

function reach(file: string, name: string, tree: Tree, host: Variables): SshHost {
  const folder = dirname(file)
  const beside = (kind: string, of: string): Variables => besides(join(folder, kind), of)
  const groups = tree.groupsOf(name)
  const merged = Object.assign(
    {},
    ...groups.map((each) => tree.vars(each)),
    beside('group_vars', 'all'),
    ...groups.filter((each) => each !== 'all').map((each) => beside('group_vars', each)),
    host,
    beside('host_vars', name),
  ) as Variables
  const parsed = connection.safeParse(merged)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new WorldError(
      'config',
      `${file}: ${harmless(name)}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}. Write the value itself there`,
    )
  }
  const { ansible_host, ansible_user, ansible_port, ansible_ssh_private_key_file } = parsed.data
  const address = plain.safeParse(ansible_host ?? name)
  if (!address.success)
    throw new WorldError('config', `${file}: ${harmless(name)}: ${address.error.issues[0]?.message}`)
  return {
    name,
    address: address.data,
    user: ansible_user,
    port: ansible_port,
    keyFile: ansible_ssh_private_key_file,
  }
}

/** The groups and hosts of an inventory; a group or host may stand in several places, whose variables are added up. */
class Tree {
  readonly hosts = new Map<string, Variables>()
  readonly #vars = new Map<string, Variables>()
  readonly #members = new Map<string, Set<string>>()
  readonly #parents = new Map<string, Set<string>>()

  constructor(root: Readonly<Record<string, Group | null | undefined>>) {
    for (const [name, each] of Object.entries(root)) this.#add(name, each, undefined, 0)
  }

  vars(name: string): Variables {
    return this.#vars.get(name) ?? {}
  }

  /** All that a host is in, parents first; `all` before the others. */
  groupsOf(host: string): string[] {
    const found = new Set(['all'])
    const queue = [...this.#members].filter(([, hosts]) => hosts.has(host)).map(([name]) => name)
    for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
      if (found.has(name)) continue
      found.add(name)
      queue.push(...(this.#parents.get(name) ?? []))
    }
    return [...found].sort((a, b) => this.#depth(a) - this.#depth(b) || (a < b ? -1 : 1))
  }

  #add(name: string, each: Group | null | undefined, parent: string | undefined, depth: number): void {
    if (depth > GROUP_DEPTH_MAX)
      throw new WorldError('config', `group ${harmless(name)}: groups are at most ${GROUP_DEPTH_MAX} deep`)
    this.#vars.set(name, { ...this.#vars.get(name), ...each?.vars })
    if (parent !== undefined) this.#parents.set(name, (this.#parents.get(name) ?? new Set()).add(parent))
    for (const [host, own] of Object.entries(each?.hosts ?? {})) {
      this.hosts.set(host, { ...this.hosts.get(host), ...own })
      this.#members.set(name, (this.#members.get(name) ?? new Set()).add(host))
    }
    for (const [child, value] of Object.entries(each?.children ?? {}))
      this.#add(child, value, name, depth + 1)
  }

  #depth(name: string, seen: readonly string[] = []): number {
    if (name === 'all' || seen.length > GROUP_DEPTH_MAX) return 0
    const parents = [...(this.#parents.get(name) ?? [])].filter((parent) => !seen.includes(parent))
    return 1 + Math.max(0, ...parents.map((parent) => this.#depth(parent, [...seen, name])))
  }
}

function hostsFile(path: string): string {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
  if (!isFolder) return path
  const found = ['hosts.yml', 'hosts.yaml']
    .map((name) => join(path, name))
    .find((each) => statSync(each, { throwIfNoEntry: false }))
  if (found === undefined) throw new WorldError('usage', `there is no hosts.yml in ${path}`)
  return found
}

/** Variables of one group or host, in a file of its name. */
function besides(folder: string, name: string): Variables {
  for (const ending of ['yml', 'yaml']) {
    const parsed = variables.safeParse(readYaml(join(folder, `${name}.${ending}`), false))
    if (parsed.success && parsed.data) return parsed.data
  }
  return {}
}

/** Undefined when there is no such file and it is not `required`. Tags of Ansible's own, such as !vault, stay text. */
function readYaml(path: string, required: boolean): unknown {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (!required) return undefined
    throw new WorldError(
      'usage',
      `cannot read the inventory ${path} (${String(error)}): see --inventory`,
      error,
    )
  }
  if (text.length > FILE_BYTES_MAX)
    throw new WorldError('config', `${path} is larger than ${FILE_BYTES_MAX} bytes: is it an inventory?`)
  const document = parseDocument(text, { logLevel: 'silent' })
  const [first] = document.errors
  if (first !== undefined)
    throw new WorldError('config', `${path}: ${harmless(first.message.split('\n')[0] ?? '')}`)
  try {
    return document.toJS({ maxAliasCount: 100 })
  } catch (error) {
    // An alias without its anchor, or aliases of aliases that would fill the memory.
    throw new WorldError('config', `${path}: ${String(error)}`, error)
  }
}
