/**
 * Which way to the header's lines: sysfs with onoff where the kernel has it and onoff is installed, else the character
 * device with the gpiod tools.
 *
 * sysfs comes first because it holds a line without a process, and keeps an output as it is when the agent dies.
 */
import { readdirSync } from 'node:fs';
import { WorldError } from '../../node/error.js';
import { spawnProgram } from '../program.js';
import { sleep } from '../sleep.js';
import { gpiodAccess } from './gpiod.js';
import { headerChip, readTools, reasonOf } from './gpiod-tools.js';
import { loadOnoff } from './onoff.js';
import { sysfsAccess } from './sysfs.js';
import { readSysfsChips, sysfsNumber } from './sysfs-number.js';
/** This machine. */
export const thisGpio = {
    procRoot: '/proc',
    sysRoot: '/sys',
    devRoot: '/dev',
    nowMs: () => performance.now(),
    sleep,
    spawn: spawnProgram,
    loadGpio: loadOnoff,
};
/**
 * Resolves with the way that is wanted; for `auto` with the first of `order` that works. Rejects with a `WorldError` that
 * says what each lacks.
 */
export async function openAccess(surroundings, choice = 'auto', order = ['sysfs', 'gpiod']) {
    const faults = [];
    for (const way of choice === 'auto' ? order : [choice]) {
        try {
            return await open[way](surroundings);
        }
        catch (error) {
            if (!(error instanceof WorldError))
                throw error;
            faults.push(`${way}: ${error.message}`);
        }
    }
    throw new WorldError('sensor', `no way to the GPIO pins (${faults.join(' | ')})`);
}
const open = {
    async sysfs(surroundings) {
        sysfsNumber(0, surroundings.sysRoot);
        return sysfsAccess(await surroundings.loadGpio(), surroundings);
    },
    async gpiod(surroundings) {
        return gpiodAccess(await readGpiod(surroundings), surroundings);
    },
};
/** The tools, which see the header's chip. */
async function readGpiod(surroundings) {
    if (deviceNames(surroundings.devRoot).length === 0) {
        const text = `no ${surroundings.devRoot}/gpiochip*, the kernel offers no GPIO chip here; use another driver, and in a container pass the devices on`;
        throw new WorldError('sensor', text);
    }
    const tools = await readTools(surroundings.spawn);
    headerChip(tools.chips, 0);
    return tools;
}
function deviceNames(devRoot) {
    try {
        return readdirSync(devRoot).filter((name) => /^gpiochip\d+$/.test(name));
    }
    catch {
        // Without the directory there are no devices, which is what is asked.
        return [];
    }
}
/** Looks at both ways. Opens no line, and rejects for our own faults only. */
export async function probeGpio(surroundings = thisGpio) {
    const { sysRoot, devRoot, spawn } = surroundings;
    const [sysfs, gpiod] = await Promise.all([
        faultOf(open.sysfs(surroundings)),
        faultOf(open.gpiod(surroundings)),
    ]);
    const chips = await settled(async () => readSysfsChips(sysRoot));
    const devices = deviceNames(devRoot);
    const tools = devices.length === 0 ? undefined : await settled(() => readTools(spawn));
    const chosen = sysfs === undefined ? 'sysfs' : gpiod === undefined ? 'gpiod' : undefined;
    return {
        sysfs: { chips: chips ?? [], ...(sysfs !== undefined && { fault: sysfs }) },
        gpiod: { devices, ...(tools && { tools }), ...(gpiod !== undefined && { fault: gpiod }) },
        ...(chosen && { chosen }),
    };
}
const faultOf = (opening) => opening.then(() => undefined, (error) => {
    if (!(error instanceof WorldError))
        throw error;
    return reasonOf(error);
});
/** What `look` finds, or undefined where the world fails it: `fault` has said why. */
async function settled(look) {
    try {
        return await look();
    }
    catch (error) {
        if (!(error instanceof WorldError))
            throw error;
        return undefined;
    }
}
//# sourceMappingURL=access.js.map