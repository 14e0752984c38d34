/** `pinledger split`: with whom an account shares what it earns. */
import { InvalidArgumentError } from 'commander';
import { SHARES_MAX } from '../schemas/transaction.js';
import { checkNetwork } from './networks.js';
import { account, brokerOption, coins, example, jsonOption, quiet, seconds } from './options.js';
/** Ten thousandths in a percent. */
const PARTS_PER_PERCENT = 100;
/** For an option that may stand several times: `ACCOUNT=30%`, to a hundredth of a percent. */
export function share(text, before = []) {
    const [, owner = '', percent = ''] = /^([^=]*)=(\d{1,3}(?:\.\d{1,2})?)%$/.exec(text) ?? [];
    const parts = Math.round(Number(percent) * PARTS_PER_PERCENT);
    if (percent === '' || parts < 1 || parts > 100 * PARTS_PER_PERCENT)
        throw new InvalidArgumentError('expected an account and 0.01% to 100%, such as 8a88...6f5c=30%');
    if (before.length >= SHARES_MAX)
        throw new InvalidArgumentError(`expected at most ${SHARES_MAX} shares`);
    return [...before, { account: account(owner), parts }];
}
const KEY = '$(pinledger keygen --show friend.json)';
/** Adds split show, set and clear. */
export function addSplitCommands(program) {
    const split = program
        .command('split')
        .description('shares what an account earns with others: an owner, a site, a maintenance fund')
        .addHelpText('after', `\nEarnings are payments, claims of channels and of hashlocks. Rewards for mining are not shared, nor is what a share brings.\n${example(`pinledger split set --key agent/key.json --share ${KEY}=30%`, `pinledger split show ${KEY}`)}`);
    split
        .command('show')
        .description('with whom an account shares, as a validator says')
        .argument('<account>', '64 hex digits', account)
        .option('--network <hash>', 'genesis hash, or its first 8 digits, that the network must have')
        .addOption(brokerOption())
        .addOption(jsonOption())
        .addHelpText('after', example(`pinledger split show ${KEY}`))
        .action(async (of, { network, broker, json }) => {
        checkNetwork(network);
        const { showSplit } = await import('./sharing.js');
        process.exitCode = await showSplit({ url: broker }, network, of, json, quiet(json));
    });
    const change = (name, description) => split
        .command(name)
        .description(description)
        .requiredOption('--key <file>', 'key file of the account that shares')
        .option('--fee <coins>', 'what a validator thinks that it takes when left out', coins)
        .option('--network <hash>', 'genesis hash, or its first 8 digits, that the network must have')
        .option('--wait <seconds>', 'how long to wait for a block', seconds, 120)
        .addOption(brokerOption())
        .addOption(jsonOption());
    const run = async ({ key, share: shares, fee, network, wait, broker, json }) => {
        checkNetwork(network);
        const { selfTest } = await import('../node/signing.js');
        const { loadKey } = await import('../node/key-file.js');
        const { setSplit } = await import('./sharing.js');
        selfTest();
        const order = { shares, fee, network, waitSeconds: wait };
        process.exitCode = await setSplit({ url: broker }, loadKey(key), order, json, quiet(json));
    };
    change('set', 'shares what the account earns from now on, in place of what it shared before')
        .requiredOption('--share <account=percent>', 'whom with, up to 4 times; the rest stays', share)
        .addHelpText('after', example(`pinledger split set --key agent/key.json --share ${KEY}=12.5%`))
        .action(run);
    change('clear', 'keeps everything from now on')
        .addHelpText('after', example('pinledger split clear --key agent/key.json'))
        .action((options) => run({ ...options, share: [] }));
}
//# sourceMappingURL=splits.js.map