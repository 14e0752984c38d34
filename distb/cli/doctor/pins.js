/** The header's pins and buses: which way to them, who may use them, and each sensor and output of the configuration. */
import { dirname, join } from 'node:path';
import { openSensor } from '../../edge-agent/drivers.js';
import { probeGpio } from '../../edge-agent/gpio/access.js';
import { isHeaderChip } from '../../edge-agent/gpio/sysfs-number.js';
import { isRaspberryPi } from '../../node/clock.js';
import { decimalNumber } from '../../schemas/units.js';
import { absent, fails, warns, works } from './finding.js';
import { namesIn, textOf } from './machine.js';
/** How long a sensor may take for a first value. */
const VALUE_MS_MAX = 3_000;
/** A rate is a mean since the reading before. */
const HOST_SECONDS = 0.3;
const BOOT_CONFIG = '/boot/firmware/config.txt';
const UDEV_RULE = `echo 'SUBSYSTEM=="gpio", GROUP="gpio", MODE="0660"' | sudo tee /etc/udev/rules.d/60-gpio.rules && sudo udevadm control --reload && sudo udevadm trigger --subsystem-match=gpio`;
/** `holder` is the process that has the agent's lines at the moment. */
export function pinChecks(machine, config, holder) {
    const probing = probeGpio(machine);
    // Who waits for it hears of a fault of ours; nobody may before its check begins.
    probing.catch(() => { });
    const isPi = isRaspberryPi(machine.procRoot);
    return [
        {
            part: 'gpio',
            msMax: 12_000,
            async run(say) {
                const probe = await probing;
                say(way(machine, probe, isPi));
                if (probe.chosen !== undefined || isPi)
                    say(permission(machine, probe));
            },
        },
        { part: 'buses', msMax: 1_000, run: (say) => buses(machine, isPi).forEach(say) },
        ...(config?.sensors ?? []).map((sensor) => ({
            part: `sensor ${sensor.name}`,
            msMax: VALUE_MS_MAX + 3_000,
            run: async (say, signal) => say(await trySensor(machine, sensor, holder, signal)),
        })),
        ...(config?.outputs ?? []).map((output) => ({
            part: `output ${output.name}`,
            msMax: 12_000,
            run: async (say) => say(output.file === undefined
                ? tryPin(output, (await probing).chosen, holder)
                : tryFile(machine, output.name, output.file)),
        })),
    ];
}
function tryPin({ name, pin, activeLow }, chosen, holder) {
    const part = `output ${name}`;
    const what = `GPIO ${pin}, on when ${activeLow ? 'low' : 'high'}`;
    if (chosen === undefined)
        return fails(part, `${what}: there is no way to the pins, see gpio`);
    if (holder !== undefined)
        return works(part, `${what}; process ${holder} has it at the moment`);
    return works(part, `${what}, through ${chosen}; not switched to try it`);
}
function tryFile({ mayUse }, name, file) {
    const part = `output ${name}`;
    if (mayUse(file))
        return works(part, `${file}; not switched to try it`);
    return mayUse(dirname(file))
        ? works(part, `${file}, which is not there yet`)
        : fails(part, `${file}: may not be written`, `give the agent's user the right to write ${file}`);
}
function way(machine, { sysfs, gpiod, chosen }, isPi) {
    const base = sysfs.chips.find(({ label }) => isHeaderChip(label));
    if (chosen === 'sysfs' && base !== undefined) {
        const { label, base: first } = base;
        return works('gpio', `sysfs through onoff: ${label} at base ${first}, GPIO 17 is line ${first + 17}`);
    }
    if (chosen !== undefined) {
        const chip = gpiod.tools?.chips.find(({ label }) => isHeaderChip(label));
        const tools = gpiod.tools === undefined ? '' : `, gpiod tools version ${gpiod.tools.version}`;
        return works('gpio', `character device ${chip?.name ?? ''} (${chip?.label ?? 'unknown'})${tools}`);
    }
    if (!isPi)
        return absent('gpio', 'no header of a Raspberry Pi here');
    const remedy = gpiod.devices.length === 0
        ? 'start a kernel of Raspberry Pi OS; in a container, pass /dev/gpiochip* on'
        : gpiod.devices.some((name) => machine.mayUse(join(machine.devRoot, name)))
            ? 'sudo apt install gpiod'
            : undefined; // what is missing is the right, which has a line of its own
    return fails('gpio', `no way to the pins: sysfs: ${sysfs.fault}; character device: ${gpiod.fault}`, remedy);
}
function permission(machine, { chosen, gpiod }) {
    const { sysRoot, devRoot, etcRoot, user, uid, mayUse } = machine;
    const header = gpiod.tools?.chips.find(({ label }) => isHeaderChip(label))?.name;
    const devices = (header === undefined ? gpiod.devices : [header]).map((name) => join(devRoot, name));
    const needed = chosen === 'sysfs' ? [join(sysRoot, 'class/gpio/export')] : devices;
    const refused = needed.filter((path) => !mayUse(path));
    const groups = (textOf(etcRoot, 'group') ?? '').split('\n').map((line) => line.split(':'));
    const members = groups.find(([name]) => name === 'gpio')?.[3]?.split(',');
    const isMember = members?.includes(user) === true;
    if (needed.length === 0)
        return fails('gpio permission', 'neither sysfs nor a device to have a right to', 'ls -l /dev/gpiochip*');
    if (refused.length === 0) {
        const who = uid === 0
            ? 'root may use them; an agent needs the group gpio, not root'
            : `${user} may use ${needed.join(', ')}`;
        return works('gpio permission', who);
    }
    const detail = `${user} may not use ${refused.join(', ')}`;
    if (members === undefined)
        return fails('gpio permission', `${detail}: there is no group gpio`, `sudo groupadd --system gpio && sudo usermod -aG gpio ${user} && ${UDEV_RULE}`);
    if (!isMember)
        return fails('gpio permission', `${detail}, being in no group gpio`, `sudo usermod -aG gpio ${user}   (then log in again)`);
    return fails('gpio permission', `${detail} though it is in group gpio: log in again, or no udev rule gives it to the group`, UDEV_RULE);
}
function buses(machine, isPi) {
    const { devRoot, sysRoot, user, mayUse } = machine;
    const findings = [];
    const i2c = namesIn(devRoot).filter((name) => /^i2c-\d+$/.test(name));
    const closed = i2c.filter((name) => !mayUse(join(devRoot, name)));
    const [bus = '/dev/i2c-1'] = closed;
    if (i2c.length > 0 && closed.length === i2c.length && isPi)
        findings.push(warns('i2c', `${user} may not use ${bus}`, `sudo usermod -aG i2c ${user}   (then log in again)`));
    else if (i2c.length > 0)
        findings.push(works('i2c', i2c.map((name) => `/dev/${name}`).join(', ')));
    else
        findings.push(absent('i2c', 'switched off, or none', isPi ? 'sudo raspi-config nonint do_i2c 0 && sudo reboot' : undefined));
    const wires = namesIn(sysRoot, 'bus/w1/devices');
    const thermometers = wires.filter((name) => /^(10|22|28|3b|42)-/.test(name));
    if (wires.length === 0)
        findings.push(absent('1-wire', 'switched off, or none', isPi ? `echo dtoverlay=w1-gpio | sudo tee -a ${BOOT_CONFIG} && sudo reboot` : undefined));
    else if (thermometers.length === 0)
        findings.push(warns('1-wire', 'the bus is there, but no sensor answers', 'check the wiring: data to GPIO 4, and 4.7 kΩ from data to 3.3 V'));
    else
        findings.push(works('1-wire', thermometers.join(', ')));
    const iio = namesIn(sysRoot, 'bus/iio/devices').filter((name) => name.startsWith('iio:device'));
    if (iio.length > 0)
        findings.push(works('iio', iio.map((name) => textOf(sysRoot, 'bus/iio/devices', name, 'name') ?? name).join(', ')));
    return findings;
}
async function trySensor(machine, config, holder, signal) {
    const part = `sensor ${config.name}`;
    const what = 'pin' in config ? `GPIO ${config.pin}` : `driver ${config.driver}`;
    if ('pin' in config && holder !== undefined)
        return absent(part, `${what}: not tried, since process ${holder} has the line`);
    const quick = config.driver === 'host' ? { ...config, intervalSeconds: HOST_SECONDS } : config;
    let fault;
    let value;
    let settle = () => { };
    const settled = new Promise((resolve) => {
        settle = resolve;
    });
    const sensor = openSensor(quick, {
        ...machine,
        report(error) {
            fault ??= error;
            settle();
        },
    });
    const timer = setTimeout(settle, VALUE_MS_MAX);
    signal.addEventListener('abort', settle, { once: true });
    let isOpen = false;
    try {
        const starting = sensor.start((sample) => {
            value ??= decimalNumber(sample.value);
            settle();
        });
        starting.then(() => {
            isOpen = true;
        }, settle);
        await settled;
        // A fault of our own rejects here; what is still opening goes on to `stop`.
        await Promise.race([starting, Promise.resolve()]);
    }
    finally {
        clearTimeout(timer);
        await sensor.stop();
    }
    if (fault !== undefined)
        return fails(part, fault.message);
    if (value !== undefined)
        return works(part, `${what} says ${value} ${sensor.unit}`);
    return isOpen
        ? works(part, `${what} is open; nothing happened there within ${VALUE_MS_MAX / 1_000} s`)
        : fails(part, `${what} was not open within ${VALUE_MS_MAX / 1_000} s`);
}
//# sourceMappingURL=pins.js.map