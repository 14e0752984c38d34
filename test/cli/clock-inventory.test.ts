import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readHosts } from '../../cli/clock-inventory.ts'
import { temporary } from '../helpers/processes.ts'
import { fromRoot } from '../helpers/root.ts'

const NOTHING = { user: undefined, port: undefined, keyFile: undefined }

function inventory(t: Test, text: string, besides: Readonly<Record<string, string>> = {}): string {
  const folder = temporary(t)
  for (const [name, content] of Object.entries(besides)) {
    mkdirSync(join(folder, name, '..'), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
  const file = join(folder, 'hosts.yml')
  writeFileSync(file, text)
  return file
}

t.test("the collection's example: a folder, with the user in group_vars", async (t) => {
  const hosts = readHosts(fromRoot('ansible', 'inventory.example'), ['pi-cellar', 'hub'])
  t.strictSame(hosts, [
    { ...NOTHING, name: 'pi-cellar', address: '192.168.1.22', user: 'fleet' },
    { ...NOTHING, name: 'hub', address: '192.168.1.10', user: 'fleet' },
  ])
})

t.test('what is nearer to the host wins: groups, group_vars, the host, host_vars', async (t) => {
  const text = `
all:
  vars: { ansible_user: all, ansible_port: 1 }
  children:
    pis:
      vars: { ansible_user: pis, ansible_port: 2 }
      children:
        cellar:
          vars: { ansible_user: cellar }
          hosts:
            pi-1:
            pi-2: { ansible_host: 10.0.0.2, ansible_ssh_private_key_file: ~/.ssh/pi }
            pi-3: { ansible_port: 4 }
    garden:
      hosts: { pi-4: {} }
`
  const file = inventory(t, text, {
    'group_vars/all.yml': 'ansible_port: 3\nansible_become_password: !vault |\n  $ANSIBLE_VAULT;1.1\n',
    'host_vars/pi-3.yml': 'ansible_port: 5\n',
  })
  t.strictSame(readHosts(file, ['pi-1', 'pi-2', 'pi-3', 'pi-4']), [
    { ...NOTHING, name: 'pi-1', address: 'pi-1', user: 'cellar', port: 3 },
    { name: 'pi-2', address: '10.0.0.2', user: 'cellar', port: 3, keyFile: '~/.ssh/pi' },
    { ...NOTHING, name: 'pi-3', address: 'pi-3', user: 'cellar', port: 5 },
    { ...NOTHING, name: 'pi-4', address: 'pi-4', user: 'all', port: 3 },
  ])
})

t.test('what cannot be used is refused with what to do', async (t) => {
  const one = (fields: string) => inventory(t, `pis: { hosts: { pi-1: ${fields} } }`)
  const cases: readonly [file: string, name: string, code: string, said: RegExp][] = [
    [one('{}'), 'pi-2', 'usage', /pi-2 is not in .*, which has pi-1/],
    ['/nonexistent/inventory.yml', 'pi-1', 'usage', /cannot read the inventory .*--inventory/],
    [temporary(t), 'pi-1', 'usage', /no hosts\.yml/],
    [one("{ ansible_host: '{{ address }}' }"), 'pi-1', 'config', /pi-1: ansible_host: .*without templates/],
    [one("{ ansible_host: '-oProxyCommand=evil' }"), 'pi-1', 'config', /ansible_host/],
    [one("{ ansible_user: 'a b' }"), 'pi-1', 'config', /ansible_user/],
    [one("{ ansible_user: '-x' }"), 'pi-1', 'config', /ansible_user/],
    [one('{ ansible_port: 70000 }'), 'pi-1', 'config', /ansible_port/],
    [one('{ ansible_port: ssh }'), 'pi-1', 'config', /ansible_port/],
    [one('{ ansible_connection: local }'), 'pi-1', 'config', /only ssh/],
    [inventory(t, '[pis]\npi-1 ansible_host=10.0.0.1\n'), 'pi-1', 'config', /hosts\.yml/],
    [inventory(t, 'pis: [pi-1]'), 'pi-1', 'config', /no Ansible inventory in YAML: pis/],
    [inventory(t, 'a: {hosts: *nothing}'), 'pi-1', 'config', /nothing/],
    [inventory(t, 'pis: { hosts: { "-oevil": {} } }'), '-oevil', 'config', /expected a name/],
  ]
  for (const [file, name, code, message] of cases) t.throws(() => readHosts(file, [name]), { code, message })
})
