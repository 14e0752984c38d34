import { act } from './act.js';
import { freshMemory } from './condition.js';
import { fingerprintOf } from './fingerprint.js';
import { sampleFor, slotFor } from './occurrence.js';
/** Samples that wait to be looked at, a second's worth. */
const SAMPLES_MAX = 10_000;
export class OwnWires {
    #wires = [];
    #sensors = new Set();
    #samples = [];
    #memories = new Map();
    #changed = new Set();
    constructor(wires, known) {
        this.set(wires, known);
    }
    /** Other wires from now on; those that say the same as before go on with what they remember. */
    set(wires, known) {
        this.#wires = wires
            .filter(({ source }) => source.kind !== 'ledger')
            .map((wire) => [fingerprintOf(wire), wire]);
        this.#sensors = new Set(this.#wires.flatMap(([, { source }]) => (source.kind === 'own' ? [source.sensor] : [])));
        const names = new Set(this.#wires.map(([name]) => name));
        for (const name of names) {
            const memory = this.#memories.get(name) ?? known(name);
            if (memory !== undefined)
                this.#memories.set(name, memory);
        }
        for (const name of [...this.#memories.keys()])
            if (!names.has(name))
                this.#memories.delete(name);
    }
    /** Names of the wires, as `known` is asked for. */
    get names() {
        return new Set(this.#wires.map(([name]) => name));
    }
    take(sample) {
        if (this.#sensors.has(sample.sensor) && this.#samples.length < SAMPLES_MAX)
            this.#samples.push(sample);
    }
    /** What the samples since the last call come to, and the slot that it is; `nowMs` is also when new memories begin. To be taken to its end. */
    *due(surroundings, nowMs) {
        const samples = this.#samples;
        this.#samples = [];
        for (const [name, wire] of this.#wires) {
            const slot = slotFor(wire, nowMs);
            const occurrences = slot === undefined ? samples.flatMap((sample) => sampleFor(wire, sample) ?? []) : [slot];
            for (const occurrence of occurrences) {
                const before = this.#memories.get(name) ?? freshMemory(nowMs);
                const done = act(wire, before, occurrence, surroundings(wire));
                if (done.memory !== before) {
                    this.#memories.set(name, done.memory);
                    this.#changed.add(name);
                }
                yield { wire, ...done };
            }
        }
    }
    /** What has changed since the last call, for the log. */
    changed() {
        const changed = new Map();
        for (const name of this.#changed) {
            const memory = this.#memories.get(name);
            if (memory !== undefined)
                changed.set(name, memory);
        }
        this.#changed.clear();
        return changed;
    }
}
//# sourceMappingURL=own-wires.js.map