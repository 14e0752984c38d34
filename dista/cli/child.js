/**
 * A child process of `pinledger up`: starts it, keeps its log, restarts it with backoff when it dies, stops it.
 *
 * A child has its own process group, so that Ctrl-C reaches the supervisor alone and the order of stopping is kept;
 * it ends by itself when the channel to the supervisor closes.
 */
import { fork } from 'node:child_process';
import { appendFileSync, renameSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { createBackoff } from '../node/backoff.js';
import { WorldError } from '../node/error.js';
import { harmless } from '../node/log.js';
/** A log file is started anew at this size; the one before is kept as `.1`. */
const LOG_BYTES_MAX = 2 << 20;
const BACKOFF = { baseMs: 500, capMs: 30_000, stableMs: 60_000 };
const PROBLEM_CHARACTERS_MAX = 1_000;
/** How long a child may take to stop before it is killed. */
const STOP_MS = 1_500;
export class Child {
    #options;
    #backoff = createBackoff(BACKOFF, Math.random);
    #process;
    #stopping = false;
    #logFails = false;
    #timer;
    constructor(options) {
        this.#options = options;
    }
    /** Process id, while it runs. */
    get pid() {
        return this.#process?.pid;
    }
    /** Starts it and resolves with what it says of itself; rejects when it ends before that. */
    start() {
        return new Promise((resolve, reject) => {
            const { name, program, args, onProblem } = this.#options;
            const startedMs = performance.now();
            const child = fork(program, [...args(), '--json'], {
                detached: true,
                execArgv: [],
                stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
            });
            this.#process = child;
            let isReady = false;
            let lastProblem = '';
            child.on('message', (message) => {
                isReady = true;
                resolve(message.ready);
            });
            for (const stream of [child.stdout, child.stderr]) {
                if (stream === null)
                    continue;
                createInterface({ input: stream }).on('line', (line) => {
                    this.#write(line);
                    const problem = problemIn(line)?.slice(0, PROBLEM_CHARACTERS_MAX);
                    if (problem === undefined)
                        return;
                    lastProblem = problem;
                    if (isReady)
                        onProblem(name, problem);
                });
            }
            child.once('close', (code, signal) => {
                this.#process = undefined;
                if (!isReady)
                    return reject(new WorldError('child', `cannot start the ${name}: ${lastProblem || `it ended (${signal ?? code})`}`));
                if (this.#stopping)
                    return;
                const waitMs = this.#backoff.next(performance.now() - startedMs);
                onProblem(name, `ended (${signal ?? `exit code ${code}`}), starting again in ${(waitMs / 1000).toFixed(1)} s`);
                this.#timer = setTimeout(() => this.#restart(), waitMs);
            });
        });
    }
    async stop() {
        this.#stopping = true;
        clearTimeout(this.#timer);
        const child = this.#process;
        if (child === undefined)
            return;
        const closed = new Promise((resolve) => child.once('close', () => resolve()));
        child.kill('SIGTERM');
        const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
        await closed;
        clearTimeout(timer);
    }
    /** Ends it at once. */
    kill() {
        this.#process?.kill('SIGKILL');
    }
    #restart() {
        this.start().catch((error) => {
            this.#options.onProblem(this.#options.name, String(error));
            if (!this.#stopping)
                this.#timer = setTimeout(() => this.#restart(), this.#backoff.next(0));
        });
    }
    #write(line) {
        const { logFile, name, onProblem } = this.#options;
        try {
            const size = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
            if (size > LOG_BYTES_MAX)
                renameSync(logFile, `${logFile}.1`);
            appendFileSync(logFile, `${line}\n`);
            this.#logFails = false;
        }
        catch (error) {
            // A full disk must not take down those who can do without it; each child says for itself what it cannot store.
            if (!this.#logFails)
                onProblem(name, `cannot write its log: ${String(error)}`);
            this.#logFails = true;
        }
    }
}
/** The words of a log line that is a warning or worse, or that is no log line at all. */
function problemIn(line) {
    let entry;
    try {
        entry = JSON.parse(line);
    }
    catch {
        return harmless(line);
    }
    const { level, event, at: _at, name: _name, ...facts } = entry;
    if (level !== 'warn' && level !== 'error')
        return undefined;
    const details = Object.entries(facts).map(([key, value]) => `${key}=${String(value)}`);
    // Peers' words are among the facts, such as the client id of somebody who was refused.
    return harmless([String(event), ...details].join(' '));
}
//# sourceMappingURL=child.js.map