/** The built agent inside the virtual machine, with data of its own in memory. */
import { readFileSync } from 'node:fs'
import type { Test } from 'tap'
import { stringify } from 'yaml'
import { ROOT } from '../../helpers/root.ts'
import type { Vm } from './vm.ts'

/** What `prepare` mounts where an ordinary user may look too. */
const NODE = '/run/node'
const MAIN = '/run/pinledger/dist/cli/main.js'
/** The gpiod tools of Debian 13. */
export const TRIXIE_TOOLS = '/run/tools'
/** Of the devices, by udev's rules on a Pi. */
export const GPIO_GROUP = 997

export interface Guest {
  /** The user's number; root when left out. */
  readonly user?: number | undefined
  /** Whether sysfs has GPIO. */
  readonly sysfs: boolean
  /** Directory of the gpiod tools, if not the machine's own. */
  readonly tools?: string | undefined
}

export interface GuestAgent {
  /** Resolves once it has written a line that the extended regular expression matches. */
  says(pattern: string): Promise<string>
  kill(signal: string): Promise<void>
  /** Resolves once no guard works for its data directory. */
  unguarded(): Promise<void>
  /** Ends the guard that holds lines of a dead agent, as its file in the data directory says. */
  letGo(): Promise<void>
  /** Resolves with its exit status once it has ended. */
  ended(): Promise<number>
}

/** Makes the program, and other tools for GPIO, readable for every user inside, wherever they lie. */
export async function prepare(vm: Vm, genesisFile: string, tools: string): Promise<void> {
  await vm.sh(`set -e
    mkdir /run/pinledger && mount --bind '${ROOT}' /run/pinledger
    mkdir ${TRIXIE_TOOLS} && mount --bind '${tools}' ${TRIXIE_TOOLS}
    touch ${NODE} && mount --bind '${process.execPath}' ${NODE}
    cat >/run/genesis.json <<'END'\n${readFileSync(genesisFile, 'utf8')}\nEND`)
}

/** Runs the program to its end; resolves with what it wrote to stdout. */
export async function pinledgerInside(vm: Vm, args: string, guest: Guest): Promise<string> {
  const at = await vm.sh('mktemp -d')
  // In the background: others have commands too.
  await vm.sh(
    `cd /run; (${as(guest)} ${NODE} ${MAIN} ${args} >${at}/out 2>${at}/err; echo $? >${at}/status) &`,
  )
  return vm.until(`pinledger ${args} has ended`, `[ -s ${at}/status ] && cat ${at}/out ${at}/err`)
}

/** Starts an agent with the key of `keyFile`, which is one of this machine's; resolves once it is connected. */
export async function startAgent(
  t: Test,
  vm: Vm,
  keyFile: string,
  { name, ...config }: { readonly name: string; readonly broker: object } & Record<string, unknown>,
  guest: Guest,
): Promise<GuestAgent> {
  const at = `/run/${name}`
  const settings = { name, data: `${at}/data`, genesis: '/run/genesis.json', mine: { duty: 0 }, ...config }
  await vm.sh(`mkdir -p ${at}/data && cd ${at} && rm -f status pid
    cat >data/key.json <<'END'\n${readFileSync(keyFile, 'utf8')}\nEND
    chmod 700 data && chmod 600 data/key.json && chown -R ${guest.user ?? 0} .
    cat >agent.yaml <<'END'\n${stringify(settings)}\nEND
    { ${as(guest)} ${NODE} ${MAIN} agent --config agent.yaml --json >log 2>&1 & echo $! >pid; wait $!; echo $? >status; } &
    while [ ! -s pid ]; do :; done`)
  t.teardown(async () => {
    if (!t.passing()) t.comment(`log of ${name}:\n${await vm.sh(`tail -n 20 ${at}/log`)}`)
    await vm.sh(`kill -9 $(<${at}/pid) 2>/dev/null || true`)
  })
  async function says(pattern: string): Promise<string> {
    const look = `if [ -e ${at}/status ]; then echo ended; exit; fi; grep -E '${pattern}' ${at}/log`
    const said = await vm.until(`${name} says ${pattern}`, look)
    if (said === 'ended') throw new Error(`${name} ended before it said ${pattern}`)
    return said
  }
  await says('"event":"connected"')
  return {
    says,
    async kill(signal) {
      await vm.sh(`kill -${signal} $(<${at}/pid)`)
    },
    async unguarded() {
      await vm.until(`no guard works for ${name}`, `! compgen -G '${at}/data/guard-*'`)
    },
    async letGo() {
      const look = `grep -ho 'To let go of them: kill [0-9]*' ${at}/data/guard-*`
      const said = await vm.until(`a guard holds lines of ${name}`, look)
      await vm.sh(said.replace(/^.*: /, ''))
    },
    ended: async () => Number(await vm.until(`${name} has ended`, `cat ${at}/status`)),
  }
}

/** Commands before the program's own; each becomes the next, so that the process is the same. */
function as({ user, sysfs, tools }: Guest): string {
  const hide = `unshare -m bash -c 'mount -t tmpfs none /sys/class/gpio && exec "$@"' hide`
  return [
    sysfs ? '' : hide,
    user === undefined ? '' : `setpriv --reuid ${user} --regid ${GPIO_GROUP} --clear-groups`,
    tools === undefined ? '' : `env PATH=${tools}/bin:$PATH`,
  ].join(' ')
}
