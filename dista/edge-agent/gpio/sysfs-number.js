/**
 * The kernel's number of a pin, from its BCM number.
 *
 * The kernel numbers the lines of all GPIO chips in one sequence, and since Linux 6.6 the header's chip no longer begins
 * at 0: 512 on a Pi 4, 571 on a Pi 5. Chips come in no fixed order, so the header's is known by its label. Source:
 * Linux, Documentation/userspace-api/gpio/sysfs.rst ("base", "label", "ngpio").
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { WorldError } from '../../node/error.js';
/** The chips behind the 40-pin header: Pi 0 to 3 (names differ by kernel), Pi 4, Pi 5. */
const HEADER_CHIP = /^pinctrl-(bcm2835|bcm2836|bcm2837|bcm2711|rp1)$/;
export const isHeaderChip = (label) => HEADER_CHIP.test(label);
/**
 * The sysfs number of BCM pin `bcm` (0 or more). `sysRoot` is `/sys`. Throws a `WorldError` when sysfs has no GPIO, the
 * header's chip is not there, or it has no such line.
 */
export function sysfsNumber(bcm, sysRoot) {
    const chips = readSysfsChips(sysRoot);
    const chip = chips.find(({ label }) => isHeaderChip(label));
    if (chip === undefined) {
        const seen = chips.map(({ label }) => label).join(', ') || 'none';
        throw new WorldError('sensor', `no GPIO chip of a Raspberry Pi's header in ${sysRoot}/class/gpio (chips: ${seen}); use another driver here`);
    }
    if (bcm >= chip.lines) {
        throw new WorldError('sensor', `${chip.label} has the pins 0 to ${chip.lines - 1}, not ${bcm}; use the BCM number, not the header's position`);
    }
    return chip.base + bcm;
}
/** All chips, in no order. Throws a `WorldError` when sysfs has no GPIO. */
export function readSysfsChips(sysRoot) {
    const directory = join(sysRoot, 'class/gpio');
    let names;
    try {
        names = readdirSync(directory).filter((entry) => /^gpiochip\d+$/.test(entry));
        const read = (chip, file) => readFileSync(join(directory, chip, file), 'utf8').trim();
        return names.map((chip) => ({
            base: Number(read(chip, 'base')),
            label: read(chip, 'label'),
            lines: Number(read(chip, 'ngpio')),
        }));
    }
    catch (cause) {
        throw new WorldError('sensor', `cannot read the GPIO chips in ${directory}; the kernel needs sysfs GPIO (CONFIG_GPIO_SYSFS), take the character device ("sudo apt install gpiod") or another driver`, cause);
    }
}
//# sourceMappingURL=sysfs-number.js.map