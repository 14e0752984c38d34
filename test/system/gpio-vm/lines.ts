/**
 * Simulated GPIO chips, as the kernel's gpio-sim makes them: their lines are driven and seen like those of a Pi's header. Source: Linux,
 * Documentation/admin-guide/gpio/gpio-sim.rst.
 */
import { GPIO_GROUP } from './agent.ts'
import type { Vm } from './vm.ts'

const CONFIG = '/sys/kernel/config/gpio-sim'

export interface Chip {
  readonly label: string
  readonly lines: number
}

/**
 * The kernel numbers lines downward from 1024, chip after chip: what comes before the header's chip decides where its
 * lines begin.
 */
export const PI_4: readonly Chip[] = [
  { label: 'brcmvirt-gpio', lines: 454 },
  { label: 'pinctrl-bcm2711', lines: 58 },
]
export const PI_5: readonly Chip[] = [
  { label: 'gpio-brcmstb', lines: 399 },
  { label: 'pinctrl-rp1', lines: 54 },
]

/** The lines of a chip, by their offsets, which are BCM numbers on the header's chip. */
export interface Lines {
  /** What drives the line from outside, as a button or a sensor does. */
  drive(offset: number, level: 0 | 1): Promise<void>
  /** Drives these lines up and down `count` times, each time for `halfMs`. */
  pulse(offsets: readonly number[], count: number, halfMs: number): Promise<void>
  /** The file that says how the line stands, whoever drives it. */
  file(offset: number): string
}

/** Makes chips in this order; resolves with the lines of the last. */
export async function makeChips(vm: Vm, name: string, chips: readonly Chip[]): Promise<Lines> {
  const directory = await vm.sh(`set -e
    number=0
    make() {
      at=${CONFIG}/${name}-$((number += 1))
      mkdir -p $at/bank0
      echo $2 >$at/bank0/num_lines
      echo $1 >$at/bank0/label
      echo 1 >$at/live
    }
    ${chips.map(({ label, lines }) => `make ${label} ${lines}`).join('\n')}
    chgrp ${GPIO_GROUP} /dev/gpiochip* && chmod 660 /dev/gpiochip*
    echo /sys/devices/platform/$(<$at/dev_name)/$(<$at/bank0/chip_name)`)
  const file = (offset: number, what: string): string => `${directory}/sim_gpio${offset}/${what}`
  return {
    async drive(offset, level) {
      await vm.sh(`echo ${pull(level)} >${file(offset, 'pull')}`)
    },
    async pulse(offsets, count, halfMs) {
      const half = (level: 0 | 1): string =>
        [
          ...offsets.map((offset) => `echo ${pull(level)} >${file(offset, 'pull')}`),
          `busybox usleep ${halfMs * 1000}`,
        ].join('; ')
      await vm.sh(`for ((n = 0; n < ${count}; n++)); do ${half(1)}; ${half(0)}; done`)
    },
    file: (offset) => file(offset, 'value'),
  }
}

/** Takes the chips away again. */
export async function removeChips(vm: Vm, name: string): Promise<void> {
  await vm.sh(`for at in ${CONFIG}/${name}-*; do echo 0 >$at/live; rmdir $at/bank0 $at; done`)
}

const pull = (level: 0 | 1): string => (level === 1 ? 'pull-up' : 'pull-down')
