/**
 * Lines through sysfs, with onoff.
 *
 * Measured: an edge is heard after some milliseconds, and edges that come faster are heard as one. So both edges are
 * asked of the kernel always: onoff says an edge together with the level that it reads after it, and would drop a
 * rising edge whose pulse is over by then.
 * Source: Linux, Documentation/userspace-api/gpio/sysfs.rst.
 */
import { WorldError } from '../../node/error.js';
import { createChanges } from './changes.js';
import { sysfsNumber } from './sysfs-number.js';
export const sysfsAccess = (Gpio, surroundings) => ({
    kind: 'sysfs',
    // Async, so that what they throw is a rejection.
    openInput: async (bcm, options) => openInput(Gpio, bcm, options, surroundings),
    openOutput: async (bcm, options) => openOutput(Gpio, bcm, options, surroundings),
});
function openInput(Gpio, bcm, { edge, debounceMs, activeLow, bias }, surroundings) {
    if (bias !== 'as-is') {
        const text = `sysfs cannot set the resistor of GPIO ${bcm} (bias: ${bias}); set it by a line "gpio=${bcm}=pu", "pd" or "pn" in config.txt and take bias out, or install gpiod ("sudo apt install gpiod")`;
        throw new WorldError('sensor', text);
    }
    const number = sysfsNumber(bcm, surroundings.sysRoot);
    const pin = attempt('open', bcm, () => new Gpio(number, 'in', edge === 'none' ? 'none' : 'both', { activeLow }));
    const read = () => attempt('read', bcm, () => (pin.readSync() === 1 ? 1 : 0));
    let changes;
    let broken = false;
    let closed = false;
    function close() {
        if (closed)
            return;
        closed = true;
        changes?.stop();
        attempt('give back', bcm, () => pin.unexport());
    }
    return {
        read: async () => read(),
        watch(onChange, onError) {
            const told = createChanges({ edge, debounceMs }, read(), onChange, surroundings);
            changes = told;
            attempt('watch', bcm, () => pin.watch((error, value) => {
                if (closed || broken)
                    return;
                if (!error)
                    return told.tell(value === 1 ? 1 : 0);
                broken = true;
                told.stop();
                onError(refusal('watch', bcm, error));
            }));
        },
        close: async () => close(),
    };
}
function openOutput(Gpio, bcm, { activeLow, initial }, { sysRoot }) {
    const number = sysfsNumber(bcm, sysRoot);
    // The kernel takes voltage and direction in one write: the line never has another level in between.
    const direction = (initial === 1) === activeLow ? 'low' : 'high';
    const pin = attempt('open', bcm, () => new Gpio(number, direction, 'none', { activeLow }));
    return {
        set: async (level) => attempt('set', bcm, () => pin.writeSync(level)),
        // Giving the pin back would make it an input: it stays exported, and the kernel goes on driving it.
        close: async () => { },
    };
}
/** Calls into the library, whose errors are the kernel's. */
function attempt(action, bcm, call) {
    try {
        return call();
    }
    catch (cause) {
        throw refusal(action, bcm, cause);
    }
}
function refusal(action, bcm, cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new WorldError('sensor', `cannot ${action} GPIO ${bcm}: ${reason}; ${remedy(cause)}`, cause);
}
function remedy(cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'EACCES' || code === 'EPERM')
        return 'add the user to the group gpio and log in again';
    if (code === 'EBUSY')
        return 'another program or a kernel overlay uses the pin, choose another or free it';
    if (code === 'EINVAL')
        return 'the kernel does not offer this pin so, choose another';
    return 'see that the pin is free and the user is in the group gpio';
}
//# sourceMappingURL=sysfs.js.map