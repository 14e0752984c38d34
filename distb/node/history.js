/**
 * History: what a node that began from a snapshot fetches and checks afterwards, block by block from the genesis.
 *
 * In `history` below the data directory, a second store that keeps little. Its blocks are those that the headers of the snapshot
 * name, from peers that still have them, one question a second. When it arrives at the snapshot's block, executed all
 * the way, the state that was taken on trust is proved, and `history-checked.json` says so. A block of that chain
 * that breaks a rule means that the snapshot is worthless. After a restart it goes on where it was.
 * Source: docs/OPERATIONS.md.
 */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { headerHash } from '../ledger/network.js';
import { HEADER_BYTES } from '../schemas/block.js';
import { hashFromBytes, short } from '../schemas/hex.js';
import { ChainStore } from './chain-store.js';
import { createFileDurably, openDisk } from './disk.js';
import { WorldError } from './error.js';
import { every, systemTimers } from './timers.js';
const FOLDER = 'history';
const CHECKED_FILE = 'history-checked.json';
/** What the second store keeps on the disk while it works. */
const STORE = { windowBlocks: 1_024, windowBlocksMin: 1_024, bytesMax: 32 << 20 };
const ASK_EVERY_MS = 1_000;
/** Blocks in a question. */
const BLOCKS_ASKED = 64;
const TOLD_EVERY_MS = 30_000;
/** Whoever founds a data directory from a snapshot says that its history is still to be checked. */
export const expectHistory = (directory) => void mkdirSync(join(directory, FOLDER), { recursive: true, mode: 0o700 });
export class History {
    #directory;
    #main;
    #modules;
    #store;
    #stop = () => { };
    #asking = false;
    #turn = 0;
    #toldMs = Number.NEGATIVE_INFINITY;
    constructor(directory, main, modules) {
        this.#directory = directory;
        this.#main = main;
        this.#modules = modules;
    }
    /** Begins, or goes on, if there is a history to check. */
    start() {
        const folder = join(this.#directory, FOLDER);
        if (!existsSync(folder))
            return;
        this.#store = new ChainStore(openDisk(folder), this.#main.network.genesis, STORE);
        this.#stop = every(this.#modules.timers ?? systemTimers, ASK_EVERY_MS, () => {
            if (!this.#asking)
                void this.#step().catch(this.#modules.onFatal);
        });
    }
    stop() {
        this.#stop();
        this.#store?.close();
        this.#store = undefined;
    }
    async #step() {
        const store = this.#store;
        const target = this.#main.base.height;
        if (store === undefined)
            return;
        const { height } = store.chain.tip;
        // The snapshot's own height is below the base once the window has moved on; what is checked beyond it does no harm.
        if (height >= target)
            return this.#finish(store);
        this.#tell(height, target);
        const peers = this.#modules.peers();
        const peer = peers[this.#turn++ % Math.max(1, peers.length)];
        if (peer === undefined)
            return;
        const hashes = [];
        const { network } = this.#main;
        for (let at = height + 1; at <= target && hashes.length < BLOCKS_ASKED; at++)
            hashes.push(headerHash(network.hashing, this.#main.header(at)));
        this.#asking = true;
        try {
            const answer = await this.#modules.requests.ask(peer, { type: 'getBlocks', height: height + 1, hashes });
            // Stopped meanwhile, or the peer no longer has what is so old: another one is asked next.
            if (this.#store === undefined || !answer.ok)
                return;
            for (const [index, bytes] of answer.value.blocks.entries())
                if (!this.#take(store, bytes, hashes[index]))
                    return;
        }
        finally {
            this.#asking = false;
        }
    }
    /** False when the peer sent another block than the one asked for. */
    #take(store, bytes, wanted) {
        const { network } = this.#main;
        const hash = hashFromBytes(network.hashing.double(bytes.subarray(0, HEADER_BYTES)));
        if (hash !== wanted)
            return false;
        // Its time was judged when the snapshot's headers were.
        const outcome = store.chain.accept(bytes, Number.MAX_SAFE_INTEGER);
        if (outcome.ok) {
            store.save(outcome.value);
            return true;
        }
        const { code, message } = outcome.fault;
        // A body that is not the header's says something about the peer only.
        if (!store.chain.isInvalid(hash))
            return false;
        throw new WorldError('store-corrupt', `the history of the snapshot breaks a rule at block ${short(hash)}: ${code}: ${message}. ` +
            `Do not trust this ledger: move ${this.#directory} away, and start anew from the genesis or from another snapshot`);
    }
    #tell(height, target) {
        const nowMs = this.#modules.monotonic();
        if (nowMs - this.#toldMs < TOLD_EVERY_MS)
            return;
        this.#toldMs = nowMs;
        this.#modules.log.info('checking the history below the snapshot', { height, of: target });
    }
    #finish(store) {
        const { tip, state } = store.chain;
        const expected = headerHash(this.#main.network.hashing, this.#main.header(tip.height));
        // Headers link up to the snapshot, so this cannot be another block; the state was compared with every coinbase.
        const checked = { height: tip.height, hash: tip.hash, stateRoot: state.root() };
        if (tip.hash !== expected)
            throw new WorldError('store-corrupt', `the history ends on ${tip.hash}, expected ${expected}`);
        this.stop();
        if (!existsSync(join(this.#directory, CHECKED_FILE)))
            createFileDurably(join(this.#directory, CHECKED_FILE), Buffer.from(`${JSON.stringify(checked)}\n`));
        rmSync(join(this.#directory, FOLDER), { recursive: true });
        this.#modules.log.info('the history below the snapshot is valid', checked);
    }
}
//# sourceMappingURL=history.js.map