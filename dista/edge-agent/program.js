/**
 * Programs that an agent runs: an argument list and never a shell, in a process group of their own.
 *
 * They get PATH, the time zone and plain English messages, and nothing else of the agent's environment, where a
 * service may keep secrets.
 */
import { spawn } from 'node:child_process';
import { WorldError } from '../node/error.js';
/** What is kept of standard error: its end, where programs say why they gave up. */
const STDERR_CHARS_MAX = 500;
export const spawnProgram = (command, args) => {
    const { PATH = '/usr/local/bin:/usr/bin:/bin', TZ } = process.env;
    return spawn(command, args, {
        env: { PATH, LC_ALL: 'C.UTF-8', ...(TZ !== undefined && { TZ }) },
        detached: true,
    });
};
/** Ends a program with all that it started; nothing when it has ended. */
export function killProgram({ pid }) {
    if (pid === undefined)
        return;
    try {
        process.kill(-pid, 'SIGKILL');
    }
    catch (error) {
        // ESRCH: the whole group has ended already.
        if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH'))
            throw error;
    }
}
/** Resolves once the program has ended, with how: what it said on standard error, or its exit code or signal. */
export function programEnd(child) {
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
        stderr = (stderr + text).slice(-STDERR_CHARS_MAX);
    });
    // A program that ends without reading its input is no fault of the pipe's.
    child.stdin.on('error', () => { });
    return new Promise((resolve) => {
        child.once('error', ({ message }) => resolve({ ok: false, reason: message }));
        child.once('exit', (code, signal) => {
            const say = () => {
                const how = code === null ? `ended by ${signal}` : `exit code ${code}`;
                resolve({ ok: code === 0, reason: stderr.trim() || how });
            };
            // What it said last may still be in the pipe, which a program that it left behind may hold open.
            if (child.stderr.readableEnded)
                say();
            else {
                child.stderr.once('end', say);
                setTimeout(say, 100).unref();
            }
        });
    });
}
/**
 * Runs a program to its end and resolves with its standard output. Rejects with a `WorldError` that says why when it
 * cannot be started, exits with another code than 0, passes a limit or `signal` is aborted; then it is killed with all
 * that it started.
 */
export function runProgram(spawn, command, args, { timeoutMs, outputBytesMax }, signal) {
    const child = spawn(command, args);
    child.stdin.end();
    return new Promise((resolve, reject) => {
        const chunks = [];
        let bytes = 0;
        const fail = (reason) => {
            killProgram(child);
            tidy();
            reject(new WorldError('sensor', `${command}: ${reason}`));
        };
        // A process lives in real time, whatever clock the caller has.
        const timer = setTimeout(() => fail(`not done after ${timeoutMs / 1000} s`), timeoutMs);
        const stop = () => fail('stopped');
        signal?.addEventListener('abort', stop, { once: true });
        const tidy = () => {
            clearTimeout(timer);
            signal?.removeEventListener('abort', stop);
        };
        child.stdout.on('data', (chunk) => {
            bytes += chunk.length;
            if (bytes > outputBytesMax)
                fail(`wrote more than ${outputBytesMax} bytes`);
            else
                chunks.push(chunk);
        });
        const drained = new Promise((done) => child.stdout.once('close', done));
        void programEnd(child).then(async ({ ok, reason }) => {
            if (!ok)
                return fail(reason);
            await drained;
            tidy();
            resolve(Buffer.concat(chunks).toString());
        });
    });
}
//# sourceMappingURL=program.js.map