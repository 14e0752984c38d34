import { TRANSACTION_BYTES_MAX } from '../schemas/transaction.js';
import { signaturesOf } from './apply.js';
/** Blocks that an estimate looks back on: ten for each that may pass, within bounds. */
const LOOK_BACK = { factor: 10, blocksMin: 20, blocksMax: 120 };
/** Blocks remembered: after a reorganisation of half of them, the largest window is still full. */
export const REMEMBERED_MAX = 2 * LOOK_BACK.blocksMax;
/** Share of the starts from which the estimate would have sufficed. */
const SUFFICES_PERCENT = 85;
/** Within how many blocks the named estimates are. */
export const HORIZONS = { next: 1, soon: 6, later: 30 };
export class FeeEstimator {
    #network;
    /** Entry rates of the last blocks, smallest units per byte; undefined for a full one that tells nothing. */
    #rates = [];
    constructor(network) {
        this.#network = network;
    }
    /** Blocks remembered. */
    get size() {
        return this.#rates.length;
    }
    /** Follows the chain, before the mempool does; `waited` says whether a transaction is in the mempool. */
    update(blocks, waited) {
        this.#rates.length = Math.max(0, this.#rates.length - blocks.disconnected.length);
        for (const block of blocks.connected)
            this.#rates.push(this.#entryRate(block, waited));
        if (this.#rates.length > REMEMBERED_MAX)
            this.#rates.splice(0, this.#rates.length - REMEMBERED_MAX);
    }
    /** `full`: the rate per byte that a newcomer to the mempool has to be above, if it is full. */
    fees(full) {
        const floor = Math.max(this.#network.genesis.feeFloor, above(full ?? 0));
        const within = (blocks) => Math.max(floor, above(this.rate(blocks)));
        const { next, soon, later } = HORIZONS;
        return { floor, next: within(next), soon: within(soon), later: within(later) };
    }
    /** Fee rate that most likely is in one of the next `blocks`, smallest units per byte; 0 where anything is. */
    rate(blocks) {
        const { factor, blocksMin, blocksMax } = LOOK_BACK;
        const window = Math.min(blocksMax, Math.max(blocksMin, factor * blocks));
        const known = this.#rates.slice(-window).filter((rate) => rate !== undefined);
        const starts = Math.max(1, known.length - blocks + 1);
        const sufficed = Array.from({ length: starts }, (_, at) => Math.min(...known.slice(at, at + blocks)));
        sufficed.sort((a, b) => a - b);
        return known.length === 0 ? 0 : (sufficed[Math.ceil((starts * SUFFICES_PERCENT) / 100) - 1] ?? 0);
    }
    #entryRate({ block, bytes, transactions }, waited) {
        const { blockBytesMax, blockSignaturesMax } = this.#network.genesis;
        const signatures = transactions.reduce((sum, { transaction: tx }) => sum + signaturesOf(tx), 1);
        const room = bytes.length + TRANSACTION_BYTES_MAX <= blockBytesMax && signatures < blockSignaturesMax;
        if (room)
            return 0;
        const rates = transactions
            .filter(({ id, transaction: tx }) => tx.from !== block.coinbase.from && waited(id))
            .map((sealed) => sealed.transaction.fee / sealed.bytes.length);
        return rates.length === 0 ? undefined : Math.min(...rates);
    }
}
/** The least whole number of units for 1000 bytes that pays more than a rate per byte; 0 for none. */
const above = (rate) => rate === 0 ? 0 : Math.min(Number.MAX_SAFE_INTEGER, Math.floor(rate * 1000) + 1);
//# sourceMappingURL=fee-estimator.js.map