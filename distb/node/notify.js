/**
 * What a program tells systemd (sd_notify(3)): that it is ready, that it stops and, for its watchdog, that its event loop turns.
 *
 * Node has no datagram sockets of the Unix kind, so `systemd-notify` speaks for it, a process each time, one at a time. It
 * stays until systemd has taken the message; of a sender that has gone systemd could not say whose it was. The unit needs
 * `NotifyAccess=all`.
 *
 * Invariants: the beat comes from the event loop that does the work, so a loop that is blocked misses its watchdog; no
 * other child inherits the socket, or a sensor's command could keep the watchdog of a dead program fed.
 */
import { spawn } from 'node:child_process';
import { every, systemTimers } from './timers.js';
const COMMAND = 'systemd-notify';
/** The command itself waits 5 s for systemd. */
const COMMAND_MS_MAX = 10_000;
const SILENT = { ready() { }, stopping() { } };
/** Takes systemd's variables out of `environment`; where they name no socket, nobody is told anything. */
export function createNotifier(environment, modules) {
    const { onFailure, timers = systemTimers, command = COMMAND, pid = process.pid } = modules;
    const { NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID } = environment;
    for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID'])
        delete environment[name];
    if (NOTIFY_SOCKET === undefined || NOTIFY_SOCKET === '')
        return SILENT;
    const watched = WATCHDOG_PID === undefined || Number(WATCHDOG_PID) === pid;
    const watchdogMs = watched ? Number(WATCHDOG_USEC ?? 0) / 1000 : 0;
    let speaking = false;
    let failed = false;
    let next;
    /** What is said while the last word is still on its way replaces what has not been said: only the newest state counts. */
    const say = (...words) => {
        if (speaking) {
            next = words;
            return;
        }
        speaking = true;
        const child = spawn(command, words, {
            env: { ...environment, NOTIFY_SOCKET },
            stdio: 'ignore',
        });
        // A program that has ended everything else does not stay for a word that systemd does not take, as it would with the
        // timer of spawn's own `timeout`.
        child.unref();
        const timer = setTimeout(() => child.kill(), COMMAND_MS_MAX).unref();
        const ended = (fault) => {
            clearTimeout(timer);
            if (fault !== undefined && !failed)
                onFailure(`${command} ${fault}: systemd does not hear of this program`);
            failed ||= fault !== undefined;
            speaking = false;
            const words = next;
            next = undefined;
            if (words !== undefined)
                say(...words);
        };
        child.once('error', ({ message }) => ended(`does not run (${message})`));
        child.once('exit', (code, signal) => ended(code === 0 ? undefined : `ended with ${code ?? signal}`));
    };
    let stopped = false;
    let endBeat = () => { };
    return {
        ready(status) {
            say('--ready', `--status=${status}`);
            if (watchdogMs > 0)
                endBeat = every(timers, watchdogMs / 2, () => say('WATCHDOG=1'));
        },
        stopping() {
            if (stopped)
                return;
            stopped = true;
            endBeat();
            say('STOPPING=1');
        },
    };
}
//# sourceMappingURL=notify.js.map