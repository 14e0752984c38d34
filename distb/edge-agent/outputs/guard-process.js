/**
 * The agent's side of its guard: starts it, tells it the wished levels, hears what is driven, starts another when it ends
 * or hangs.
 *
 * It has a session of its own (setsid), so that a terminal's Ctrl-C and the end of the agent's process group do not reach it, and
 * no pipe of it holds up who waits for the agent's output.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createBackoff } from '../../node/backoff.js';
import { BEAT_MS, SILENCE_MS_MAX } from './guard-messages.js';
const RESTART = { baseMs: 500, capMs: 30_000, stableMs: 60_000 };
/** The guard hangs when it answers nothing for so many seconds: a few, and at its start as many as a busy Pi takes for that. */
const UNANSWERED_SECONDS_MAX = { running: 5, starting: 60 };
/** How long the guard may take to make the outputs safe when the agent stops. */
const STOP_MS_MAX = 2_000;
/** As compiled: the compiler does not rewrite names inside `new URL`. */
export const GUARD_PROGRAM = fileURLToPath(new URL('./guard-main.js', import.meta.url));
export class GuardProcess {
    #options;
    #modules;
    #backoff;
    #onLevels = () => { };
    #onFault = () => { };
    #child;
    #restart;
    #startedMs = 0;
    #beat = 0;
    #hasAnswered = false;
    #unansweredSeconds = 0;
    #countedMs = 0;
    #wish;
    #isStopping = false;
    #onAnswer = () => { };
    constructor(options, modules) {
        this.#options = options;
        this.#modules = modules;
        this.#backoff = createBackoff(RESTART, modules.random);
        this.#wish = options.lines.map(({ safe }) => safe);
    }
    /** Of the running guard. */
    get pid() {
        return this.#child?.pid;
    }
    start(onLevels, onFault) {
        this.#onLevels = onLevels;
        this.#onFault = onFault;
        this.#spawn();
    }
    drive(levels) {
        this.#wish = levels;
        if (this.#child === undefined)
            return;
        if (this.#hangs() && !this.#isStopping) {
            this.#modules.log.warn('the guard of the outputs hangs: ending it', { pid: this.pid });
            this.#child.kill('SIGKILL');
            return;
        }
        this.#tell({ beat: ++this.#beat, levels });
    }
    /** Counts seconds in which the agent said something, so that neither a pause of the agent nor a burst of readings counts. */
    #hangs() {
        const nowMs = this.#modules.nowMs();
        if (nowMs - this.#countedMs >= BEAT_MS / 2) {
            this.#countedMs = nowMs;
            this.#unansweredSeconds++;
        }
        return this.#unansweredSeconds > UNANSWERED_SECONDS_MAX[this.#hasAnswered ? 'running' : 'starting'];
    }
    /** Makes all outputs safe and lets the guard go its own way; at most some 2 s. */
    async stop() {
        this.#isStopping = true;
        clearTimeout(this.#restart);
        const child = this.#child;
        if (child === undefined)
            return;
        this.drive(this.#options.lines.map(({ safe }) => safe));
        await this.#safely();
        child.stdin?.end();
        child.stdout?.destroy();
        child.unref();
    }
    /** Resolves once the newest beat has been answered with its levels, the guard has ended, or time is over. */
    #safely() {
        return new Promise((resolve) => {
            const timer = setTimeout(done, STOP_MS_MAX);
            function done() {
                clearTimeout(timer);
                resolve();
            }
            this.#onAnswer = done;
        });
    }
    #spawn() {
        const { directory, lines, silenceMsMax = SILENCE_MS_MAX, command = [GUARD_PROGRAM] } = this.#options;
        const { log, nowMs } = this.#modules;
        this.#startedMs = nowMs();
        this.#beat = 0;
        this.#hasAnswered = false;
        this.#unansweredSeconds = 0;
        const child = spawn(process.execPath, [...command], {
            cwd: '/',
            detached: true,
            // Where the gpiod tools are is all that it needs of ours.
            env: { PATH: process.env.PATH },
            stdio: ['pipe', 'pipe', 'ignore'],
        });
        this.#child = child;
        // What cannot be written any more: its end says so too.
        child.stdin.on('error', () => { });
        child.once('error', (error) => this.#ended(child, String(error)));
        child.once('exit', (code, signal) => this.#ended(child, signal ?? `exit code ${code}`));
        createInterface({ input: child.stdout }).on('line', (line) => {
            if (child === this.#child)
                this.#hear(JSON.parse(line));
        });
        log.info('guard of the outputs', { pid: child.pid });
        this.#tell({ directory, lines, silenceMsMax });
        this.drive(this.#wish);
    }
    #tell(message) {
        this.#child?.stdin?.write(`${JSON.stringify(message)}\n`);
    }
    #hear(message) {
        if ('fault' in message) {
            this.#onFault(message.fault.name, message.fault.reason);
            return;
        }
        if ('notice' in message) {
            this.#modules.log.warn('outputs', { reason: message.notice });
            return;
        }
        this.#hasAnswered = true;
        this.#unansweredSeconds = 0;
        this.#onLevels(message.levels.map((level) => level ?? undefined));
        // A line that cannot be driven does not become safe by waiting.
        const isDone = message.levels.every((level, index) => level === null || level === this.#wish[index]);
        if (message.beat === this.#beat && isDone)
            this.#onAnswer();
    }
    #ended(child, cause) {
        if (child !== this.#child)
            return;
        this.#child = undefined;
        this.#onAnswer();
        if (this.#isStopping)
            return;
        const { log, nowMs } = this.#modules;
        this.#onLevels(this.#options.lines.map(() => undefined));
        const waitMs = this.#backoff.next(nowMs() - this.#startedMs);
        log.warn('the guard of the outputs ended, starting another', { cause, restartMs: waitMs });
        this.#restart = setTimeout(() => this.#spawn(), waitMs);
    }
}
//# sourceMappingURL=guard-process.js.map