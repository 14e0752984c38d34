const PEERS_MAX = 64;
export class Peers {
    /** In the order in which they were heard. */
    #tips = new Map();
    get size() {
        return this.#tips.size;
    }
    /** Names are cheap, so the peer silent for longest makes room. */
    set(peer, tip) {
        this.#tips.delete(peer);
        this.#tips.set(peer, tip);
        if (this.#tips.size <= PEERS_MAX)
            return;
        for (const oldest of this.#tips.keys()) {
            this.#tips.delete(oldest);
            break;
        }
    }
    clear() {
        this.#tips.clear();
    }
    /** Whether a peer claims exactly this work. */
    share(work) {
        return [...this.#tips.values()].some((tip) => tip.work === work);
    }
    /** Height that a peer claims. */
    height(peer) {
        return this.#tips.get(peer)?.height;
    }
    /** Peers that claim at least this work, those heard last first: they are the most likely to be there. */
    claiming(work) {
        return [...this.#tips].flatMap(([peer, tip]) => (tip.work >= work ? [peer] : [])).reverse();
    }
    /** The peer with the most work above `work`, of those that `counts`. */
    best(work, counts = () => true) {
        let best;
        for (const peer of this.#tips)
            if (peer[1].work > (best?.[1].work ?? work) && counts(peer[0]))
                best = peer;
        return best;
    }
}
//# sourceMappingURL=peers.js.map