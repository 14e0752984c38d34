/** `pinledger verify`: re-validates stored chains and prints what they come to. */
import { formatCoins } from '../ledger/amount.js';
import { openDiskReadOnly } from '../node/disk.js';
import { verifyLedger } from '../node/verify.js';
import { EXIT } from './exit.js';
import { ledgersIn } from './ledgers.js';
function verifyDirectory(path, progress) {
    const steps = verifyLedger(openDiskReadOnly(path));
    for (;;) {
        const step = steps.next();
        if (step.done === true)
            return step.value;
        progress(step.value);
    }
}
/** Prints to stdout and returns the exit code: 0 when every store holds, 1 otherwise. */
export function verifyCommand({ data, json }) {
    let shownMs = performance.now();
    const stores = ledgersIn(data).map((store) => {
        const progress = (height) => {
            if (json || performance.now() - shownMs < 1_000)
                return;
            shownMs = performance.now();
            process.stderr.write(`${store}: block ${height}\n`);
        };
        return { store, ...verifyDirectory(store, progress) };
    });
    const ok = stores.every((store) => store.ok);
    const best = stores.reduce((most, store) => (store.height > most.height ? store : most));
    if (json) {
        const { height, tip, stateRoot, transactions, readings, supply } = best;
        const fault = stores.find((store) => !store.ok);
        const first = fault === undefined ? {} : { store: fault.store, fault: fault.fault };
        process.stdout.write(`${JSON.stringify({ height, tip, stateRoot, transactions, readings, supply, ok, ...first, stores })}\n`);
    }
    else
        for (const store of stores)
            process.stdout.write(`${describe(store)}\n`);
    return ok ? EXIT.ok : EXIT.no;
}
function describe({ store, ok, fault, torn, from, height, tip, stateRoot, transactions, readings, supply, }) {
    if (!ok) {
        return `${store}: FAULT after block ${height}: ${fault ?? 'incomplete'}
  What to do: stop the program that uses it, restore a backup or run  pinledger repair --data ${store}  and start again; it fetches what is missing from its peers.`;
    }
    const note = torn === undefined
        ? ''
        : ` (an unfinished write of ${torn} bytes at the end will be cut off at the next start)`;
    return `${store}: ok${note}
  height ${height}, tip ${tip}
  state root ${stateRoot}
  ${from === undefined ? '' : `blocks up to ${from} were deleted: of those the headers were checked\n  `}${transactions} transactions, ${readings} readings, ${formatCoins(supply)} coins`;
}
//# sourceMappingURL=verify.js.map