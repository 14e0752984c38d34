import { short } from '../schemas/hex.js';
import { accept } from '../schemas/result.js';
import { Bell } from './bell.js';
import { BodySync } from './body-sync.js';
import { HeaderSync } from './header-sync.js';
import { REQUESTS_DEFAULTS } from './requests.js';
import { Settled } from './settled.js';
import { bar, ProgressMeter } from './sync-progress.js';
import { systemTimers } from './timers.js';
import { BucketPerKey } from './token-bucket.js';
/** Catch-ups at once, by cause. */
const AT_ONCE_MAX = { tip: 2, orphan: 4 };
/** A little slower than a peer answers: it drops what is beyond its limit without a word. */
const { perSecond, burst } = REQUESTS_DEFAULTS.perRequester;
const PACE = { perSecond: perSecond - 1, burst: burst - 4 };
/** How long a peer is not asked again from whom nothing was gained: at first, and at most. */
const REST_MS = { first: 2_500, most: 60_000 };
const PEERS_RESTING_MAX = 1_000;
/** A download that brings no block for so long is none. */
const STALLED_MS = 15_000;
/** After one that brought nothing at all, so long the next ones count only once they have brought a block. */
const WITHHELD_MS = 120_000;
const PROGRESS_EVERY_MS = 2_000;
export class Sync {
    #modules;
    #timers;
    #settled;
    #resting = new Map();
    #asked = { tip: new Set(), orphan: new Set() };
    #pace = new BucketPerKey(PACE, PEERS_RESTING_MAX);
    #runs = new Set();
    /** When each block was asked for, by any run: two that follow the same chain share the work. */
    #blocksAsked = new Map();
    /** Rung at the end, for all who wait. */
    #bells = new Set();
    #bodiesPerSecond;
    #withheldUntilMs = 0;
    #stopped = false;
    constructor(modules) {
        this.#modules = modules;
        this.#timers = modules.timers ?? systemTimers;
        this.#settled = new Settled(modules.chain, this.#timers);
    }
    /**
     * True while bodies come whose headers have proved more work than ours. Whoever has one block can keep its body back, and
     * must not keep all from mining with it, under one name after the other.
     */
    get downloading() {
        const nowMs = this.#modules.monotonic();
        return [...this.#runs].some(({ downloading, brought, newsMs }) => downloading && nowMs - newsMs <= STALLED_MS && (brought || nowMs >= this.#withheldUntilMs));
    }
    /** How far the catch-up is that is furthest; undefined when there is none. */
    get progress() {
        const runs = [...this.#runs];
        const run = runs.find(({ downloading }) => downloading) ?? runs[0];
        const progress = run?.meter.view(this.#modules.monotonic(), this.#bodiesPerSecond);
        return progress?.of === 0 ? undefined : progress;
    }
    /** Whether `from` would ask this peer now. */
    mayAsk(peer, cause) {
        if (this.#stopped || this.#asked.tip.has(peer) || this.#asked.orphan.has(peer))
            return false;
        if (this.#asked[cause].size >= AT_ONCE_MAX[cause])
            return false;
        return !this.#isResting(peer);
    }
    stop() {
        this.#stopped = true;
        for (const bell of this.#bells)
            bell.ring();
    }
    /** Catches up with `peer` if it may be asked. True when our chain has more work afterwards. */
    async from(peer, cause) {
        const { chain, log, monotonic } = this.#modules;
        if (!this.mayAsk(peer, cause))
            return false;
        const { work } = chain.tip;
        const justified = chain.justified.height;
        const nowMs = monotonic();
        const none = { downloading: false, brought: false, newsMs: nowMs };
        const run = { peer, meter: new ProgressMeter(nowMs), shownMs: nowMs, ...none };
        this.#asked[cause].add(peer);
        this.#runs.add(run);
        try {
            const fault = await this.#catchUp(run);
            if (fault !== undefined)
                log.info('catching up failed', { peer: short(peer), reason: fault });
            if (fault !== undefined && run.downloading && !run.brought)
                this.#withheldUntilMs = monotonic() + WITHHELD_MS;
            const gained = chain.tip.work > work || chain.justified.height > justified;
            if (gained && fault === undefined)
                this.#resting.delete(peer);
            else
                this.#rest(peer);
            return gained;
        }
        finally {
            this.#asked[cause].delete(peer);
            this.#runs.delete(run);
        }
    }
    #isResting(peer) {
        return (this.#resting.get(peer)?.untilMs ?? 0) > this.#modules.monotonic();
    }
    #rest(peer) {
        const last = this.#resting.get(peer);
        const restMs = last === undefined ? REST_MS.first : Math.min(2 * last.restMs, REST_MS.most);
        if (this.#resting.size >= PEERS_RESTING_MAX)
            this.#resting.clear();
        this.#resting.set(peer, { untilMs: this.#modules.monotonic() + restMs, restMs });
    }
    /** Undefined when done, else why not. */
    async #catchUp(run) {
        const { chain, monotonic } = this.#modules;
        const bell = new Bell(this.#timers);
        this.#bells.add(bell);
        try {
            const headers = this.#headers(run, bell);
            const found = await headers.survey();
            if (!found.ok)
                return found.fault;
            const survey = found.value;
            if (this.#stopped || survey === undefined)
                return undefined;
            if (survey.work <= chain.tip.work && !survey.wanted)
                return undefined;
            if (survey.fork < chain.final.height)
                return this.#tooDeep(survey);
            run.downloading = true;
            run.newsMs = monotonic();
            const claimed = survey.ended ? survey.height : (this.#modules.peers.height(run.peer) ?? 0);
            run.meter.begin('bodies', Math.max(survey.height, claimed) - survey.root, monotonic());
            return await this.#download(run, headers, survey, bell);
        }
        finally {
            this.#bells.delete(bell);
        }
    }
    #headers(run, bell) {
        const { chain, requests, peers, monotonic, now, wants } = this.#modules;
        const { peer, meter } = run;
        let begun = false;
        const modules = {
            chain,
            settled: this.#settled,
            now,
            wants: (hash) => wants?.(hash) === true,
            ask: async (locator, limit) => {
                await this.#turnOf(peer, bell);
                const answer = await requests.ask(peer, { type: 'getHeaders', locator, limit });
                return answer.ok ? accept(answer.value.headers) : answer;
            },
            onHeaders: (count, height) => {
                const nowMs = monotonic();
                if (!begun)
                    meter.begin('headers', (peers.height(peer) ?? height) - height + count, run.shownMs);
                begun = true;
                meter.count(count, nowMs);
                this.#show(run, false);
            },
        };
        return new HeaderSync(modules, this.#modules.headerLimits);
    }
    /** Waits until the peer will answer one more question. */
    async #turnOf(peer, bell) {
        while (!this.#stopped) {
            const waitMs = this.#pace.takeOrWaitMs(peer, this.#modules.monotonic());
            if (waitMs === 0)
                return;
            await bell.wait(waitMs);
        }
    }
    async #download(run, headers, { work }, bell) {
        const bodies = this.#bodies(run, work, bell);
        // The next headers come while these bodies do.
        for (let next = headers.next();;) {
            const stretch = await next;
            if (!stretch.ok)
                return stretch.fault;
            if (stretch.value === undefined || this.#stopped)
                break;
            next = headers.next();
            const fault = await bodies.fetch(stretch.value);
            if (fault !== undefined || this.#stopped)
                return fault;
        }
        this.#show(run, true);
        return undefined;
    }
    #bodies(run, work, bell) {
        const { chain, requests, peers, monotonic, log } = this.#modules;
        return new BodySync({
            chain,
            timers: this.#timers,
            monotonic,
            bell,
            asked: this.#blocksAsked,
            stopped: () => this.#stopped,
            peers: () => [
                run.peer,
                ...peers.claiming(work).filter((peer) => peer !== run.peer && !this.#isResting(peer)),
            ],
            takeOrWaitMs: (peer) => this.#pace.takeOrWaitMs(peer, monotonic()),
            ask: async (peer, height, hashes) => {
                const answer = await requests.ask(peer, { type: 'getBlocks', height, hashes });
                return answer.ok ? accept(answer.value.blocks) : answer;
            },
            accept: this.#modules.accept,
            onConnected: (blocks, known) => {
                if (known)
                    run.meter.skip(blocks);
                else {
                    run.brought = true;
                    run.newsMs = monotonic();
                    run.meter.count(blocks, run.newsMs);
                }
                this.#show(run, false);
            },
            onFailed: (peer, reason, stalled) => {
                log.debug('another peer is asked for blocks', { instead: short(peer), reason });
                if (stalled && peer !== run.peer)
                    this.#rest(peer);
            },
        });
    }
    #tooDeep({ fork, height }) {
        const { final } = this.#modules.chain;
        this.#modules.log.warn('a chain with more work leaves ours where nothing can be undone any more', {
            fork,
            final: final.height,
            height,
            remedy: 'compare with other nodes; if it is ours that is wrong, start anew from a snapshot or an empty data directory',
        });
        return `its chain leaves ours after block ${fork}, below block ${final.height}, which can no longer be undone`;
    }
    /** Tells how far a run is, from time to time, and at its end. */
    #show(run, ended) {
        const { chain, log, monotonic } = this.#modules;
        const nowMs = monotonic();
        if (!ended && nowMs - run.shownMs < PROGRESS_EVERY_MS)
            return;
        run.shownMs = nowMs;
        const progress = run.meter.view(nowMs, this.#bodiesPerSecond);
        const { phase, done, of, perSecond, secondsLeft } = progress;
        if (phase === 'bodies' && perSecond > 0)
            this.#bodiesPerSecond = perSecond;
        if (ended && done <= 1)
            return;
        log.info('catching up', {
            from: short(run.peer),
            progress: bar(progress),
            [phase === 'bodies' ? 'blocks' : 'headers']: `${done}/${of}`,
            height: chain.tip.height,
            'per-second': perSecond.toFixed(0),
            'seconds-left': secondsLeft?.toFixed(0),
        });
    }
}
//# sourceMappingURL=sync.js.map