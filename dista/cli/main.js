#!/usr/bin/env node
/**
 * The program `pinledger`; each command's work is in its own file, loaded when it is called, since loading all of them
 * takes seconds on a small Pi.
 */
import { runCommandLine } from './command-line.js';
import { EXIT, explain } from './exit.js';
// A reader that has seen enough, such as head, closes the pipe.
process.stdout.on('error', (error) => {
    if (error.code !== 'EPIPE')
        throw error;
    process.exit(EXIT.ok);
});
process.on('uncaughtException', (error) => {
    process.stderr.write(`${explain(error)}\n`);
    process.exit(EXIT.bug);
});
const code = await runCommandLine(process.argv.slice(2));
if (code !== undefined)
    process.exitCode = code;
//# sourceMappingURL=main.js.map