/**
 * Holds outputs: drives what it is told, and the safe state when it is told nothing for too long.
 *
 * Runs in a process of its own (guard-main.ts), so that it outlives an agent that crashes or hangs. Lines are opened in their
 * safe state. A line that fails is reported and opened again with backoff; it costs no other line anything. Each line
 * is driven by one loop that always takes the newest wish, so wishes do not queue.
 */
import { createBackoff } from '../../node/backoff.js';
import { every } from '../../node/timers.js';
import { openLine } from './guarded-line.js';
const CHECK_MS = 250;
/** An open line is set again this often, which costs next to nothing where nothing has changed. */
const ASSURE_MS = 1_000;
const RETRY = { baseMs: 1_000, capMs: 60_000, stableMs: 10_000 };
export class Guard {
    #options;
    #modules;
    #lines;
    #accesses = new Map();
    #heardMs = 0;
    #silent = false;
    #isStopping = false;
    #stopTending = () => { };
    constructor(options, modules) {
        this.#options = options;
        this.#modules = modules;
        const shared = { ...modules, openAccess: (choice) => this.#sharedAccess(choice) };
        this.#lines = options.lines.map((line) => new GuardedLine(line, shared));
    }
    /** Begins to open all lines, in their safe state. */
    start() {
        this.#heardMs = this.#modules.nowMs();
        this.#stopTending = every(this.#modules.timers, CHECK_MS, () => void this.#check());
        void this.safe();
    }
    /** What each line is driven to; undefined where it is not, or not known to be. */
    get levels() {
        return this.#lines.map(({ level }) => level);
    }
    /** Drives the lines so, in the order of the options. Has to be called again and again: that the caller lives is what it says. */
    drive(levels) {
        if (this.#isStopping)
            return;
        this.#heardMs = this.#modules.nowMs();
        this.#silent = false;
        for (const [index, line] of this.#lines.entries())
            void line.drive(levels[index] ?? line.safe);
    }
    /** Drives all lines to their safe state; resolves once each is there, or has failed and waits for its next attempt. */
    async safe() {
        await Promise.all(this.#lines.map((line) => line.drive(line.safe)));
    }
    /** Whether the lines are safe and stay so without this process, which those of the character device do not. */
    get outlasts() {
        return this.#lines.every(({ kind, level, safe }) => kind === undefined || (kind !== 'gpiod' && level === safe));
    }
    /** Drives the safe state, whatever is said from now on, and lets go of the lines. */
    async stop() {
        this.#isStopping = true;
        this.#stopTending();
        await this.safe();
        await Promise.all(this.#lines.map((line) => line.close()));
    }
    async #check() {
        for (const line of this.#lines)
            line.tend();
        if (this.#silent || !this.#isLate())
            return;
        // If it was we who slept, what was said meanwhile is read before it is judged.
        await this.#modules.timers.turn();
        if (this.#silent || !this.#isLate())
            return;
        this.#silent = true;
        void this.safe();
        this.#modules.onSilence();
    }
    #isLate() {
        return this.#modules.nowMs() - this.#heardMs >= this.#options.silenceMsMax;
    }
    #sharedAccess(choice) {
        const known = this.#accesses.get(choice);
        if (known !== undefined)
            return known;
        const opening = this.#modules.openAccess(choice);
        this.#accesses.set(choice, opening);
        opening.catch(() => {
            // Reported by each line that waits for it; the next attempt begins anew.
            this.#accesses.delete(choice);
        });
        return opening;
    }
}
class GuardedLine {
    #line;
    #modules;
    #backoff;
    #wish;
    #output;
    #level;
    #running;
    #retryMs;
    #kind;
    #assuredMs = 0;
    #closed = false;
    constructor(line, modules) {
        this.#line = line;
        this.#modules = modules;
        this.#wish = line.safe;
        this.#backoff = createBackoff(RETRY, modules.random);
    }
    get level() {
        return this.#level;
    }
    get safe() {
        return this.#line.safe;
    }
    /** How the line was opened; undefined while it never was, and is as others left it. */
    get kind() {
        return this.#kind;
    }
    /** Resolves once it is driven so, or to a newer wish, or has failed. */
    drive(level) {
        this.#wish = level;
        if (this.#retryMs === undefined)
            this.#run();
        return this.#running ?? Promise.resolve();
    }
    /** The next attempt after a fault, or to set the level again, if it is time for that: what drives the line may have died. */
    tend() {
        const nowMs = this.#modules.nowMs();
        if (this.#retryMs === undefined ? nowMs - this.#assuredMs < ASSURE_MS : nowMs < this.#retryMs)
            return;
        this.#retryMs = undefined;
        this.#run(true);
    }
    async close() {
        this.#closed = true;
        await this.#running;
        await this.#letGo();
    }
    #run(again = false) {
        if (this.#closed || (this.#level === this.#wish && !again))
            return;
        this.#running ??= this.#follow();
    }
    async #follow() {
        const startedMs = this.#modules.nowMs();
        const before = this.#level;
        try {
            do {
                const level = this.#wish;
                if (this.#output === undefined) {
                    const { kind, output } = await openLine(this.#line, level, this.#modules.openAccess);
                    this.#output = output;
                    this.#kind = kind;
                }
                else
                    await this.#output.set(level);
                this.#level = level;
            } while (this.#level !== this.#wish && !this.#closed);
            this.#assuredMs = this.#modules.nowMs();
        }
        catch (error) {
            await this.#letGo();
            const nowMs = this.#modules.nowMs();
            this.#retryMs = nowMs + this.#backoff.next(nowMs - startedMs);
            this.#modules.onFault(this.#line.name, error instanceof Error ? error.message : String(error));
        }
        // In the step that found the wish fulfilled: a newer one begins anew.
        this.#running = undefined;
        if (this.#level !== before)
            this.#modules.onLevels();
    }
    async #letGo() {
        const output = this.#output;
        this.#output = undefined;
        this.#level = undefined;
        try {
            await output?.close();
        }
        catch (error) {
            this.#modules.onFault(this.#line.name, `cannot let go: ${String(error)}`);
        }
    }
}
//# sourceMappingURL=guard.js.map