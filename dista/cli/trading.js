/** The commands that buy by hand: `pinledger buy ...`. */
import { Option } from 'commander';
import { WorldError } from '../node/error.js';
import { loadKey } from '../node/key-file.js';
import { selfTest } from '../node/signing.js';
import { EXIT } from './exit.js';
import { addFileCommands } from './file-commands.js';
import { checkNetwork } from './networks.js';
import { brokerOption, coins, example, jsonOption, minutes, quiet, seconds, whole } from './options.js';
import { running } from './program.js';
import { addReadings } from './readings.js';
const HOW = `
With --minutes or --seconds the price comes from the seller's signed offer, the one that pinledger market shows; with
--coins the seller decides how long that is. Each step is a line: the price, paid, confirmed, the seller's receipt or
why the coins come back. How a payment is settled is the seller's rule, and the same for all: docs/TRADE.md.
`;
/** Adds buy with what can be bought: for a time, and files. */
export function addTradingCommands(program) {
    const buy = program
        .command('buy')
        .description('buys from a device: an output or a paid topic for a time, readings one by one, or a file')
        .addHelpText('after', example('pinledger buy output lamp --of agent-1 --minutes 1 --key visitor.json'));
    const common = (command) => command
        .requiredOption('--of <seller>', 'its account, or its name: of the one seller that offers so, with --coins of one that is online')
        .requiredOption('--key <file>', 'key file of the buyer')
        .addOption(new Option('--minutes <minutes>', 'for how long, at the price that is offered')
        .argParser(minutes)
        .conflicts(['seconds', 'coins']))
        .addOption(new Option('--seconds <seconds>', 'the same in whole seconds').argParser(whole).conflicts('coins'))
        .option('--max-coins <coins>', 'what it may cost, without the fee; more is not paid', coins)
        .addOption(new Option('--coins <coins>', 'pay so much instead, whatever is offered')
        .argParser(coins)
        .conflicts('maxCoins'))
        .option('--network <hash>', 'genesis hash, or its first 8 digits, that the network must have')
        .option('--wait <seconds>', 'how long to wait for blocks and the seller', seconds, 120)
        .addOption(brokerOption())
        .addOption(jsonOption());
    common(buy
        .command('output')
        .description('pays for a relay or LED, and waits for the receipt and its block')
        .argument('<name>', 'the output'))
        .addHelpText('after', HOW + example('pinledger buy output lamp --of agent-1 --minutes 1 --key visitor.json'))
        .action(async (name, options) => {
        process.exitCode = await buyItem('on', name, options);
    });
    common(buy
        .command('topic')
        .description("pays for a sensor's paid topic, and prints its readings until the time is over")
        .argument('<sensor>', 'the sensor'))
        .addHelpText('after', HOW + example('pinledger buy topic soil --of agent-2 --minutes 5 --key visitor.json'))
        .action(async (name, options) => {
        process.exitCode = await buyItem('topic', name, options);
    });
    addFileCommands(buy);
    addReadings(buy);
}
async function buyItem(kind, name, options) {
    const { key, network, wait, broker, json } = options;
    checkNetwork(network);
    selfTest();
    if (timeOf(options) === undefined && options.coins === undefined)
        throw new WorldError('usage', 'say for how long with --minutes or --seconds, or how much with --coins');
    const signer = loadKey(key);
    const log = quiet(json);
    const where = { url: broker };
    const { buyOutput, describeStep } = await import('./buying.js');
    const item = { kind, name };
    const out = (text) => void process.stdout.write(`${text}\n`);
    const say = (step) => out(json ? JSON.stringify(step) : describeStep(step, { item }));
    const terms = await termsFor(where, item, options, say, log);
    if (terms === undefined)
        return EXIT.no;
    const purchase = { item, ...terms, waitSeconds: wait };
    if (kind === 'on')
        return buyOutput(where, signer, purchase, say, log);
    const { buyTopic } = await import('./buy-topic.js');
    const run = running({ name: 'buy', json, level: 'warn' });
    const onReading = (reading) => {
        const { sensor, value, unit, time } = reading;
        const at = new Date(time).toISOString();
        out(json
            ? JSON.stringify({ step: 'reading', ...reading, time: at })
            : `${at.slice(11, 19)} ${sensor} ${value} ${unit}`);
    };
    return buyTopic(where, signer, purchase, {
        say,
        onReading,
        log,
        now: Date.now,
        signal: run.signal,
    }).finally(run.end);
}
/** Whole seconds. */
const timeOf = (options) => options.minutes ?? options.seconds;
/** Who is paid how much, on which network; undefined when that is more than is wanted, which was said. */
async function termsFor(where, { kind, name }, options, say, log) {
    const { of, coins: amount, maxCoins: coinsMax, network } = options;
    const time = timeOf(options);
    if (time === undefined) {
        const { findSeller } = await import('./seller.js');
        return { seller: await findSeller(where, of, log), amount: amount ?? 0, network };
    }
    const { findTimedPrice } = await import('./timed-price.js');
    const found = await findTimedPrice(where, { of, kind, name }, { seconds: time, coinsMax }, network, log);
    if (!found.ok) {
        say({ step: 'refused', reason: found.fault.message });
        return undefined;
    }
    const { network: genesis, ...price } = found.value;
    say({ step: 'offered', ...price });
    return { seller: price.seller, amount: price.amount, network: genesis };
}
//# sourceMappingURL=trading.js.map