/** The part `outputs` of an agent's configuration: relays and LEDs, and when each is on. */
import { z } from 'zod';
import { name } from '../../schemas/field.js';
import { invariant } from '../../schemas/result.js';
import { nameFault, outputSale } from '../sale/config.js';
/** As many as the header has GPIO lines. */
export const OUTPUTS_MAX = 28;
const EXPECTED = "expected 'sensor' with one of 'above' and 'below' (and, if wanted, 'hysteresis' and 'staleSeconds'), or 'agent' or 'paid' alone";
const condition = z
    .strictObject({
    sensor: name.json.optional().describe('a sensor of this agent'),
    above: z.number().optional(),
    below: z.number().optional(),
    hysteresis: z
        .number()
        .min(0)
        .optional()
        .describe('how far the value has to come back before it counts as back'),
    staleSeconds: z
        .number()
        .min(1)
        .max(604_800)
        .optional()
        .describe('a reading counts for this long; 60 when left out'),
    agent: z.enum(['connected', 'mining']).optional(),
    paid: z.literal(true).optional().describe('for as long as somebody has paid; see sell'),
})
    .transform(({ sensor, above, below, hysteresis, staleSeconds, agent, paid }, context) => {
    const rest = sensor ?? above ?? below ?? hysteresis ?? staleSeconds;
    if (agent !== undefined && (rest ?? paid) === undefined)
        return { kind: 'agent', state: agent };
    if (paid !== undefined && (rest ?? agent) === undefined)
        return { kind: 'paid' };
    const threshold = above ?? below;
    if ((agent ?? paid) !== undefined ||
        sensor === undefined ||
        threshold === undefined ||
        (above ?? below) !== (below ?? above)) {
        context.addIssue({ code: 'custom', message: EXPECTED });
        return z.NEVER;
    }
    return {
        kind: 'sensor',
        sensor,
        compare: above === undefined ? 'below' : 'above',
        threshold,
        hysteresis: hysteresis ?? 0,
        staleMs: (staleSeconds ?? 60) * 1000,
    };
});
export const outputConfig = z
    .strictObject({
    name: name.json,
    pin: z.int().min(0).max(27).optional().describe('BCM number'),
    file: z
        .string()
        .min(1)
        .optional()
        .describe("in place of a pin: a file that gets 1 or 0 and a newline, such as an LED's brightness"),
    activeLow: z
        .boolean()
        .default(false)
        .describe('on when the pin is at ground, as many relay boards want it'),
    access: z.enum(['auto', 'sysfs', 'gpiod']).default('auto').describe('the way to the pin'),
    safe: z.enum(['off', 'on']).default('off').describe('when the agent cannot know better'),
    when: condition,
    sell: outputSale.optional().describe('on which terms it is sold'),
    onSecondsMax: z
        .number()
        .min(1)
        .max(604_800)
        .optional()
        .describe('then safe, until the condition has been false'),
    lostAfterSeconds: z.number().min(1).max(604_800).default(30).describe('without the broker'),
    onLost: z.enum(['safe', 'keep']).default('safe').describe('keep: goes on by its rule'),
})
    .refine(({ safe, onSecondsMax }) => safe === 'off' || onSecondsMax === undefined, {
    path: ['onSecondsMax'],
    message: "expected it only with 'safe: off': what is safe when on needs no limit",
})
    .superRefine(({ name, pin, file, access, when, sell, onSecondsMax }, context) => {
    const say = (message, ...path) => context.addIssue({ code: 'custom', path, message });
    if ((pin === undefined) === (file === undefined))
        say("expected 'pin' or 'file', one of the two");
    if (file !== undefined && access !== 'auto')
        say("expected it only with 'pin'", 'access');
    const isPaid = when.kind === 'paid';
    if (isPaid && sell === undefined)
        say('expected \'sell\' with it, such as { perMinute: "0.5" }: what it costs', 'when');
    if (!isPaid && sell !== undefined)
        say("expected it only with 'when: { paid: true }'", 'sell');
    if (isPaid && onSecondsMax !== undefined)
        say("expected it not with 'paid': sell.secondsMax says how far ahead time can be bought", 'onSecondsMax');
    const unfit = sell === undefined ? undefined : nameFault('on', name);
    if (unfit !== undefined)
        say(unfit, 'name');
});
/** What is wrong between outputs and sensors: names and pins used twice, sensors that are not there or speak too seldom. */
export function misfits(outputs, sensors) {
    const found = [];
    const pins = new Map();
    for (const sensor of sensors)
        if (sensor.pin !== undefined)
            pins.set(sensor.pin, `sensor ${sensor.name}`);
    const names = new Set();
    const files = new Map();
    for (const [index, { name, pin, file, when }] of outputs.entries()) {
        const say = (field, message) => void found.push({ path: ['outputs', index, field], message });
        if (names.has(name))
            say('name', `expected each output name once, got ${name} again`);
        names.add(name);
        const user = pin === undefined ? undefined : pins.get(pin);
        if (user !== undefined)
            say('pin', `expected a pin of its own for output ${name}, got GPIO ${pin} of ${user}`);
        if (pin !== undefined)
            pins.set(pin, `output ${name}`);
        const writer = file === undefined ? undefined : files.get(file);
        if (writer !== undefined)
            say('file', `expected a file of its own for output ${name}, got that of output ${writer}`);
        if (file !== undefined)
            files.set(file, name);
        if (when.kind !== 'sensor')
            continue;
        const sensor = sensors.find((each) => each.name === when.sensor);
        if (sensor === undefined)
            say('when', `expected a sensor of this agent, got ${when.sensor}`);
        // One that says edges has nothing to do with its interval.
        else if (sensor.mode !== 'edge' && (sensor.intervalSeconds ?? 0) * 1000 >= when.staleMs)
            say('when', `expected staleSeconds above the ${sensor.intervalSeconds} s at which ${sensor.name} speaks`);
    }
    return found;
}
/** What the guard has to know of an output. */
export function guardLine({ name, pin, file, activeLow, access, safe }) {
    const common = { name, activeLow, safe: safe === 'on' ? 1 : 0 };
    if (file !== undefined)
        return { ...common, file };
    invariant(pin !== undefined, `output ${name} has a pin or a file`);
    return { ...common, pin, access };
}
//# sourceMappingURL=config.js.map