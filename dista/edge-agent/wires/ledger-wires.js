import { AGAIN_BLOCKS, BlockWalk } from '../block-walk.js';
import { act } from './act.js';
import { freshMemory } from './condition.js';
import { fingerprintOf } from './fingerprint.js';
import { DAY_MS } from './limits.js';
import { readingFor } from './occurrence.js';
/** Heights whose memory is kept: more than a reorganisation takes back, or the log asks for. */
const HEIGHTS_KEPT = 256;
const NOTHING = new Map();
export class LedgerWires {
    #chain;
    #wires = [];
    #depthMax = 0;
    #walk;
    /** Up to here nothing is paid any more. */
    #past = 0;
    /** Up to here these wires were not set. */
    #since = 0;
    /** By height, ascending: after what that height made deep. */
    #memories = new Map();
    #memory = NOTHING;
    constructor(chain, wires, since, saved) {
        this.#chain = chain;
        this.set(wires, since);
        if (saved === undefined || chain.at(saved.height)?.hash !== saved.block)
            return;
        this.#past = chain.tip.height - AGAIN_BLOCKS;
        this.#walk = new BlockWalk(chain, Math.min(chain.tip.height, saved.height + AGAIN_BLOCKS));
        this.#memory = saved.memories;
        this.#memories.set(this.#walk.height, saved.memories);
    }
    /** Other wires from a height on; those that say the same as before go on with what they remember. */
    set(wires, since) {
        this.#since = since;
        this.#wires = wires
            .filter(({ source }) => source.kind === 'ledger')
            .map((wire) => [fingerprintOf(wire), wire]);
        this.#depthMax = this.#wires.reduce((most, [, { source }]) => (source.kind === 'ledger' ? Math.max(most, source.confirmations) : most), 0);
    }
    /** Follows the chain; call before `due`. */
    update(update) {
        const walk = this.#walk;
        if (walk === undefined)
            return;
        const before = walk.height;
        walk.update(update);
        if (walk.height === before)
            return;
        // What changed is new to us, however deep.
        this.#past = Math.min(this.#past, walk.height);
        for (const height of [...this.#memories.keys()])
            if (height > walk.height)
                this.#memories.delete(height);
        this.#memory = [...this.#memories.values()].at(-1) ?? NOTHING;
    }
    /** Whether there are heights left to look at. */
    get behind() {
        return this.#walk === undefined || this.#walk.height < this.#chain.tip.height;
    }
    /** What readings that have become deep enough come to; some heights in one go. To be taken to its end. */
    *due(surroundings) {
        const { tip } = this.#chain;
        this.#walk ??= new BlockWalk(this.#chain);
        let height = this.#walk.height;
        for (const { block, confirmations, top } of this.#walk.next(this.#depthMax)) {
            if (top.height !== height)
                this.#keep(height);
            height = top.height;
            const isPast = height <= Math.max(this.#past, this.#since) || top.time < tip.time - DAY_MS;
            for (const [name, wire] of this.#wires) {
                if (wire.source.kind !== 'ledger' || wire.source.confirmations !== confirmations)
                    continue;
                yield* this.#look(name, wire, block.transactions, surroundings(wire), isPast);
            }
        }
        this.#keep(this.#walk.height);
    }
    /** What was remembered at the highest known height that is `depth` below what was looked at. */
    settled(depth) {
        const deepest = (this.#walk?.height ?? 0) - depth;
        const height = [...this.#memories.keys()].findLast((kept) => kept <= deepest) ?? -1;
        const entry = this.#chain.at(height);
        const memories = this.#memories.get(height);
        return entry === undefined || memories === undefined ? undefined : { height, block: entry.hash, memories };
    }
    *#look(name, wire, transactions, surroundings, isPast) {
        for (const { id, transaction: tx } of transactions) {
            const reading = readingFor(wire, id, tx);
            if (reading === undefined)
                continue;
            const { isPaid } = surroundings;
            const before = this.#memory.get(name) ?? freshMemory(0);
            const done = act(wire, before, reading, isPast ? { isPaid, obstacle: () => PAST } : surroundings);
            if (done.memory !== before)
                this.#memory = new Map(this.#memory).set(name, done.memory);
            if (!isPast)
                yield { wire, ...done };
        }
    }
    #keep(height) {
        this.#memories.set(height, this.#memory);
        for (const oldest of this.#memories.keys()) {
            if (this.#memories.size <= HEIGHTS_KEPT)
                break;
            this.#memories.delete(oldest);
        }
    }
}
const PAST = 'it is too long ago';
//# sourceMappingURL=ledger-wires.js.map