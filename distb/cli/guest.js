/**
 * The guest of `pinledger up`: buys light and readings now and then, as a person would with `pinledger buy`.
 *
 * Each purchase is that very command, so what it does can be done by hand. It is a demonstration: what goes wrong is written
 * to its log and tried again the next time.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
/** Milliseconds after the start of the first purchase, and from then on between two. */
const FIRST_MS = 8_000;
const EVERY_MS = 45_000;
export class Guest {
    #purchases;
    #program;
    #logFile;
    #turn = 0;
    #timer;
    #buying;
    constructor({ agents, guestFile }, url, program, logFile) {
        const buy = (what, name, of, coins) => [
            ...['buy', what, name, '--of', of ?? '', '--coins', coins],
            ...['--key', guestFile, '--broker', url],
        ];
        this.#purchases = [buy('output', 'lamp', agents[0], '0.5'), buy('topic', 'soil', agents[1], '0.15')];
        this.#program = program;
        this.#logFile = logFile;
    }
    start() {
        this.#timer = setTimeout(() => this.#buy(), FIRST_MS);
    }
    stop() {
        clearTimeout(this.#timer);
        this.#buying?.kill();
    }
    #buy() {
        this.#timer = setTimeout(() => this.#buy(), EVERY_MS);
        // Still at the one before: two purchases of one key at once would use the same nonce.
        if (this.#buying !== undefined)
            return;
        const purchase = this.#purchases[this.#turn++ % this.#purchases.length] ?? [];
        const log = openSync(this.#logFile, 'a', 0o600);
        this.#buying = spawn(process.execPath, [this.#program, ...purchase], { stdio: ['ignore', log, log] });
        closeSync(log);
        const ended = () => {
            this.#buying = undefined;
        };
        // That it cannot be started is no reason for the network to end.
        this.#buying.once('close', ended).once('error', ended);
    }
}
//# sourceMappingURL=guest.js.map