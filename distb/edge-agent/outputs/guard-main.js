var __rewriteRelativeImportExtension = (this && this.__rewriteRelativeImportExtension) || function (path, preserveJsx) {
    if (typeof path === "string" && /^\.\.?\//.test(path)) {
        return path.replace(/\.(tsx)$|((?:\.d)?)((?:\.[^./]+?)?)\.([cm]?)ts$/i, function (m, tsx, d, ext, cm) {
            return tsx ? preserveJsx ? ".jsx" : ".js" : d && (!ext || !cm) ? m : (d + ext + "." + cm.toLowerCase() + "js");
        });
    }
    return path;
};
/**
 * The guard as a program: `node guard-main.js`, started by the agent in a session of its own, so that what ends the agent
 * does not end it.
 *
 * Settings and beats come on stdin, answers go to stdout (guard-messages.ts). When stdin ends, the agent is gone: every output goes to
 * its safe state. Over sysfs, and in a file, the level stays, and the guard ends; a line of the character device would fall to its
 * resistors, so the guard goes on holding it until the next agent's guard takes over, or a person ends it (SIGTERM).
 * `--access-module URL`, which only tests give, names a module whose `openAccess` stands in for this machine's GPIO.
 */
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemTimers } from '../../node/timers.js';
import { openAccess, thisGpio } from '../gpio/access.js';
import { Guard } from './guard.js';
import { putDown, takeOver } from './takeover.js';
const CHECK_MS = 250;
/** How long letting go may take when told to end. */
const STOP_MS_MAX = 2_000;
const option = process.argv.indexOf('--access-module');
const open = option < 0
    ? openAccess
    : (await import(__rewriteRelativeImportExtension(process.argv[option + 1] ?? ''))).openAccess;
const write = (message) => void process.stdout.write(`${JSON.stringify(message)}\n`);
const exit = () => process.exit(0);
let guard;
let mark;
let beat = { beat: 0, levels: [] };
let isAgentGone = false;
function answer() {
    const levels = guard?.levels ?? beat.levels.map(() => undefined);
    write({ beat: beat.beat, levels: levels.map((level) => level ?? null) });
}
async function begin({ directory, lines, silenceMsMax }) {
    mark = putDown(directory);
    if (!(await takeOver(directory)) || isAgentGone)
        return leave();
    guard = new Guard({ lines, silenceMsMax }, {
        openAccess: (choice) => open(thisGpio, choice),
        timers: systemTimers,
        nowMs: () => performance.now(),
        random: Math.random,
        onLevels: answer,
        onFault: (name, reason) => write({ fault: { name, reason } }),
        onSilence: () => write({ notice: `the agent said nothing for ${silenceMsMax / 1000} s: all outputs were made safe` }),
    });
    guard.start();
    if (beat.beat > 0)
        guard.drive(beat.levels);
    answer();
}
/** The agent is gone. */
async function outlive() {
    isAgentGone = true;
    if (guard === undefined)
        return mark === undefined ? exit() : undefined; // `begin` sees it
    await guard.safe();
    const { pid } = process;
    mark?.say(`process ${pid} holds the outputs in their safe state: their agent is gone. To let go of them: kill ${pid}`);
    while (!guard.outlasts)
        await sleep(CHECK_MS);
    await leave();
}
async function leave() {
    await Promise.race([guard?.stop(), sleep(STOP_MS_MAX)]);
    mark?.remove();
    exit();
}
// An agent that is gone reads no more; the end of stdin says so too.
process.stdout.on('error', () => { });
process.on('SIGHUP', () => { });
process.on('uncaughtException', (error) => {
    // The agent's log is the only place where anybody would read it.
    write({ notice: `bug in the guard, please report it: ${error.stack}` });
    process.exit(1);
});
process.on('SIGTERM', () => void leave()).on('SIGINT', () => void leave());
let isFirst = true;
createInterface({ input: process.stdin })
    .on('line', (line) => {
    if (isFirst)
        void begin(JSON.parse(line));
    else {
        beat = JSON.parse(line);
        guard?.drive(beat.levels);
        answer();
    }
    isFirst = false;
})
    .on('close', () => void outlive());
//# sourceMappingURL=guard-main.js.map