/** The commands on stored ledgers: each loads its work when it is called. */
import { selfTest } from '../node/signing.js';
import { DATA_DEFAULT, example, height, jsonOption, transactionId } from './options.js';
/** Adds verify, repair, backup, restore and snapshot. */
export function addStorageCommands(program) {
    program
        .command('verify')
        .description('re-validates stored ledgers from genesis and prints height, tip and supply; changes nothing')
        .option('--data <dir>', 'data directory of a program, or of pinledger up', DATA_DEFAULT)
        .addOption(jsonOption())
        .addHelpText('after', example('pinledger verify --data .pinledger --json'))
        .action(async (options) => {
        const { verifyCommand } = await import('./verify.js');
        process.exitCode = verifyCommand(options);
    });
    const print = (text) => void process.stdout.write(text);
    program
        .command('repair')
        .description('makes a damaged ledger one that opens: keeps what is whole, moves the rest aside, deletes nothing')
        .requiredOption('--data <dir>', 'data directory of a program that is stopped')
        .addOption(jsonOption())
        .addHelpText('after', example('pinledger repair --data .pinledger/validator-1'))
        .action(async (options) => {
        selfTest();
        const { repairCommand } = await import('./repair.js');
        repairCommand(options, new Date(), print);
    });
    program
        .command('backup')
        .description("copies ledger and an agent's logs, also while the program runs, and checks the copy")
        .requiredOption('--data <dir>', 'data directory of a program')
        .requiredOption('--to <dir>', 'a directory that is empty or not there')
        .option('--with-key', 'the secret key too: whoever has the copy can then spend', false)
        .addOption(jsonOption())
        .addHelpText('after', example('pinledger backup --data .pinledger/agent-1 --to /mnt/stick/agent-1'))
        .action(async (options) => {
        selfTest();
        const { backupCommand } = await import('./backup.js');
        backupCommand(options, print);
    });
    program
        .command('restore')
        .description('puts a backup into a new data directory')
        .requiredOption('--from <dir>', 'what pinledger backup wrote')
        .requiredOption('--data <dir>', 'a directory that is empty or not there')
        .addOption(jsonOption())
        .addHelpText('after', example('pinledger restore --from /mnt/stick/agent-1 --data /var/lib/pinledger'))
        .action(async (options) => {
        selfTest();
        const { restoreCommand } = await import('./backup.js');
        restoreCommand(options, print);
    });
    const snapshot = program
        .command('snapshot')
        .description('a ledger without its history, for a machine that joins late')
        .addHelpText('after', example('pinledger snapshot export --data .pinledger/validator-1 --out lab.snapshot', 'pinledger snapshot import lab.snapshot --data v3 --genesis .pinledger/genesis.json'));
    snapshot
        .command('export')
        .description('writes one, also while the program runs')
        .requiredOption('--data <dir>', 'data directory of a program')
        .requiredOption('--out <file>', 'where to write it; an existing file is never replaced')
        .option('--height <height>', 'a multiple of 256; the highest there may be when left out', height)
        .addOption(jsonOption())
        .addHelpText('after', example('pinledger snapshot export --data .pinledger/validator-1 --out lab.snapshot'))
        .action(async (options) => {
        selfTest();
        const { exportCommand } = await import('./snapshot.js');
        exportCommand(options, print);
    });
    snapshot
        .command('import')
        .description('checks one and founds a data directory with it')
        .argument('<file>', 'what snapshot export wrote')
        .requiredOption('--data <dir>', 'a directory without a ledger')
        .option('--genesis <file>', 'the network that it must be of')
        .option('--hash <hash>', 'the block that it must be of', transactionId)
        .addOption(jsonOption())
        .addHelpText('after', example('pinledger snapshot import lab.snapshot --data v3 --genesis .pinledger/genesis.json'))
        .action(async (file, options) => {
        selfTest();
        const { importCommand } = await import('./snapshot.js');
        importCommand({ file, ...options }, Date.now(), print, (text) => void process.stderr.write(text));
    });
}
//# sourceMappingURL=storage.js.map