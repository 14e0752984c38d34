/**
 * From samples to drafts of transactions: each on its own, or a batch with its Merkle root.
 *
 * Sequence numbers go on where the outbox's last stored ones ended.
 */
import { merklePath, merkleRoot } from '../ledger/merkle.js';
import { hashing } from '../node/signing.js';
import { encode } from '../schemas/codec.js';
import { hashFromBytes } from '../schemas/hex.js';
import { invariant } from '../schemas/result.js';
import { sample as sampleCodec } from '../schemas/transaction.js';
/** How much too early a free sample may be. */
const EARLY_MS = 50;
export class Sampling {
    #sensors;
    #outbox;
    #clock;
    /** Samples that are not signed yet, by sensor. */
    #waiting = new Map();
    #sequences = new Map();
    /** What is sold has a count of its own, of all samples. */
    #soldSequences = new Map();
    /** When the last free sample of a sensor that is sold was taken; monotonic. */
    #freeMs = new Map();
    constructor(sensors, outbox, clock) {
        this.#sensors = sensors;
        this.#outbox = outbox;
        this.#clock = clock;
    }
    /** Gives a value its number and time. */
    take({ name, sensor: { unit }, sell }, value) {
        const time = Math.max(0, this.#clock.now());
        const said = { sensor: name, value, unit, time, synchronised: this.#clock.synchronised() };
        const free = sell === undefined || this.#isFree(name, sell) ? this.#keep(said) : undefined;
        if (sell === undefined && free !== undefined)
            return { sample: free, free };
        // Counts from the time of the start on: nothing of it is stored, and no number comes again.
        const sequence = this.#soldSequences.get(name) ?? time;
        this.#soldSequences.set(name, sequence + 1);
        return { sample: { ...said, sequence }, free };
    }
    #isFree(name, { freeEverySeconds }) {
        if (freeEverySeconds === 0)
            return false;
        const nowMs = this.#clock.monotonic();
        const last = this.#freeMs.get(name);
        // A sensor that speaks as often as that is a little early now and then.
        if (last !== undefined && nowMs - last < freeEverySeconds * 1000 - EARLY_MS)
            return false;
        this.#freeMs.set(name, nowMs);
        return true;
    }
    /** Numbers a sample for the ledger and keeps it until it is signed. */
    #keep(said) {
        const { sensor: name } = said;
        const sequence = this.#sequences.get(name) ?? this.#outbox.nextSequence(name);
        this.#sequences.set(name, sequence + 1);
        const sample = { ...said, sequence };
        this.#waiting.set(name, [...(this.#waiting.get(name) ?? []), sample]);
        return sample;
    }
    /** Takes out what makes whole transactions. */
    gather() {
        const gathered = [];
        for (const { name, batch } of this.#sensors) {
            const waiting = this.#waiting.get(name) ?? [];
            while (waiting.length >= batch) {
                const samples = waiting.splice(0, batch);
                const [first] = samples;
                invariant(first !== undefined, 'a batch has at least one sample');
                if (batch === 1)
                    gathered.push({ draft: { type: 'reading', sample: first }, samples: [] });
                else
                    gathered.push({ draft: batchDraft(first, samples), samples });
            }
        }
        return gathered;
    }
}
const leavesOf = (samples) => samples.map((sample) => hashing.tagged('sample', encode(sampleCodec, sample)));
function batchDraft(first, samples) {
    return {
        type: 'batch',
        sensor: first.sensor,
        sequence: first.sequence,
        count: samples.length,
        unit: first.unit,
        firstTime: first.time,
        // The clock may have been set back meanwhile.
        lastTime: Math.max(first.time, samples.at(-1)?.time ?? 0),
        synchronised: samples.every(({ synchronised }) => synchronised),
        root: hashFromBytes(merkleRoot(hashing, leavesOf(samples))),
    };
}
/** Each sample of a batch with its proof that the transaction commits to it. */
export function withProofs(transaction, samples) {
    const leaves = leavesOf(samples);
    return samples.map((sample, index) => {
        const path = merklePath(hashing, leaves, index).map(hashFromBytes);
        return { transaction, index, count: samples.length, sample, path };
    });
}
//# sourceMappingURL=sampling.js.map