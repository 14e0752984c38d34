/**
 * A miner in virtual time: finds come as a Poisson process at its rate, the proof of work itself is real.
 *
 * Hashing has no memory, so a new tip or a rest only draws the next find anew.
 */
import { workOf } from '../ledger/difficulty.js';
import { mayMine } from '../ledger/membership.js';
import { buildTemplate } from '../ledger/template.js';
import { HEADER_NONCE_OFFSET, header as headerCodec } from '../schemas/block.js';
import { encode } from '../schemas/codec.js';
import { fromHex } from '../schemas/hex.js';
export class SimMiner {
    #modules;
    #cancel = () => { };
    constructor(modules) {
        this.#modules = modules;
    }
    /** Draws the time of the next find on the tip as it is now. */
    refresh() {
        this.#cancel();
        const { node, timers, random, rate } = this.#modules;
        const hashes = Number(workOf(node.chain.tip.childTarget));
        this.#cancel = timers.after(Math.min(random.exponential(hashes / rate()), 1e12), () => {
            if (this.#mines)
                this.#modules.onFound(this.#find());
            else
                this.refresh();
        });
    }
    get #mines() {
        const { node, signer, clock, intrudes } = this.#modules;
        const { network, state } = node.chain;
        return clock.synchronised() && node.inSync && (intrudes() || mayMine(network, state, signer.account));
    }
    #find() {
        const { node, signer, clock, random } = this.#modules;
        const { chain } = node;
        const network = this.#modules.intrudes() ? asIfOpen(chain.network) : chain.network;
        return solve(network, buildTemplate(network, chain, node.mempool.ordered(), signer, clock.now()), random);
    }
}
/** The network as who has no business there would have it: its blocks are well made, but for their miner. */
export const asIfOpen = (network) => ({
    ...network,
    genesis: { ...network.genesis, authorities: [] },
});
/** The block with a nonce that meets its target. */
export function solve(network, block, random) {
    const bytes = encode(headerCodec, block.header);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    view.setUint32(HEADER_NONCE_OFFSET, random.whole(0, 0xffffffff));
    const target = fromHex(block.header.target.toString(16).padStart(64, '0'));
    for (let nonce = 0;; nonce++) {
        view.setUint32(HEADER_NONCE_OFFSET + 4, nonce);
        if (Buffer.compare(network.hashing.double(bytes), target) > 0)
            continue;
        return { ...block, header: { ...block.header, nonce: bytes.slice(HEADER_NONCE_OFFSET) } };
    }
}
//# sourceMappingURL=miner.js.map