import { every } from '../../node/timers.js';
import { BEAT_MS } from './guard-messages.js';
import { decide, firstMemory } from './rule.js';
const TELL_MS_MIN = 1_000;
export const ruleOf = (config) => ({
    safe: config.safe === 'on',
    condition: config.when,
    onMsMax: config.onSecondsMax === undefined ? undefined : config.onSecondsMax * 1000,
    lostMsMax: config.onLost === 'keep' ? undefined : config.lostAfterSeconds * 1000,
});
export class Outputs {
    #modules;
    #outputs;
    #readings = new Map();
    #facts = () => ({ isConnected: false, isMining: false });
    #tell = () => { };
    #lostSinceMs = -Infinity;
    /** While it runs. */
    #stopBeating;
    constructor(configs, modules) {
        this.#modules = modules;
        const { clock } = modules;
        this.#outputs = configs.map((config) => {
            const rule = ruleOf(config);
            return {
                name: config.name,
                rule,
                memory: firstMemory(clock.monotonic()),
                wish: { on: rule.safe, cause: 'stale', reason: 'the agent starts' },
                fault: undefined,
                level: undefined,
                since: clock.now(),
                told: undefined,
            };
        });
    }
    /** `tell` is called for each change, and with what it says the log too. */
    start(facts, tell) {
        if (this.#outputs.length === 0)
            return;
        this.#facts = facts;
        this.#tell = tell;
        this.#modules.lines.start((levels) => this.#driven(levels), (name, reason) => this.#failed(name, reason));
        this.#stopBeating = every(this.#modules.timers, BEAT_MS, () => {
            this.#decide();
            this.#beat();
            this.#report();
        });
    }
    /** A sensor of this agent said something. */
    reading(sensor, value) {
        if (!this.#outputs.some(({ rule }) => rule.condition.kind === 'sensor' && rule.condition.sensor === sensor))
            return;
        this.#readings.set(sensor, { value, atMs: this.#modules.clock.monotonic() });
        this.refresh();
    }
    /** The agent's own facts may have changed. */
    refresh() {
        if (this.#stopBeating !== undefined && this.#decide())
            this.#beat();
    }
    /** What was told last of each. */
    get states() {
        return this.#outputs.flatMap(({ told }) => (told === undefined ? [] : [told.state]));
    }
    /** Safe from now on. */
    async stop() {
        if (this.#stopBeating === undefined)
            return;
        this.#stopBeating();
        this.#stopBeating = undefined;
        for (const output of this.#outputs)
            output.wish = { on: output.rule.safe, cause: 'stop', reason: 'the agent stops' };
        await this.#modules.lines.stop();
        this.#report(0);
    }
    /** True if a wish changed. */
    #decide() {
        const { isConnected, isMining } = this.#facts();
        const { soldOf = () => undefined } = this.#modules;
        const nowMs = this.#modules.clock.monotonic();
        if (isConnected)
            this.#lostSinceMs = undefined;
        else
            this.#lostSinceMs ??= nowMs;
        let changed = false;
        for (const output of this.#outputs) {
            const { rule, memory } = output;
            const reading = rule.condition.kind === 'sensor' ? this.#readings.get(rule.condition.sensor) : undefined;
            const sold = rule.condition.kind === 'paid' ? soldOf(output.name) : undefined;
            const facts = { nowMs, reading, lostSinceMs: this.#lostSinceMs, isMining, sold };
            const { memory: next, on, cause, reason } = decide(rule, facts, memory);
            changed ||= on !== output.wish.on;
            output.memory = next;
            output.wish = { on, cause, reason };
        }
        return changed;
    }
    #beat() {
        this.#modules.lines.drive(this.#outputs.map(({ wish }) => (wish.on ? 1 : 0)));
    }
    #driven(levels) {
        for (const [index, output] of this.#outputs.entries()) {
            const level = levels[index];
            if (level !== undefined)
                output.fault = undefined;
            if (level !== output.level)
                output.since = this.#modules.clock.now();
            output.level = level;
        }
        this.#report();
    }
    #failed(name, reason) {
        this.#modules.log.warn('output', { output: name, reason });
        for (const output of this.#outputs)
            if (output.name === name)
                output.fault = reason;
        this.#report();
    }
    /** Tells what has changed, unless it was told of just now: then the next second's turn does. */
    #report(pauseMs = TELL_MS_MIN) {
        const nowMs = this.#modules.clock.monotonic();
        for (const output of this.#outputs) {
            const { name, rule, level, wish, fault, since, told } = output;
            // On its way from one to the other.
            if (level === undefined ? fault === undefined && told === undefined : level !== (wish.on ? 1 : 0))
                continue;
            // Values of a sensor come all the time; that time was added is news.
            const news = rule.condition.kind === 'paid' ? wish.reason : '';
            const key = level === undefined ? `fault ${fault}` : `${level} ${wish.cause} ${news}`;
            if (key === told?.key || (told !== undefined && nowMs - told.atMs < pauseMs))
                continue;
            const on = level === undefined ? null : level === 1;
            const reason = level === undefined ? (fault ?? 'the guard of the outputs ended') : wish.reason;
            const state = { name, on, since, reason, safe: rule.safe };
            output.told = { state, key, atMs: nowMs };
            this.#modules.log.info('output', { output: name, on: on ?? 'unknown', reason });
            this.#tell(state);
        }
    }
}
//# sourceMappingURL=outputs.js.map