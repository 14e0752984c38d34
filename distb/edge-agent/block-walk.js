/**
 * Walks up the best chain, height by height, and shows each block as it becomes one deeper.
 *
 * Who acts on what is so many blocks deep sees each block once at each depth, also when several came at once, and again when a
 * reorganisation changed what lies below. It begins some blocks below where it was, since a crash may have come between a
 * block and what was done because of it; so who acts has to know what is done already. A long way is gone in steps.
 */
import { parseBlock } from '../ledger/block.js';
import { invariant } from '../schemas/result.js';
/** Blocks looked through again after a start. */
export const AGAIN_BLOCKS = 30;
/** Heights walked in one go: a long way back must not stop everything else. */
const HEIGHTS_MAX = 20;
export class BlockWalk {
    #chain;
    /** Height up to which blocks have been looked at. */
    #height;
    /** `seen`: height up to which everything is known to be dealt with, before `AGAIN_BLOCKS`. */
    constructor(chain, seen = chain.tip.height) {
        this.#chain = chain;
        this.#height = Math.max(chain.base.height, Math.min(seen, chain.tip.height) - AGAIN_BLOCKS);
    }
    /** Everything up to here has been shown. */
    get height() {
        return this.#height;
    }
    /** Follows the chain; call before `next`. */
    update({ disconnected, connected }) {
        const [lowest] = connected;
        if (disconnected.length > 0 && lowest !== undefined)
            this.#height = Math.min(this.#height, lowest.entry.height - 1);
    }
    /** What the next heights, `HEIGHTS_MAX` at most, made as deep as 1 to `depthMax`, lowest height first. */
    *next(depthMax) {
        const last = Math.min(this.#chain.tip.height, this.#height + HEIGHTS_MAX);
        while (this.#height < last) {
            const height = ++this.#height;
            for (let confirmations = 1; confirmations <= depthMax; confirmations++) {
                const entry = this.#chain.at(height - confirmations + 1);
                const top = this.#chain.at(height);
                if (entry === undefined || top === undefined || entry === this.#chain.base)
                    continue;
                yield { block: storedBlock(this.#chain, entry), entry, confirmations, top };
            }
        }
    }
}
/** The best chain's blocks above a height, lowest first. */
export function* blocksAbove(chain, height) {
    for (let at = Math.max(chain.base.height, height) + 1; at <= chain.tip.height; at++) {
        const entry = chain.at(at);
        invariant(entry !== undefined, `the chain has height ${at}`);
        yield { entry, block: storedBlock(chain, entry) };
    }
}
function storedBlock({ network, archive }, { hash }) {
    const block = parseBlock(network, archive.block(hash));
    invariant(block.ok, `stored block ${hash} parses`);
    return block.value;
}
//# sourceMappingURL=block-walk.js.map