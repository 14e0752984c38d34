/** The commands for an agent's wires: each loads its work when it is called. */
import { InvalidArgumentError } from 'commander';
import { loadKey } from '../node/key-file.js';
import { selfTest } from '../node/signing.js';
import { account, brokerOption, example, hours, jsonOption, quiet, seconds } from './options.js';
const sequenceNumber = (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < 1 || !Number.isSafeInteger(value))
        throw new InvalidArgumentError('expected a whole number from 1 on, below 2^53');
    return value;
};
const print = (text) => void process.stdout.write(text);
/** Adds wires show, set, try and reset. */
export function addWiringCommands(program) {
    const wires = program
        .command('wires')
        .description('what agents pay for by themselves')
        .addHelpText('after', example('pinledger wires show', 'pinledger wires try wires.yaml --data .pinledger/agent-1', 'pinledger wires set wires.yaml --agent $(pinledger keygen --show .pinledger/agent-1/key.json) --key owner.json'));
    wires
        .command('show')
        .description('what agents on a broker say of their wires; with a ledger also what devices have earned by them')
        .option('--agent <account>', 'of this one only', account)
        .option('--data <dir>', "a ledger, such as a validator's data directory")
        .addOption(brokerOption())
        .addOption(jsonOption())
        .addHelpText('after', example('pinledger wires show', 'pinledger wires show --data .pinledger/validator-1'))
        .action(async (options) => {
        const { showWires } = await import('./wires-show.js');
        const { broker, json } = options;
        process.exitCode = await showWires({ url: broker }, options, quiet(json), print);
    });
    wires
        .command('set')
        .description('gives an agent other wires while it runs, signed by its owner, and waits for its answer')
        .argument('<file>', "YAML with 'wires:' as in an agent's configuration")
        .requiredOption('--agent <account>', 'whose wires', account)
        .requiredOption('--key <file>', "key file of the agent's owner")
        .option('--sequence <number>', 'larger than that of every message before; the time in milliseconds when left out', sequenceNumber)
        .option('--wait <seconds>', 'for the answer', seconds, 15)
        .addOption(brokerOption())
        .addOption(jsonOption())
        .addHelpText('after', example('pinledger wires set wires.yaml --agent 8a88...6f5c --key owner.json'))
        .action(async (file, options) => {
        selfTest();
        const { setWires } = await import('./wires-set.js');
        const { broker, key, json } = options;
        process.exitCode = await setWires({ url: broker }, loadKey(key), { file, ...options }, quiet(json), print);
    });
    wires
        .command('try')
        .description('what wires would have cost: replays the last hours of a ledger through them; sends nothing')
        .argument('<file>', "YAML with 'wires:' as in an agent's configuration")
        .requiredOption('--data <dir>', 'data directory of any program of the network')
        .option('--agent <account>', "whose sensors are its own; the data directory's key by default", account)
        .option('--hours <hours>', 'how far back from the last block', hours, 24)
        .addOption(jsonOption())
        .addHelpText('after', example('pinledger wires try wires.yaml --data .pinledger/agent-1 --hours 24'))
        .action(async (file, options) => {
        const { tryWires } = await import('./wires-try.js');
        process.exitCode = tryWires({ file, ...options }, print);
    });
    wires
        .command('reset')
        .description("an agent that is stopped uses its configuration's wires again")
        .requiredOption('--data <dir>', "the agent's data directory")
        .addOption(jsonOption())
        .addHelpText('after', example('pinledger wires reset --data /var/lib/pinledger'))
        .action(async (options) => {
        const { resetWires } = await import('./wires-set.js');
        process.exitCode = resetWires(options, print);
    });
}
//# sourceMappingURL=wiring.js.map